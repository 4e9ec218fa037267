"""Somebody who writes line after line gets few replies, each of which says all it must; nobody else notices (P25)."""

from __future__ import annotations

from datetime import datetime

import pytest

from bot.database import Database
from bot.models import Outbound
from tests.bot.rooms import AMINA, BILAL, SECOND, Clock, Stage, a_learner, consent_of, english, rows

LINES = [f"thanks a lot number {n}" for n in range(15)]


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    for phone in (AMINA, BILAL):
        a_learner(db, phone, now=now)
    return Stage(db, Clock(now))


def settles(stage: Stage) -> None:
    """The worker goes on until nothing is owed."""
    for _ in range(12):
        stage.works()
        stage.clock.wait(SECOND)


def test_fifteen_lines_at_once_get_two_replies_and_the_same_words_once(stage: Stage) -> None:
    stage.hears(AMINA, *LINES)
    settles(stage)
    assert stage.whatsapp.to(AMINA) == [english("smalltalk.thanks")] * 2


def test_what_differs_is_all_said(stage: Stage) -> None:
    stage.hears(AMINA, "thanks", "STOP", "thanks a lot", "what number do you write from", "is this a robot", "thanks")
    settles(stage)
    said = "\n".join(stage.whatsapp.to(AMINA))
    assert english("consent.opted_out") in said
    assert consent_of(stage.db, AMINA) == ["withdrawn"] * 3
    assert len(stage.whatsapp.to(AMINA)) <= 3  # the confirmation of an opting-out is a message of its own


def test_somebody_at_risk_is_answered_at_once_in_the_middle_of_a_flood(stage: Stage) -> None:
    stage.hears(AMINA, *LINES[:8], "i want to end my life")
    stage.works()
    assert any("116 123" in said for said in stage.whatsapp.to(AMINA))


def test_who_waits_for_each_answer_gets_each_at_once(stage: Stage) -> None:
    for line in LINES[:8]:
        assert stage.hears_and_works(AMINA, line) == [english("smalltalk.thanks")]


def test_another_person_does_not_wait_for_a_flood(stage: Stage) -> None:
    stage.hears(AMINA, *LINES)
    assert stage.hears_and_works(BILAL, "thanks") == [english("smalltalk.thanks")]


def test_a_flood_that_goes_on_is_answered_in_between(stage: Stage) -> None:
    for line in range(12):
        stage.hears(AMINA, f"thanks a lot number {line}", f"thanks again {line}", f"and again thanks {line}")
        stage.works()
        stage.clock.wait(SECOND)
    settles(stage)
    states = {row.state for row in rows(stage.db, Outbound)}
    assert states == {"accepted"}
    assert len(stage.whatsapp.to(AMINA)) <= 14
