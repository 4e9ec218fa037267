"""Who takes a message once the model was asked: how sure it must be, what it adds to the rules, and what a hold leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions import HANDLERS
from bot.routing import (
    ACTS_UNDER_HOLD,
    AT_RISK,
    BESIDE_A_RULE,
    MOST_INTENTS,
    REOPENS,
    Choice,
    choose,
    second_opinion,
)
from bot.turn import Heard, Media, Parse, Turn
from tests.builders import a_message, a_parse, a_pending, a_turn, heard


@dataclass(frozen=True)
class Limits:
    """Made-up limits; the real ones are in nlu/thresholds.yml."""

    accept: float = 0.5
    opt_out_sure: float = 0.8
    opt_out_unsure: float = 0.3
    safeguarding: float = 0.2


LIMITS = Limits()
INTENTS = sorted(HANDLERS)
CHANCE = st.floats(0, 1)
SCORES = st.dictionaries(st.sampled_from(("opt_out", AT_RISK, "greet", "opt_in", "complaint")), CHANCE, min_size=1)
HEARD = st.lists(st.builds(Heard, st.sampled_from(INTENTS), st.sampled_from(("exact", "rule")), st.booleans()), max_size=3)


def a_reading(*ranking: tuple[str, float]) -> Turn:
    return a_turn(parse=Parse(*ranking[0], ranking))


def beside(rule: str, parse: Parse) -> Choice:
    """What comes of a message in which a rule heard one thing and the model this."""
    return choose(a_turn(heard=(heard(rule),), parse=parse), LIMITS)


def test_the_model_is_believed_when_it_is_sure_enough() -> None:
    assert choose(a_reading(("faq_contact", 0.5), ("greet", 0.4)), LIMITS) == Choice(("faq_contact",), "model", 0.5)


def test_where_the_model_is_not_sure_the_learner_is_asked_what_they_meant() -> None:
    choice = choose(a_reading(("faq_contact", 0.4), ("greet", 0.2)), LIMITS)
    assert choice == Choice(("unsure",), "fallback", 0.4)
    assert choice.intent == "fallback"


def test_the_second_message_running_that_is_not_understood_is_not_guessed_at() -> None:
    turn = replace(a_reading(("faq_contact", 0.4), ("greet", 0.2)), misses=1)
    assert choose(turn, LIMITS) == Choice(("not_understood",), "fallback", 0.4)


def test_someone_at_risk_is_heard_even_where_the_model_thinks_something_else_likelier() -> None:
    assert choose(a_reading(("greet", 0.79), (AT_RISK, 0.2)), LIMITS) == Choice((AT_RISK,), "model", 0.2)


def test_someone_at_risk_who_opts_out_as_well_is_heard_in_both() -> None:
    surely, perhaps = a_reading(("opt_out", 0.8), (AT_RISK, 0.2)), a_reading((AT_RISK, 0.6), ("opt_out", 0.3))
    assert choose(surely, LIMITS) == Choice((AT_RISK, "opt_out"), "model", 0.2)
    assert choose(perhaps, LIMITS) == Choice((AT_RISK, "opt_out_unsure"), "model", 0.6)


def test_a_doubtful_opting_out_pauses_first() -> None:
    assert choose(a_reading(("greet", 0.6), ("opt_out", 0.3)), LIMITS) == Choice(("opt_out_unsure",), "model", 0.3)
    assert choose(a_reading(("opt_out", 0.79)), LIMITS) == Choice(("opt_out_unsure",), "model", 0.79)
    assert choose(a_reading(("opt_out", 0.8)), LIMITS) == Choice(("opt_out",), "model", 0.8)


@pytest.mark.parametrize("says_all", [True, False])
def test_where_the_model_hears_a_part_and_the_words_say_more_it_is_asked_about(*, says_all: bool) -> None:
    for intent in ("opt_out_marketing", "reminder_preferences"):
        expected = Choice(("opt_out_unsure" if says_all else intent,), "model", 0.9)
        assert choose(a_turn(parse=a_parse(intent, 0.9), says_all=says_all), LIMITS) == expected
    assert choose(a_turn(parse=a_parse("thanks", 0.9), says_all=says_all), LIMITS) == Choice(("thanks",), "model", 0.9)


def test_nothing_is_chosen_for_the_model_where_it_was_not_asked() -> None:
    with pytest.raises(ValueError, match="nothing from the model"):
        choose(a_turn(), LIMITS)


@given(SCORES, st.builds(Limits, CHANCE, CHANCE, CHANCE, CHANCE))
def test_whatever_the_limits_the_model_opts_nobody_out_below_the_sure_one(scores: dict[str, float], limits: Limits) -> None:
    ranking = sorted(scores.items(), key=lambda one: -one[1])
    choice = choose(a_reading(*ranking), limits)
    assert (AT_RISK in choice.handlers) >= (scores.get(AT_RISK, -1.0) >= limits.safeguarding)
    if "opt_out" in choice.handlers:
        assert scores["opt_out"] >= limits.opt_out_sure
    if ranking[0][0] == "opt_out" and scores["opt_out"] >= limits.opt_out_sure:
        assert "opt_out" in choice.handlers
    assert set(choice.handlers) <= set(HANDLERS)


def test_the_model_is_asked_beside_a_rule_but_not_beside_exact_words_or_a_disclosure() -> None:
    rule, exact = Choice(("opt_out",), "rule"), Choice(("opt_out",), "exact")
    disclosed = Choice((AT_RISK, "opt_out"), "rule")
    turn = a_turn("take me off this, i cant go on")
    assert [second_opinion(turn, choice) for choice in (rule, exact, disclosed)] == [True, False, False]


def test_a_disclosure_that_only_the_model_hears_comes_before_what_a_rule_decided() -> None:
    assert beside("opt_out", a_parse(AT_RISK, 0.9)) == Choice((AT_RISK, "opt_out"), "model", 0.9)
    assert beside("opt_out", a_parse("greet", 0.5, (AT_RISK, 0.2))) == Choice((AT_RISK, "opt_out"), "model", 0.2)
    assert choose(a_turn(heard=(heard("opt_out"),)), LIMITS) == Choice(("opt_out",), "rule")


@pytest.mark.parametrize("intent", BESIDE_A_RULE)
def test_a_request_that_only_the_model_hears_comes_after_what_a_rule_decided(intent: str) -> None:
    assert beside("opt_out_marketing", a_parse(intent, 0.8)) == Choice(("opt_out_marketing", intent), "rule")


def test_a_request_beside_a_rule_must_be_surely_heard_and_is_not_heard_twice() -> None:
    assert beside("opt_out_marketing", a_parse("complaint", 0.79)) == Choice(("opt_out_marketing",), "rule")
    assert beside("request_human", a_parse("request_human", 0.9)) == Choice(("request_human",), "rule")


@pytest.mark.parametrize("intent", sorted(set(INTENTS) - set(BESIDE_A_RULE) - {AT_RISK}))
def test_nothing_but_a_request_or_a_disclosure_is_added_to_a_rule(intent: str) -> None:
    assert beside("opt_out_marketing", a_parse(intent, 0.99)) == Choice(("opt_out_marketing",), "rule")


def test_a_caption_is_listened_to_beside_its_picture() -> None:
    message = a_message("and i complain about the room", "picture", media=(Media("https://media.example", "image/jpeg"),))
    assert choose(a_turn(message=message, parse=a_parse("complaint", 0.9)), LIMITS).handlers == (
        "media_picture",
        "complaint",
    )


@pytest.mark.parametrize("intent", sorted(set(HANDLERS) - set(ACTS_UNDER_HOLD)))
def test_under_a_hold_a_person_answers(intent: str) -> None:
    parse = a_parse(intent, 0.9)
    assert choose(a_turn(on_hold=True, parse=parse), LIMITS) == Choice(("on_hold",), "model", 0.9)
    assert choose(a_turn(parse=parse), LIMITS) == Choice((intent,), "model", 0.9)


@pytest.mark.parametrize("intent", ACTS_UNDER_HOLD)
def test_under_a_hold_a_disclosure_and_an_opting_out_act_as_ever(intent: str) -> None:
    read_by_a_person = () if intent == AT_RISK else ("on_hold",)
    expected = Choice((intent, *read_by_a_person), "rule")
    assert choose(a_turn(on_hold=True, heard=(heard(intent),)), LIMITS) == expected


def test_under_a_hold_nothing_acts_beside_what_may() -> None:
    expected = Choice(("opt_out_marketing", "on_hold"), "rule")
    both = a_turn(on_hold=True, heard=(heard("opt_out_marketing"),), parse=a_parse("complaint", 0.9))
    assert choose(both, LIMITS) == expected
    behind = a_turn(on_hold=True, heard=(heard("report_abuse"), heard("opt_out_marketing")))
    assert choose(behind, LIMITS) == expected


@given(HEARD, SCORES)
def test_under_a_hold_nothing_acts_that_may_not(said: list[Heard], scores: dict[str, float]) -> None:
    ranking = tuple(sorted(scores.items(), key=lambda one: -one[1]))
    turn = a_turn(heard=tuple(said), parse=Parse(*ranking[0], ranking))
    free, held = choose(turn, LIMITS).handlers, choose(replace(turn, on_hold=True), LIMITS).handlers
    acts = tuple(name for name in free if name in ACTS_UNDER_HOLD)
    assert held == (acts if AT_RISK in acts else (*acts, "on_hold"))
    assert 0 < len(free) <= MOST_INTENTS


@pytest.mark.parametrize("intent", REOPENS)
def test_what_a_later_opting_out_has_overtaken_opens_nothing(intent: str) -> None:
    asked = a_pending("opt_in", {"yes": intent, "no": "deny"})
    answer = a_turn("yes", pending=asked, answer="yes", overtaken=True)
    assert choose(answer, LIMITS) == Choice(("opt_out_no",), "exact")
    assert choose(replace(answer, overtaken=False), LIMITS) == Choice((intent,), "exact")


def test_a_start_that_was_overtaken_opens_nothing_whoever_heard_it() -> None:
    by_twilio = a_turn(message=a_message("START", answered_by_twilio="START"), overtaken=True)
    by_words = a_turn("START", heard=(Heard("opt_in", "exact"),), overtaken=True)
    by_model = replace(a_reading(("opt_in", 0.9)), overtaken=True)
    assert [choose(turn, LIMITS).handlers for turn in (by_twilio, by_words, by_model)] == [("opt_out_no",)] * 3


@given(HEARD, SCORES)
def test_all_else_is_taken_as_ever_however_late(said: list[Heard], scores: dict[str, float]) -> None:
    ranking = tuple(sorted(scores.items(), key=lambda one: -one[1]))
    turn = a_turn(heard=tuple(said), parse=Parse(*ranking[0], ranking))
    before, after = choose(turn, LIMITS).handlers, choose(replace(turn, overtaken=True), LIMITS).handlers
    assert not set(after) & (set(REOPENS) - {"opt_out_no"})
    assert [name for name in after if name != "opt_out_no"] == [name for name in before if name not in REOPENS]
