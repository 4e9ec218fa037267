"""What of a trainer's words is an order about a lesson, and what is not: the whole message, or nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.orders import LONGEST, ReadOrder, read_order
from bot.safety import screen
from bot.turn import Order
from bot.turn.orders import pack, unpack
from tests.words import lexicon

MEET, ZOOM = "https://meet.google.com/abc-defg-hij", "https://zoom.us/j/123"


def late(minutes: int, **named: str) -> ReadOrder:
    return ReadOrder("late", minutes=minutes, **named)  # type: ignore[arg-type]


def off(**named: str) -> ReadOrder:
    return ReadOrder("cancelled", **named)  # type: ignore[arg-type]


def place(words: str, **named: str) -> ReadOrder:
    return ReadOrder("place", words=words, **named)  # type: ignore[arg-type]


def trouble(words: str, **named: str) -> ReadOrder:
    return ReadOrder("problem", words=words, **named)  # type: ignore[arg-type]


TONIGHT = {"day": "today", "part": "evening"}
ORDERS: Sequence[tuple[str, ReadOrder]] = [
    ("delay 20", late(20)),
    ("Delay 20 mins", late(20)),
    ("delay by 15 minutes", late(15)),
    ("delay SYB12 20", late(20, code="SYB12")),
    ("syb12 delay 20", late(20, code="SYB12")),
    ("SYB12-11 delay 20", late(20, code="SYB12-11")),
    ("running 15 mins late", late(15)),
    ("I'm running 15 mins late", late(15)),
    ("I’m running 15 mins late!!", late(15)),
    ("im going to be about 20 minutes late sorry", late(20)),
    ("Hi all, running 10-15 mins late, stuck in traffic!", late(15)),
    ("late 10", late(10)),
    ("10 mins late", late(10)),
    ("class will start 20 minutes late", late(20)),
    ("tonight's class is delayed by half an hour", late(30, **TONIGHT)),
    ("tell everyone I'm 20 mins late", late(20)),
    ("Can you tell them I'm 15 mins late?", late(15)),
    ("delay an hour", late(60)),
    ("delay 1h 15 mins", late(75)),
    ("delay twenty five", late(25)),
    ("delay a quarter of an hour", late(15)),
    ("put the class back 20 mins", late(20)),
    ("delay tomorrow 30", late(30, day="tomorrow")),
    ("we're starting 15 late tonight", late(15, **TONIGHT)),
    ("Hi, I'm stuck in traffic, will be 20 mins late", late(20)),
    ("traffic is bad, 15mins late", late(15)),
    ("running late for tonight, about 20 mins", late(20, **TONIGHT)),
    ("20 minute delay tonight", late(20, **TONIGHT)),
    ("delay 20 SYB12", late(20, code="SYB12")),
    ("delay 0", late(0)),
    ("delay 999", late(999)),
    ("running late", late(0)),
    ("cancel tonight", off(**TONIGHT)),
    ("Cancel 2nite pls", off(**TONIGHT)),
    ("cancel tomorrow's lesson", off(day="tomorrow")),
    ("Cancel tonights class please", off(**TONIGHT)),
    ("class is off today", off(day="today")),
    ("the lesson is cancelled", off()),
    ("lesson cancelled tonight", off(**TONIGHT)),
    ("tonight is cancelled", off(**TONIGHT)),
    ("no class tonight", off(**TONIGHT)),
    ("cancel SYB12", off(code="SYB12")),
    ("cancel SYB12 on Monday", off(code="SYB12", day="monday")),
    ("cancel next lesson", off(day="next")),
    ("cancel this afternoon's session", off(day="today", part="afternoon")),
    ("tomorrow morning's class is cancelled because I'm ill", off(day="tomorrow", part="morning")),
    ("could you cancel tonight's class?", off(**TONIGHT)),
    ("need to cancel tonight", off(**TONIGHT)),
    ("Sorry I'm ill, class is cancelled today", off(day="today")),
    ("there is no class today", off(day="today")),
    ("class is not on tonight", off(**TONIGHT)),
    ("tonight's off", off(**TONIGHT)),
    ("lesson tonight cancelled, I'm ill", off(**TONIGHT)),
    ("place room 6", place("Room 6")),
    ("we're moving to room 6", place("Room 6")),
    ("change room to 6", place("Room 6")),
    ("room 6 instead of room 4", place("Room 6")),
    ("different room tonight: room 9", place("Room 9", **TONIGHT)),
    ("tonight in the main hall", place("The main hall", **TONIGHT)),
    ("venue changed to Blackburn Library", place("Blackburn Library")),
    ("Place: Main Hall", place("Main Hall")),
    ("place LT12", place("LT12")),
    ("place SYB12 room 6", place("Room 6", code="SYB12")),
    ("we are in room 6 tonight", place("Room 6", **TONIGHT)),
    ("we're in the library today", place("The library", day="today")),
    ("room changed to Room 2", place("Room 2")),
    ("room is 6", place("Room 6")),
    ("room 2B tonight", place("Room 2B", **TONIGHT)),
    ("class has moved to room 6", place("Room 6")),
    ("SYB12 tonight is in room 3 instead of room 4", place("Room 3", code="SYB12", **TONIGHT)),
    ("move to Room 9, not room 4", place("Room 9")),
    ("meet in the canteen tonight", place("The canteen", **TONIGHT)),
    ("problem zoom is down", trouble("zoom is down")),
    ("problem: power cut at the college", trouble("power cut at the college")),
    ("technical problem with the sound", trouble("the sound")),
    ("zoom is down", trouble("zoom is down")),
    ("the zoom link isn't working tonight", trouble("the zoom link isn't working", **TONIGHT)),
    ("the internet is down at the college", trouble("the internet is down at the college")),
    (f"link {MEET}", place(MEET)),
    (f"SYB12 link: {ZOOM}", place(ZOOM, code="SYB12")),
    (f"{ZOOM} is the new link", place(ZOOM)),
    (f"new zoom link for tonight: {ZOOM}.", place(ZOOM, **TONIGHT)),
    (f"we're online tonight {ZOOM}", place(ZOOM, **TONIGHT)),
    (f"link {ZOOM}?pwd=[password hidden]", place(f"{ZOOM}?pwd=[password hidden]")),
]
NO_ORDERS = [
    "cancel",
    "Cancel please",
    "stop",
    "STOP ALL",
    "cancel it",
    "cancel all",
    "cancel all lessons",
    "cancel lessons",
    "cancel messages",
    "cancel the reminders",
    "cancel tonight's reminder",
    "cancel tonight and stop messages",
    "cancel my place",
    "cancel my course",
    "can we delay my payment 20 days",
    "delay my payment 20 days",
    "delay 20 days",
    "delay until 10:30",
    "delay to 10.30",
    "delay 10.30",
    "don't delay 20",
    "I don't want to cancel tonight",
    "can we cancel tonight",
    "is it cancelled tonight?",
    "is it cancelled tonight",
    "is tonight cancelled",
    "is class off today?",
    "Is the lesson in room 6",
    "what room are we in",
    "are you in room 6 tonight?",
    "he said cancel tonight",
    "cancel today and tomorrow",
    "the class was great today",
    "no lesson",
    "i am off today",
    "Sara is 15 mins late",
    "I will be 20 mins late to my assessment",
    "we are in trouble",
    "we are moving to Leeds",
    "starting in 20 mins",
    "will we be in room 6",
    "I am ill",
    "there is no class",
    "not sure about tonight",
    "tonight was great",
    "see you tonight",
    "The room has no ramp so I could not get in with my chair",
    "the room is too cold",
    "need to go at 11 to fetch my lad from school",
    "we are at 10",
    "moved to 6pm",
    "move it to tuesday",
    "zoom is working",
    "I have a problem with my login",
    "problem with my payment",
    ZOOM,
    f"look at this {ZOOM}",
    f"link {ZOOM} or {MEET}",
    f"link {ZOOM} passcode 123456",
    "venue for tonight",
    "room",
    "yes",
    "20",
    "",
    "   ",
    "👍",
]


@pytest.mark.parametrize(("text", "meant"), ORDERS)
def test_an_order_is_read_in_any_usual_wording(text: str, meant: ReadOrder) -> None:
    assert read_order(text) == meant


@pytest.mark.parametrize("text", [text for text, _ in ORDERS])
def test_no_safety_rule_takes_an_order_for_an_opting_out(text: str) -> None:
    assert screen(text, lexicon()) == ()


@pytest.mark.parametrize("text", NO_ORDERS)
def test_what_is_no_order_is_not_read_as_one(text: str) -> None:
    assert read_order(text) is None


@pytest.mark.parametrize("word", ["cancel", "Cancel", "stop", "cancel all"])
def test_a_bare_word_stays_an_opting_out(word: str) -> None:
    assert [one.intent for one in screen(word, lexicon())] == ["opt_out"]


@given(st.text(max_size=200))
def test_reading_never_fails_and_says_nothing_too_long(text: str) -> None:
    found = read_order(text)
    assert found is None or len(found.words) <= LONGEST


@pytest.mark.parametrize(
    "piece", ["by about ", "late ", "room to ", "the ", "is now ", "please ", "a" * 50, "10 ", "SYB12 ", "tonight ", "with "]
)
def test_reading_takes_no_longer_for_words_said_many_times(piece: str) -> None:
    begun = time.perf_counter()
    for start in ("", "we are in ", "delay ", "room ", "link "):
        read_order((start + piece * LONGEST)[:LONGEST])
    assert time.perf_counter() - begun < 0.5


def test_orders_go_into_a_question_and_come_back() -> None:
    orders = (
        Order("late", "SYB12-11", 3, minutes=20, reached=12, unreached=3),
        Order("place", "SON5-2", 1, words='the "café", top floor'),
    )
    assert unpack(pack(orders)) == orders


@pytest.mark.parametrize("text", ["+447700900101", "{}", '[["sing", "L1", 1, 0, ""]]', "no"])
def test_what_is_no_packed_order_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack(text)
