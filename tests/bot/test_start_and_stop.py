"""The last word counts, in whichever order messages are taken; and of two things said in one message both are heard."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.database import Database
from bot.models import ConsentEvent, Inbound, OfficeCase
from bot.turn import Parse
from tests.bot.rooms import (
    AMINA,
    BILAL,
    SECOND,
    Clock,
    Stage,
    a_learner,
    consent_of,
    english,
    only,
    rows,
)

OFF = ["withdrawn"] * 3
BACK = ["given", "given", "withdrawn"]
COME_BACK = "put me back on it then"


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A worker, and a learner on file."""
    a_learner(db, AMINA, now=now)
    stage = Stage(db, Clock(now))
    stage.nlu.intents[COME_BACK] = Parse("opt_in", 0.95, (("opt_in", 0.95),))
    return stage


def while_rasa_is_away(stage: Stage, *texts: str) -> None:
    """These come while Rasa is away; what needs it is taken once it is back."""
    stage.nlu.away = True
    for text in texts:
        stage.hears_and_works(AMINA, text)
    stage.nlu.away = False
    stage.clock.wait(10 * SECOND)
    stage.works()
    assert {row.state for row in rows(stage.db, Inbound)} == {"done"}


def test_start_and_then_stop_is_out(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "STOP")
    stage.hears_and_works(AMINA, "START", "STOP")
    assert consent_of(stage.db, AMINA) == OFF


def test_stop_and_then_start_is_in(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "STOP", "START")
    assert consent_of(stage.db, AMINA) == BACK


@pytest.mark.parametrize(("words", "after"), [(("START", "STOP"), OFF), (("STOP", "START"), BACK)])
def test_the_last_word_counts_while_rasa_is_away_too(stage: Stage, words: tuple[str, str], after: list[str]) -> None:
    stage.hears_and_works(AMINA, "STOP")
    stage.nlu.away = True
    stage.hears_and_works(AMINA, "when is my lesson")
    stage.hears_and_works(AMINA, *words)
    assert consent_of(stage.db, AMINA) == after
    assert [row.state for row in rows(stage.db, Inbound)] == ["done", "received", "done", "done"]


def test_what_only_the_model_hears_re_opens_nothing_after_a_later_stop(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "STOP")
    stage.clock.wait(timedelta(days=2))
    while_rasa_is_away(stage, COME_BACK, "STOP")
    assert consent_of(stage.db, AMINA) == OFF
    assert stage.whatsapp.to(AMINA)[-1].startswith(english("consent.stays_off"))


def test_what_only_the_model_hears_re_opens_nothing_after_an_earlier_stop_either(stage: Stage) -> None:
    while_rasa_is_away(stage, "STOP", COME_BACK)
    assert consent_of(stage.db, AMINA) == OFF
    assert stage.whatsapp.to(AMINA)[-1] == english("consent.ask_back")


@pytest.mark.parametrize(("answer", "after"), [("yes", BACK), ("NO", OFF)])
def test_it_is_asked_about_and_their_yes_re_opens(stage: Stage, answer: str, after: list[str]) -> None:
    stage.hears_and_works(AMINA, "STOP")
    assert stage.hears_and_works(AMINA, COME_BACK) == [english("consent.ask_back")]
    stage.hears_and_works(AMINA, answer)
    assert consent_of(stage.db, AMINA) == after


@pytest.mark.parametrize(
    "text",
    [
        "dont turn them back on",
        "please dont start them again",
        "never restart my messages",
        "turn off lesson reminders",
        "stop start",
        "START stop",
        "dont start again",
        "do not restart",
        "start stopping my messages",
        "switch off reminders",
        "why did mine stop",
        "back",
        "resume my cv",
        "keep my messages off",
        "dont opt me back in",
    ],
)
@pytest.mark.parametrize("intent", ["opt_in", "reminder_preferences"])
@pytest.mark.parametrize(("before", "still"), [("STOP", "withdrawn"), ("i have had it", "paused")])
def test_no_word_near_start_re_opens_what_is_off(stage: Stage, before: str, still: str, intent: str, text: str) -> None:
    stage.nlu.intents |= {"i have had it": Parse("opt_out", 0.5), text: Parse(intent, 0.99, ((intent, 0.99),))}
    stage.hears_and_works(AMINA, before, text)
    assert consent_of(stage.db, AMINA) == [still] * 3


@pytest.mark.parametrize("text", ["keep my messages on", "keep my messages off", "no more job stuff"])
def test_while_we_ask_what_they_meant_nothing_but_no_and_start_ends_the_pause(stage: Stage, text: str) -> None:
    stage.nlu.intents["i have had it"] = Parse("opt_out", 0.5)
    stage.hears_and_works(AMINA, "i have had it")
    (reply,) = stage.hears_and_works(AMINA, text)
    assert reply.endswith(english("consent.pause_question"))
    after_no = "withdrawn" if "job" in text else "given"
    assert consent_of(stage.db, AMINA) == ["paused", "paused", "withdrawn" if "job" in text else "paused"]
    stage.hears_and_works(AMINA, "NO")
    assert consent_of(stage.db, AMINA) == ["given", "given", after_no]


def test_a_later_stop_of_one_person_overtakes_nothing_of_another(stage: Stage) -> None:
    a_learner(stage.db, BILAL, now=stage.clock())
    stage.hears_and_works(BILAL, "STOP", COME_BACK)
    stage.hears(BILAL, "yes")
    stage.hears_and_works(AMINA, "STOP")
    assert (consent_of(stage.db, AMINA), consent_of(stage.db, BILAL)) == (OFF, BACK)


def test_a_second_stop_that_is_met_with_silence_counts_as_much_as_the_first(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "STOP")
    stage.clock.wait(timedelta(hours=2))
    while_rasa_is_away(stage, COME_BACK, "STOP")
    assert consent_of(stage.db, AMINA) == OFF


def test_no_to_our_question_leaves_a_refusal_a_refusal(stage: Stage) -> None:
    a_learner(stage.db, BILAL, now=stage.clock(), consent="refuse")
    stage.nlu.intents["i have had it"] = Parse("opt_out", 0.5)
    for phone, after in ((BILAL, ["refused"] * 3), ("+447700900199", ["never_asked"] * 3)):
        stage.hears_and_works(phone, "i have had it")
        assert consent_of(stage.db, phone) == ["paused"] * 3
        assert stage.hears_and_works(phone, "no") == [english("consent.not_paused")]
        assert consent_of(stage.db, phone) == after


def test_start_after_a_pause_gives_back_marketing_too_and_asks_nothing(stage: Stage) -> None:
    stage.nlu.intents["i have had it"] = Parse("opt_out", 0.5)
    stage.hears_and_works(AMINA, "i have had it")
    told = f"{english('consent.started')}\n\n{english('consent.checkin_marketing_rest')}"
    assert stage.hears_and_works(AMINA, "START") == [told]
    assert consent_of(stage.db, AMINA) == ["given"] * 3


def test_a_stop_after_staff_recorded_one_is_confirmed(stage: Stage) -> None:
    with stage.db.write() as session:
        person_id = rows(stage.db, ConsentEvent)[0].person_id
        for purpose in ("service", "checkin", "marketing"):
            session.add(
                ConsentEvent(
                    person_id=person_id,
                    purpose=purpose,
                    action="withdraw",
                    at=stage.clock(),
                    recorded_at=stage.clock(),
                    source="staff",
                    recorded_by="A1",
                )
            )
    assert consent_of(stage.db, AMINA) == OFF
    assert stage.hears_and_works(AMINA, "STOP") == [english("consent.opted_out")]
    assert stage.hears_and_works(AMINA, "STOP") == []


def test_a_cry_for_help_and_an_opting_out_that_the_model_hears_are_both_acted_on(stage: Stage) -> None:
    both = (("opt_out", 0.9), ("safeguarding_disclosure", 0.6))
    stage.nlu.intents["cant go on, leave me be"] = Parse(*both[0], both)
    assert stage.hears_and_works(AMINA, "cant go on, leave me be") == [english("safety.told")]
    assert consent_of(stage.db, AMINA) == OFF
    assert only(stage.db, OfficeCase).restricted


def test_a_request_beside_what_a_rule_hears_is_not_lost(stage: Stage) -> None:
    text = "no more jobs please, and the room is freezing"
    stage.nlu.intents[text] = Parse("complaint", 0.9, (("complaint", 0.9),))
    (reply,) = stage.hears_and_works(AMINA, text)
    assert reply.startswith(english("consent.marketing_off"))
    assert only(stage.db, Inbound).intents == ["opt_out_marketing", "complaint"]
    assert consent_of(stage.db, AMINA) == BACK
    assert only(stage.db, OfficeCase).kind == "complaint"


def test_under_a_hold_an_opting_out_is_obeyed_and_nothing_beside_it(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "i want to kill myself")
    text = "no more jobs please, and the room is freezing"
    stage.nlu.intents[text] = Parse("complaint", 0.9, (("complaint", 0.9),))
    stage.hears_and_works(AMINA, text)
    assert rows(stage.db, Inbound)[-1].intents == ["opt_out_marketing", "on_hold"]
    assert consent_of(stage.db, AMINA) == BACK
    assert [case.kind for case in rows(stage.db, OfficeCase)] == ["safeguarding_disclosure"]


def test_what_the_model_only_suspects_alerts_staff_and_holds_nothing_back(stage: Stage) -> None:
    stage.nlu.intents["its all grey"] = Parse("greet", 0.55, (("greet", 0.55), ("safeguarding_disclosure", 0.35)))
    stage.hears_and_works(AMINA, "its all grey")
    assert len(stage.mail.mails) == len(stage.contacts)
    assert only(stage.db, OfficeCase).restricted
    assert stage.hears_and_works(AMINA, "cheers then") == [english("smalltalk.thanks")]
