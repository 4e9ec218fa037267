"""Someone at risk: staff hear of it at once and learn nothing in the mail itself, and the reply claims only what is so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot import alerts, outbox
from bot.conversation import take_next
from bot.database import Database
from bot.mail import NoMail, SendsMail, SmtpMail
from bot.models import Alert, OfficeCase, Outbound, PersonRow
from bot.queries import HOLD_TOLD
from bot.turn import Parse
from bot.whatsapp import Letter, Outcome
from bot.worker import Post
from tests.bot.processes import Postbox, free_port
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
    consent_of,
    english,
    only,
    owe,
    rows,
    states,
)

AT_RISK = "i want to kill myself"
TOLD, NOT_TOLD = english("safety.told"), english("safety.not_told")


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A worker, a learner on file, and two safeguarding contacts whose WhatsApp windows are closed."""
    a_learner(db, AMINA, now=now, name="Amina Khan")
    return Stage(db, Clock(now))


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    with Postbox() as opened:
        yield opened


def with_mail(stage: Stage, mail: SendsMail) -> None:
    """Do everything that is due, with this mail server."""
    worker = stage.worker
    replace(worker, post=Post(stage.whatsapp, mail, worker.post.public_url)).once()


def disclosed(stage: Stage, text: str = AT_RISK) -> None:
    """The disclosure has been taken, and nothing was sent yet."""
    stage.hears(AMINA, text)
    assert take_next(stage.room, stage.clock)


def dispatch(stage: Stage) -> None:
    """Send what is due, mail apart."""
    while (one := outbox.claim(stage.db, TERMS, stage.clock())) is not None:
        outcome = stage.whatsapp.send(Letter(one.to, one.body, ""))
        outbox.record(stage.db, TERMS, one.outbound_id, outcome, stage.clock())


def by_channel(db: Database, channel: str) -> list[Alert]:
    return list(rows(db, Alert, Alert.channel == channel))


def test_a_disclosure_is_a_restricted_case_a_hold_and_an_alert_to_each_contact(stage: Stage) -> None:
    disclosed(stage)
    case = only(stage.db, OfficeCase)
    assert (case.kind, case.urgent, case.restricted, case.state) == ("safeguarding_disclosure", True, True, "open")
    assert only(stage.db, PersonRow, PersonRow.id == case.person_id).held_at == stage.clock()
    assert [alert.address for alert in by_channel(stage.db, "email")] == [FARAH.email, OWEN.email]
    assert [alert.address for alert in by_channel(stage.db, "whatsapp")] == [FARAH.phone, OWEN.phone]


def test_each_contact_gets_a_real_mail_without_name_number_or_words(stage: Stage, postbox: Postbox) -> None:
    disclosed(stage, "My husband hits me, I am Amina, call 07700 900101")
    with_mail(stage, SmtpMail(postbox.url))
    assert [mail["To"] for mail in postbox.mails] == [FARAH.email, OWEN.email]
    case = only(stage.db, OfficeCase)
    for mail in postbox.mails:
        everything = mail.as_string().lower()
        assert not [word for word in ("amina", "khan", "900101", "husband", "hits") if word in everything]
        assert f"Case: {case.id}" in mail.get_content()
        assert "domestic" in mail.get_content()


def test_the_reply_says_that_it_was_passed_on_once_a_mail_server_took_the_alert(stage: Stage, postbox: Postbox) -> None:
    disclosed(stage)
    assert only(stage.db, Outbound, Outbound.purpose == "safety").body == NOT_TOLD
    with_mail(stage, SmtpMail(postbox.url))
    assert stage.whatsapp.to(AMINA) == [TOLD]
    assert only(stage.db, Outbound, Outbound.purpose == "safety").body == TOLD


@pytest.mark.parametrize("mail", [NoMail, lambda: SmtpMail(f"smtp://127.0.0.1:{free_port()}")])
def test_where_no_alert_got_through_the_reply_goes_at_once_and_claims_nothing(
    stage: Stage, mail: Callable[[], SendsMail]
) -> None:
    disclosed(stage)
    with_mail(stage, mail())
    assert stage.whatsapp.to(AMINA) == [NOT_TOLD]
    assert states(stage.db, Outbound.purpose == "staff") == [("withheld", "WINDOW_CLOSED_NO_TEMPLATE")] * 2


def test_one_contact_reached_is_enough_to_say_so(stage: Stage) -> None:
    class ReachesOwenOnly:
        def send(self, mail: object) -> bool:
            return OWEN.email in repr(mail)

    disclosed(stage)
    with_mail(stage, ReachesOwenOnly())
    assert stage.whatsapp.to(AMINA) == [TOLD]


def test_the_reply_does_not_wait_longer_than_a_few_seconds_for_the_mail_server(stage: Stage) -> None:
    disclosed(stage)
    seen: list[list[str]] = []

    class Hangs:
        """While the mail server keeps us waiting, the dispatch goes on in its own thread."""

        def send(self, _mail: object) -> bool:
            for wait in (alerts.REPLY_WAITS - SECOND, SECOND):
                stage.clock.wait(wait)
                dispatch(stage)
                seen.append(stage.whatsapp.to(AMINA))
            return True

    alerts.deliver(stage.db, Hangs(), stage.clock)
    assert seen[:2] == [[], [NOT_TOLD]]
    stage.works()
    assert stage.whatsapp.to(AMINA) == [NOT_TOLD]  # what was said is not said again


def test_if_the_worker_dies_before_any_alert_the_reply_still_goes_without_the_claim(stage: Stage) -> None:
    disclosed(stage)
    successor = replace(stage, mail=stage.mail, clock=Clock(stage.clock() + alerts.REPLY_WAITS))
    stage.mail.up = False
    successor.works()
    assert stage.whatsapp.to(AMINA) == [NOT_TOLD]


def test_if_the_worker_dies_while_it_mails_the_mail_is_tried_again_by_the_next(stage: Stage) -> None:
    disclosed(stage)

    class Dies:
        def send(self, _mail: object) -> bool:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        alerts.deliver(stage.db, Dies(), stage.clock)
    stage.works()  # Owen's mail is not held up
    assert [mail.to for mail in stage.mail.mails] == [OWEN.email]
    stage.clock.wait(alerts.LEASE)
    stage.works()
    assert [mail.to for mail in stage.mail.mails] == [OWEN.email, FARAH.email]


def test_a_failed_mail_is_tried_again_until_it_arrives(stage: Stage) -> None:
    stage.mail.up = False
    disclosed(stage)
    for pause in (timedelta(0), *alerts.RETRY[:-1]):
        stage.clock.wait(pause)
        stage.works()
    assert [(one.state, one.attempts) for one in by_channel(stage.db, "email")] == [("queued", 4)] * 2
    stage.mail.up = True
    stage.clock.wait(alerts.RETRY[-1])
    stage.works()
    assert [(one.state, one.sent_at) for one in by_channel(stage.db, "email")] == [("sent", stage.clock())] * 2
    assert stage.whatsapp.to(AMINA) == [NOT_TOLD]


def test_a_mail_that_never_arrives_is_given_up_and_shows_it(stage: Stage) -> None:
    stage.mail.up = False
    disclosed(stage)
    for pause in (timedelta(0), *alerts.RETRY):
        stage.clock.wait(pause)
        stage.works()
    assert [(one.state, one.attempts) for one in by_channel(stage.db, "email")] == [("failed", 5)] * 2


def test_a_contact_who_wrote_to_us_today_is_told_by_whatsapp_too(stage: Stage) -> None:
    stage.hears_and_works(FARAH.phone, "thanks")
    disclosed(stage)
    stage.works()
    told = stage.whatsapp.to(FARAH.phone)[-1]
    assert english("alerts.safeguarding_subject") in told
    assert "Amina" not in told
    assert stage.whatsapp.to(OWEN.phone) == []
    assert states(stage.db, Outbound.purpose == "staff") == [
        ("accepted", None),
        ("withheld", "WINDOW_CLOSED_NO_TEMPLATE"),
    ]


def test_whatsapp_alone_is_enough_to_say_that_it_was_passed_on(stage: Stage) -> None:
    stage.hears_and_works(FARAH.phone, "thanks")
    disclosed(stage)
    stage.mail.up = False
    stage.works()
    assert stage.whatsapp.to(AMINA) == [TOLD]


@pytest.mark.parametrize("outcome", [Outcome("refused", error_code=63016), Outcome("unknown")])
def test_a_whatsapp_alert_that_twilio_did_not_take_lets_nobody_be_told(stage: Stage, outcome: Outcome) -> None:
    def answer(letter: Letter) -> Outcome:
        return outcome if letter.to == FARAH.phone else Outcome("accepted", f"SM{len(stage.whatsapp.letters):032d}")

    stage.hears_and_works(FARAH.phone, "thanks")
    stage.whatsapp.answer = answer
    stage.mail.up = False
    disclosed(stage)
    stage.works()
    assert stage.whatsapp.to(AMINA) == [NOT_TOLD]


def test_two_contacts_with_one_mailbox_and_one_phone_get_one_alert_of_each_kind(stage: Stage) -> None:
    stage.contacts = (FARAH, replace(FARAH, name="Deputy"))
    disclosed(stage)
    assert (len(by_channel(stage.db, "email")), len(by_channel(stage.db, "whatsapp"))) == (1, 1)


def test_a_watched_phone_gets_one_neutral_line_and_staff_are_warned(stage: Stage) -> None:
    disclosed(stage, "my husband hits me, he reads my phone")
    stage.works()
    assert stage.whatsapp.to(AMINA) == [english("safety.neutral")]
    assert "watched" in stage.mail.mails[0].body
    assert "DO NOT CALL" in stage.mail.mails[0].body


def test_what_was_planned_before_the_disclosure_is_withheld_under_the_hold(stage: Stage, now: datetime) -> None:
    owe(stage.db, AMINA, now, key="how is business", purpose="checkin", due_at=now + timedelta(hours=1))
    owe(stage.db, AMINA, now, key="answer", purpose="reply", due_at=now + timedelta(hours=1))
    disclosed(stage)
    stage.works()
    stage.clock.wait(timedelta(hours=1))
    stage.works()
    held = (Outbound.key == "how is business") | (Outbound.key == "answer")
    assert states(stage.db, held) == [("withheld", "SAFEGUARDING_HOLD")] * 2


def test_under_the_hold_no_ordinary_answer_is_given(stage: Stage) -> None:
    stage.hears_and_works(AMINA, AT_RISK)
    stage.clock.wait(HOLD_TOLD)
    assert stage.hears_and_works(AMINA, "when is my lesson") == [english("safety.on_hold")]
    assert stage.hears_and_works(AMINA, "and where") == []


def test_under_the_hold_opting_out_is_obeyed_and_confirmed(stage: Stage) -> None:
    stage.hears_and_works(AMINA, AT_RISK)
    assert stage.hears_and_works(AMINA, "STOP") == [english("consent.opted_out")]
    assert consent_of(stage.db, AMINA) == ["withdrawn"] * 3


def test_a_second_disclosure_alerts_again(stage: Stage) -> None:
    stage.hears_and_works(AMINA, AT_RISK)
    stage.hears_and_works(AMINA, AT_RISK)
    assert len(stage.mail.mails) == 4
    assert stage.whatsapp.to(AMINA) == [TOLD, TOLD]


def test_a_stranger_at_risk_is_helped_like_a_learner(stage: Stage) -> None:
    assert stage.hears_and_works(BILAL, AT_RISK) == [TOLD]
    assert len(stage.mail.mails) == 2


def test_other_people_are_not_held_up_by_somebodys_hold(stage: Stage) -> None:
    stage.hears_and_works(AMINA, AT_RISK)
    assert stage.hears_and_works(BILAL, "cheers then") == [english("smalltalk.thanks")]


def test_the_office_is_mailed_about_an_ordinary_case_without_names_and_once(stage: Stage, now: datetime) -> None:
    for code, email in (("A1", "office@example.org"), ("A2", "office@example.org"), ("A3", "desk@example.org"), ("A4", "")):
        a_member_of_staff(stage.db, code, "admin", now=now, email=email)
    stage.nlu.intents["i am Amina and i complain"] = Parse("complaint", 0.9)
    stage.hears_and_works(AMINA, "i am Amina and i complain", "i am Amina and i complain")
    case = only(stage.db, OfficeCase)
    assert sorted(mail.to for mail in stage.mail.mails) == ["desk@example.org", "office@example.org"]
    assert f"Case: {case.id}" in stage.mail.mails[0].body
    assert "Amina" not in stage.mail.mails[0].body


def test_the_office_is_not_told_of_a_disclosure(stage: Stage, now: datetime) -> None:
    a_member_of_staff(stage.db, "A1", "admin", now=now, email="office@example.org")
    stage.hears_and_works(AMINA, AT_RISK)
    assert {mail.to for mail in stage.mail.mails} == {FARAH.email, OWEN.email}
