"""A part that is stopped is read back from the ledger, the last word counts however late it comes, a yes has its words."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.database import Database
from bot.models import ConsentEvent, Inbound, Outbound, Wording
from bot.turn import Parse
from tests.bot.rooms import (
    AMINA,
    SECOND,
    Clock,
    Stage,
    a_learner,
    an_incoming,
    consent_of,
    english,
    only,
    owe,
    receive,
    rows,
    states,
)

OFF = ["withdrawn"] * 3


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A learner who agreed to everything in a declaration."""
    a_learner(db, AMINA, now=now)
    stage = Stage(db, Clock(now))
    stage.nlu.intents["when did i agree to this"] = Parse("faq_consent", 0.95, (("faq_consent", 0.95),))
    return stage


@pytest.mark.parametrize(
    ("text", "after", "off", "on"),
    [
        ("no more job stuff but keep my lessons", ["given", "given", "withdrawn"], "marketing", "service_checkin"),
        ("stop the check-ins but keep lessons", ["given", "withdrawn", "given"], "checkin", "service_marketing"),
        ("only send me lesson stuff", ["given", "withdrawn", "withdrawn"], "marketing_checkin", "service"),
    ],
)
def test_a_part_is_stopped_and_the_answer_says_what_is_off_and_what_is_on(
    stage: Stage, text: str, after: list[str], off: str, on: str
) -> None:
    for purpose in ("service", "checkin", "marketing"):
        owe(stage.db, AMINA, stage.clock(), key=purpose, purpose=purpose, due_at=stage.clock() + timedelta(hours=1))
    assert stage.hears_and_works(AMINA, text) == [f"{english(f'consent.{off}_off')}\n\n{english(f'consent.{on}_still_on')}"]
    assert consent_of(stage.db, AMINA) == after
    planned = [state for state, _ in states(stage.db, Outbound.purpose.in_(("service", "checkin", "marketing")))]
    assert planned == ["queued" if one == "given" else "withheld" for one in after]


def test_the_rest_is_stopped_by_one_word_and_that_is_confirmed(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "no more job stuff but keep my lessons")
    assert stage.hears_and_works(AMINA, "STOP") == [english("consent.opted_out")]
    assert consent_of(stage.db, AMINA) == OFF
    assert stage.hears_and_works(AMINA, "STOP") == []


def test_a_part_stopped_after_everything_was_does_not_count_as_the_confirmation_of_all(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "STOP")
    stage.clock.wait(timedelta(hours=23))
    stage.hears_and_works(AMINA, "no more job alerts please")
    stage.clock.wait(timedelta(hours=2))
    assert stage.hears_and_works(AMINA, "STOP") == [english("consent.opted_out")]


def test_an_older_start_that_is_found_late_re_opens_nothing(stage: Stage) -> None:
    sent_at = stage.clock()
    stage.clock.wait(SECOND)
    stage.hears_and_works(AMINA, "STOP")
    receive(stage.db, an_incoming(AMINA, "START"), sent_at)
    stage.works()
    start, stop = rows(stage.db, Inbound)[-1], rows(stage.db, Inbound)[0]
    assert start.id > stop.id
    assert start.received_at < stop.received_at
    assert consent_of(stage.db, AMINA) == OFF


def test_an_older_stop_that_is_found_late_stops_all_the_same(stage: Stage) -> None:
    sent_at = stage.clock()
    stage.clock.wait(SECOND)
    stage.hears_and_works(AMINA, "START")
    receive(stage.db, an_incoming(AMINA, "STOP"), sent_at)
    stage.works()
    assert consent_of(stage.db, AMINA) == OFF


def test_an_older_start_that_is_found_late_ends_no_newer_pause(stage: Stage) -> None:
    stage.nlu.intents["maybe less"] = Parse("opt_out", 0.5)
    sent_at = stage.clock()
    stage.clock.wait(SECOND)
    stage.hears_and_works(AMINA, "maybe less")
    receive(stage.db, an_incoming(AMINA, "START"), sent_at)
    stage.works()
    assert consent_of(stage.db, AMINA) == ["paused"] * 3
    assert stage.whatsapp.to(AMINA)[-1] == english("consent.pause_question")
    stage.hears_and_works(AMINA, "NO")
    assert consent_of(stage.db, AMINA) == ["given"] * 3


BACK = ["given", "given", "withdrawn"]
NO_CHECK_INS = ["given", "withdrawn", "withdrawn"]


@pytest.mark.parametrize(
    ("words", "after"),
    [
        (("STOP", "START"), BACK),
        (("STOP", "STOP", "START"), BACK),
        (("maybe less", "yes", "START"), BACK),
        (("stop check ins", "STOP", "START"), NO_CHECK_INS),
        (("STOP", "stop check ins", "START"), NO_CHECK_INS),
        (("stop check ins", "STOP", "START", "STOP", "STOP", "START"), NO_CHECK_INS),
        (("stop check ins", "maybe less", "yes", "START"), NO_CHECK_INS),
        (("stop check ins", "START"), ["given", "withdrawn", "given"]),
        (("maybe less", "stop check ins", "START"), ["given", "withdrawn", "given"]),
        (("maybe less", "stop check ins", "NO"), ["given", "withdrawn", "given"]),
        (("stop check ins", "START", "yes"), ["given", "given", "given"]),
        (("stop check ins", "STOP", "START", "yes", "yes"), ["given", "given", "given"]),
        (("stop check ins", "STOP", "START", "no", "yes"), ["given", "withdrawn", "given"]),
    ],
)
def test_start_undoes_the_last_stop_of_everything_and_no_stop_by_name(
    stage: Stage, words: tuple[str, ...], after: list[str]
) -> None:
    stage.nlu.intents["maybe less"] = Parse("opt_out", 0.5)
    for word in words:
        stage.clock.wait(SECOND)
        told = stage.hears_and_works(AMINA, word)
    assert consent_of(stage.db, AMINA) == after
    if words[-1] == "START":  # what it says is what the ledger says
        on = [part for part, state in (("checkin", after[1]), ("marketing", after[2])) if state == "given"]
        assert english(f"consent.{'_'.join(on) or 'none'}_rest") in told[0]


@pytest.mark.parametrize(
    "text", ["stop everything except jobs", "keep the jobs but stop the lessons", "only send me jobs", "stop reminding me"]
)
@pytest.mark.parametrize("intent", ["opt_out_marketing", "reminder_preferences", "thanks"])
def test_no_to_lessons_alone_pauses_everything_and_is_asked_about(stage: Stage, intent: str, text: str) -> None:
    stage.nlu.intents[text] = Parse(intent, 0.99, ((intent, 0.99),))
    assert stage.hears_and_works(AMINA, text) == [english("consent.pause_question")]
    assert consent_of(stage.db, AMINA) == ["paused"] * 3


@pytest.mark.parametrize("text", ["no more jobs or check ins please", "stop jobs, stop check ins"])
def test_two_parts_named_in_one_breath_are_both_off(stage: Stage, text: str) -> None:
    told = f"{english('consent.marketing_checkin_off')}\n\n{english('consent.service_still_on')}"
    assert stage.hears_and_works(AMINA, text) == [told]
    assert consent_of(stage.db, AMINA) == NO_CHECK_INS


def test_a_yes_in_chat_keeps_the_words_it_was_a_yes_to(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "STOP")
    stage.hears_and_works(AMINA, "START")
    stage.hears_and_works(AMINA, "yes")
    given = rows(stage.db, ConsentEvent)[-1]
    assert (given.purpose, given.action, given.source) == ("marketing", "give", "chat")
    assert only(stage.db, Wording, Wording.version == given.wording).text == english("consent.ask_marketing")


def test_a_learner_who_asks_when_they_agreed_is_told_day_form_and_version(stage: Stage) -> None:
    with stage.db.write() as session:
        event = session.get_one(ConsentEvent, rows(stage.db, ConsentEvent)[0].id)
        event.wording = "v2"
    stage.hears_and_works(AMINA, "STOP", "START")
    (told,) = stage.hears_and_works(AMINA, "when did i agree to this")
    assert "Lesson messages: you said yes on 25/10/2026, in your learner declaration.\nVersion of the words: v2" in told
    assert english("agreed.marketing_ended") in told
    assert english("agreed.service_ended") not in told


def test_a_stranger_who_asks_is_told_what_everybody_is(stage: Stage) -> None:
    assert stage.hears_and_works("+447700900199", "when did i agree to this") == [english("faq.consent")]
