"""A number that is not the learner's: whoever writes from it is somebody else from then on, and touches nothing of hers."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from bot.conversation import take_next
from bot.database import Database
from bot.models import ContactPoint, Course, EnrolmentRow, Inbound, OfficeCase, Outbound, PersonRow
from bot.turn import CONSENTABLE, Parse
from tests.bot.ledgers import suppressed
from tests.bot.rooms import (
    AMINA,
    BILAL,
    CARLA,
    Clock,
    Stage,
    a_learner,
    a_member_of_staff,
    an_incoming,
    another_phone,
    consent_of,
    english,
    only,
    owe,
    receive,
    rows,
    states,
)

HOUR = timedelta(hours=1)
SCOPED, OTHER_SCOPED = "GB.1234567890ABCDEF", "GB.ENT.77AA88BB"
OFF, ON = ["withdrawn"] * 3, ["given"] * 3


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A worker, and a learner with two phones of whom we know the scoped id."""
    a_learner(db, AMINA, now=now)
    another_phone(db, AMINA, BILAL, now)
    stage = Stage(db, Clock(now))
    writes(stage, "thanks", AMINA, SCOPED)
    return stage


def writes(stage: Stage, text: str, phone: str = "", scoped_id: str = "") -> None:
    """A message comes from this phone, this scoped id or both, and is answered."""
    receive(stage.db, an_incoming(phone, text, scoped_id=scoped_id), stage.clock())
    stage.works()


def wrong_number(stage: Stage) -> None:
    """Somebody says that AMINA is not our learner's phone; she herself turns everything on again from her other one."""
    writes(stage, "wrong number mate", AMINA)
    writes(stage, "START", BILAL)
    writes(stage, "yes", BILAL)
    assert consent_of(stage.db, BILAL) == ON


def learner(stage: Stage) -> PersonRow:
    return only(stage.db, PersonRow, PersonRow.learner_code.is_not(None))


def holder(stage: Stage, value: str) -> int:
    return only(stage.db, ContactPoint, ContactPoint.value == value).person_id


def disowned(stage: Stage) -> set[str]:
    return {point.value for point in rows(stage.db, ContactPoint) if point.disowned_at is not None}


def test_the_phone_is_disowned_and_every_scoped_id_with_it_and_her_other_phone_is_not(stage: Stage) -> None:
    writes(stage, "thanks", AMINA, OTHER_SCOPED)
    writes(stage, "wrong number mate", AMINA)
    assert disowned(stage) == {AMINA, SCOPED, OTHER_SCOPED}
    assert [case.kind for case in rows(stage.db, OfficeCase)] == ["wrong_number"]


def test_nobody_writes_first_to_a_disowned_number_again(stage: Stage) -> None:
    writes(stage, "wrong number mate", AMINA)
    writes(stage, "START", BILAL)
    for purpose in CONSENTABLE:
        owe(stage.db, AMINA, stage.clock(), key=purpose, purpose=purpose, due_at=stage.clock() + HOUR)
    stage.clock.wait(HOUR)
    stage.works()
    planned = Outbound.purpose.in_(CONSENTABLE)
    assert states(stage.db, planned) == [("withheld", "WRONG_NUMBER")] * 3


def test_what_waits_for_it_is_withheld_in_the_same_moment_and_the_office_is_told(stage: Stage) -> None:
    a_member_of_staff(stage.db, "A1", "admin", now=stage.clock(), email="office@example.org")
    for phone in (AMINA, BILAL):
        owe(stage.db, phone, stage.clock(), key=phone, due_at=stage.clock() + HOUR)
    writes(stage, "wrong number mate", AMINA)
    assert states(stage.db, Outbound.purpose == "service") == [("withheld", "WRONG_NUMBER")] * 2
    assert [case.kind for case in rows(stage.db, OfficeCase)] == ["wrong_number"]
    assert [mail.to for mail in stage.mail.mails] == ["office@example.org"]


def test_a_recycled_number_is_the_new_learners_and_a_wrong_number_ends_it_again(stage: Stage) -> None:
    writes(stage, "wrong number mate", AMINA)
    writes(stage, "thanks", AMINA)
    with stage.db.write() as session:  # the college's list gives the number to somebody new (bot/importing/numbers.py)
        point = session.scalars(select(ContactPoint).where(ContactPoint.value == AMINA)).one()
        point.disowned_at, sana = None, session.get_one(PersonRow, point.person_id)
        sana.name, sana.learner_code = "Sana Ali", "P99"
        course = only(stage.db, Course).id
        session.add(EnrolmentRow(person_id=sana.id, course_id=course, created_at=stage.clock()))
    said = len(stage.whatsapp.to(AMINA))
    writes(stage, "wrong number", AMINA)
    assert stage.whatsapp.to(AMINA)[said:] == [english("consent.wrong_number")]
    assert AMINA in disowned(stage)
    assert not any("Sana" in text or "Amina" in text for text in stage.whatsapp.to(AMINA))


def test_whoever_writes_from_it_next_is_a_bare_person_and_is_called_by_no_name(stage: Stage) -> None:
    writes(stage, "wrong number mate", AMINA)
    said = len(stage.whatsapp.to(AMINA))
    writes(stage, "START", AMINA)
    now_there = only(stage.db, PersonRow, PersonRow.id == holder(stage, AMINA))
    assert (now_there.name, now_there.learner_code) == ("", None)
    assert holder(stage, BILAL) == learner(stage).id != now_there.id
    assert stage.whatsapp.to(AMINA)[said:] == [english("consent.start_not_on_list")]
    assert not any("Amina" in text for text in stage.whatsapp.to(AMINA)[said:])


def test_a_stop_from_it_does_not_touch_the_learner(stage: Stage) -> None:
    wrong_number(stage)
    writes(stage, "STOP", AMINA)
    assert consent_of(stage.db, AMINA) == OFF
    assert consent_of(stage.db, BILAL) == ON


def test_a_start_from_it_gives_the_learner_nothing(stage: Stage) -> None:
    writes(stage, "wrong number mate", AMINA)
    writes(stage, "START", AMINA)
    assert consent_of(stage.db, BILAL) == OFF


def test_a_cry_for_help_from_it_puts_no_hold_on_the_learner(stage: Stage) -> None:
    wrong_number(stage)
    writes(stage, "i want to kill myself", AMINA)
    assert learner(stage).held_at is None
    assert only(stage.db, PersonRow, PersonRow.held_at.is_not(None)).id == holder(stage, AMINA)


def test_what_the_learner_was_asked_is_not_answered_from_it(stage: Stage) -> None:
    writes(stage, "wrong number mate", AMINA)
    writes(stage, "START", BILAL)
    writes(stage, "yes", AMINA)
    assert consent_of(stage.db, BILAL) == ["given", "given", "withdrawn"]


@pytest.mark.parametrize("scoped_id", [SCOPED, OTHER_SCOPED])
def test_no_scoped_id_that_comes_with_it_is_the_learners(stage: Stage, scoped_id: str) -> None:
    writes(stage, "wrong number mate", AMINA, SCOPED)
    writes(stage, "thanks", AMINA, scoped_id)
    assert holder(stage, scoped_id) == holder(stage, AMINA) != learner(stage).id
    assert [case.kind for case in rows(stage.db, OfficeCase)] == ["wrong_number"]


@pytest.mark.parametrize("first", [(AMINA, ""), ("", SCOPED)])
def test_whoever_writes_by_the_one_and_then_by_both_is_one_person(stage: Stage, first: tuple[str, str]) -> None:
    writes(stage, "wrong number mate", AMINA, SCOPED)
    writes(stage, "thanks", *first)
    writes(stage, "thanks", AMINA, SCOPED)
    assert holder(stage, SCOPED) == holder(stage, AMINA) != learner(stage).id
    assert [case.kind for case in rows(stage.db, OfficeCase)] == ["wrong_number"]


def test_whoever_writes_from_it_again_is_the_same_bare_person(stage: Stage) -> None:
    writes(stage, "wrong number mate", AMINA)
    for _ in range(3):
        writes(stage, "thanks", AMINA, SCOPED)
    assert len({row.person_id for row in rows(stage.db, Inbound)[-3:]}) == 1
    assert len(rows(stage.db, PersonRow)) == 2


def test_no_answer_that_waits_goes_to_whoever_has_the_number_and_no_other_phone_of_hers_misses_one(stage: Stage) -> None:
    stage.clock.wait(HOUR)
    for phone in (AMINA, BILAL):
        receive(stage.db, an_incoming(phone, "when is my next lesson"), stage.clock())
        take_next(stage.room, stage.clock)
    receive(stage.db, an_incoming(AMINA, "wrong number mate"), stage.clock())
    take_next(stage.room, stage.clock)
    said = len(stage.whatsapp.to(AMINA))
    stage.works()
    assert stage.whatsapp.to(AMINA)[said:] == [english("consent.wrong_number")]
    answers = (Outbound.purpose == "reply", Outbound.created_at == stage.clock())
    assert states(stage.db, *answers) == [("withheld", "WRONG_NUMBER"), ("accepted", None)]


def test_who_says_wrong_number_and_asks_something_else_is_told_nothing_of_the_learners(stage: Stage) -> None:
    asks = "wrong number mate, what time is the next lesson"
    stage.nlu.intents[asks] = Parse("course_info", 0.95, (("course_info", 0.95),))
    said = len(stage.whatsapp.to(AMINA))
    writes(stage, asks, AMINA)
    assert stage.whatsapp.to(AMINA)[said:] == [english("consent.wrong_number")]


@pytest.mark.parametrize("also", [False, True])
def test_a_scoped_id_alone_ends_every_phone_it_may_have_come_with(stage: Stage, also: bool) -> None:
    with stage.db.write() as session:  # a phone of hers that never wrote is none of them
        person_id = session.scalars(select(ContactPoint.person_id).where(ContactPoint.value == AMINA)).one()
        session.add(ContactPoint(person_id=person_id, kind="phone", value=CARLA))
        session.scalars(select(ContactPoint).where(ContactPoint.value == BILAL)).one().last_inbound_at = (
            stage.clock() if also else None
        )
    owe(stage.db, AMINA, stage.clock(), due_at=stage.clock() + HOUR)
    writes(stage, "wrong number mate", scoped_id=SCOPED)
    assert disowned(stage) == {AMINA, SCOPED, *([BILAL] if also else [])}
    assert states(stage.db, Outbound.key == "k1") == [("withheld", "WRONG_NUMBER")]
    assert [case.kind for case in rows(stage.db, OfficeCase)] == ["wrong_number"]
    for value in disowned(stage):
        assert suppressed(stage.db, value).keys() == set(CONSENTABLE)


def test_after_a_scoped_id_alone_said_so_nobody_learns_anything_of_hers_at_the_phone(stage: Stage) -> None:
    writes(stage, "wrong number mate", scoped_id=SCOPED)
    said = len(stage.whatsapp.to(AMINA))
    writes(stage, "when is my next lesson", AMINA)
    assert holder(stage, AMINA) != learner(stage).id
    assert not any("Pricing" in text for text in stage.whatsapp.to(AMINA)[said:])


def test_when_a_number_was_found_wrong_before_stays_what_it_was(stage: Stage) -> None:
    with stage.db.write() as session:
        session.scalars(select(ContactPoint).where(ContactPoint.value == BILAL)).one().disowned_at = stage.clock()
    stage.clock.wait(HOUR)
    writes(stage, "wrong number mate", scoped_id=SCOPED)
    before = only(stage.db, ContactPoint, ContactPoint.value == BILAL)
    assert before.disowned_at == stage.clock() - HOUR
