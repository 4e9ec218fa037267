"""A yes in chat is a yes to words, and the words are kept as the learner read them (P11)."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select

from bot.database import Database
from bot.models import Audit, ConsentEvent, Inbound, PersonRow, Wording
from bot.turn import CONSENTABLE, Parse
from tests.bot.ledgers import suppressed
from tests.bot.rooms import AMINA, Clock, Stage, a_learner, consent_of, english, only, rows, texts


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """One worker at work."""
    return Stage(db, Clock(now))


def test_a_yes_to_our_question_is_kept_with_the_question_and_the_message(stage: Stage, now: datetime) -> None:
    a_learner(stage.db, now=now, consent="refuse")
    stage.hears_and_works(AMINA, "START")
    stage.hears_and_works(AMINA, "yes")
    given = rows(stage.db, ConsentEvent, ConsentEvent.action == "give")
    assert [row.purpose for row in given] == ["service", "checkin"]
    (version,) = {row.wording for row in given}
    assert version.startswith("chat:opt_in:")
    assert {row.text for row in rows(stage.db, Wording, Wording.version == version)} == {english("consent.ask_service")}
    assert {row.inbound_id for row in given} == {only(stage.db, Inbound, Inbound.text == "yes").id}
    audit = only(stage.db, Audit, Audit.act == "consent_give")
    assert (audit.by, audit.details["wording"]) == ("learner", version)


def test_the_words_are_those_of_the_language_they_read(stage: Stage, now: datetime) -> None:
    who = a_learner(stage.db, now=now, consent="refuse")
    with stage.db.write() as session:
        session.get_one(PersonRow, who).language = "pl"
    stage.hears_and_works(AMINA, "START")
    stage.hears_and_works(AMINA, "yes")
    asked = texts().render("pl", "consent.ask_service", {})
    assert {row.text for row in rows(stage.db, Wording)} == {asked}


def test_start_is_no_yes_to_a_question_and_names_no_words(stage: Stage, now: datetime) -> None:
    a_learner(stage.db, now=now)
    stage.hears_and_works(AMINA, "STOP")
    assert suppressed(stage.db, AMINA) == dict.fromkeys(CONSENTABLE, now)
    stage.hears_and_works(AMINA, "START")
    assert consent_of(stage.db, AMINA) == ["given", "given", "withdrawn"]
    assert suppressed(stage.db, AMINA) == {"marketing": now}
    with stage.db.read() as session:
        assert set(session.scalars(select(ConsentEvent.wording))) == {""}


def test_a_pause_is_kept_by_hash_until_they_say_that_they_did_not_mean_it(stage: Stage, now: datetime) -> None:
    a_learner(stage.db, now=now)
    stage.nlu.intents["i have had it"] = Parse("opt_out", 0.5)
    stage.hears_and_works(AMINA, "i have had it")
    assert suppressed(stage.db, AMINA) == dict.fromkeys(CONSENTABLE, now)
    stage.hears_and_works(AMINA, "no")
    assert suppressed(stage.db, AMINA) == {}
    assert consent_of(stage.db, AMINA) == ["given", "given", "given"]


def test_a_number_that_is_not_theirs_has_said_no_to_everything(stage: Stage, now: datetime) -> None:
    a_learner(stage.db, now=now)
    stage.hears_and_works(AMINA, "wrong number")
    assert suppressed(stage.db, AMINA) == dict.fromkeys(CONSENTABLE, now)
