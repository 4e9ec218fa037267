"""Messages we owe: in order for each recipient, paced, asked about again at the door, sent once, and never guessed about."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from bot import outbox
from bot.database import Database, open_database
from bot.models import ContactPoint, Outbound, OutboundEvent, PersonRow
from bot.outbox import claim, mark_unknown, record
from bot.outbox.claim import LEASE
from bot.outbox.record import BACK_OFF
from bot.outbox.rows import PRIORITY, REPLY_LASTS
from bot.whatsapp import Letter, Outcome, StatusUpdate
from tests.bot.rooms import AMINA, BILAL, SECOND, TERMS, Clock, Recorder, Stage, a_learner, only, owe, rows, states

SID = "SM" + "1" * 32
ACCEPTED = Outcome("accepted", SID)
REPLY = "reply"


@pytest.fixture
def amina(db: Database, now: datetime) -> str:
    """A learner who wrote just now and consented to everything: her phone."""
    a_learner(db, AMINA, now=now)
    return AMINA


def sending(db: Database, now: datetime) -> outbox.Sending:
    """The next message to send, which must be there."""
    found = claim(db, TERMS, now)
    assert found is not None
    return found


def sent(db: Database, now: datetime) -> list[str]:
    """Everything that goes out at this moment, in order; Twilio takes it all."""
    bodies = []
    while (one := claim(db, TERMS, now)) is not None:
        record(db, TERMS, one.outbound_id, Outcome("accepted", f"SM{one.outbound_id:032d}"), now)
        bodies.append(one.body)
    return bodies


def heard(db: Database, outbound_id: int | None, status: str, now: datetime, *, sid: str = SID, code: int = 0) -> bool:
    """A status callback comes."""
    with db.write() as session:
        return outbox.advance(session, TERMS, outbound_id, StatusUpdate(sid, status, code or None), now)


def opened(db: Database, at: datetime) -> None:
    """Everybody wrote to us at this moment, and not since."""
    with db.write() as session:
        session.execute(update(ContactPoint).values(last_inbound_at=at))


def test_the_same_key_twice_is_one_message(db: Database, amina: str, now: datetime) -> None:
    assert owe(db, amina, now, key="lesson:1") == owe(db, amina, now, key="lesson:1", body="Something else.")
    assert only(db, Outbound).body == "Body of lesson:1."


def test_what_is_due_later_waits(db: Database, amina: str, now: datetime) -> None:
    owe(db, amina, now, due_at=now + SECOND)
    assert claim(db, TERMS, now) is None
    assert sending(db, now + SECOND).to == amina


def test_messages_to_one_recipient_go_out_in_order_one_at_a_time(db: Database, amina: str, now: datetime) -> None:
    for key in "abc":
        owe(db, amina, now, key=key, purpose=REPLY)
    first = sending(db, now)
    assert claim(db, TERMS, now) is None
    record(db, TERMS, first.outbound_id, ACCEPTED, now)
    assert [first.body, *sent(db, now)] == ["Body of a.", "Body of b.", "Body of c."]


def test_another_recipient_does_not_wait_for_the_first(db: Database, amina: str, now: datetime) -> None:
    a_learner(db, BILAL, now=now)
    owe(db, amina, now, key="a")
    owe(db, BILAL, now, key="b")
    assert {sending(db, now).to, sending(db, now).to} == {AMINA, BILAL}


def test_answers_go_before_broadcasts_and_safety_before_all(db: Database, amina: str, now: datetime) -> None:
    phones = {purpose: f"+44770090020{n}" for n, purpose in enumerate(PRIORITY)}
    for purpose, phone in reversed(phones.items()):
        a_learner(db, phone, now=now)
        owe(db, phone, now, key=purpose, purpose=purpose)
    assert sent(db, now) == [f"Body of {purpose}." for purpose in PRIORITY]


def test_a_safety_reply_overtakes_the_same_recipients_other_messages(db: Database, amina: str, now: datetime) -> None:
    owe(db, amina, now, key="a", purpose=REPLY)
    owe(db, amina, now, key="b", purpose="safety")
    assert sent(db, now) == ["Body of b.", "Body of a."]


def test_a_reply_does_not_leave_while_a_safety_reply_to_the_same_recipient_is_under_way(
    db: Database, amina: str, now: datetime
) -> None:
    owe(db, amina, now, key="a", purpose=REPLY)
    owe(db, amina, now, key="b", purpose="safety")
    assert sending(db, now).body == "Body of b."
    assert claim(db, TERMS, now) is None


def test_several_senders_never_write_to_one_recipient_at_the_same_time_nor_out_of_order(
    db: Database, database_url: str, now: datetime
) -> None:
    phones = [f"+44770090030{n}" for n in range(3)]
    for phone in phones:
        a_learner(db, phone, now=now)
    for number in range(6):
        for phone in phones:
            owe(db, phone, now, key=f"{phone}:{number}", purpose="safety" if number == 3 else REPLY)
    under_way: set[str] = set()
    whatsapp, lock, together = Recorder(), threading.Lock(), []

    def send(own: Database) -> None:
        while len(whatsapp.letters) < 18:
            if (one := claim(own, TERMS, now)) is None:
                continue
            with lock:
                together.extend({one.to} & under_way)
                under_way.add(one.to)
            outcome = whatsapp.send(Letter(one.to, one.body, ""))
            time.sleep(0.05)  # the network is slow: time for another sender to make the mistake
            with lock:
                under_way.discard(one.to)
            record(own, TERMS, one.outbound_id, outcome, now)

    own = [open_database(database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, own))
    for each in own:
        each.engine.dispose()
    assert together == []
    for phone in phones:
        replies = [body for body in whatsapp.to(phone) if ":3" not in body]
        assert replies == [f"Body of {phone}:{number}." for number in (0, 1, 2, 4, 5)]
        assert len(whatsapp.to(phone)) == 6


def test_ten_go_to_one_recipient_at_once_and_then_one_every_six_seconds(db: Database, amina: str, now: datetime) -> None:
    for number in range(13):
        owe(db, amina, now, key=f"{number:02}", purpose=REPLY)
    going = [len(sent(db, now + seconds * SECOND)) for seconds in range(20)]
    assert going == [10, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0]
    assert [row.state for row in rows(db, Outbound)] == ["accepted"] * 13


def test_a_safety_reply_is_not_paced(db: Database, amina: str, now: datetime) -> None:
    for number in range(11):
        owe(db, amina, now, key=f"{number}", purpose=REPLY)
    owe(db, amina, now, key="s", purpose="safety")
    assert sent(db, now)[0] == "Body of s."
    assert states(db, Outbound.key == "s") == [("accepted", None)]


def test_paced_messages_keep_their_order(db: Database, amina: str, now: datetime) -> None:
    keys = [f"{number:02}" for number in range(14)]
    for key in keys[:12]:
        owe(db, amina, now, key=key, purpose=REPLY)
    bodies = sent(db, now)
    for key in keys[12:]:
        owe(db, amina, now + SECOND, key=key, purpose=REPLY)
    for seconds in range(1, 40):
        bodies += sent(db, now + seconds * SECOND)
    assert bodies == [f"Body of {key}." for key in keys]


def test_eighty_a_second_leave_for_all_recipients_together(db: Database, now: datetime) -> None:
    for number in range(85):
        owe(db, f"+447700900{number:03}", now, key=str(number), purpose="staff")
    opened(db, now)
    assert len(sent(db, now)) == 80
    assert len(sent(db, now + SECOND)) == 5


def test_safety_does_not_wait_for_the_senders_pace_and_all_else_does(db: Database, now: datetime) -> None:
    for number in range(86):
        owe(db, f"+447700900{number:03}", now, key=str(number), purpose="safety" if number else REPLY)
    opened(db, now)
    assert len(sent(db, now)) == 85
    assert sent(db, now + SECOND) == ["Body of 0."]


def test_a_later_message_does_not_overtake_one_that_is_tried_again(db: Database, amina: str, now: datetime) -> None:
    owe(db, amina, now, key="a", purpose=REPLY)
    record(db, TERMS, sending(db, now).outbound_id, Outcome("retry"), now)
    owe(db, amina, now + SECOND, key="b", purpose=REPLY)
    assert claim(db, TERMS, now + SECOND) is None
    assert sent(db, now + BACK_OFF[0]) == ["Body of a.", "Body of b."]


def test_what_was_put_off_till_tomorrow_holds_nothing_back(db: Database, amina: str, now: datetime) -> None:
    owe(db, amina, now, key="a", due_at=now + timedelta(days=1))
    owe(db, amina, now, key="b", purpose=REPLY)
    assert sent(db, now) == ["Body of b."]


def test_a_refusal_is_final_and_keeps_its_number(db: Database, amina: str, now: datetime) -> None:
    owe(db, amina, now, purpose=REPLY)
    record(db, TERMS, sending(db, now).outbound_id, Outcome("refused", error_code=63024), now)
    assert (only(db, Outbound).state, only(db, Outbound).error_code) == ("failed", 63024)
    assert claim(db, TERMS, now + timedelta(hours=1)) is None


def test_an_unknown_outcome_is_never_sent_again(db: Database, amina: str, now: datetime) -> None:
    owe(db, amina, now, purpose=REPLY)
    record(db, TERMS, sending(db, now).outbound_id, Outcome("unknown"), now)
    assert only(db, Outbound).state == "unknown"
    assert claim(db, TERMS, now + timedelta(hours=1)) is None


def test_a_sender_that_died_leaves_an_unknown_outcome_and_holds_up_nobody(db: Database, amina: str, now: datetime) -> None:
    owe(db, amina, now, key="a", purpose=REPLY)
    owe(db, amina, now, key="b", purpose=REPLY)
    sending(db, now)
    assert mark_unknown(db, now + LEASE - SECOND) == 0
    assert mark_unknown(db, now + LEASE) == 1
    assert sent(db, now + LEASE) == ["Body of b."]
    assert [state for state, _ in states(db)] == ["unknown", "accepted"]


@pytest.mark.parametrize("status", ["queued", "sent", "delivered", "read", "failed"])
def test_twilios_word_resolves_an_unknown_outcome(db: Database, amina: str, now: datetime, status: str) -> None:
    outbound_id = owe(db, amina, now, purpose=REPLY)
    sending(db, now)
    mark_unknown(db, now + LEASE)
    assert heard(db, outbound_id, status, now + LEASE)
    assert (only(db, Outbound).state, only(db, Outbound).sid) == ("accepted" if status == "queued" else status, SID)


def test_when_a_message_left_is_known(db: Database, amina: str, now: datetime) -> None:
    owe(db, amina, now, purpose=REPLY)
    record(db, TERMS, sending(db, now).outbound_id, ACCEPTED, now + SECOND)
    assert (only(db, Outbound).sid, only(db, Outbound).sent_at) == (SID, now + SECOND)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(["created", "sent", "delivered", "sent", "delivered"]))
def test_callbacks_in_any_order_and_more_than_once_end_in_the_same_state(
    db: Database, now: datetime, order: list[str]
) -> None:
    phone = f"+4477009{next(PHONES):05}"
    a_learner(db, phone, now=now)
    outbound_id = owe(db, phone, now, key=phone, purpose=REPLY)
    sid = f"SM{outbound_id:032d}"
    assert sending(db, now).outbound_id == outbound_id
    for step in order:
        if step == "created":
            record(db, TERMS, outbound_id, Outcome("accepted", sid), now)
        else:
            heard(db, outbound_id, step, now, sid=sid)
    row = only(db, Outbound, Outbound.id == outbound_id)
    assert (row.state, row.sid) == ("delivered", sid)
    events = rows(db, OutboundEvent, OutboundEvent.outbound_id == outbound_id)
    assert sorted(event.status for event in events) == ["delivered", "sent"]


PHONES = itertools.count(1)


@pytest.mark.parametrize("outcome", [Outcome("unknown"), Outcome("retry"), ACCEPTED])
def test_a_callback_that_is_faster_than_the_answer_keeps_what_it_said(
    db: Database, amina: str, now: datetime, outcome: Outcome
) -> None:
    outbound_id = owe(db, amina, now, purpose=REPLY)
    sending(db, now)
    assert heard(db, outbound_id, "delivered", now)
    record(db, TERMS, outbound_id, outcome, now)
    assert (only(db, Outbound).state, only(db, Outbound).sid) == ("delivered", SID)
    assert claim(db, TERMS, now + timedelta(hours=1)) is None


def test_a_callback_for_a_message_we_do_not_know_changes_nothing(db: Database, now: datetime) -> None:
    assert not heard(db, 4711, "delivered", now)
    assert not heard(db, None, "delivered", now)
    assert rows(db, OutboundEvent) == []


def test_a_callback_for_another_sid_than_ours_changes_nothing(db: Database, amina: str, now: datetime) -> None:
    outbound_id = owe(db, amina, now, purpose=REPLY)
    record(db, TERMS, sending(db, now).outbound_id, ACCEPTED, now)
    assert not heard(db, outbound_id, "failed", now, sid="SM" + "2" * 32)
    assert only(db, Outbound).state == "accepted"


def test_a_callback_without_our_id_is_known_by_its_sid(db: Database, amina: str, now: datetime) -> None:
    owe(db, amina, now, purpose=REPLY)
    record(db, TERMS, sending(db, now).outbound_id, ACCEPTED, now)
    assert heard(db, None, "read", now)
    assert only(db, Outbound).state == "read"


def test_a_failure_in_a_callback_keeps_its_number(db: Database, amina: str, now: datetime) -> None:
    outbound_id = owe(db, amina, now, purpose=REPLY)
    record(db, TERMS, sending(db, now).outbound_id, ACCEPTED, now)
    heard(db, outbound_id, "undelivered", now, code=63016)
    assert (only(db, Outbound).state, only(db, Outbound).error_code) == ("failed", 63016)


def test_a_word_that_twilio_never_said_before_is_kept_and_moves_nothing(db: Database, amina: str, now: datetime) -> None:
    outbound_id = owe(db, amina, now, purpose=REPLY)
    sending(db, now)
    assert heard(db, outbound_id, "teleported", now)
    assert (only(db, OutboundEvent).status, only(db, Outbound).state) == ("teleported", "sending")


@pytest.mark.parametrize("purpose", [REPLY, "safety", "staff", "service"])
def test_with_the_window_closed_nothing_goes_out_and_the_row_says_why(
    db: Database, amina: str, now: datetime, purpose: str
) -> None:
    owe(db, amina, now, purpose=purpose)
    opened(db, now - timedelta(hours=23, minutes=50))
    assert claim(db, TERMS, now) is None
    assert states(db) == [("withheld", "WINDOW_CLOSED_NO_TEMPLATE")]


def test_the_window_closes_ten_minutes_before_twilio_closes_it(db: Database, amina: str, now: datetime) -> None:
    owe(db, amina, now, purpose=REPLY)
    opened(db, now - timedelta(hours=23, minutes=49, seconds=59))
    assert sent(db, now) == ["Body of k1."]


def test_an_answer_that_is_a_day_late_is_not_sent(db: Database, amina: str, now: datetime) -> None:
    owe(db, amina, now, purpose=REPLY)
    late = now + REPLY_LASTS
    opened(db, late)
    assert claim(db, TERMS, late) is None
    assert states(db) == [("withheld", "STALE")]


def test_consent_is_asked_about_again_at_the_moment_of_sending(db: Database, amina: str, now: datetime) -> None:
    stage = Stage(db, Clock(now))
    owe(db, amina, now, key="before")
    stage.hears_and_works(amina, "STOP")
    owe(db, amina, now, key="after")
    assert sent(db, now) == []
    assert states(db, Outbound.purpose == "service") == [("withheld", "OPTED_OUT")] * 2


def test_what_is_withheld_never_goes_out_later(db: Database, amina: str, now: datetime) -> None:
    stage = Stage(db, Clock(now))
    owe(db, amina, now, due_at=now + timedelta(hours=1))
    stage.hears_and_works(amina, "STOP", "START")
    stage.clock.wait(timedelta(hours=2))
    stage.works()
    assert states(db, Outbound.purpose == "service") == [("withheld", "OPTED_OUT")]


def test_what_waited_behind_a_withheld_message_goes_out_at_once(db: Database, amina: str, now: datetime) -> None:
    Stage(db, Clock(now)).hears_and_works(amina, "STOP")
    owe(db, amina, now, key="a")
    owe(db, amina, now, key="b", purpose=REPLY)
    assert sent(db, now) == ["Body of b."]


def test_a_person_under_a_hold_gets_safety_messages_only(db: Database, amina: str, now: datetime) -> None:
    with db.write() as session:
        session.execute(update(PersonRow).values(held_at=now))
    owe(db, amina, now, key="a", purpose=REPLY)
    owe(db, amina, now, key="b", purpose="service")
    owe(db, amina, now, key="c", purpose=REPLY, confirms_opt_out=True)
    owe(db, amina, now, key="d", purpose="safety")
    assert sorted(sent(db, now)) == ["Body of c.", "Body of d."]
    assert states(db, Outbound.state == "withheld") == [("withheld", "SAFEGUARDING_HOLD")] * 2
