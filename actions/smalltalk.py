"""Greeting, menu, yes and no out of the blue, and what is none of our business."""

from __future__ import annotations

from datetime import timedelta

from bot.effects import Ask, Effect, say
from bot.turn import Turn

MENU = {
    "1": "course_info",
    "2": "faq_submit_work",
    "3": "faq_contact_trainer",
    "4": "faq_official_number",
    "5": "opt_out",
    "6": "request_human",
}
PUBLIC_MENU = {"1": "faq_purpose", "2": "faq_official_number", "3": "opt_out", "4": "request_human"}
WARNED_LATELY = timedelta(minutes=10)  # D15: one warning in this time


def greet(turn: Turn) -> list[Effect]:
    """A hello that says what it is (L04), and the menu."""
    if not turn.person.known:
        return [say("smalltalk.hello_stranger"), menu(turn)]
    if not turn.person.first_name:
        return [say("smalltalk.hello"), menu(turn)]
    return [say("smalltalk.hello_name", first_name=turn.person.first_name), menu(turn)]


def help(turn: Turn) -> list[Effect]:  # noqa: A001 -- handlers bear their intent's name
    """What can be done here, as numbered choices, with the office's phone and email (P46)."""
    return [menu(turn)]


def bot_challenge(_turn: Turn) -> list[Effect]:
    """Yes, it is automated, and a person is one word away (L04, L17)."""
    return [Ask("person", say("smalltalk.automated"), {"yes": "request_human", "no": "deny"})]


def thanks(_turn: Turn) -> list[Effect]:
    """Opens nothing that was closed (D04)."""
    return [say("smalltalk.thanks")]


def goodbye(_turn: Turn) -> list[Effect]:
    """A short goodbye."""
    return [say("smalltalk.goodbye")]


def affirm(_turn: Turn) -> list[Effect]:
    """A yes while nothing was asked."""
    return [say("smalltalk.nothing_asked")]


def deny(_turn: Turn) -> list[Effect]:
    """A no: to nothing, or to an offer of ours. Either way nothing changes."""
    return [say("smalltalk.nothing_changed")]


def out_of_scope(_turn: Turn) -> list[Effect]:
    """Declined in one line, with the way to people (L21)."""
    return [say("smalltalk.out_of_scope")]


def menu(turn: Turn, text: str = "smalltalk.menu") -> Ask:
    """The numbered choices, under these words; a stranger's hold nothing of a course."""
    if turn.person.known:
        return Ask("menu", say(text), MENU)
    return Ask("menu", say(f"{text}_stranger"), PUBLIC_MENU)


def only_details(turn: Turn) -> list[Effect]:
    """A card number and hardly a word: the warning that it was hidden says it all, and comes by itself (D15)."""
    lately = turn.warned_at is not None and turn.now - turn.warned_at < WARNED_LATELY
    return [say("privacy.hidden_again")] if lately else []
