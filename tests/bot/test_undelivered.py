"""While Twilio has no room we go on asking, for as long as an answer may be sent; what never arrives is told to staff."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from bot import outbox
from bot.cases import read_case
from bot.database import Database
from bot.models import ContactPoint, OfficeCase, Outbound
from bot.outbox.record import BACK_OFF
from bot.outbox.rows import REPLY_LASTS
from bot.turn import Purpose
from bot.whatsapp import Outcome, StatusUpdate
from tests.bot.rooms import AMINA, BILAL, SECOND, TERMS, Clock, Stage, a_learner, a_member_of_staff, only, owe, rows, states

QUARTER = timedelta(minutes=15)
NO_ROOM, REFUSED = Outcome("retry", error_code=20429), Outcome("refused", error_code=63024)
ANSWERS: list[Purpose] = ["reply", "safety"]


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A worker, a learner, and somebody of the office."""
    a_learner(db, AMINA, now=now)
    a_member_of_staff(db, "A1", "admin", now=now)
    return Stage(db, Clock(now))


def tried(stage: Stage, outcome: Outcome = NO_ROOM) -> bool:
    """The message is due, and Twilio answers so; False where nothing is due."""
    one = outbox.claim(stage.db, TERMS, stage.clock())
    if one is not None:
        outbox.record(stage.db, TERMS, one.outbound_id, outcome, stage.clock())
    return one is not None


def try_for(stage: Stage, how_long: timedelta) -> int:
    """Twilio has no room for so long; how often it was asked."""
    end, times = stage.clock() + how_long, 0
    while stage.clock() < end:
        times += tried(stage)
        stage.clock.wait(QUARTER)
    return times


def answered(stage: Stage, text: str = "thanks") -> Outbound:
    """A message came and its answer has been tried."""
    stage.hears_and_works(AMINA, text)
    return rows(stage.db, Outbound)[-1]


def news(stage: Stage, outbound: Outbound, status: str) -> None:
    with stage.db.write() as session:
        outbox.advance(session, TERMS, outbound.id, StatusUpdate(outbound.sid or "SM1", status, 63016), stage.clock())


def undelivered(stage: Stage) -> list[list[object]]:
    """What staff read in each such case."""
    cases = rows(stage.db, OfficeCase, OfficeCase.kind == "undelivered")
    return [[row["message"] for row in read_case(stage.db, case.id, "A1", stage.clock())] for case in cases]


def test_what_twilio_had_no_room_for_is_sent_again_later_and_later(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock(), purpose="reply")
    for back_off in (*BACK_OFF, QUARTER, QUARTER):
        assert tried(stage)
        stage.clock.wait(back_off - timedelta(microseconds=1))
        assert not tried(stage)
        stage.clock.wait(timedelta(microseconds=1))
    assert tried(stage, Outcome("accepted", "SM1"))
    assert (only(stage.db, Outbound).state, only(stage.db, Outbound).attempts) == ("accepted", 8)


@pytest.mark.parametrize("purpose", ANSWERS)
def test_for_23_hours_we_go_on_asking_and_then_it_has_failed(stage: Stage, purpose: Purpose) -> None:
    owe(stage.db, AMINA, stage.clock(), purpose=purpose)
    assert try_for(stage, REPLY_LASTS - QUARTER) == (REPLY_LASTS - QUARTER) // QUARTER
    assert states(stage.db) == [("queued", None)]
    assert try_for(stage, timedelta(hours=1)) == 1
    row = only(stage.db, Outbound)
    assert (row.state, row.reason, row.error_code) == ("failed", "RETRIES_SPENT", 20429)


def test_an_answer_that_could_not_be_delivered_is_a_case_with_the_message(stage: Stage) -> None:
    stage.whatsapp.answer = lambda _letter: REFUSED
    answered(stage, "when do you open")
    assert undelivered(stage) == [["when do you open"]]
    answered(stage, "hello?")
    assert undelivered(stage) == [["when do you open", "hello?"]]


def test_an_answer_that_twilio_never_had_room_for_is_one_too(stage: Stage) -> None:
    stage.whatsapp.answer = lambda _letter: NO_ROOM
    answered(stage, "when do you open")
    assert undelivered(stage) == []
    stage.clock.wait(SECOND)
    try_for(stage, REPLY_LASTS)
    assert states(stage.db) == [("failed", "RETRIES_SPENT")]
    assert undelivered(stage) == [["when do you open"]]


@pytest.mark.parametrize("word", ["failed", "undelivered"])
def test_an_answer_that_fails_after_twilio_took_it_is_one_too_and_only_one(stage: Stage, word: str) -> None:
    answer = answered(stage, "when do you open")
    assert undelivered(stage) == []
    for status in (word, word, "sent"):
        news(stage, answer, status)
    assert undelivered(stage) == [["when do you open"]]


def test_after_the_office_closed_the_case_the_next_failure_opens_another(stage: Stage) -> None:
    stage.whatsapp.answer = lambda _letter: REFUSED
    answered(stage, "when do you open")
    with stage.db.write() as session:
        session.execute(update(OfficeCase).values(state="closed"))
    answered(stage, "hello?")
    assert undelivered(stage) == [["when do you open"], ["hello?"]]


def test_what_we_wrote_first_to_a_dead_number_is_for_the_office_to_phone(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock(), purpose="service")
    assert tried(stage, REFUSED)
    assert states(stage.db) == [("failed", None)]
    assert [case.kind for case in rows(stage.db, OfficeCase)] == ["unreachable"]


def test_an_answer_that_arrives_is_none(stage: Stage) -> None:
    answer = answered(stage)
    for status in ("sent", "delivered", "read"):
        news(stage, answer, status)
    assert rows(stage.db, OfficeCase) == []


def test_one_persons_trouble_is_no_case_of_anothers(stage: Stage) -> None:
    stage.whatsapp.answer = lambda letter: REFUSED if letter.to == AMINA else Outcome("accepted", "SM" + letter.to[1:])
    stage.hears_and_works(AMINA, "thanks")
    stage.hears_and_works(BILAL, "thanks")
    case = only(stage.db, OfficeCase)
    assert case.person_id == only(stage.db, ContactPoint, ContactPoint.value == AMINA).person_id
