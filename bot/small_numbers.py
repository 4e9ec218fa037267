"""Hides rows of a table that have small numbers, so that nobody can be told from it, nor by subtracting rows. Pure.

Who is counted is never needed to print a table, only how many they are: two tables that differ in who is who print the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FEW = 5  # people: where there are fewer, somebody may know who is meant
HIDDEN = "hidden"
Row = Mapping[str, Counter[int]]  # by column: how often each person is counted in it


@dataclass(frozen=True, slots=True)
class Told:
    """What to print: by column, for each row and for all of them together."""

    rows: tuple[dict[str, str], ...]
    together: dict[str, str]


def told(rows: Sequence[Row]) -> Told:
    """Each row's numbers, all hidden where one to four people are behind any of them; and their sums (`tells_on_none`).

    Every row has the same columns.
    """
    hidden = [row for row in rows if _has_few(row)]
    each = tuple(_printed(row, hide=_has_few(row)) for row in rows)
    return Told(each, _printed(_added(rows), hide=not tells_on_none(hidden)))


def tells_on_none(hidden: Sequence[Row]) -> bool:
    """May the sums of all rows be printed, from which those of the hidden ones can be reckoned?

    Of no hidden row: yes. Of one: no. Of several: where their sums hide nobody either, and are not the fewest or the most
    that so many small numbers can be: then each of them would be one, or each four. Any other sum leaves two ways at least
    for every small number in it: it changes places with a different one of its column, or, where all are two or all are
    three, somebody moves from one to another.
    """
    if len(hidden) < 2:
        return not hidden
    sums, known = _added(hidden), {len(hidden), (FEW - 1) * len(hidden)}
    return not _has_few(sums) and not any(people.total() in known for people in sums.values())


def _has_few(row: Row) -> bool:
    return any(0 < len(people) < FEW for people in row.values())


def _added(rows: Sequence[Row]) -> dict[str, Counter[int]]:
    sums: dict[str, Counter[int]] = {}
    for row in rows:
        for column, people in row.items():
            sums.setdefault(column, Counter()).update(people)
    return sums


def _printed(row: Row, *, hide: bool) -> dict[str, str]:
    return {column: HIDDEN if hide else str(people.total()) for column, people in row.items()}
