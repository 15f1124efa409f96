"""Which numbers of a table may be told so that no cell of one or two people can be worked out (product.md rules 11 and 29).

A table counts the same people by a row (a stakeholder type, a revision) and a column (a position, a sex). Nothing is hidden in it: it
is told more coarsely. Some rows are told alone, all others together as one row, and each cell of what is told is 0 or at least
`LEAST`. All that is told is a sum of such cells, so that no subtraction leads to a smaller one.

A table that was told stays until the next differs from it, and from each before it, by nobody or at least `LEAST` people in every
cell that both tell. Under these functions there is no database: who keeps what was told is `comments/told.py` and `attendance/told.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

LEAST = 3  # people; the one place that says it

Counts = tuple[int, ...]
Rows = Mapping[str, Counts]


def number(people: int) -> int | None:
    """A plain number of people as it may be told: none, one and two are not told from one another."""
    return people if people >= LEAST else None


def is_clean(counts: Iterable[int]) -> bool:
    """Whether each number, or change of a number, is of nobody or of at least `LEAST` people."""
    return all(n == 0 or abs(n) >= LEAST for n in counts)


def added(rows: Iterable[Sequence[int]], width: int) -> Counts:
    """Rows added up, column by column."""
    return tuple(sum(row[n] for row in rows) for n in range(width))


def less(counts: Sequence[int], others: Sequence[int]) -> Counts:
    return tuple(one - other for one, other in zip(counts, others, strict=True))


@dataclass(frozen=True)
class Told:
    """What may be told of the people that a table counts: all of them, and of each way to divide them the rows that stand alone."""

    everyone: Counts
    alone: dict[str, dict[str, Counts]] = field(default_factory=dict)  # by the name of the division, then by row
    named: dict[str, frozenset[str]] = field(default_factory=dict, compare=False)  # every row of each division

    def others(self, division: str) -> Counts:
        """Those of the rows that do not stand alone, together."""
        return less(self.everyone, added(self.alone[division].values(), len(self.everyone)))

    def to_json(self) -> dict[str, object]:
        alone = {name: {key: list(counts) for key, counts in rows.items()} for name, rows in self.alone.items()}
        named = {name: sorted(rows) for name, rows in self.named.items()}
        return {"everyone": list(self.everyone), "alone": alone, "named": named}

    @classmethod
    def from_json(cls, kept: Mapping[str, Mapping[str, Mapping[str, Sequence[int]]]]) -> Told:
        alone = {name: {key: tuple(counts) for key, counts in rows.items()} for name, rows in kept["alone"].items()}
        named = {name: frozenset(rows) for name, rows in kept.get("named", {}).items()}
        return cls(tuple(kept["everyone"]), alone, named)  # type: ignore[arg-type]


def tell(everyone: Counts, divisions: Mapping[str, Rows]) -> Told | None:
    """The finest that may be told of a table whose people are divided in one or more ways; None: no more than how many they are.

    It has three columns or more, of which any may be empty. Every division names all its rows, those in which there is nobody too: a
    row that is told together with others must not show that there is somebody in it.
    """
    if number(sum(everyone)) is None:
        return None
    alone = {}
    for name, rows in divisions.items():
        found = _stand_alone(rows, len(everyone))
        if found is None:
            return None
        alone[name] = found
    return Told(everyone, alone, {name: frozenset(rows) for name, rows in divisions.items()})


def _stand_alone(rows: Rows, width: int) -> dict[str, Counts] | None:
    """The rows that are told alone; None where not even all of them together may be told."""
    alone = {key: counts for key, counts in rows.items() if sum(counts) and is_clean(counts)}
    rest = [counts for key, counts in rows.items() if key not in alone]
    together = added(rest, width)
    if not any(together) or (is_clean(together) and _hide_one_another(len(rest), [n for n in together if n])):
        return alone
    everyone = added(rows.values(), width)
    is_one_and_two = len(rows) == 2 and sum(everyone) == LEAST
    return {} if is_clean(everyone) and not is_one_and_two else None


def _hide_one_another(rows: int, columns: list[int]) -> bool:
    """Whether any of the rows that are told together may as well be empty, or have three in each of these columns.

    Who knows this rule knows of each that it could not stand alone: that it is empty, or has one or two in some column.
    """
    if rows > 2:
        return len(columns) > 1 or columns[0] <= 2 * (rows - 1)
    return rows == 2 and len(columns) > 1 and min(columns) > LEAST  # three and more in one, one or two in the other


def tell_next(now: Told | None, earlier: Sequence[Told]) -> Told | None:
    """What is told after what was told `earlier`, the newest first; None where that stays.

    Of what may be told now, the finest from which nothing can be learnt of one or two people by what changed. A coarser table takes
    the place of a finer one only when half as many people again have come.
    """
    if now is None:
        return None
    newest = earlier[0] if earlier else None
    for found in _ever_coarser(now):
        is_coarser = newest is not None and any(newest.alone[name].keys() - rows.keys() for name, rows in found.alone.items())
        if newest is not None and (found == newest or (is_coarser and 2 * sum(found.everyone) < 3 * sum(newest.everyone))):
            continue
        if all(_is_apart(found, old) for old in earlier):
            return found
    return None


def _ever_coarser(told: Told) -> Iterator[Told]:
    """The same people with rows that stand alone in all divisions, in some, in none."""
    choices = product(*([rows, {}] if rows else [rows] for rows in told.alone.values()))
    for chosen in sorted(choices, key=lambda rows: sum(not one for one in rows)):
        yield Told(told.everyone, dict(zip(told.alone, chosen, strict=True)), told.named)


def _is_apart(new: Told, old: Told) -> bool:
    """Whether nobody, or at least `LEAST` people, make the difference in each sum of cells that both tell."""
    width = len(new.everyone)
    change = less(new.everyone, old.everyone)
    if not is_clean(change):
        return False
    for division in new.alone.keys() & old.alone.keys():
        both = new.alone[division].keys() & old.alone[division].keys()
        changes = [less(new.alone[division][key], old.alone[division][key]) for key in both]
        rest = _of_swapped_rows(new, old, division) or [less(change, added(changes, width))]
        sums = {(0,) * width}
        for part in [*changes, *rest]:
            sums |= {added([one, part], width) for one in sums}
        if not all(map(is_clean, sums)):
            return False
    return True


def _of_swapped_rows(new: Told, old: Told, division: str) -> list[Counts]:
    """The changes of the rows that stood alone and are now told together, and of those the other way round.

    They can be worked out only where no row is told together with others both times.
    """
    now_alone, then_alone = new.alone[division], old.alone[division]
    if new.named.get(division, frozenset()) - now_alone.keys() - then_alone.keys():
        return []
    width = len(new.everyone)
    joined = added([then_alone[key] for key in then_alone.keys() - now_alone.keys()], width)
    parted = added([now_alone[key] for key in now_alone.keys() - then_alone.keys()], width)
    return [less(new.others(division), joined), less(parted, old.others(division))]
