"""Who is at risk is told of first, each mail has its own moment, and an alert that failed after all is not counted."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot import alerts, outbox
from bot.database import Database
from bot.mail import Mail
from bot.models import Alert, Outbound
from bot.queries import HOLD_TOLD
from bot.turn import Parse
from bot.whatsapp import StatusUpdate
from tests.bot.rooms import (
    AMINA,
    BILAL,
    FARAH,
    OWEN,
    SECOND,
    TERMS,
    Clock,
    Stage,
    a_learner,
    a_member_of_staff,
    english,
    only,
    rows,
)

AT_RISK = "i want to kill myself"
OFFICE = "office@example.org"


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A worker, a learner, an office with a mailbox, and two safeguarding contacts."""
    a_learner(db, AMINA, now=now)
    a_member_of_staff(db, "A1", "admin", now=now, email=OFFICE)
    stage = Stage(db, Clock(now))
    stage.nlu.intents["i complain"] = Parse("complaint", 0.9, (("complaint", 0.9),))
    return stage


class SlowMail:
    """A mail server that takes four seconds over each mail."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.to = clock, list[str]()

    def send(self, mail: Mail) -> bool:
        self.clock.wait(4 * SECOND)
        self.to.append(mail.to)
        return True


def taken(stage: Stage, phone: str, text: str) -> None:
    """A turn has been taken, and no mail has gone out yet."""
    stage.hears(phone, text)
    stage.worker.turns()
    stage.worker.tell_admins()


def by_whatsapp(stage: Stage) -> Alert:
    return only(stage.db, Alert, Alert.channel == "whatsapp", Alert.address == FARAH.phone)


def news_of_the_alert(stage: Stage, *words: str) -> None:
    row = only(stage.db, Outbound, Outbound.id == by_whatsapp(stage).outbound_id)
    for word in words:
        with stage.db.write() as session:
            outbox.advance(session, TERMS, row.id, StatusUpdate(row.sid or "", word, 63016), stage.clock())


def test_who_is_at_risk_is_told_of_before_what_waits_for_the_office(stage: Stage) -> None:
    taken(stage, BILAL, "i complain")
    taken(stage, AMINA, AT_RISK)
    mail = SlowMail(stage.clock)
    alerts.deliver(stage.db, mail, stage.clock)
    assert mail.to == [FARAH.email, OWEN.email, OFFICE]


def test_each_mail_is_noted_at_the_moment_when_it_was_taken(stage: Stage) -> None:
    taken(stage, AMINA, AT_RISK)
    began = stage.clock()
    alerts.deliver(stage.db, SlowMail(stage.clock), stage.clock)
    mails = rows(stage.db, Alert, Alert.channel == "email")
    assert [one.sent_at for one in mails] == [began + 4 * SECOND, began + 8 * SECOND]


def test_what_falls_due_while_a_mail_is_sent_is_sent_as_well(stage: Stage) -> None:
    stage.mail.up = False
    taken(stage, AMINA, AT_RISK)
    alerts.deliver(stage.db, stage.mail, stage.clock)
    taken(stage, BILAL, "i complain")
    stage.clock.wait(alerts.RETRY[0] - 2 * SECOND)
    mail = SlowMail(stage.clock)
    alerts.deliver(stage.db, mail, stage.clock)
    assert mail.to == [OFFICE, FARAH.email, OWEN.email]


def test_a_whatsapp_alert_that_fails_after_twilio_took_it_has_failed(stage: Stage) -> None:
    stage.hears_and_works(FARAH.phone, "thanks")
    stage.hears_and_works(AMINA, AT_RISK)
    assert by_whatsapp(stage).state == "sent"
    news_of_the_alert(stage, "sent", "undelivered")
    assert by_whatsapp(stage).state == "failed"
    assert {one.state for one in rows(stage.db, Alert, Alert.channel == "email")} == {"sent"}


def test_a_whatsapp_alert_that_arrived_after_all_counts_again(stage: Stage) -> None:
    stage.hears_and_works(FARAH.phone, "thanks")
    stage.hears_and_works(AMINA, AT_RISK)
    news_of_the_alert(stage, "failed", "delivered")
    assert by_whatsapp(stage).state == "sent"


def test_where_the_only_alert_failed_after_all_nobody_is_said_to_know(stage: Stage) -> None:
    stage.mail.up = False
    stage.hears_and_works(FARAH.phone, "thanks")
    stage.hears_and_works(AMINA, AT_RISK)
    assert stage.whatsapp.to(AMINA) == [english("safety.told")]
    news_of_the_alert(stage, "failed")
    stage.clock.wait(HOLD_TOLD)
    assert stage.hears_and_works(AMINA, "hello?") == [english("safety.on_hold_not_told")]


def test_the_helpline_and_the_word_on_secrets_come_in_the_same_message_as_the_reply(stage: Stage) -> None:
    said = stage.hears_and_works(AMINA, "my husband hits me, please dont tell anyone")
    keys = ("safety.told", "safety.domestic", "safety.secrecy")
    assert said == ["\n\n".join(english(key) for key in keys)]
    stage.mail.up = False
    stage.clock.wait(timedelta(hours=1))
    said = stage.hears_and_works(BILAL, "my husband hits me, please dont tell anyone")
    assert said == ["\n\n".join(english(key) for key in ("safety.not_told", *keys[1:]))]
