"""Turns the records of a file into rows: the header by its names, then every row by its model, and every reason why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from bot.importing.files import Record, present, read_records
from bot.importing.rows import CourseLine, LearnerLine, LessonLine, Row, StaffLine, TaskLine
from bot.importing.values import Problem

COLUMN = re.compile(r"[a-z_]{1,30}")
R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Sheet(Generic[R]):
    """The good rows of a file by their lines; every code it names, in bad rows too. `whole` unless it could not be read."""

    rows: tuple[tuple[int, R], ...] = ()
    codes: frozenset[str] = frozenset()
    whole: bool = True


@dataclass(frozen=True, slots=True)
class College:
    """The five files. One that is missing is an empty sheet."""

    staff: Sheet[StaffLine]
    courses: Sheet[CourseLine]
    lessons: Sheet[LessonLine]
    tasks: Sheet[TaskLine]
    learners: Sheet[LearnerLine]
    files: tuple[str, ...]

    @property
    def people(self) -> tuple[StaffLine | LearnerLine, ...]:
        """The rows about people."""
        staff, learners = (row for _, row in self.staff.rows), (row for _, row in self.learners.rows)
        return (*staff, *learners)

    @property
    def course_codes(self) -> frozenset[str]:
        """Every course that a good row names."""
        named = [row.course for _, row in (*self.lessons.rows, *self.tasks.rows, *self.learners.rows)]
        return frozenset([*named, *(row.code for _, row in self.courses.rows)])


@dataclass(frozen=True, slots=True)
class Reading:
    """How the files are read: at which moment, where problems go, and who is told of every row."""

    now: datetime
    problems: list[Problem]
    step: Callable[[], None]


def read_college(folder: Path, reading: Reading) -> College:
    """Every file of the folder; what is wrong goes to `reading.problems`. Raises NothingToImport."""
    files = present(folder)
    return College(
        staff=_sheet(folder, StaffLine, reading),
        courses=_sheet(folder, CourseLine, reading),
        lessons=_sheet(folder, LessonLine, reading),
        tasks=_sheet(folder, TaskLine, reading),
        learners=_sheet(folder, LearnerLine, reading),
        files=files,
    )


def _sheet(folder: Path, model: type[R], reading: Reading) -> Sheet[R]:
    if not (folder / model.file).is_file():
        return Sheet()
    records, unreadable = read_records(folder, model.file)
    reading.problems.extend(unreadable)
    if not records:
        reading.problems.extend([] if unreadable else [Problem(model.file, 1, "", "empty: even the header is missing")])
        return Sheet(whole=False)
    header = Record(records[0].line, tuple(cell.lower() for cell in records[0].cells))
    wrong = list(_header_problems(model, header))
    reading.problems.extend(wrong)
    if wrong:
        return Sheet(whole=False)
    return _rows(model, header, records[1:], reading, whole=not unreadable)


def _header_problems(model: type[Row], header: Record) -> Iterable[Problem]:
    """What is wrong with the first line. Where it is a person's row, and no header at all, none of it is repeated."""
    is_header = not set(model.model_fields).isdisjoint(header.cells)
    for name in model.model_fields:
        if name not in header.cells:
            yield Problem(model.file, header.line, name, "this column is missing")
    for name in dict.fromkeys(header.cells):
        if name not in model.model_fields:
            column = name if COLUMN.fullmatch(name) and is_header else ""
            yield Problem(model.file, header.line, column, "this file has no such column")
        elif header.cells.count(name) > 1:
            yield Problem(model.file, header.line, name, "this column is there twice")


def _rows(model: type[R], header: Record, records: list[Record], reading: Reading, *, whole: bool) -> Sheet[R]:
    rows: list[tuple[int, R]] = []
    codes: set[str] = set()
    for record in records:
        reading.step()
        if len(record.cells) != len(header.cells):
            reason = f"{len(record.cells)} cells, where the header has {len(header.cells)}"
            reading.problems.append(Problem(model.file, record.line, "", reason))
            codes.update(record.cells)  # whichever of them is the code: nobody is to be told that it does not exist
            continue
        named = dict(zip(header.cells, record.cells, strict=True))
        codes.add(named["code"])
        try:
            rows.append((record.line, model.model_validate(named, context={"now": reading.now})))
        except ValidationError as error:
            reading.problems.extend(_problems(model, record.line, error))
    return Sheet(tuple(rows), frozenset(codes), whole)


def _problems(model: type[Row], line: int, error: ValidationError) -> Iterable[Problem]:
    for one in error.errors(include_input=False, include_url=False):
        column = str(one["loc"][0]) if one["loc"] else ""
        yield Problem(model.file, line, column, one["msg"].removeprefix("Value error, "))
