"""A learner's own lessons, and what goes to people."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from actions import learning
from bot.effects import OpenCase, Say, say
from bot.turn import Lesson
from tests.builders import NOW, a_lesson, a_person, a_stranger_turn, a_turn, an_enrolment

MONDAY = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def told(lesson: Lesson, key: str = "learning.next_lesson", ends: str = "12:00") -> Say:
    about = {"course": lesson.course, "title": lesson.title, "place": lesson.place, "link": lesson.link}
    return say(key, starts_at=lesson.starts_at, ends=ends, **about)


def off(lesson: Lesson) -> Say:
    return say("learning.cancelled", course=lesson.course, title=lesson.title, starts_at=lesson.starts_at)


def test_a_learner_is_told_their_next_lesson() -> None:
    lesson = a_lesson(starts_at=MONDAY, place="Room 4", link="https://lessons.example.org/12")
    assert learning.course_info(a_turn(lessons=(lesson,))) == [told(lesson)]


def test_only_the_next_lesson_of_a_course_is_told() -> None:
    first, second = a_lesson("Pricing", starts_at=MONDAY), a_lesson("Logo", starts_at=MONDAY + timedelta(days=7))
    assert learning.course_info(a_turn(lessons=(second, first))) == [told(first)]


@pytest.mark.parametrize(
    ("starts_at", "key"),
    [
        (NOW + timedelta(minutes=1), "lesson_today"),
        (datetime(2026, 11, 24, 23, 59, tzinfo=UTC), "lesson_today"),
        (datetime(2026, 11, 25, 0, 0, tzinfo=UTC), "lesson_tomorrow"),
        (datetime(2026, 11, 25, 23, 59, tzinfo=UTC), "lesson_tomorrow"),
        (datetime(2026, 11, 26, 0, 0, tzinfo=UTC), "next_lesson"),
        (NOW + 7 * DAY, "next_lesson"),
        (NOW + 7 * DAY + timedelta(minutes=1), "lesson_after_a_gap"),
    ],
)
def test_it_is_said_whether_the_lesson_is_today_tomorrow_or_after_a_week_without(starts_at: datetime, key: str) -> None:
    lesson = a_lesson(starts_at=starts_at)
    (said,) = learning.course_info(a_turn("is it on tomorrow", lessons=(lesson,)))
    assert isinstance(said, Say)
    assert said.key == f"learning.{key}"


def test_today_is_londons_and_so_is_the_time_at_which_it_ends() -> None:
    late = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)  # half past midnight on the 2nd in London
    lesson = a_lesson(starts_at=late + timedelta(hours=9))
    assert learning.course_info(a_turn(now=late, lessons=(lesson,), enrolments=())) == [
        told(lesson, "learning.lesson_today", "11:30")
    ]


def test_a_cancelled_lesson_is_said_to_be_cancelled_with_the_next_one() -> None:
    cancelled, after = a_lesson("Pricing", starts_at=MONDAY, cancelled=True), a_lesson("Logo", starts_at=MONDAY + DAY)
    assert learning.course_info(a_turn("is it on", lessons=(after, cancelled))) == [off(cancelled), told(after)]


def test_a_lesson_under_way_that_was_cancelled_is_not_on() -> None:
    cancelled = a_lesson(starts_at=NOW - timedelta(minutes=10), cancelled=True)
    without = learning.course_info(a_turn(lessons=(cancelled,)))
    assert without == [off(cancelled), say("learning.no_lessons")]


def test_a_cancelled_lesson_of_one_course_leaves_the_other_as_it_is() -> None:
    cancelled = a_lesson("Photos", course="Sell Online", starts_at=MONDAY - 2 * DAY, cancelled=True)
    turn = a_turn(enrolments=(an_enrolment(), an_enrolment("SON5", name="Sell Online")), lessons=(cancelled, a_lesson()))
    expected = [off(cancelled), told(a_lesson()), say("learning.no_lesson_for", course="Sell Online")]
    assert learning.course_info(turn) == expected


def test_what_was_cancelled_long_before_or_is_over_is_not_mentioned() -> None:
    far = a_lesson("Logo", starts_at=NOW + 7 * DAY + timedelta(minutes=1), cancelled=True)
    over = a_lesson("Intro", starts_at=NOW - timedelta(hours=2), cancelled=True)
    assert learning.course_info(a_turn(lessons=(over, far, a_lesson()))) == [told(a_lesson())]


def test_a_learner_on_two_courses_is_told_of_both_soonest_first() -> None:
    online = a_lesson("Photos", course="Sell Online", starts_at=MONDAY - timedelta(days=2))
    business = a_lesson(starts_at=MONDAY)
    turn = a_turn(enrolments=(an_enrolment(), an_enrolment("SON5", name="Sell Online")), lessons=(business, online))
    assert learning.course_info(turn) == [told(online), told(business)]


def test_a_running_course_without_a_lesson_is_mentioned() -> None:
    turn = a_turn(enrolments=(an_enrolment(), an_enrolment("SON5", name="Sell Online")))
    assert learning.course_info(turn) == [told(a_lesson()), say("learning.no_lesson_for", course="Sell Online")]


def test_a_course_on_its_last_day_is_still_running() -> None:
    last_day = an_enrolment("SON5", name="Sell Online", ends_on=NOW.date())
    expected = [told(a_lesson()), say("learning.no_lesson_for", course="Sell Online")]
    assert learning.course_info(a_turn(enrolments=(an_enrolment(), last_day))) == expected


def test_a_course_that_has_ended_is_not_mentioned() -> None:
    ended = an_enrolment("CTM3", name="Craft to Market", ends_on=date(2026, 7, 21))
    assert learning.course_info(a_turn(enrolments=(an_enrolment(), ended))) == [told(a_lesson())]


def test_a_lesson_under_way_is_told_as_under_way_with_its_end() -> None:
    for minutes, ends in ((0, "12:00"), (10, "11:50")):
        lesson = a_lesson(starts_at=NOW - timedelta(minutes=minutes))
        assert learning.course_info(a_turn(lessons=(lesson,))) == [told(lesson, "learning.lesson_now", ends)]


def test_a_lesson_that_is_over_is_not_told() -> None:
    over = a_lesson(starts_at=NOW - timedelta(hours=2), ends_at=NOW)
    assert learning.course_info(a_turn(lessons=(over,))) == [say("learning.no_lessons")]


def test_a_course_code_is_told_by_the_name_of_the_course() -> None:
    assert learning.course_info(a_turn(lessons=(a_lesson(course="SYB12"),))) == [told(a_lesson())]


def test_a_trainer_is_told_the_lessons_they_teach() -> None:
    trainer = a_person("Nasreen", roles=frozenset({"trainer"}))
    assert learning.course_info(a_turn(person=trainer, enrolments=())) == [told(a_lesson())]


def test_at_most_three_courses_are_told() -> None:
    lessons = tuple(a_lesson(course=f"Course {n}", starts_at=NOW + timedelta(days=n + 2)) for n in range(5))
    assert learning.course_info(a_turn(enrolments=(), lessons=lessons)) == [told(lesson) for lesson in lessons[:3]]


def test_a_stranger_is_told_nothing_of_any_course() -> None:
    turn = a_stranger_turn("whats the link", lessons=(a_lesson(), a_lesson(cancelled=True)), enrolments=(an_enrolment(),))
    assert learning.course_info(turn) == [say("office.not_on_list")]


def test_late_and_absent_name_the_lesson_whose_reminder_they_answer() -> None:
    passed_on = [OpenCase("report_absence"), say("learning.absence")]
    turn = a_turn("ABSENT", quoted=a_lesson("Pricing", starts_at=MONDAY))
    expected = [*passed_on, say("learning.absence_from", title="Pricing", starts_at=MONDAY)]
    assert learning.report_absence(turn) == expected
    assert learning.report_absence(a_turn("ABSENT")) == passed_on
    assert learning.report_absence(a_stranger_turn(quoted=a_lesson())) == [say("office.not_on_list")]


PASSED_ON = {
    "submit_work": (learning.submit_work, "office.passed_on"),
    "ask_trainer": (learning.ask_trainer, "learning.question"),
    "report_absence": (learning.report_absence, "learning.absence"),
    "technical_issue": (learning.technical_issue, "office.passed_on"),
    "checkin_negative": (learning.checkin_negative, "checkins.bad_news"),
}


@pytest.mark.parametrize("intent", PASSED_ON)
def test_what_is_for_people_is_passed_on_and_said_to_be(intent: str) -> None:
    handler, text = PASSED_ON[intent]
    assert handler(a_turn()) == [OpenCase(intent), say(text)]


def test_good_news_is_celebrated_and_not_passed_on() -> None:
    assert learning.checkin_positive(a_turn("first order today!!")) == [say("checkins.good_news")]
    assert learning.checkin_positive(a_stranger_turn()) == [say("office.not_on_list")]


@pytest.mark.parametrize("intent", PASSED_ON)
def test_a_stranger_gets_the_offices_public_details_and_no_promise(intent: str) -> None:
    handler, _ = PASSED_ON[intent]
    assert handler(a_stranger_turn()) == [say("office.not_on_list")]
