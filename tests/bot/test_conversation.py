"""A turn is taken whole or not at all, once, in order, whoever fails; and opting out waits for nobody (D02 to D04, D16)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot import conversation, inbox
from bot.conversation import take_next
from bot.database import Database, open_database
from bot.effects import AlertSafeguarding, Effect, OpenCase, Withdraw, say
from bot.models import Alert, ConsentEvent, Inbound, OfficeCase, Outbound
from bot.turn import CONSENTABLE, NluAway, Parse, Turn
from tests.bot.rooms import (
    AMINA,
    BILAL,
    CARLA,
    SECOND,
    Clock,
    Stage,
    StubNlu,
    a_learner,
    a_member_of_staff,
    an_incoming,
    consent_of,
    english,
    only,
    receive,
    rows,
    states,
)

OFF = ["withdrawn"] * 3
ON = ["given"] * 3
STILL_OFF = english("consent.still_opted_out")


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A worker at work, with one learner on file."""
    a_learner(db, AMINA, now=now)
    return Stage(db, Clock(now))


@pytest.fixture
def others(database_url: str) -> Iterator[list[Database]]:
    """The same database, opened by four workers of their own."""
    opened = [open_database(database_url) for _ in range(4)]
    yield opened
    for each in opened:
        each.engine.dispose()


def fails(_turn: Turn) -> list[Effect]:
    raise ZeroDivisionError


def take_all(stage: Stage) -> None:
    while take_next(stage.room, stage.clock):
        pass


def test_a_message_and_its_answer_are_written_together(stage: Stage) -> None:
    stage.hears(AMINA, "thanks")
    take_all(stage)
    row, reply = only(stage.db, Inbound), only(stage.db, Outbound)
    assert (row.state, row.intents, row.decided_by, row.confidence) == ("done", ["thanks"], "model", 0.95)
    assert (reply.state, reply.key, reply.inbound_id) == ("queued", f"in:{row.id}:0", row.id)
    assert reply.body == english("smalltalk.thanks")


def test_a_message_delivered_fifty_times_at_once_is_one_turn(stage: Stage, others: list[Database]) -> None:
    message = an_incoming(AMINA)

    def deliver_and_work(number: int) -> None:
        own = replace(stage, db=others[number % 4])
        receive(own.db, message, own.clock())
        take_all(own)

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(deliver_and_work, range(50)))
    assert only(stage.db, Inbound).state == "done"
    assert len(rows(stage.db, Outbound)) == 1


def test_one_persons_messages_are_answered_in_order_by_several_workers(stage: Stage, others: list[Database]) -> None:
    phones, numbers = (AMINA, BILAL, CARLA), range(5)
    for number in numbers:
        for phone in phones:
            stage.hears(phone, f"message {number} of {phone}")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda own: take_all(replace(stage, db=own)), others))
    take_all(stage)  # a worker may stop while another still holds the message before
    assert {row.state for row in rows(stage.db, Inbound)} == {"done"}
    for phone in phones:
        asked = [text for text in stage.nlu.asked if text.endswith(phone)]
        assert asked == [f"message {number} of {phone}" for number in numbers]


def test_two_people_are_listened_to_at_the_same_time(stage: Stage, others: list[Database]) -> None:
    both_are_here = threading.Barrier(2, timeout=20)

    def parse(_text: str) -> Parse:
        both_are_here.wait()  # broken, and the turn with it, if the second person had to wait for the first
        return Parse("thanks", 0.9)

    stage.hears(AMINA, "hello there")
    stage.hears(BILAL, "hello there")
    stage.nlu.answer = parse
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda own: take_next(replace(stage, db=own).room, stage.clock), others[:2]))
    assert [(row.state, row.attempts) for row in rows(stage.db, Inbound)] == [("done", 1)] * 2


def test_a_handler_that_raises_leaves_the_message_for_another_try(stage: Stage) -> None:
    handlers = stage.handlers
    stage.handling(thanks=fails)
    stage.hears(AMINA, "ta")
    take_all(stage)
    assert (only(stage.db, Inbound).state, rows(stage.db, Outbound)) == ("received", [])
    stage.handlers = handlers
    take_all(stage)
    assert only(stage.db, Inbound).state == "received"  # it is too soon
    stage.clock.wait(conversation.BACK_OFF)
    stage.works()
    assert stage.whatsapp.to(AMINA) == [english("smalltalk.thanks")]


def test_after_three_failures_there_is_one_apology_and_staff_are_told(stage: Stage, now: datetime) -> None:
    a_member_of_staff(stage.db, "A1", "admin", now=now, email="office@example.org")
    stage.handling(thanks=fails)
    stage.hears(AMINA, "ta")
    for _ in range(9):
        stage.works()
        stage.clock.wait(SECOND)
    assert (only(stage.db, Inbound).state, only(stage.db, Inbound).attempts) == ("failed", 3)
    assert stage.whatsapp.to(AMINA) == [english("office.apology")]
    assert "01254 693 999" in english("office.apology")
    assert "training@enterprise4all.co.uk" in english("office.apology")
    case = only(stage.db, OfficeCase)
    assert (case.kind, case.urgent, case.state) == ("failed_turn", True, "open")
    assert [mail.to for mail in stage.mail.mails] == ["office@example.org"]


@pytest.mark.parametrize(("text", "kind"), [("STOP", "failed_turn"), ("i want to end my life", "safeguarding_disclosure")])
def test_what_the_rules_hear_is_obeyed_though_the_turn_failed_three_times(stage: Stage, text: str, kind: str) -> None:
    stage.handling(opt_out=fails, safeguarding_disclosure=fails)
    stage.hears(AMINA, text)
    for _ in range(4):
        stage.works()
        stage.clock.wait(timedelta(minutes=1))
    assert only(stage.db, OfficeCase).kind == kind
    assert consent_of(stage.db, AMINA) == (["withdrawn"] * 3 if text == "STOP" else ["given"] * 3)


def test_a_later_message_waits_for_the_one_that_fails_and_is_then_answered(stage: Stage) -> None:
    stage.handling(greet=fails)
    stage.nlu.intents["hello you"] = Parse("greet", 0.9)
    stage.hears(AMINA, "hello you", "ta")
    for _ in range(9):
        stage.works()
        stage.clock.wait(SECOND)
    assert stage.whatsapp.to(AMINA) == [english("office.apology"), english("smalltalk.thanks")]


def test_a_turn_that_fails_while_it_is_written_leaves_nothing_behind(stage: Stage) -> None:
    half = [Withdraw(CONSENTABLE, "chat"), OpenCase("complaint"), say("smalltalk.thanks"), say("there.is_no_such_text")]
    stage.handling(thanks=lambda _turn: half)
    stage.hears(AMINA, "ta")
    take_all(stage)
    assert consent_of(stage.db, AMINA) == ON
    assert rows(stage.db, OfficeCase) == rows(stage.db, Outbound) == []
    assert only(stage.db, Inbound).state == "received"


def test_whoever_loses_the_race_writes_nothing(stage: Stage) -> None:
    winner = replace(stage)

    def slowly(_text: str) -> Parse:
        stage.clock.wait(inbox.LEASE + SECOND)
        take_all(winner)
        return Parse("greet", 0.9)

    loser = replace(stage, nlu=StubNlu(answer=slowly))
    stage.hears(AMINA, "ta")
    assert take_next(loser.room, stage.clock)
    assert (only(stage.db, Inbound).intents, only(stage.db, Inbound).attempts) == (["thanks"], 2)
    assert only(stage.db, Outbound).body == english("smalltalk.thanks")


@pytest.mark.parametrize("error", [ZeroDivisionError, NluAway])
@pytest.mark.parametrize(("failed_before", "reply"), [(0, "smalltalk.thanks"), (2, "office.apology")])
def test_whoever_fails_after_losing_the_race_changes_nothing_either(
    stage: Stage, error: type[Exception], failed_before: int, reply: str
) -> None:
    winner = replace(stage)

    def slowly_and_in_vain(_text: str) -> Parse:
        stage.clock.wait(inbox.LEASE + SECOND)
        take_all(winner)
        raise error

    loser = replace(stage, nlu=StubNlu(answer=slowly_and_in_vain))
    stage.hears(AMINA, "ta")
    for _ in range(failed_before):
        inbox.claim(stage.db, stage.clock())
        stage.clock.wait(inbox.LEASE)
    assert take_next(loser.room, stage.clock)
    assert [row.body for row in rows(stage.db, Outbound)] == [english(reply)]


def test_a_message_that_kills_whoever_takes_it_is_given_up_after_three_times(stage: Stage) -> None:
    stage.hears(AMINA, "ta")
    for _ in range(3):
        assert inbox.claim(stage.db, stage.clock()) is not None  # and the worker is gone
        stage.clock.wait(inbox.LEASE)
    stage.works()
    assert stage.nlu.asked == []
    assert stage.whatsapp.to(AMINA) == [english("office.apology")]


def test_with_rasa_down_messages_wait_and_keep_their_order(stage: Stage) -> None:
    stage.nlu.away = True
    stage.nlu.intents["hello you"] = Parse("greet", 0.9)
    stage.hears(AMINA, "hello you", "ta")
    for _ in range(10):
        stage.works()
        stage.clock.wait(5 * SECOND)
    assert [row.state for row in rows(stage.db, Inbound)] == ["received"] * 2
    stage.nlu.away = False
    stage.works()
    first, second = stage.whatsapp.to(AMINA)
    assert "Amina" in first
    assert second == english("smalltalk.thanks")
    assert rows(stage.db, OfficeCase) == []


def test_after_a_minute_without_rasa_a_learner_is_told_once_that_a_person_will_see_it(stage: Stage) -> None:
    stage.nlu.away = True
    stage.hears(AMINA, "ta", "hello?")
    stage.works()
    stage.clock.wait(conversation.NLU_WAIT)
    assert stage.hears_and_works(AMINA, "are you there now") == [english("fallback.nlu_away")]
    assert [row.state for row in rows(stage.db, Inbound)] == ["done", "done", "received"]
    stage.clock.wait(conversation.NLU_WAIT)
    stage.works()
    assert len(stage.whatsapp.to(AMINA)) == 1
    assert [case.kind for case in rows(stage.db, OfficeCase)] == ["nlu_away"]


def test_stop_is_obeyed_at_once_while_rasa_is_down(stage: Stage) -> None:
    stage.nlu.away = True
    stage.hears(AMINA, "when is my lesson")
    stage.works()
    assert stage.hears_and_works(AMINA, "plz no more msgs") == [english("consent.opted_out")]
    assert consent_of(stage.db, AMINA) == OFF
    assert [row.state for row in rows(stage.db, Inbound)] == ["received", "done"]


def test_what_waited_is_answered_after_the_opting_out_with_the_way_back(stage: Stage) -> None:
    stage.nlu.away = True
    stage.hears(AMINA, "cheers then")
    stage.works()
    stage.hears_and_works(AMINA, "STOP")
    stage.nlu.away = False
    stage.clock.wait(conversation.NLU_RETRY)
    stage.works()
    assert stage.whatsapp.to(AMINA)[1:] == [english("smalltalk.thanks") + "\n\n" + STILL_OFF]


def test_thanks_after_stop_opens_nothing_and_start_does(stage: Stage) -> None:
    assert stage.hears_and_works(AMINA, "STOP") == [english("consent.opted_out")]
    assert stage.hears_and_works(AMINA, "cheers then") == [english("smalltalk.thanks") + "\n\n" + STILL_OFF]
    assert consent_of(stage.db, AMINA) == OFF
    (welcome,) = stage.hears_and_works(AMINA, "START")
    assert welcome.startswith(english("consent.started"))
    assert consent_of(stage.db, AMINA) == ["given", "given", "withdrawn"]  # marketing needs its own yes


def test_marketing_comes_back_with_its_own_yes_alone(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "STOP", "START")
    assert stage.hears_and_works(AMINA, "yes") == [english("consent.marketing_on")]
    assert consent_of(stage.db, AMINA) == ON


def test_a_second_stop_within_a_day_is_not_confirmed_again(stage: Stage) -> None:
    assert len(stage.hears_and_works(AMINA, "STOP", "stop")) == 1
    stage.clock.wait(timedelta(hours=23, minutes=59))
    assert stage.hears_and_works(AMINA, "Stop!") == []
    stage.clock.wait(timedelta(minutes=1))
    assert stage.hears_and_works(AMINA, "STOP") == [english("consent.opted_out")]


def test_a_doubtful_stop_pauses_first_and_asks_second(stage: Stage) -> None:
    stage.nlu.intents["i have had it"] = Parse("opt_out", 0.5, (("opt_out", 0.5), ("complaint", 0.3)))
    assert stage.hears_and_works(AMINA, "i have had it") == [english("consent.pause_question")]
    assert consent_of(stage.db, AMINA) == ["paused"] * 3
    stage.clock.wait(timedelta(days=3))
    assert consent_of(stage.db, AMINA) == ["paused"] * 3  # silence leaves it so


@pytest.mark.parametrize(
    ("answer", "reply", "after"), [("yes", "consent.opted_out", OFF), ("Nope", "consent.not_paused", ON)]
)
def test_the_answer_to_the_doubt_decides(stage: Stage, answer: str, reply: str, after: list[str]) -> None:
    stage.nlu.intents["i have had it"] = Parse("opt_out", 0.5)
    stage.hears_and_works(AMINA, "i have had it")
    assert stage.hears_and_works(AMINA, answer) == [english(reply)]
    assert consent_of(stage.db, AMINA) == after
    assert stage.nlu.asked == ["i have had it"]  # no model is asked what yes means


def test_a_yes_after_a_day_answers_no_question(stage: Stage) -> None:
    stage.nlu.intents["i have had it"] = Parse("opt_out", 0.5)
    stage.nlu.intents["yes"] = Parse("affirm", 0.9)
    stage.hears_and_works(AMINA, "i have had it")
    stage.clock.wait(timedelta(hours=24))
    (reply,) = stage.hears_and_works(AMINA, "yes")
    assert reply.startswith(english("smalltalk.nothing_asked"))
    assert consent_of(stage.db, AMINA) == ["paused"] * 3


def test_only_the_last_question_can_be_answered(stage: Stage) -> None:
    stage.nlu.intents["i have had it"] = Parse("opt_out", 0.5)
    stage.nlu.intents["yes"] = Parse("affirm", 0.9)
    stage.hears_and_works(AMINA, "i have had it", "cheers then", "yes")
    assert consent_of(stage.db, AMINA) == ["paused"] * 3


def test_what_is_not_understood_twice_running_goes_to_a_person(stage: Stage) -> None:
    stage.nlu.intents = {text: Parse("greet", 0.2) for text in ("flurb", "gnaaf")}
    stage.hears_and_works(AMINA, "flurb")
    assert rows(stage.db, OfficeCase) == []
    assert stage.hears_and_works(AMINA, "gnaaf") == [english("fallback.not_understood_again")]
    assert only(stage.db, OfficeCase).kind == "not_understood"


def test_something_understood_in_between_starts_the_count_anew(stage: Stage) -> None:
    stage.nlu.intents = {text: Parse("greet", 0.2) for text in ("flurb", "gnaaf")}
    stage.hears_and_works(AMINA, "flurb", "cheers then", "gnaaf")
    assert rows(stage.db, OfficeCase) == []


def test_a_person_at_risk_is_heard_while_rasa_is_down(stage: Stage) -> None:
    stage.nlu.away = True
    stage.hears_and_works(AMINA, "i want to kill myself")
    assert only(stage.db, OfficeCase).kind == "safeguarding_disclosure"
    assert len(rows(stage.db, Alert)) == 4


def test_rasa_alone_is_enough_to_hear_a_person_at_risk(stage: Stage) -> None:
    stage.nlu.intents["it is all dark"] = Parse("greet", 0.5, (("greet", 0.5), ("safeguarding_disclosure", 0.3)))
    stage.hears(AMINA, "it is all dark")
    take_all(stage)
    assert only(stage.db, OfficeCase).restricted


def test_safety_and_opting_out_in_one_message_are_both_acted_on(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "i want to kill myself. stop messaging me")
    assert consent_of(stage.db, AMINA) == OFF
    assert only(stage.db, OfficeCase).restricted
    assert {AlertSafeguarding.__name__, Withdraw.__name__} <= set(only(stage.db, Inbound).effects or [])


def test_a_stranger_gets_no_course_data(stage: Stage) -> None:
    stage.nlu.intents["when is my lesson"] = Parse("course_info", 0.9)
    (to_amina,) = stage.hears_and_works(AMINA, "when is my lesson")
    (to_a_stranger,) = stage.hears_and_works(BILAL, "when is my lesson")
    assert "Room 4" in to_amina
    assert "Room 4" not in to_a_stranger
    assert "SYB" not in to_a_stranger


def test_every_withdrawal_is_in_the_ledger_with_the_message_it_came_from(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "STOP")
    events = rows(stage.db, ConsentEvent, ConsentEvent.action == "withdraw")
    assert [event.purpose for event in events] == list(CONSENTABLE)
    assert {(event.source, event.recorded_by, event.inbound_id) for event in events} == {
        ("chat", "learner", only(stage.db, Inbound).id)
    }
    assert states(stage.db) == [("accepted", None)]
