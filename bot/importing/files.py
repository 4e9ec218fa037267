"""Reads the files of a folder: bytes to text, text to records, each with the line it begins on."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.importing.cells import clean
from bot.importing.values import NothingToImport, Problem

FILES = ("staff.csv", "courses.csv", "lessons.csv", "tasks.csv", "learners.csv")
LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one row, cleaned, and the line it begins on; the header is line 1."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file, or a part of it, that is not CSV in UTF-8."""

    line: int
    reason: str


def present(folder: Path) -> tuple[str, ...]:
    """Which of the five files are there. Raises NothingToImport."""
    if not folder.is_dir():
        raise NothingToImport(f"{folder} is not a folder")
    found = tuple(name for name in FILES if (folder / name).is_file())
    if not found:
        raise NothingToImport(f"{folder} holds none of {', '.join(FILES)}")
    return found


def unknown(folder: Path) -> tuple[str, ...]:
    """CSV files that an import passes over: a name misspelt should not pass unseen."""
    return tuple(sorted(path.name for path in folder.iterdir() if path.suffix.lower() == ".csv" and path.name not in FILES))


def lines(folder: Path) -> int:
    """About how many rows there are to read: enough for a progress bar."""
    return sum((folder / name).read_bytes().count(b"\n") for name in present(folder))


def read_records(folder: Path, name: str) -> tuple[list[Record], list[Problem]]:
    """The records of a file, its header first, without empty lines; and what could not be read."""
    records: list[Record] = []
    problems: list[Problem] = []
    for one in _records((folder / name).read_bytes()):
        if isinstance(one, Unreadable):
            problems.append(Problem(name, one.line, "", one.reason))
        elif any(one.cells):
            records.append(one)
    return records, problems


def _records(data: bytes) -> Iterator[Record | Unreadable]:
    """Each record, or why there is none; a cell may span lines, so the reader is asked where it stands."""
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
    except UnicodeDecodeError as error:
        yield Unreadable(len(LINE_END.findall(data, 0, error.start)) + 1, "not UTF-8: save the file again as 'CSV UTF-8'")
        return
    while True:
        line = reader.line_num + 1
        try:
            yield Record(line, tuple(clean(cell) for cell in next(reader)))
        except StopIteration:
            return
        except csv.Error:
            yield Unreadable(line, "a quotation mark is open or out of place, or a cell is far too long")
