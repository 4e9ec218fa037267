"""The worker: woken by what comes, stopped by nothing that fails, and quick to say which messages it lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from bot import clock, outbox
from bot.database import Database
from bot.mail import Mail
from bot.models import Alert, Heartbeat, Inbound, Outbound
from bot.outbox.claim import LEASE
from bot.whatsapp import Letter, Outcome
from bot.worker import Post, Worker
from tests.bot.processes import eventually
from tests.bot.rooms import AMINA, BILAL, SECOND, TERMS, Clock, Stage, a_learner, english, only, owe, rows, states

AT_RISK = "i want to kill myself"
THANKS = [english("smalltalk.thanks")]


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A worker, and a learner on file."""
    a_learner(db, AMINA, now=now)
    return Stage(db, Clock(now))


@pytest.fixture
def live(stage: Stage) -> Iterator[Worker]:
    """The same worker in the real time of today; how the process takes signals is put back after."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield replace(stage.worker, clock=clock.now)
    for number, handler in before.items():
        signal.signal(number, handler)


def runs(worker: Worker, meanwhile: Callable[[], None]) -> None:
    """The worker runs until what happens meanwhile, in another thread, is over."""
    failures: list[BaseException] = []

    def happen() -> None:
        try:
            meanwhile()
        except BaseException as error:  # noqa: BLE001 (raised again below, in the thread of the test)
            failures.append(error)
        worker.stop.set()

    thread = threading.Thread(target=happen)
    thread.start()
    worker.run()
    thread.join()
    if failures:
        raise failures[0]


def arrives(stage: Stage, phone: str, *messages: str) -> None:
    """Messages come in now, by the real clock."""
    replace(stage, clock=Clock(clock.now())).hears(phone, *messages)


def test_once_does_everything_due_and_says_how_much(stage: Stage) -> None:
    stage.hears(AMINA, "cheers then")
    stage.hears(BILAL, AT_RISK)
    assert stage.worker.once() == 2 + 2 + 2  # turns, mails, replies
    assert stage.worker.once() == 0


def test_once_begins_with_what_a_dead_worker_left_half_sent(stage: Stage, now: datetime) -> None:
    owe(stage.db, AMINA, now, purpose="reply")
    outbox.claim(stage.db, TERMS, now)
    stage.clock.wait(LEASE)
    stage.works()
    assert (states(stage.db), stage.whatsapp.letters) == ([("unknown", None)], [])


def test_twilio_is_told_where_to_report_on_each_message(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "cheers then")
    reply = only(stage.db, Outbound)
    assert stage.whatsapp.letters == [
        Letter(AMINA, THANKS[0], f"https://e4a.example.org/whatsapp/status/{reply.id}"),
    ]


def test_a_heartbeat_is_the_newest_there_was(stage: Stage) -> None:
    stage.worker.beat()
    stage.clock.wait(timedelta(seconds=5))
    stage.worker.beat()
    assert only(stage.db, Heartbeat).at == stage.clock()


def test_a_beat_marks_what_a_dead_worker_left_half_sent(stage: Stage, now: datetime) -> None:
    owe(stage.db, AMINA, now, purpose="reply")
    outbox.claim(stage.db, TERMS, now)
    stage.clock.wait(LEASE)
    stage.worker.beat()
    assert states(stage.db) == [("unknown", None)]


def test_a_running_worker_answers_what_comes_and_stops_when_told(stage: Stage, live: Worker) -> None:
    def meanwhile() -> None:
        for number in range(3):
            arrives(stage, AMINA, f"message {number}")
            eventually(lambda number=number: len(stage.whatsapp.to(AMINA)) == number + 1)

    runs(live, meanwhile)
    assert stage.whatsapp.to(AMINA) == THANKS * 3
    assert {row.state for row in rows(stage.db, Outbound)} == {"accepted"}  # it ended after it had written that down
    assert only(stage.db, Heartbeat).name == "worker"


def test_a_slow_mail_server_holds_up_nobodys_answer(stage: Stage, live: Worker) -> None:
    bilal_is_answered = threading.Event()

    class Slow:
        def send(self, _mail: Mail) -> bool:
            return bilal_is_answered.wait(20)

    def meanwhile() -> None:
        arrives(stage, AMINA, AT_RISK)
        eventually(lambda: any(alert.attempts for alert in rows(stage.db, Alert)))
        arrives(stage, BILAL, "cheers then")
        eventually(lambda: stage.whatsapp.to(BILAL) == THANKS)
        bilal_is_answered.set()
        eventually(lambda: stage.whatsapp.to(AMINA) == [english("safety.told")])

    runs(replace(live, post=Post(stage.whatsapp, Slow(), "https://e4a.example.org")), meanwhile)


def test_what_nobody_foresaw_does_not_end_a_loop(stage: Stage, live: Worker) -> None:
    def answer(letter: Letter) -> Outcome:
        if letter.to == AMINA:
            raise RuntimeError
        return Outcome("accepted", f"SM{len(stage.whatsapp.letters):032x}")

    def meanwhile() -> None:
        arrives(stage, AMINA, "cheers then")
        eventually(lambda: stage.whatsapp.to(AMINA) == THANKS)
        arrives(stage, BILAL, "cheers then")
        eventually(lambda: {row.state for row in rows(stage.db, Outbound)} == {"sending", "accepted"})

    stage.whatsapp.answer = answer
    runs(live, meanwhile)
    assert outbox.mark_unknown(stage.db, clock.now() + LEASE + SECOND) == 1


def test_the_worker_outlives_the_loss_of_its_connections(stage: Stage, live: Worker) -> None:
    def meanwhile() -> None:
        arrives(stage, AMINA, "cheers then")
        eventually(lambda: [row.state for row in rows(stage.db, Outbound)] == ["accepted"])
        if not stage.db.is_sqlite:
            hang_up(stage.db)
        arrives(stage, AMINA, "cheers again")
        eventually(lambda: stage.whatsapp.to(AMINA) == THANKS * 2)

    runs(live, meanwhile)
    assert [row.state for row in rows(stage.db, Inbound)] == ["done"] * 2


def hang_up(db: Database) -> None:
    """PostgreSQL ends every connection to this database but the one that asks for it."""
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
    with db.engine.connect() as connection:
        connection.execute(text(others + "pg_backend_pid()"))
