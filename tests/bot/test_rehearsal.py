"""A rehearsal: the worker once as at another moment, in the demo only, each later than the last; and what survives it."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from bot import clock
from bot.cli import Tools
from bot.cli.running import work_command
from bot.database import Database
from bot.hours import LONDON
from bot.models import Heartbeat, Outbound
from bot.watch import Drift
from bot.worker import Chore, Worker
from tests.bot.processes import eventually
from tests.bot.rooms import AMINA, BILAL, Archive, Clock, Stage, a_learner, only, owe, states
from tests.bot.test_chores import Shelf
from tests.bot.test_worker import live, runs, stage

__all__ = ["live", "stage"]
DAY = timedelta(days=1)


@pytest.fixture
def soon() -> datetime:
    """An hour from now by the real clock, which is the one that commands ask: the session window is open until then."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)


@pytest.fixture
def ten() -> datetime:
    """Ten tomorrow: a moment of group hours, whatever the hour of the test."""
    return (datetime.now(UTC) + DAY).replace(hour=10, minute=0, second=0, microsecond=0)


@pytest.fixture
def real(db: Database) -> Stage:
    """A learner of today."""
    a_learner(db, AMINA, now=clock.now())
    return Stage(db, Clock(clock.now()))


def work(stage: Stage, *arguments: str, demo: bool = True, worker: Worker | None = None) -> Result:
    made = worker or replace(stage.worker, clock=clock.now)
    tools = Tools(stage.db, stage.room, made, Shelf(), Archive(), demo=demo)
    with capture_logs():  # in service they go to standard error
        return CliRunner().invoke(work_command(tools), arguments)


def test_what_is_due_by_then_is_sent_and_what_is_due_later_is_not(real: Stage, soon: datetime) -> None:
    owe(real.db, AMINA, soon, key="then", urgent=True)
    owe(real.db, AMINA, soon + DAY, key="later", urgent=True)
    assert work(real, "--once").stdout == "0 done.\n"
    assert work(real, "--once", "--now", soon.isoformat()).stdout == "1 done.\n"
    assert states(real.db) == [("accepted", None), ("queued", None)]
    assert abs((only(real.db, Outbound, Outbound.key == "then").sent_at or soon + DAY) - soon) < timedelta(minutes=1)


def test_chores_do_their_work_as_at_that_moment_until_nothing_more_comes_of_it(real: Stage, soon: datetime) -> None:
    asked = list[datetime]()

    def plan(now: datetime) -> int:
        asked.append(now)
        owe(real.db, AMINA, now, key=f"planned {min(len(asked), 2)}", urgent=True)
        return 1

    worker = replace(real.worker, clock=clock.now, chores=(Chore("planning", DAY, plan),))
    assert work(real, "--once", "--now", soon.isoformat(), worker=worker).stdout == "2 done.\n"
    assert all(soon <= at < soon + timedelta(minutes=1) for at in asked)


def test_without_a_zone_it_is_londons_time(real: Stage) -> None:
    today = clock.now()
    july = today.year + (today.month > 6)
    assert work(real, "--once", "--now", f"{july}-07-01T10:00").exit_code == 0
    assert only(real.db, Heartbeat, Heartbeat.name == "rehearsal").at == datetime(july, 7, 1, 9, tzinfo=UTC)


def test_in_production_it_is_refused_and_sends_nothing(real: Stage, soon: datetime) -> None:
    owe(real.db, AMINA, soon, urgent=True)
    done = work(real, "--once", "--now", soon.isoformat(), demo=False)
    assert (done.exit_code, "production" in done.stderr) == (1, True)
    assert states(real.db) == [("queued", None)]


def test_before_the_last_one_it_is_refused_and_says_when_that_was(real: Stage, soon: datetime) -> None:
    assert work(real, "--once", "--now", soon.isoformat()).exit_code == 0
    done = work(real, "--once", "--now", (soon - timedelta(minutes=1)).isoformat())
    when = f"{soon.astimezone(LONDON):%d %b %Y %H:%M:%S}"
    assert (done.exit_code, when in done.stderr) == (1, True)
    assert work(real, "--once", "--now", soon.isoformat()).exit_code == 0


def test_a_slip_of_the_pen_in_the_year_is_refused_and_ends_no_rehearsals(real: Stage, soon: datetime) -> None:
    done = work(real, "--once", "--now", "2099-12-01T10:00")
    assert (done.exit_code, "too far ahead" in done.stderr) == (1, True)
    assert work(real, "--once", "--now", soon.isoformat()).exit_code == 0


def test_a_year_of_rehearsals_goes_on_from_the_last(real: Stage, soon: datetime) -> None:
    for days in (390, 780):
        assert work(real, "--once", "--now", (soon + days * DAY).isoformat()).exit_code == 0
    assert work(real, "--once", "--now", (soon + 1190 * DAY).isoformat()).exit_code == 1


@pytest.mark.parametrize("at", ["9999-12-31T23:59-05:00", "0001-01-01T00:00+05:00", "2206-12-01", "1999-12-31"])
def test_a_time_at_the_end_of_the_calendar_is_a_usage_error(real: Stage, at: str) -> None:
    done = work(real, "--once", "--now", at)
    assert (done.exit_code, "the year" in done.stderr) == (2, True)


@pytest.mark.parametrize("arguments", [("--now", "2031-01-11T10:00"), ("--once", "--now", "soon")])
def test_what_makes_no_sense_is_a_usage_error(real: Stage, arguments: tuple[str, ...]) -> None:
    assert work(real, *arguments).exit_code == 2


def test_after_a_rehearsal_far_ahead_the_same_person_is_written_to_today(real: Stage, ten: datetime) -> None:
    a_learner(real.db, BILAL, now=ten + 60 * DAY)  # wrote then
    owe(real.db, BILAL, clock.now() + DAY, key="rehearsed", best_before=ten + 90 * DAY)
    work(real, "--once", "--now", (ten + 60 * DAY).isoformat())
    assert states(real.db) == [("accepted", None)]
    owe(real.db, BILAL, ten, key="real")
    tomorrow = Stage(real.db, Clock(ten), whatsapp=real.whatsapp)
    tomorrow.works()
    assert states(real.db) == [("accepted", None)] * 2  # neither its pace nor its cap reaches back


@pytest.mark.parametrize("by", [timedelta(days=1), timedelta(hours=-1)])
def test_a_worker_sees_that_its_clock_was_moved_and_does_every_chore_within_two_seconds(
    stage: Stage, live: Worker, by: timedelta
) -> None:
    moved, asked = timedelta(0), list[datetime]()
    long = Chore("rare", timedelta(hours=1), asked.append)

    def now() -> datetime:
        return clock.now() + moved

    def meanwhile() -> None:
        nonlocal moved
        eventually(lambda: len(asked) == 1)
        moved = by
        threading.Event().wait(0.1)
        eventually(lambda: len(asked) == 2)

    with capture_logs() as lines:
        runs(replace(live, clock=now, chores=(long,)), meanwhile)
    told = [line for line in lines if line["event"] == "worker.clock_moved"]
    assert [abs(line["seconds"] - by.total_seconds()) < 2 for line in told] == [True]
    assert abs(asked[1] - asked[0] - by) < timedelta(seconds=30)


def test_a_worker_whose_clock_is_far_ahead_does_its_chores_all_the_same(stage: Stage, live: Worker) -> None:
    asked = list[datetime]()
    often = Chore("often", timedelta(seconds=1), asked.append)
    ahead = replace(live, clock=lambda: clock.now() + 300 * DAY, chores=(often,))
    runs(ahead, lambda: eventually(lambda: len(asked) >= 3))
    assert only(stage.db, Heartbeat).at > clock.now() + 299 * DAY


def test_drift_is_what_the_clock_says_beyond_the_time_that_passed(now: datetime) -> None:
    told, passed = iter([0, 10, 3610, 10, 20]), iter([0.0, 10.0, 20.0, 30.0, 40.0])
    drift = Drift(lambda: now + timedelta(seconds=next(told)), lambda: next(passed))
    assert [drift.since_asked().total_seconds() for _ in range(4)] == [0, 3590, -3610, 0]
