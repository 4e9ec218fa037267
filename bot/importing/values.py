"""What an import says of itself: what is wrong, and where; what it changed, or would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Progress = Callable[[int, int], None]  # steps done, steps in all
Outcome = Literal["added", "changed", "unchanged"]


class NothingToImport(Exception):
    """The folder is not there, or holds none of the five files; says which."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: file, line as an editor numbers it, column ("" for the whole line), reason. Never a phone number."""

    file: str
    line: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Counts:
    """What became, or would become, of the rows of one file."""

    file: str
    added: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did. With `problems` it did nothing, and `files` is empty. `ignored` are CSV files it does not know.

    `notes` are about rows that were taken, and that somebody should know of.
    """

    files: tuple[Counts, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    ignored: tuple[str, ...] = ()
    dry_run: bool = False


def outcome(*, new: bool, changed: bool) -> Outcome:
    """What became of one row."""
    if new:
        return "added"
    return "changed" if changed else "unchanged"
