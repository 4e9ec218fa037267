"""Greeting, menu, and words out of the blue."""

from __future__ import annotations

from actions import smalltalk
from bot.effects import Ask, say
from tests.builders import a_person, a_stranger_turn, a_turn

MENU = Ask("menu", say("smalltalk.menu"), smalltalk.MENU)
PUBLIC_MENU = Ask("menu", say("smalltalk.menu_stranger"), smalltalk.PUBLIC_MENU)


def test_a_learner_is_greeted_by_first_name_and_shown_the_menu() -> None:
    assert smalltalk.greet(a_turn("hiya")) == [say("smalltalk.hello_name", first_name="Amina"), MENU]


def test_somebody_on_file_without_a_name_is_greeted_without_one() -> None:
    assert smalltalk.greet(a_turn("hiya", person=a_person(""))) == [say("smalltalk.hello"), MENU]


def test_a_stranger_is_greeted_without_a_name_and_shown_what_is_public() -> None:
    assert smalltalk.greet(a_stranger_turn("hiya")) == [say("smalltalk.hello_stranger"), PUBLIC_MENU]


def test_help_is_the_menu() -> None:
    assert smalltalk.help(a_turn("HELP")) == [MENU]
    assert smalltalk.help(a_stranger_turn("HELP")) == [PUBLIC_MENU]


def test_the_menus_lead_where_their_words_say() -> None:
    assert list(smalltalk.MENU) == ["1", "2", "3", "4", "5", "6"]
    assert smalltalk.MENU["5"] == smalltalk.PUBLIC_MENU["3"] == "opt_out"
    assert smalltalk.MENU["6"] == smalltalk.PUBLIC_MENU["4"] == "request_human"
    assert "course_info" not in smalltalk.PUBLIC_MENU.values()


def test_it_says_that_it_is_automated_and_offers_a_person() -> None:
    question = Ask("person", say("smalltalk.automated"), {"yes": "request_human", "no": "deny"})
    assert smalltalk.bot_challenge(a_turn("are you a bot")) == [question]


def test_courtesies_are_answered_and_change_nothing() -> None:
    assert smalltalk.thanks(a_turn()) == [say("smalltalk.thanks")]
    assert smalltalk.goodbye(a_turn()) == [say("smalltalk.goodbye")]


def test_a_yes_or_no_out_of_the_blue_changes_nothing() -> None:
    assert smalltalk.affirm(a_turn("yes")) == [say("smalltalk.nothing_asked")]
    assert smalltalk.deny(a_turn("no")) == [say("smalltalk.nothing_changed")]


def test_what_is_none_of_our_business_is_declined() -> None:
    assert smalltalk.out_of_scope(a_turn("write me a poem")) == [say("smalltalk.out_of_scope")]
