"""Whenever a worker dies, nothing is lost, nothing is said twice, and what nobody can know is shown as unknown."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from bot import alerts, clock, inbox, outbox
from bot.conversation import take_next
from bot.database import Database
from bot.models import Alert, Inbound, OfficeCase, Outbound
from bot.outbox.claim import LEASE
from bot.whatsapp import Letter, StatusUpdate
from bot.worker import SENDERS
from tests.bot.processes import Outside, Workers, eventually
from tests.bot.rooms import (
    AMINA,
    SECOND,
    TERMS,
    Clock,
    Stage,
    a_learner,
    an_incoming,
    consent_of,
    english,
    only,
    receive,
    rows,
)

PEOPLE = [f"+44770090040{number}" for number in range(8)]
EACH = 3
A_LONG_TIME = timedelta(minutes=2)  # longer than every lease

Step = Callable[[Stage], object]


def takes_the_lease(stage: Stage) -> object:
    return inbox.claim(stage.db, stage.clock())


def takes_the_turn(stage: Stage) -> object:
    return take_next(stage.room, stage.clock)


def leases_the_reply(stage: Stage) -> object:
    return outbox.claim(stage.db, TERMS, stage.clock())


def sends_the_reply(stage: Stage) -> object:
    """Twilio has it, and the worker dies before it can write that down."""
    sending = outbox.claim(stage.db, TERMS, stage.clock())
    assert sending is not None
    return stage.whatsapp.send(Letter(sending.to, sending.body, ""))


def writes_it_down(stage: Stage) -> object:
    sending = outbox.claim(stage.db, TERMS, stage.clock())
    assert sending is not None
    outcome = stage.whatsapp.send(Letter(sending.to, sending.body, ""))
    return outbox.record(stage.db, TERMS, sending.outbound_id, outcome, stage.clock())


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A worker, and a learner on file."""
    a_learner(db, AMINA, now=now)
    return Stage(db, Clock(now))


def dies_after(stage: Stage, *steps: Step) -> None:
    """The worker does these steps and is gone; a while later another one does all that is due."""
    for step in steps:
        step(stage)
    stage.clock.wait(A_LONG_TIME)
    stage.works()


@pytest.mark.parametrize(
    ("steps", "said", "state"),
    [
        ((), 1, "accepted"),
        ((takes_the_lease,), 1, "accepted"),
        ((takes_the_turn,), 1, "accepted"),
        ((takes_the_turn, leases_the_reply), 0, "unknown"),
        ((takes_the_turn, sends_the_reply), 1, "unknown"),
        ((takes_the_turn, writes_it_down), 1, "accepted"),
    ],
    ids=["stored", "leased", "decided", "reply leased", "reply sent", "reply recorded"],
)
def test_wherever_a_worker_dies_nothing_is_lost_and_nothing_said_twice(
    stage: Stage, steps: tuple[Step, ...], said: int, state: str
) -> None:
    message = an_incoming(AMINA, "STOP")
    receive(stage.db, message, stage.clock())
    dies_after(stage, *steps)
    assert not receive(stage.db, message, stage.clock())  # Twilio delivers it again, to be sure
    stage.works()
    assert only(stage.db, Inbound).state == "done"
    assert stage.whatsapp.to(AMINA) == [english("consent.opted_out")] * said
    assert only(stage.db, Outbound).state == state
    assert consent_of(stage.db, AMINA) == ["withdrawn"] * 3


@pytest.mark.parametrize("status", ["sent", "delivered", "failed"])
def test_twilios_callback_says_what_became_of_what_a_dead_worker_sent(stage: Stage, status: str) -> None:
    stage.hears(AMINA, "cheers then")
    dies_after(stage, takes_the_turn, sends_the_reply)
    with stage.db.write() as session:
        outbox.advance(session, TERMS, only(stage.db, Outbound).id, StatusUpdate("SM" + "1" * 32, status), stage.clock())
    stage.works()
    assert only(stage.db, Outbound).state == status
    assert len(stage.whatsapp.to(AMINA)) == 1


def test_the_next_message_is_answered_although_the_reply_before_it_is_unknown(stage: Stage) -> None:
    stage.hears(AMINA, "cheers then", "and again")
    dies_after(stage, takes_the_turn, sends_the_reply)
    assert [row.state for row in rows(stage.db, Outbound)] == ["unknown", "accepted"]
    assert len(stage.whatsapp.to(AMINA)) == 2


def test_someone_at_risk_is_answered_and_staff_are_told_by_whoever_comes_next(stage: Stage) -> None:
    stage.hears(AMINA, "i want to kill myself")
    dies_after(stage, takes_the_turn)
    assert len(stage.whatsapp.to(AMINA)) == 1
    assert len(stage.mail.mails) == 2
    assert len(rows(stage.db, OfficeCase)) == 1


def test_a_mail_that_a_dead_worker_may_have_sent_is_sent_again(stage: Stage) -> None:
    stage.hears(AMINA, "i want to kill myself")
    takes_the_turn(stage)
    for alert in rows(stage.db, Alert, Alert.channel == "email"):  # leased, as `alerts.deliver` does before it mails
        with stage.db.write() as session:
            row = session.get_one(Alert, alert.id)
            row.attempts, row.due_at = 1, stage.clock() + alerts.LEASE
    stage.works()
    assert stage.mail.mails == []
    stage.clock.wait(alerts.LEASE)
    stage.works()
    assert len(stage.mail.mails) == 2  # twice told is better than never


@pytest.mark.processes
def test_real_workers_killed_under_load_answer_every_message_once_or_show_it_as_unknown(
    db: Database, database_url: str
) -> None:
    count = 1 if db.is_sqlite else 2
    total = len(PEOPLE) * EACH
    with Outside() as outside, Workers(database_url, outside) as workers:
        for _ in range(count):
            workers.start()
        for number in range(EACH):
            for phone in PEOPLE:
                receive(db, an_incoming(phone, f"message {number}"), clock.now())
        for answered in (random.randint(1, 9), random.randint(10, 18))[:count]:
            outside.wait_for(answered)
            workers.kill()
            its_leases_run_out(db)
        workers.start()
        eventually(lambda: everything_is_settled(db, total))
        assert set(workers.stop()) <= {0, -signal.SIGTERM}  # the second is one that had not even begun
    asked = Counter(form["StatusCallback"].rpartition("/")[2] for form in outside.asked)
    replies = {str(row.id): row for row in rows(db, Outbound)}
    assert {row.state for row in rows(db, Inbound)} == {"done"}
    assert Counter(row.inbound_id for row in replies.values()) == Counter({row.id: 1 for row in rows(db, Inbound)})
    assert max(asked.values()) == 1
    accepted = {key for key, row in replies.items() if row.state == "accepted"}
    unknown = {key for key, row in replies.items() if row.state == "unknown"}
    assert accepted <= set(asked) <= accepted | unknown == set(replies)
    assert len(unknown) <= 2 * SENDERS  # two kills, and no more calls under way in each than there are senders


def its_leases_run_out(db: Database) -> None:
    """A minute passes, for the database: what the dead worker held is free again."""
    with db.write() as session:
        session.execute(update(Inbound).where(Inbound.state == "received").values(leased_until=None))
    outbox.mark_unknown(db, clock.now() + LEASE + SECOND)


def everything_is_settled(db: Database, total: int) -> bool:
    """Every message was answered, and nobody is about to send anything."""
    replies = [row.state for row in rows(db, Outbound)]
    return len(replies) == total and not {"queued", "sending"} & set(replies)
