"""The import: reads and checks every file, then writes all of it in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from bot import acts, wordings
from bot.batches import by_thousands
from bot.database import Database, one_at_a_time, try_again
from bot.importing.check import check_against, check_files
from bot.importing.files import FILES, lines, unknown
from bot.importing.known import load_known
from bot.importing.lessons import to_follow
from bot.importing.numbers import Desk
from bot.importing.sheets import College, Reading, read_college
from bot.importing.values import Problem, Progress, Report
from bot.importing.write import write_college
from bot.models import LessonRow
from bot.terms import Terms
from bot.timetable.locks import learners_of

ATTEMPTS = 3  # a message from a number in the files may arrive just as we write: then we look again
LOCK = 4_693_998  # PostgreSQL: one import at a time; not the number that migrations use


@dataclass(slots=True)
class Meter:
    """Counts what is done for a progress bar: a step for each row read, then as many again for writing it all."""

    total: int
    tell: Progress
    done: int = 0

    def step(self) -> None:
        """One row was read."""
        self.done += 1
        self.tell(self.done, self.total)


@dataclass(frozen=True, slots=True)
class Books:
    """What an import writes into: the database, the terms of sending, the words agreed to; and who signs."""

    db: Database
    terms: Terms
    wordings: Mapping[str, wordings.Boxes]
    by: str = acts.UNSIGNED


def import_folder(
    books: Books, folder: Path, now: datetime, *, dry_run: bool = False, progress: Progress | None = None
) -> Report:
    """Load the CSV files of `folder`. With `dry_run`, or with any problem, the database stays as it is.

    Raises NothingToImport where the folder is missing or has none of the files, WordingChanged where a version of the
    declaration has other words by now than those on file, NoSuchStaff where whoever signs is in no list of staff, Busy
    where others kept changing the same.
    """
    problems: list[Problem] = []
    meter = Meter(2 * lines(folder), progress or _tell_nobody)
    college = read_college(folder, Reading(now, problems, meter.step))
    problems.extend(check_files(college))
    for attempt in Retrying(retry=retry_if_exception_type(IntegrityError), stop=stop_after_attempt(ATTEMPTS), reraise=True):
        with attempt:
            report = try_again(lambda: _import(books, college, tuple(problems), now, dry_run=dry_run))
    meter.tell(meter.total, meter.total)
    return replace(report, ignored=unknown(folder), dry_run=dry_run)


def _tell_nobody(_done: int, _total: int) -> None:
    """Where nobody watches."""


def _import(books: Books, college: College, found: tuple[Problem, ...], now: datetime, *, dry_run: bool) -> Report:
    with books.db.write() as session:
        one_at_a_time(session, LOCK)
        known = load_known(session, college, _of_lessons(session, college))
        problems = (*found, *check_against(college, known, found))
        if problems:
            return Report(problems=tuple(sorted(set(problems), key=_place)))
        wordings.keep(session, books.wordings, now)
        report = write_college(Desk(session, known, books.terms, now, books.by), college)
        session.flush()
        acts.require_signer(session, books.by)  # only now: the first list of staff brings its own signer
        if dry_run:
            session.rollback()
        return report


def _of_lessons(session: Session, college: College) -> set[int]:
    """Whom the lessons that may change concern (ids)."""
    lessons = to_follow(session, [row for _, row in college.lessons.rows])
    return {one for some in by_thousands(lessons) for one in learners_of(session, LessonRow.id.in_(some))}


def _place(problem: Problem) -> tuple[int, int, str]:
    return (FILES.index(problem.file), problem.line, problem.column)
