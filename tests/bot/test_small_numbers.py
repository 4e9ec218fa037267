"""Small numbers are never printed, and nothing that is printed leaves one of them a single value."""

from __future__ import annotations

from collections import defaultdict
from itertools import product

from hypothesis import assume, given
from hypothesis import strategies as st

from bot.small_numbers import FEW, HIDDEN, Count, Sum, shown

PARTS = ("a", "b", "c")
Cell = tuple[str, str]
MOST = 2 * FEW


def a_table(rows: dict[str, tuple[int, int, int]]) -> tuple[dict[Cell, int], list[Sum[Cell]]]:
    """Rows of three parts and their sum, and a last row of totals."""
    cells = {(row, part): number for row, numbers in rows.items() for part, number in zip(PARTS, numbers, strict=True)}
    cells |= {(row, "sum"): sum(numbers) for row, numbers in rows.items()}
    columns = (*PARTS, "sum")
    cells |= {("all", column): sum(cells[row, column] for row in rows) for column in columns}
    sums = [Sum((row, "sum"), tuple((row, part) for part in PARTS)) for row in (*rows, "all")]
    return cells, sums + [Sum(("all", column), tuple((row, column) for row in rows)) for column in columns]


def printed(rows: dict[str, tuple[int, int, int]]) -> tuple[dict[Cell, int], dict[Cell, str]]:
    cells, sums = a_table(rows)
    return cells, shown({cell: Count(number, number) for cell, number in cells.items()}, sums)


def fits(number: int, said: str) -> bool:
    return said == HIDDEN or (0 < number < FEW if said.startswith("<") else number == int(said))


def test_large_numbers_and_none_are_printed_as_they_are() -> None:
    _, said = printed({"x": (10, 7, 0), "y": (5, 30, 12)})
    assert said["x", "a"], said["x", "c"] == ("10", "0")
    assert HIDDEN not in said.values()


def test_one_to_four_are_said_to_be_few_and_a_neighbour_goes_with_them() -> None:
    _, said = printed({"x": (10, 7, 3), "y": (8, 30, 12)})
    assert said["x", "c"] == "<5"
    assert said["x", "b"] == HIDDEN  # else 20 - 10 - 7 would tell
    assert said["y", "c"] == HIDDEN  # else 15 - 12 would
    assert said["all", "c"] == "15"


def test_numbers_of_few_people_are_hidden_however_large() -> None:
    said = shown({"sum": Count(20, 9), "a": Count(8, 2), "b": Count(12, 7)}, [Sum("sum", ("a", "b"))])
    assert said["a"] == HIDDEN
    assert HIDDEN in (said["b"], said["sum"])


def test_two_that_must_both_be_one_are_not_left_so() -> None:
    said = shown(
        {"sum": Count(12, 12), "a": Count(1, 1), "b": Count(1, 1), "c": Count(10, 10)}, [Sum("sum", ("a", "b", "c"))]
    )
    assert (said["a"], said["b"]) == ("<5", "<5")
    assert HIDDEN in (said["c"], said["sum"])


def test_four_times_one_are_not_told_by_a_total_of_few() -> None:
    parts = {name: Count(1, 1) for name in "abcd"}
    said = shown({"sum": Count(4, 4), **parts}, [Sum("sum", tuple("abcd"))])
    assert said["sum"] == HIDDEN
    assert [said[name] for name in "abcd"] == ["<5"] * 4


@given(st.tuples(*[st.tuples(*[st.integers(0, MOST)] * 3)] * 2))
def test_nobody_can_work_out_a_small_number(numbers: tuple[tuple[int, int, int], tuple[int, int, int]]) -> None:
    cells, said = printed({"x": numbers[0], "y": numbers[1]})
    small = [cell for cell, number in cells.items() if 0 < number < FEW]
    assert not any(said[cell].isdigit() for cell in small)
    assume(small)
    possible: defaultdict[Cell, set[int]] = defaultdict(set)
    of_row = {
        row: [each for each in product(range(MOST + 3), repeat=3) if all(map(fits, (*each, sum(each)), _row(said, row)))]
        for row in ("x", "y")
    }
    assume(len(of_row["x"]) * len(of_row["y"]) < 40_000)
    for x, y in product(of_row["x"], of_row["y"]):
        both = tuple(map(sum, zip(x, y, strict=True)))
        if all(map(fits, (*both, sum(both)), _row(said, "all"))):
            for cell, number in a_table({"x": x, "y": y})[0].items():
                possible[cell].add(number)
    assert all(len(possible[cell]) > 1 for cell in small)


def _row(said: dict[Cell, str], row: str) -> list[str]:
    return [said[row, column] for column in (*PARTS, "sum")]
