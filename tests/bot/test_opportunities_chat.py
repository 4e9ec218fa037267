"""A learner asks for jobs, says what they want to hear about, and how to stop it is told each time."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select

from bot.database import Database
from bot.models import Interest, OfficeCase, PersonRow
from bot.turn import Parse
from tests.bot.offers import EVERYTHING, a_course, learners, phone
from tests.bot.rooms import Clock, Stage, consent_of, english, rows

ME = phone(1)
JOBS = "any jobs going"


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    a_course(db, "SYB12", now)
    stage = Stage(db, Clock(now))
    stage.nlu.intents[JOBS] = Parse("ask_opportunities", 0.95, (("ask_opportunities", 0.95),))
    return stage


def chosen(db: Database) -> set[str]:
    with db.read() as session:
        who = select(PersonRow.id).where(PersonRow.learner_code == "L1").scalar_subquery()
        return set(session.scalars(select(Interest.topic).where(Interest.person_id == who)))


def test_any_jobs_going_goes_to_the_office_and_a_number_says_what_they_want_to_hear_about(
    stage: Stage, now: datetime
) -> None:
    learners(stage.db, now, 1)
    (asked,) = stage.hears_and_works(ME, JOBS)
    assert asked == f"{english('office.passed_on')}\n\n{english('opportunities.which')}"
    assert stage.hears_and_works(ME, "2") == [english("opportunities.clients_chosen")]
    assert (chosen(stage.db), [one.kind for one in rows(stage.db, OfficeCase)]) == ({"clients"}, ["ask_opportunities"])


def test_a_new_choice_takes_the_place_of_the_old_one(stage: Stage, now: datetime) -> None:
    learners(stage.db, now, 1, interests=("jobs",))
    stage.hears_and_works(ME, JOBS, "3")
    assert chosen(stage.db) == {"grants"}
    stage.hears_and_works(ME, JOBS, "5")
    assert chosen(stage.db) == {"jobs", "clients", "grants", "courses"}


def test_who_had_not_agreed_is_asked_whether_and_their_yes_is_kept_with_its_words(stage: Stage, now: datetime) -> None:
    learners(stage.db, now, 1, consent={"service": "give"})
    (asked,) = stage.hears_and_works(ME, JOBS)
    assert asked.endswith(english("consent.ask_marketing"))
    assert stage.hears_and_works(ME, "yes") == [english("consent.marketing_on")]
    assert consent_of(stage.db, ME)[2] == "given"
    (then,) = stage.hears_and_works(ME, JOBS)
    assert then.endswith(english("opportunities.which"))


def test_a_no_leaves_it_off(stage: Stage, now: datetime) -> None:
    learners(stage.db, now, 1, consent={"service": "give"})
    stage.hears_and_works(ME, JOBS, "no")
    assert consent_of(stage.db, ME) == ["given", "never_asked", "never_asked"]


@pytest.mark.parametrize("words", ["NO MORE JOBS", "no more jobs"])
def test_the_way_to_stop_that_each_answer_names_stops_just_these(stage: Stage, now: datetime, words: str) -> None:
    learners(stage.db, now, 1)
    stage.hears_and_works(ME, JOBS, "1", words)
    assert consent_of(stage.db, ME) == ["given", "given", "withdrawn"]
    assert "NO MORE JOBS" in english("opportunities.jobs_chosen")


def test_who_stopped_everything_and_asks_is_answered_and_not_asked(stage: Stage, now: datetime) -> None:
    learners(stage.db, now, 1, consent=dict.fromkeys(EVERYTHING, "withdraw"))
    assert stage.hears_and_works(ME, JOBS) == [f"{english('office.passed_on')}\n\n{english('consent.still_opted_out')}"]
    assert stage.hears_and_works(ME, "1") != [english("opportunities.jobs_chosen")]
    assert chosen(stage.db) == set()
