"""What a trainer is asked and told about an order: one question that says all of it, and nothing without their YES."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from actions import HANDLERS, timetable
from bot.effects import Announce, Ask, Effect, Say
from bot.texts import load_texts
from bot.turn import LONGEST_DELAY, Lesson, Order, Pending, Turn
from bot.turn.orders import pack, unpack
from tests.builders import NOW, a_lesson, a_message, a_person

TEXTS = load_texts()
TODAY = a_lesson(course="SYB12", starts_at=NOW + timedelta(hours=1))
LATE = Order("late", TODAY.code, 1, minutes=20, reached=12, unreached=3)
ANSWERS = {"order_yes", "order_no", "order_1", "order_2", "order_3"}


def a_turn(*orders: Order, lessons: tuple[Lesson, ...] = (TODAY,), **given: Any) -> Turn:
    return Turn(a_message("delay 20"), a_person("Nasreen"), NOW, orders=orders, lessons=lessons, **given)


def read(effects: list[Effect]) -> str:
    """All that they read, as one message."""
    says = [one for one in effects if isinstance(one, Say)] + [one.say for one in effects if isinstance(one, Ask)]
    return "\n\n".join(TEXTS.render("en", one.key, one.values) for one in says)


def asked(effects: list[Effect]) -> Ask:
    (question,) = [one for one in effects if isinstance(one, Ask)]
    return question


def announced(effects: list[Effect]) -> list[Order]:
    return [one.order for one in effects if isinstance(one, Announce)]


def test_the_question_says_what_will_happen_and_whom_it_reaches() -> None:
    effects = timetable.order_asked(a_turn(LATE))
    assert read(effects) == (
        "SYB12, Pricing Your Products, today at 11:00.\n\n"
        "I will tell 12 learners:\nit starts at 11:20.\n\n"
        "3 cannot be told: the office gets their names.\nSend it? Reply YES or NO."
    )
    assert announced(effects) == []


def test_a_question_carries_its_order_and_leads_to_yes_and_no() -> None:
    question = asked(timetable.order_asked(a_turn(LATE)))
    assert unpack(question.about) == (LATE,)
    assert question.options == {"yes": "order_yes", "no": "order_no"}
    assert set(HANDLERS) >= ANSWERS


@pytest.mark.parametrize(
    ("reached", "unreached", "lines"),
    [
        (1, 0, ["I will tell 1 learner:", "Send it? Reply YES or NO."]),
        (2, 1, ["I will tell 2 learners:", "1 cannot be told: the office gets the name."]),
        (0, 2, ["I will tell 0 learners:", "2 cannot be told: the office gets their names."]),
    ],
)
def test_one_is_one_and_none_is_said_too(reached: int, unreached: int, lines: list[str]) -> None:
    said = read(timetable.order_asked(a_turn(replace(LATE, reached=reached, unreached=unreached))))
    assert [line for line in lines if line not in said.splitlines()] == []
    assert ("cannot be told" in said) == bool(unreached)


def test_tomorrow_is_said_and_any_other_day_has_its_date() -> None:
    tomorrow = replace(TODAY, starts_at=datetime(2026, 11, 25, 18, 0, tzinfo=UTC))
    later = replace(TODAY, starts_at=datetime(2026, 11, 30, 18, 0, tzinfo=UTC))
    assert "tomorrow at 18:00." in read(timetable.order_asked(a_turn(LATE, lessons=(tomorrow,))))
    assert "Mon 30 Nov, 18:00." in read(timetable.order_asked(a_turn(LATE, lessons=(later,))))


@pytest.mark.parametrize("minutes", [0, 241, 999])
def test_minutes_that_make_no_sense_get_what_works(minutes: int) -> None:
    said = read(timetable.order_asked(a_turn(replace(LATE, minutes=minutes))))
    assert "delay 20" in said
    assert str(LONGEST_DELAY) in said


def test_several_lessons_are_a_numbered_choice() -> None:
    other = replace(TODAY, code="SON5-2", course="SON5", title="Photos")
    orders = (LATE, replace(LATE, lesson="SON5-2"))
    effects = timetable.order_asked(a_turn(*orders, lessons=(TODAY, other)))
    assert "1 SYB12, Pricing Your Products, Tue 24 Nov, 11:00\n2 SON5, Photos, Tue 24 Nov, 11:00" in read(effects)
    assert asked(effects).options == {"1": "order_1", "2": "order_2"}
    assert [one.lesson for one in unpack(asked(effects).about)] == [TODAY.code, "SON5-2"]


def test_of_more_than_three_the_rest_is_named_by_its_code() -> None:
    lessons = tuple(replace(TODAY, code=f"C{n}", course=f"C{n}") for n in range(4))
    effects = timetable.order_asked(a_turn(*(replace(LATE, lesson=one.code) for one in lessons), lessons=lessons))
    assert set(asked(effects).options) == {"1", "2", "3"}
    assert "more than three" in read(effects)


def test_the_lesson_chosen_is_asked_about() -> None:
    assert asked(timetable.order_chosen(a_turn(LATE))).options == {"yes": "order_yes", "no": "order_no"}


@pytest.mark.parametrize(
    ("order", "done"),
    [
        (LATE, "Done. It now starts at 11:20."),
        (replace(LATE, kind="cancelled"), "Done. It is cancelled."),
        (replace(LATE, kind="place", words="Room 6"), "Done. The place is now Room 6."),
        (replace(LATE, kind="place", words="https://zoom.us/j/1"), "Done. The link is now https://zoom.us/j/1"),
        (replace(LATE, kind="problem", words="zoom is down"), "Done. The problem: zoom is down."),
    ],
)
def test_a_yes_carries_out_what_was_asked_and_says_so(order: Order, done: str) -> None:
    effects = timetable.order_yes(a_turn(order))
    assert announced(effects) == [order]
    assert done in read(effects).split("\n\n")
    assert "12 learners will be told.\n3 cannot be told: the office gets their names." in read(effects)


def test_a_yes_to_a_lesson_that_is_another_by_now_is_asked_anew() -> None:
    moved = replace(TODAY, version=2, starts_at=NOW + timedelta(hours=3))
    effects = timetable.order_yes(a_turn(LATE, lessons=(moved,)))
    assert announced(effects) == []
    assert read(effects).startswith("This lesson has changed since I asked.")
    assert "it starts at 13:20." in read(effects)
    assert unpack(asked(effects).about)[0].version == 2


@pytest.mark.parametrize("handler", [timetable.order_asked, timetable.order_chosen, timetable.order_yes])
def test_what_stands_in_the_way_is_said_and_nothing_asked(handler: Any) -> None:
    for turn in (
        a_turn(replace(LATE, trouble="this lesson is over")),
        a_turn(LATE, lessons=(replace(TODAY, cancelled=True, version=2),)),
        a_turn(LATE, lessons=()),
        a_turn(),
    ):
        effects = handler(turn)
        assert [one for one in effects if isinstance(one, Announce | Ask)] == []
        assert "Nothing has changed." in read(effects)


def test_what_was_hidden_is_not_passed_on() -> None:
    order = replace(LATE, kind="place", words="https://zoom.us/j/1?pwd=[password hidden]")
    assert "01254 693 999" in read(timetable.order_asked(a_turn(order)))


def test_where_no_lesson_fits_the_next_one_is_named() -> None:
    said = read(timetable.order_asked(a_turn(replace(LATE, lesson="", version=0))))
    assert "SYB12, Pricing Your Products, Tue 24 Nov, 11:00." in said
    assert "delay 20 SYB12" in said
    assert "delay 20 SYB12" in read(timetable.order_asked(a_turn(replace(LATE, lesson=""), lessons=())))


def test_a_no_changes_nothing() -> None:
    pending = Pending("order", {"no": "order_no"}, NOW, about=pack([LATE]))
    assert timetable.order_no(a_turn(pending=pending, answer="no")) == [Say("orders.not_sent")]
