"""Rule 29: what is told of a table leaves no cell of one or two, also to somebody who knows how it is chosen (disclosure.py)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult_app.disclosure import Counts, Told, added, is_clean, number, tell, tell_next
from tests.small_cells import told_by_change, worked_out

Table = dict[str, Counts]


def told(table: Table) -> Told | None:
    return tell(added(table.values(), len(next(iter(table.values())))), {"types": table})


def test_six_and_one_and_one_of_eight_are_eight_people() -> None:
    assert told({"a": (6, 0, 0), "b": (0, 1, 0), "c": (0, 0, 1)}) is None
    assert told({"a": (6, 1, 1), "b": (0, 0, 0), "c": (0, 0, 0)}) is None


def test_a_small_row_is_told_with_others_and_never_with_one_other() -> None:
    found = told({"a": (6, 0, 0), "b": (3, 4, 0), "c": (1, 0, 0), "d": (2, 0, 0), "e": (0, 0, 0)})
    assert found is not None
    assert (found.alone["types"], found.others("types")) == ({"a": (6, 0, 0), "b": (3, 4, 0)}, (3, 0, 0))
    found = told({"a": (6, 0, 0), "b": (4, 1, 0), "c": (1, 4, 0)})
    assert found is not None
    assert (found.alone["types"], found.others("types")) == ({"a": (6, 0, 0)}, (5, 5, 0))
    found = told({"a": (6, 0, 0), "b": (3, 4, 0), "c": (1, 0, 0)})
    assert found is not None
    assert (found.alone["types"], found.everyone) == ({}, (10, 4, 0))


def test_none_one_and_two_look_alike() -> None:
    assert [number(n) for n in range(5)] == [None, None, None, 3, 4]
    assert [told({"a": (n, 0, 0), "b": (0, 0, 0)}) for n in range(3)] == [None] * 3


def test_what_is_kept_is_read_as_it_was() -> None:
    found = told({"1": (6, 0, 0), "2": (3, 4, 0)})
    assert found is not None
    assert Told.from_json(found.to_json()) == found  # type: ignore[arg-type]


def rows_of(found: Told, keys: Iterable[str]) -> dict[frozenset[str], Counts]:
    """The rows that are told, each with the rows of the table that are in it."""
    alone = found.alone["types"]
    rest = frozenset(keys) - set(alone)
    return {frozenset([key]): row for key, row in alone.items()} | ({rest: found.others("types")} if rest else {})


def test_a_coarser_table_takes_the_place_of_a_finer_one_when_many_more_came() -> None:
    first = told({"a": (3, 3, 0), "b": (6, 0, 0), "c": (0, 0, 0)})
    few = told({"a": (4, 3, 0), "b": (8, 0, 0), "c": (0, 0, 0)})
    many = told({"a": (4, 3, 0), "b": (18, 0, 0), "c": (0, 0, 0)})
    assert first is not None
    assert many is not None
    assert tell_next(first, []) == first
    assert tell_next(few, [first]) is None  # the first row by one, the second by two
    assert tell_next(many, [first]) == Told(many.everyone, {"types": {}})


# -- whoever knows the rule --


def ways(people: int, cells: int) -> Iterator[Counts]:
    """All ways to put people into cells."""
    if cells == 1:
        yield (people,)
        return
    for first in range(people + 1):
        for rest in ways(people - first, cells - 1):
            yield (first, *rest)


def divided(flat: Counts, sizes: tuple[int, ...], width: int) -> tuple[Counts, dict[str, Table]]:
    cells = dict(zip(product(*map(range, sizes), range(width)), flat, strict=True))

    def row(place: int | None, key: int) -> Counts:
        found = {at: n for at, n in cells.items() if place is None or at[place] == key}
        return tuple(sum(n for at, n in found.items() if at[-1] == column) for column in range(width))

    divisions = {str(n): {str(key): row(n, key) for key in range(size)} for n, size in enumerate(sizes)}
    return row(None, 0), divisions


SHAPES = [  # rows of each division, columns, and how many people at most
    ((2,), 3, 10),
    ((3,), 3, 8),
    ((4,), 3, 7),
    ((2,), 4, 8),
    ((3,), 4, 7),
    ((3,), 2, 12),
    ((1,), 3, 9),
    ((2, 2), 3, 6),
]


@pytest.mark.parametrize(("sizes", "width", "most"), SHAPES)
def test_whoever_knows_the_rule_and_tries_every_table_finds_no_one_and_no_two(sizes: tuple[int, ...], width: int, most: int) -> None:
    """Of all tables that look the same once they are told, no cell, row or column is one or two in each."""
    possible: defaultdict[str, defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for people in range(most + 1):
        for flat in ways(people, width * _product(sizes)):
            everyone, divisions = divided(flat, sizes, width)
            seen = possible[repr((number(people), tell(everyone, divisions)))]
            for place, n in enumerate((*flat, *everyone)):
                seen[f"{place}"].add(n)
            for name, rows in divisions.items():
                for key, counts in rows.items():
                    seen[f"{name} {key}"].add(sum(counts))
                    for column, n in enumerate(counts):
                        seen[f"{name} {key} {column}"].add(n)
    found = [(what, cell) for what, cells in possible.items() for cell, values in cells.items() if values <= {1, 2}]
    if width == 2:  # three people in two columns, where neither has all of them: one and two
        found = [one for one in found if one[0] != "(3, None)"]
    assert found == []
    assert len(possible) > 10


def _product(sizes: tuple[int, ...]) -> int:
    found = 1
    for size in sizes:
        found *= size
    return found


# -- whoever counts, at one time and over time --

counts = st.sampled_from([0, 0, 0, 0, 1, 2, 3, 4, 5, 9])
rows = st.lists(st.tuples(counts, counts, counts, counts), min_size=1, max_size=6)
tables = rows.map(lambda found: {str(n): row for n, row in enumerate(found)})


@given(tables)
@settings(max_examples=200, deadline=None)
def test_no_sum_that_is_told_leads_to_a_small_cell(table: Table) -> None:
    found = told(table)
    people = sum(map(sum, table.values()))
    columns = range(4)
    cells = [(row, str(column)) for row in table for column in columns]
    sums = [(frozenset(cells), people, people)] if people > 2 else [(frozenset(cells), 0, 2)]
    if found is not None:
        shown = rows_of(found, table)
        assert all(is_clean(row) for row in shown.values())
        sums += [(frozenset((key, str(c)) for key in keys), row[c], row[c]) for keys, row in shown.items() for c in columns]
    assert worked_out(cells, sums) == []


def test_the_solver_finds_what_can_be_worked_out() -> None:
    """The control: with the first row told and the total, the second is known."""
    cells = [("a",), ("b",), ("c",)]
    everyone, first = (frozenset(cells), 8, 8), (frozenset(cells[:1]), 6, 6)
    assert worked_out(cells, [everyone, first]) == []  # two of b and c, which may both be of one
    assert worked_out(cells, [everyone, first, (frozenset(cells[:2]), 7, 7)]) == [("b",), ("c",)]
    assert told_by_change({frozenset("a"): [3], frozenset("b"): [4]}, {frozenset("ab"): [8]}) == [(frozenset("ab"), [1])]


def test_rows_that_stood_alone_and_those_that_now_do_are_compared_as_two_groups() -> None:
    """Told together, then alone, and the other way round: what each group gained is known, though no row is told twice."""
    then = {"a": (9, 0, 0, 0), "b": (7, 0, 0, 0), "c": (2, 4, 0, 0), "d": (4, 2, 0, 0)}
    after = {"a": (2, 8, 0, 0), "b": (8, 1, 0, 0), "c": (5, 3, 0, 0), "d": (3, 3, 0, 0)}
    first, second = told(then), told(after)
    assert first is not None
    assert second is not None
    assert (set(first.alone["types"]), set(second.alone["types"])) == ({"a", "b"}, {"c", "d"})
    found = tell_next(second, [first])
    assert found is None or not told_by_change(rows_of(first, "abcd"), rows_of(found, "abcd"))


@given(st.lists(tables.map(lambda table: {str(n): table.get(str(n), (0, 0, 0, 0)) for n in range(4)}), min_size=2, max_size=8))
@settings(max_examples=200, deadline=None)
def test_no_two_times_tell_of_one_or_two(moments: list[Table]) -> None:
    kept: list[Told] = []
    for table in moments:
        found = tell_next(told(table), kept)
        kept = [found, *kept] if found is not None else kept
    seen = [rows_of(one, "0123") for one in kept]
    for first, second in combinations(seen, 2):
        assert told_by_change(first, second) == []
