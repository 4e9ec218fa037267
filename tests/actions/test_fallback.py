"""Doubt: a menu, two guesses, a person."""

from __future__ import annotations

from actions import fallback, smalltalk
from bot.effects import Ask, NotUnderstood, OpenCase, say
from tests.builders import a_parse, a_stranger_turn, a_turn

OFFER = {"yes": "request_human", "no": "deny"}


def test_the_first_miss_shows_the_menu() -> None:
    menu = Ask("menu", say("fallback.not_understood"), smalltalk.MENU)
    assert fallback.not_understood(a_turn("qwerty")) == [NotUnderstood(), menu]


def test_the_second_miss_running_brings_a_person_in() -> None:
    assert fallback.not_understood(a_turn("qwerty", misses=1)) == [
        NotUnderstood(),
        OpenCase("not_understood"),
        say("fallback.not_understood_again"),
    ]


def test_a_stranger_sees_the_public_menu_and_then_is_asked_whether_they_want_a_person() -> None:
    menu = Ask("menu", say("fallback.not_understood_stranger"), smalltalk.PUBLIC_MENU)
    assert fallback.not_understood(a_stranger_turn("qwerty")) == [NotUnderstood(), menu]
    question = Ask("person", say("fallback.not_understood_again_stranger"), OFFER)
    assert fallback.not_understood(a_stranger_turn("qwerty", misses=1)) == [NotUnderstood(), question]


def test_doubt_offers_the_two_likeliest_meanings_and_a_person() -> None:
    parse = a_parse("course_info", 0.4, ("thanks", 0.2), ("report_absence", 0.1), ("ask_admin", 0.1))
    options = {"1": "course_info", "2": "report_absence", "3": "request_human"}
    question = Ask("unsure", say("fallback.unsure", first="course_info", second="report_absence"), options)
    assert fallback.unsure(a_turn("tuesday?", parse=parse)) == [NotUnderstood(), question]


def test_doubt_without_two_meanings_to_offer_is_not_understanding() -> None:
    turn = a_turn("hm", parse=a_parse("thanks", 0.4, ("greet", 0.3), ("course_info", 0.1)))
    assert fallback.unsure(turn) == fallback.not_understood(turn)
    assert fallback.unsure(a_turn("hm")) == fallback.not_understood(a_turn("hm"))


def test_while_rasa_is_away_every_message_goes_to_a_person_and_that_is_said_once() -> None:
    assert fallback.nlu_away(a_turn(nlu_away=True)) == [OpenCase("nlu_away"), say("fallback.nlu_away")]
    assert fallback.nlu_away(a_turn(nlu_away=True, open_cases=frozenset({"nlu_away"}))) == [OpenCase("nlu_away")]
