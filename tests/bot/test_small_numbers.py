"""Small numbers are never printed, and nothing that is printed leaves one of them a single value."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import count, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.small_numbers import FEW, HIDDEN, Told, told

Numbers = tuple[int, ...]  # of one cohort: silent, and what was said


def rows_of(table: Sequence[Numbers]) -> list[dict[str, Counter[int]]]:
    """Each number with as many people behind it as it says, nobody twice; and the sums that a report has of them."""
    people = count()
    rows = []
    for numbers in table:
        parts = [Counter({next(people): 1 for _ in range(number)}) for number in numbers]
        row = {f"part {place}": part for place, part in enumerate(parts)}
        rows.append(row | {"answered": _joined(parts[1:]), "asked": _joined(parts)})
    return rows


def _joined(parts: Sequence[Counter[int]]) -> Counter[int]:
    return Counter({person: 1 for part in parts for person in part})


def numbers_of(table: Sequence[Numbers]) -> list[list[int]]:
    """Every number of every row, those that are sums as well."""
    return [[*numbers, sum(numbers[1:]), sum(numbers)] for numbers in table]


def printed(*table: Numbers) -> list[str]:
    said = told(rows_of(table))
    return [" ".join(row.values()) for row in (*said.rows, said.together)]


def test_large_numbers_and_none_are_printed_as_they_are() -> None:
    assert printed((10, 7, 0), (5, 30, 12)) == ["10 7 0 7 17", "5 30 12 42 47", "15 37 12 49 64"]


def test_a_row_with_a_small_number_is_hidden_and_so_are_the_sums_where_it_is_the_only_one() -> None:
    hidden = " ".join([HIDDEN] * 5)
    assert printed((10, 7, 3), (5, 30, 12)) == [hidden, "5 30 12 42 47", hidden]


def test_several_hidden_rows_count_in_the_sums() -> None:
    hidden = " ".join([HIDDEN] * 5)
    assert printed((10, 7, 3), (2, 5, 8), (5, 9, 6)) == [hidden, hidden, "5 9 6 15 20", "17 21 17 38 55"]


@pytest.mark.parametrize(
    "table",
    [
        [(5, 1, 0), (5, 2, 0)],  # few behind the sum as well
        [(0, 4, 0), (0, 4, 0)],  # eight of two small numbers are four and four
        [(1, 0, 0)] * 5,  # and five of five are one each
    ],
)
def test_sums_from_which_a_hidden_number_could_be_worked_out_are_hidden(table: list[Numbers]) -> None:
    assert set(printed(*table)[-1].split()) == {HIDDEN}


def test_numbers_of_few_people_are_hidden_however_large() -> None:
    said = told([{"asked": Counter({1: 9, 2: 9})}])
    assert said == Told(({"asked": HIDDEN},), {"asked": HIDDEN})


@pytest.mark.parametrize(("rows", "parts", "most"), [(2, 3, 5), (3, 2, 5), (4, 1, 9), (5, 1, 6)])
def test_no_report_there_can_be_leaves_a_small_number_one_value(rows: int, parts: int, most: int) -> None:
    """Whoever knows the rule lists every table there is, and looks which of them print the report before them."""
    same_report: defaultdict[tuple[str, ...], list[list[list[int]]]] = defaultdict(list)
    kinds = [numbers for numbers in product(range(most + 1), repeat=parts) if sum(numbers)]
    for table in product(kinds, repeat=rows):
        same_report[tuple(printed(*table))].append(numbers_of(table))
    assert len(same_report) > 1
    for tables in same_report.values():
        assert not list(_worked_out(tables))


def _worked_out(tables: Sequence[list[list[int]]]) -> Iterator[int]:
    """The small numbers that are the same in all tables that print alike."""
    for row, column in product(range(len(tables[0])), range(len(tables[0][0]))):
        values = {table[row][column] for table in tables}
        if len(values) == 1 and 0 < min(values) < FEW:
            yield min(values)


some_tables = st.lists(st.tuples(*[st.integers(0, 2 * FEW)] * 4).filter(any), min_size=1, max_size=6)


@given(some_tables)
def test_every_small_number_has_another_value_in_another_table_that_prints_the_same(table: list[Numbers]) -> None:
    rows, report = numbers_of(table), printed(*table)
    if report[-1].startswith(HIDDEN):
        return  # then only hidden rows are at stake, of which nothing is told
    others = [other for other in _neighbours(table) if printed(*other) == report]
    for row, column in product(range(len(rows)), range(len(rows[0]))):
        if 0 < rows[row][column] < FEW:
            assert any(numbers_of(other)[row][column] != rows[row][column] for other in others)


def _neighbours(table: list[Numbers]) -> Iterator[list[Numbers]]:
    """Two rows in each other's place, or one person moved from one row to another."""
    for one, other in product(range(len(table)), repeat=2):
        swapped = list(table)
        swapped[one], swapped[other] = table[other], table[one]
        yield swapped
        for part in range(4):
            if one != other and table[other][part]:
                moved = [list(numbers) for numbers in table]
                moved[one][part] += 1
                moved[other][part] -= 1
                yield [tuple(numbers) for numbers in moved]
