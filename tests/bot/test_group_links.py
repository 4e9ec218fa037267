"""The link of their own group for a learner who asks, and an invitation that may be declined (P05 to P07, F02)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from bot.database import Database
from bot.models import Course, Invitation, PersonRow
from bot.turn import Parse
from tests.bot.rooms import (
    AMINA,
    BILAL,
    CARLA,
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

ASKING = "hows i get in the class chat"
LINK, ROTATED = "https://chat.whatsapp.com/Cohort12", "https://chat.whatsapp.com/Cohort12b"
OPTIONS = {
    "yes": "request_group_link",
    "no": "invitation_declined",
    "invite_yes": "request_group_link",
    "invite_no": "invitation_declined",
}


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A learner whose cohort has a group."""
    a_learner(db, AMINA, now=now)
    stage = Stage(db, Clock(now))
    stage.nlu.intents[ASKING] = Parse("request_group_link", 0.95, (("request_group_link", 0.95),))
    linked(stage, LINK)
    return stage


def linked(stage: Stage, link: str) -> None:
    with stage.db.write() as session:
        session.execute(update(Course).values(group_link=link))


def invited(stage: Stage, state: str = "invited") -> None:
    """We invited them, and the question is open."""
    with stage.db.write() as session:
        person = session.get_one(PersonRow, only(stage.db, PersonRow).id)
        session.add(Invitation(person_id=person.id, course_id=only(stage.db, Course).id, state=state, at=stage.clock()))
        person.pending = {"question": "invitation", "options": OPTIONS, "asked_at": stage.clock().isoformat()}


def invitations(stage: Stage) -> list[str]:
    return [row.state for row in rows(stage.db, Invitation)]


def test_a_learner_who_asks_has_the_link_at_once_and_it_is_kept(stage: Stage) -> None:
    (reply,) = stage.hears_and_works(AMINA, ASKING)
    assert reply.startswith(english("groups.link", group="Cohort 12", link=LINK))
    assert "Joining is your choice and does not affect your course" in reply
    assert "can see your name, photo and number" in reply
    assert invitations(stage) == ["sent"]
    stage.hears_and_works(AMINA, ASKING)
    assert invitations(stage) == ["sent"]


def test_a_rotated_link_is_the_one_that_is_sent_next(stage: Stage) -> None:
    stage.hears_and_works(AMINA, ASKING)
    linked(stage, ROTATED)
    assert ROTATED in stage.hears_and_works(AMINA, ASKING)[0]


def test_a_stranger_a_disowned_number_and_who_has_no_group_see_no_link(stage: Stage) -> None:
    assert stage.hears_and_works(CARLA, ASKING) == [english("groups.not_a_learner")]
    stage.hears_and_works(AMINA, "wrong number mate")
    assert stage.hears_and_works(AMINA, ASKING)[0].startswith(english("groups.not_a_learner"))
    linked(stage, "")
    a_learner(stage.db, BILAL, now=stage.clock())
    assert stage.hears_and_works(BILAL, ASKING) == [english("groups.no_link")]
    assert invitations(stage) == []


@pytest.mark.parametrize("answer", ["no thanks", "no", "i dont want to join"])
def test_who_declines_the_invitation_is_not_invited_again_and_keeps_everything_else(stage: Stage, answer: str) -> None:
    invited(stage)
    assert stage.hears_and_works(AMINA, answer) == [english("groups.declined")]
    assert invitations(stage) == ["declined"]
    assert consent_of(stage.db, AMINA) == ["given"] * 3


def test_who_accepts_the_invitation_has_the_link(stage: Stage) -> None:
    invited(stage, "reminded")
    assert LINK in stage.hears_and_works(AMINA, "yes please")[0]
    assert invitations(stage) == ["sent"]


def test_who_declined_and_asks_after_all_has_the_link(stage: Stage) -> None:
    invited(stage)
    stage.hears_and_works(AMINA, "no")
    assert LINK in stage.hears_and_works(AMINA, ASKING)[0]
    assert invitations(stage) == ["sent"]


def taps(stage: Stage, label: str, button: str) -> list[str]:
    """What is said to a tap on a button of the invitation."""
    said = len(stage.whatsapp.letters)
    receive(stage.db, an_incoming(AMINA, label, kind="button", button=button), stage.clock())
    stage.works()
    return [letter.body for letter in stage.whatsapp.letters[said:]]


def test_a_tap_on_the_invitation_counts_after_another_question_and_after_days(stage: Stage) -> None:
    invited(stage)
    stage.hears_and_works(AMINA, "help")
    stage.clock.wait(timedelta(days=5))
    assert LINK in taps(stage, "Yes", "invite_yes")[0]
    assert invitations(stage) == ["sent"]


def test_a_tap_on_no_declines_whatever_else_was_asked_and_nobody_is_invited_again(stage: Stage) -> None:
    invited(stage)
    stage.hears_and_works(AMINA, ASKING[:3])
    assert taps(stage, "No", "invite_no") == [english("groups.declined")]
    assert invitations(stage) == ["declined"]


def test_who_declined_and_taps_yes_on_the_old_invitation_has_the_link(stage: Stage) -> None:
    invited(stage)
    taps(stage, "No", "invite_no")
    stage.clock.wait(timedelta(days=2))
    assert LINK in taps(stage, "Yes", "invite_yes")[0]
    assert invitations(stage) == ["sent"]


def test_a_tap_on_yes_answers_no_other_question_and_re_opens_nothing(stage: Stage) -> None:
    invited(stage)
    stage.hears_and_works(AMINA, "STOP")
    with stage.db.write() as session:
        options = {"yes": "opt_in_service", "no": "deny"}
        asked = {"question": "opt_in", "text": "Reminders?", "options": options, "asked_at": stage.clock().isoformat()}
        session.execute(update(PersonRow).values(pending={**asked, "inbound_id": 1}))
    assert LINK in taps(stage, "Yes", "invite_yes")[0]
    assert consent_of(stage.db, AMINA) == ["withdrawn"] * 3


def test_the_word_alone_answers_nothing_once_the_question_is_gone(stage: Stage) -> None:
    invited(stage)
    stage.clock.wait(timedelta(days=1))
    stage.nlu.intents["yes"] = Parse("affirm", 0.95, (("affirm", 0.95),))
    assert stage.hears_and_works(AMINA, "yes") == [english("smalltalk.nothing_asked")]
    assert invitations(stage) == ["invited"]
