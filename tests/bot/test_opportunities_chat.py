"""A learner asks for jobs, says what they want to hear about, and how to stop it is told each time."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select, update

from bot.database import Database
from bot.models import Course, Interest, OfficeCase, PersonRow
from bot.turn import Parse
from tests.bot.offers import DAY, EVERYTHING, a_course, learners, phone
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


@pytest.mark.parametrize(("ended_days_ago", "asked"), [(0, True), (184, True), (185, False)])  # 24 May and six months
def test_who_finished_half_a_year_ago_is_asked_for_as_long_as_the_gate_lets_an_opportunity_through(
    stage: Stage, now: datetime, ended_days_ago: int, asked: bool
) -> None:
    a_course(stage.db, "OVER", now, ends_in=-ended_days_ago * DAY)
    learners(stage.db, now, 1, course="OVER")
    (said,) = stage.hears_and_works(ME, JOBS)
    assert said.endswith(english("opportunities.which")) == asked


def test_who_is_on_a_course_without_an_end_is_offered_nothing_that_the_gate_would_refuse(
    stage: Stage, now: datetime
) -> None:
    learners(stage.db, now, 1)
    with stage.db.write() as session:
        session.execute(update(Course).values(ends_on=None))
    assert stage.hears_and_works(ME, JOBS) == [english("office.passed_on")]


@pytest.mark.parametrize("chosen", ["jobs", "clients", "grants", "courses", "all"])
def test_what_stops_them_is_said_of_these_messages_whatever_was_chosen(chosen: str) -> None:
    assert english(f"opportunities.{chosen}_chosen").endswith("To stop these messages, reply NO MORE JOBS.")


def test_who_stopped_everything_and_asks_is_answered_and_not_asked(stage: Stage, now: datetime) -> None:
    learners(stage.db, now, 1, consent=dict.fromkeys(EVERYTHING, "withdraw"))
    assert stage.hears_and_works(ME, JOBS) == [f"{english('office.passed_on')}\n\n{english('consent.still_opted_out')}"]
    assert stage.hears_and_works(ME, "1") != [english("opportunities.jobs_chosen")]
    assert chosen(stage.db) == set()
