"""The course itself: a learner's own next lesson, and what is for the trainer or the office to do."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from actions import checkins
from actions.office import pass_on
from bot.effects import Effect, Say, say
from bot.turn import Enrolment, Lesson, Turn

MOST_LESSONS = 3
SOON = timedelta(days=7)
LONDON = ZoneInfo("Europe/London")  # a course ends with a day of London's


def course_info(turn: Turn) -> list[Effect]:
    """The next lesson of each of their own courses, soonest first, after those of the next days that are cancelled.

    A stranger learns nothing of any course (P01).
    """
    if not turn.person.known:
        return [say("office.not_on_list")]
    lessons = _next_of_each_course(turn)
    off = [_cancelled_lesson(lesson, turn) for lesson in _cancelled(turn)[:MOST_LESSONS]]
    if not lessons:
        return [*off, say("learning.no_lessons")]
    without = [enrolment for enrolment in turn.enrolments if _running_without(enrolment, lessons, turn)]
    return [
        *off,
        *(_lesson(lesson, turn) for lesson in lessons[:MOST_LESSONS]),
        *(say("learning.no_lesson_for", course=enrolment.name) for enrolment in without),
    ]


def submit_work(turn: Turn) -> list[Effect]:
    """Words about one's work: the office sees them."""
    return pass_on(turn, "submit_work")


def ask_trainer(turn: Turn) -> list[Effect]:
    """A question on the subject is for a person; the assistant never makes up advice (P15)."""
    return pass_on(turn, "ask_trainer", "learning.question")


def report_absence(turn: Turn) -> list[Effect]:
    """Late or away: passed on without a reason asked (L10), and with the lesson where they reply to its reminder."""
    passed_on = pass_on(turn, "report_absence", "learning.absence")
    if turn.quoted is None or not turn.person.known:
        return passed_on
    return [*passed_on, say("learning.absence_from", title=turn.quoted.title, starts_at=turn.quoted.starts_at)]


def technical_issue(turn: Turn) -> list[Effect]:
    """Something does not work (P13)."""
    return pass_on(turn, "technical_issue")


def checkin_positive(turn: Turn) -> list[Effect]:
    """Good news gets a well done; sharing it is their choice and never done for them (P17)."""
    return checkins.good_news(turn)


def checkin_negative(turn: Turn) -> list[Effect]:
    """Things go badly: a person should see it (P19)."""
    return checkins.bad_news(turn)


def is_over(enrolment: Enrolment, turn: Turn) -> bool:
    """Has the last day of the course passed in London?"""
    return enrolment.ends_on is not None and enrolment.ends_on < turn.now.astimezone(LONDON).date()


def _next_of_each_course(turn: Turn) -> list[Lesson]:
    """The first lesson of each course that is not over and not cancelled, soonest first."""
    soonest: dict[str, Lesson] = {}
    for lesson in _to_come(turn):
        if not lesson.cancelled:
            soonest.setdefault(lesson.course, lesson)
    return list(soonest.values())


def _cancelled(turn: Turn) -> list[Lesson]:
    """The cancelled lessons of the next days to which they might still come, soonest first."""
    return [lesson for lesson in _to_come(turn) if lesson.cancelled and lesson.starts_at <= turn.now + SOON]


def _cancelled_lesson(lesson: Lesson, turn: Turn) -> Say:
    return say("learning.cancelled", course=_name(lesson, turn), title=lesson.title, starts_at=lesson.starts_at)


def _to_come(turn: Turn) -> list[Lesson]:
    coming = (lesson for lesson in turn.lessons if lesson.ends_at > turn.now)
    return sorted(coming, key=lambda lesson: (lesson.starts_at, lesson.code))


def _running_without(enrolment: Enrolment, lessons: list[Lesson], turn: Turn) -> bool:
    return not is_over(enrolment, turn) and not {enrolment.course, enrolment.name} & {lesson.course for lesson in lessons}


def _lesson(lesson: Lesson, turn: Turn) -> Say:
    return say(
        _words_for(lesson, turn),
        course=_name(lesson, turn),
        title=lesson.title,
        starts_at=lesson.starts_at,
        ends=_clock(lesson.ends_at),
        place=lesson.place,
        link=lesson.link,
    )


def _words_for(lesson: Lesson, turn: Turn) -> str:
    """Which words tell of it: on now, today, tomorrow, later, or after days without a lesson."""
    if lesson.starts_at <= turn.now:
        return "learning.lesson_now"
    days = (lesson.starts_at.astimezone(LONDON).date() - turn.now.astimezone(LONDON).date()).days
    if days <= 1:
        return ("learning.lesson_today", "learning.lesson_tomorrow")[days]
    return "learning.next_lesson" if lesson.starts_at <= turn.now + SOON else "learning.lesson_after_a_gap"


def _name(lesson: Lesson, turn: Turn) -> str:
    names = {enrolment.course: enrolment.name for enrolment in turn.enrolments}
    return names.get(lesson.course, lesson.course)


def _clock(at: datetime) -> str:
    return at.astimezone(LONDON).strftime("%H:%M")
