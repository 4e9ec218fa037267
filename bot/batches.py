"""Cuts long lists of values into questions that a database takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T", int, str)
BATCH = 200  # people in one commit of planning: SQLite has one writer, and no answer waits long for a plan
AT_ONCE = 1000  # values in one question; SQLite takes 32,766


def by_thousands(values: Iterable[T]) -> Iterator[list[T]]:
    """The values, each once and in order, a thousand at a time."""
    wanted = sorted(set(values))
    for start in range(0, len(wanted), AT_ONCE):
        yield wanted[start : start + AT_ONCE]
