"""The import: reads and checks every file, then writes all of it in one transaction, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from bot.database import Database
from bot.importing.check import check_against, check_files
from bot.importing.files import FILES, lines, unknown
from bot.importing.known import load_known
from bot.importing.numbers import Desk
from bot.importing.sheets import College, Reading, read_college
from bot.importing.values import Problem, Progress, Report
from bot.importing.write import write_college

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


def import_folder(
    db: Database, folder: Path, now: datetime, *, dry_run: bool = False, progress: Progress | None = None
) -> Report:
    """Load the CSV files of `folder`. With `dry_run`, or with any problem, the database stays as it is.

    Raises NothingToImport where the folder is missing or has none of the files.
    """
    problems: list[Problem] = []
    meter = Meter(2 * lines(folder), progress or _tell_nobody)
    college = read_college(folder, Reading(now, problems, meter.step))
    problems.extend(check_files(college))
    for attempt in Retrying(retry=retry_if_exception_type(IntegrityError), stop=stop_after_attempt(ATTEMPTS), reraise=True):
        with attempt:
            report = _import(db, college, tuple(problems), now, dry_run=dry_run)
    meter.tell(meter.total, meter.total)
    return Report(report.files, report.problems, unknown(folder), dry_run)


def _tell_nobody(_done: int, _total: int) -> None:
    """Where nobody watches."""


def _import(db: Database, college: College, found: tuple[Problem, ...], now: datetime, *, dry_run: bool) -> Report:
    with db.write() as session:
        _one_at_a_time(session, db)
        known = load_known(session, college)
        problems = (*found, *check_against(college, known, found))
        if problems:
            return Report(problems=tuple(sorted(set(problems), key=_place)))
        counts = write_college(Desk(session, known, now), college)
        session.flush()
        if dry_run:
            session.rollback()
        return Report(counts)


def _one_at_a_time(session: Session, db: Database) -> None:
    if not db.is_sqlite:  # SQLite's BEGIN IMMEDIATE is lock enough
        session.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))


def _place(problem: Problem) -> tuple[int, int, str]:
    return (FILES.index(problem.file), problem.line, problem.column)
