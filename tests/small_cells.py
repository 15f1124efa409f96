"""What somebody can work out who writes down every number that is told of a table, at one time and over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

Cell = tuple[str, ...]
Sums = list[tuple[frozenset[Cell], int, int]]  # cells, and the least and the most that they can be together
MOST = 10**6


def _narrow(low: dict[Cell, int], high: dict[Cell, int], sums: Sums) -> bool:
    """Bring the bounds of cells as close together as each sum allows; returns whether anything is left."""
    changed = True
    while changed:
        changed = False
        for cells, least, most in sums:
            lows, highs = sum(low[one] for one in cells), sum(high[one] for one in cells)
            if lows > most or highs < least:
                return False
            for one in cells:
                new_low, new_high = max(low[one], least - (highs - high[one])), min(high[one], most - (lows - low[one]))
                if new_low > new_high:
                    return False
                if (new_low, new_high) != (low[one], high[one]):
                    changed = True
                    lows, highs = lows + new_low - low[one], highs + new_high - high[one]
                    low[one], high[one] = new_low, new_high
    return True


def _is_possible(low: dict[Cell, int], high: dict[Cell, int], sums: Sums) -> bool:
    low, high = dict(low), dict(high)
    if not _narrow(low, high, sums):
        return False
    open_ones = [one for one in low if low[one] < high[one]]
    if not open_ones:
        return True
    one = min(open_ones, key=lambda cell: high[cell] - low[cell])
    return any(_is_possible({**low, one: n}, {**high, one: n}, sums) for n in range(low[one], high[one] + 1))


def worked_out(cells: Iterable[Cell], sums: Sums) -> list[Cell]:
    """The cells of which the sums leave nothing but one or two: neither nobody, nor three and more."""
    low: dict[Cell, int] = dict.fromkeys(cells, 0)
    high = dict.fromkeys(low, MOST)
    assert _narrow(low, high, sums), "what is told contradicts itself"

    def may_be(one: Cell, least: int, most: int) -> bool:
        least, most = max(least, low[one]), min(most, high[one])
        return least <= most and _is_possible({**low, one: least}, {**high, one: most}, sums)

    return [one for one in low if not may_be(one, 0, 0) and not may_be(one, 3, MOST)]


Told = Mapping[frozenset[str], Sequence[int]]  # rows that are told together, and their numbers by column


def _unions(told: Told) -> Iterator[tuple[frozenset[str], list[int]]]:
    groups = list(told)
    for number in range(1, len(groups) + 1):
        for chosen in combinations(groups, number):
            together = frozenset().union(*chosen)
            if len(together) < sum(map(len, chosen)):  # some rows are in two of them
                continue
            yield together, [sum(column) for column in zip(*(told[one] for one in chosen), strict=True)]


def told_by_change(first: Told, second: Told) -> list[tuple[frozenset[str], list[int]]]:
    """The rows, alone or together, that are told at both times and in which one or two more or fewer are told the second time."""
    before = dict(_unions(first))
    changes = ((rows, [n - m for n, m in zip(counts, before[rows], strict=True)]) for rows, counts in _unions(second) if rows in before)
    return [(rows, change) for rows, change in changes if any(0 < abs(n) < 3 for n in change)]
