"""Who left the group gets nothing we write first; they are asked once, when they write, if they want reminders (P09)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.consents import Told, withdraw
from bot.database import Database
from bot.models import ConsentEvent, Wording
from bot.turn import CONSENTABLE, Parse
from tests.bot.rooms import (
    AMINA,
    KEYED,
    Clock,
    Stage,
    a_learner,
    a_member_of_staff,
    consent_of,
    english,
    rows,
)

OFF = ["withdrawn"] * 3
ASK, STILL_OFF = english("consent.left_group"), english("consent.still_opted_out")
THANKS, LESSON = english("smalltalk.thanks"), "when is my next lesson"


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A learner of whom staff recorded that they left the group."""
    a_learner(db, AMINA, now=now)
    a_member_of_staff(db, "A1", "admin", now=now)
    stage = Stage(db, Clock(now))
    stage.nlu.intents["hello"] = Parse("greet", 0.95, (("greet", 0.95),))
    left(stage)
    return stage


def left(stage: Stage) -> None:
    """Staff record it, an hour later; another hour passes."""
    stage.clock.wait(timedelta(hours=1))
    withdraw(stage.db, KEYED, Told(AMINA, CONSENTABLE, "left_group", "A1"), stage.clock())
    stage.clock.wait(timedelta(hours=1))


def test_they_get_their_answer_and_the_question_in_the_place_of_the_usual_line(stage: Stage) -> None:
    assert stage.hears_and_works(AMINA, "thanks") == [f"{THANKS}\n\n{ASK}"]


def test_yes_gives_lessons_anew_in_the_words_of_the_question_and_nothing_else(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "thanks")
    assert stage.hears_and_works(AMINA, "yes") == [english("consent.after_leaving_yes")]
    assert consent_of(stage.db, AMINA) == ["given", "withdrawn", "withdrawn"]
    given = rows(stage.db, ConsentEvent)[-1]
    assert (given.purpose, given.action, given.source) == ("service", "give", "chat")
    (words,) = rows(stage.db, Wording, Wording.version == given.wording)
    assert words.text == ASK
    assert stage.hears_and_works(AMINA, "thanks") == [THANKS]


def test_no_leaves_all_off_and_nobody_asks_again(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "thanks")
    assert stage.hears_and_works(AMINA, "no")[0].startswith(english("consent.after_leaving_no"))
    assert consent_of(stage.db, AMINA) == OFF
    assert stage.hears_and_works(AMINA, "thanks") == [f"{THANKS}\n\n{STILL_OFF}"]


def test_who_does_not_answer_is_not_asked_again(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "thanks")
    assert stage.hears_and_works(AMINA, "thanks") == [f"{THANKS}\n\n{STILL_OFF}"]
    assert consent_of(stage.db, AMINA) == OFF


def test_who_comes_back_and_leaves_again_is_asked_again(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "thanks")
    stage.hears_and_works(AMINA, "yes")
    left(stage)
    assert stage.hears_and_works(AMINA, "thanks") == [f"{THANKS}\n\n{ASK}"]


def test_the_numbers_of_a_menu_shown_beside_the_question_count_too(stage: Stage) -> None:
    (reply,) = stage.hears_and_works(AMINA, "hello")
    assert reply.endswith(f"{english('smalltalk.menu')}\n\n{ASK}")
    assert stage.hears_and_works(AMINA, "1")[0].startswith("Your next lesson")


def test_it_is_never_asked_beside_an_opting_out(stage: Stage) -> None:
    assert stage.hears_and_works(AMINA, "STOP") == [english("consent.opted_out")]
    assert stage.hears_and_works(AMINA, "thanks") == [f"{THANKS}\n\n{STILL_OFF}"]


def test_it_is_never_asked_beside_a_disclosure_or_under_a_hold(stage: Stage) -> None:
    for text in ("i want to kill myself", "thanks"):
        assert not any(ASK in said for said in stage.hears_and_works(AMINA, text))


def test_beside_another_question_it_waits_for_the_next_message(stage: Stage) -> None:
    stage.nlu.intents["are you a robot"] = Parse("bot_challenge", 0.95, (("bot_challenge", 0.95),))
    assert ASK not in stage.hears_and_works(AMINA, "are you a robot")[0]
    assert ASK in stage.hears_and_works(AMINA, "thanks")[0]


def test_start_gives_back_what_stood_and_asks_nothing_of_the_group(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "START")
    assert consent_of(stage.db, AMINA) == ["given", "given", "withdrawn"]


def test_who_stopped_by_a_word_of_their_own_is_not_asked_about_the_group(db: Database, now: datetime) -> None:
    a_learner(db, AMINA, now=now)
    stage = Stage(db, Clock(now))
    stage.hears_and_works(AMINA, "STOP")
    assert stage.hears_and_works(AMINA, "thanks") == [f"{THANKS}\n\n{STILL_OFF}"]
