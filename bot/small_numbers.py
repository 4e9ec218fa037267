"""Hides small numbers in a table of counts, so that nobody can be told from it, nor by subtracting what it shows. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import Generic, TypeVar

FEW = 5  # people: where there are fewer, somebody may know who is meant
HIDDEN = "hidden"
K = TypeVar("K", bound=Hashable)
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are, and how many people are behind them."""

    number: int
    people: int


@dataclass(frozen=True, slots=True)
class Sum(Generic[K]):
    """A cell of the table that is the sum of others."""

    total: K
    parts: tuple[K, ...]

    @property
    def cells(self) -> tuple[K, ...]:
        """Every cell in it."""
        return (self.total, *self.parts)


@dataclass(slots=True)
class _Table(Generic[K]):
    """What is printed so far: `few` cells as `<5`, the rest of the `unseen` as `hidden`, all others as they are."""

    counts: Mapping[K, Count]
    sums: Sequence[Sum[K]]
    small: frozenset[K]
    few: set[K]
    unseen: set[K]


def shown(counts: Mapping[K, Count], sums: Sequence[Sum[K]]) -> dict[K, str]:
    """What to print for each cell: its number, `<5` for one to four, or `hidden`.

    A cell that fewer than five people are behind, but not none, is never printed. Others are hidden with it, until all that
    is printed leaves it more than one value.
    """
    small = frozenset(cell for cell, count in counts.items() if 0 < count.people < FEW)
    few = {cell for cell in small if counts[cell].number < FEW}
    table = _Table(counts, sums, small, few, set(small))
    while (cell := _given_away(table)) is not None and _protected(table, cell):
        pass
    return {cell: _printed(table, cell) for cell in counts}


def _printed(table: _Table[K], cell: K) -> str:
    if cell not in table.unseen:
        return str(table.counts[cell].number)
    return f"<{FEW}" if cell in table.few else HIDDEN


def _given_away(table: _Table[K]) -> K | None:
    """A small cell whose value can be told from what is printed."""
    for each in table.sums:  # most are, by one sum alone: these need no more thought
        unseen = [one for one in each.cells if one in table.unseen]
        if len(unseen) == 1 and unseen[0] in table.small:
            return unseen[0]
    ranges, solved = _ranges(table), _solved(table)
    for cell in table.counts:
        if cell in table.small and (cell in solved or ranges[cell][0] == ranges[cell][1]):
            return cell
    return None


def _protected(table: _Table[K], cell: K) -> bool:
    """Print less for its sake, near it first and the smallest that is not nothing. False where nothing is left to hide."""
    alone = [each for each in table.sums if sum(one in table.unseen for one in each.cells) == 1]  # a sum that tells it all
    own = [each for each in table.sums if cell in each.cells]
    for sums in ([each for each in own if each in alone], alone, own, table.sums):
        near = [one for each in sums for one in each.cells]
        seen = [one for one in near if one not in table.unseen]
        told = [one for one in near if one in table.few] if sums is own or sums is table.sums else []
        if seen:
            table.unseen.add(min(seen, key=lambda one: (not table.counts[one].number, table.counts[one].number)))
            return True
        if told:
            table.few.discard(max(told, key=lambda one: table.counts[one].number))
            return True
    return False


def _ranges(table: _Table[K]) -> dict[K, Range]:
    """Between what each cell must lie, by what is printed and by each sum by itself, again until no more is told."""
    ranges: dict[K, Range] = {}
    for cell, count in table.counts.items():
        exact = (count.number, count.number)
        ranges[cell] = exact if cell not in table.unseen else (1, FEW - 1) if cell in table.few else (0, inf)
    while sum(_narrow(ranges, each) for each in table.sums):
        pass
    return ranges


def _narrow(ranges: dict[K, Range], each: Sum[K]) -> bool:
    lows, highs = sum(ranges[one][0] for one in each.parts), sum(ranges[one][1] for one in each.parts)
    low, high = ranges[each.total]
    told = _cut(ranges, each.total, lows, highs)
    for one in each.parts:
        others_low = lows - ranges[one][0]
        others_high = sum(ranges[other][1] for other in each.parts if other != one)
        told |= _cut(ranges, one, low - others_high, high - others_low)
    return told


def _cut(ranges: dict[K, Range], cell: K, low: float, high: float) -> bool:
    was = ranges[cell]
    ranges[cell] = max(was[0], low), min(was[1], high)
    return ranges[cell] != was


def _solved(table: _Table[K]) -> set[K]:
    """The unseen cells that all the sums together have one value for: Gauss and Jordan's way, which misses none."""
    rows: dict[K, dict[K, Fraction]] = {}  # by the cell that each row is solved for
    for each in table.sums:
        signs = {each.total: Fraction(1)} | dict.fromkeys(each.parts, Fraction(-1))
        row = {cell: sign for cell, sign in signs.items() if cell in table.unseen}
        for cell, known in rows.items():
            row = _without(row, cell, known)
        if not row:
            continue
        pivot = next(iter(row))
        row = {cell: value / row[pivot] for cell, value in row.items()}
        rows = {cell: _without(known, pivot, row) for cell, known in rows.items()} | {pivot: row}
    return {cell for cell, row in rows.items() if len(row) == 1}


def _without(row: dict[K, Fraction], cell: K, known: Mapping[K, Fraction]) -> dict[K, Fraction]:
    """The row with `cell` put out of it by one that is solved for it."""
    factor = row.get(cell)
    if factor is None:
        return row
    left = dict(row)
    for one, value in known.items():
        left[one] = left.get(one, Fraction(0)) - factor * value
        if not left[one]:
            del left[one]
    return left
