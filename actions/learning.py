"""The course itself: a learner's own next lesson, and what is for the trainer or the office to do."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from actions.office import pass_on
from bot.effects import Effect, Say, say
from bot.turn import Enrolment, Lesson, Turn

MOST_LESSONS = 3
LONDON = ZoneInfo("Europe/London")  # a course ends with a day of London's


def course_info(turn: Turn) -> list[Effect]:
    """The next lesson of each of their own courses, soonest first. A stranger learns nothing of any course (P01)."""
    if not turn.person.known:
        return [say("office.not_on_list")]
    lessons = _next_of_each_course(turn)
    if not lessons:
        return [say("learning.no_lessons")]
    without = [enrolment for enrolment in turn.enrolments if _running_without(enrolment, lessons, turn)]
    return [
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
    """Late or away: passed on without a reason asked (L10)."""
    return pass_on(turn, "report_absence", "learning.absence")


def technical_issue(turn: Turn) -> list[Effect]:
    """Something does not work (P13)."""
    return pass_on(turn, "technical_issue")


def checkin_positive(turn: Turn) -> list[Effect]:
    """Good news gets a well done; sharing it is their choice and never done for them (P17)."""
    return pass_on(turn, "checkin_positive", "learning.good_news")


def checkin_negative(turn: Turn) -> list[Effect]:
    """Things go badly: a person should see it (P19)."""
    return pass_on(turn, "checkin_negative", "learning.struggling")


def ask_opportunities(turn: Turn) -> list[Effect]:
    """Asked for, so it is an answer and no marketing (P18)."""
    return pass_on(turn, "ask_opportunities")


def is_over(enrolment: Enrolment, turn: Turn) -> bool:
    """Has the last day of the course passed in London?"""
    return enrolment.ends_on is not None and enrolment.ends_on < turn.now.astimezone(LONDON).date()


def _next_of_each_course(turn: Turn) -> list[Lesson]:
    coming = sorted((lesson for lesson in turn.lessons if lesson.ends_at > turn.now), key=lambda lesson: lesson.starts_at)
    soonest: dict[str, Lesson] = {}
    for lesson in coming:
        soonest.setdefault(lesson.course, lesson)
    return list(soonest.values())


def _running_without(enrolment: Enrolment, lessons: list[Lesson], turn: Turn) -> bool:
    return not is_over(enrolment, turn) and not {enrolment.course, enrolment.name} & {lesson.course for lesson in lessons}


def _lesson(lesson: Lesson, turn: Turn) -> Say:
    names = {enrolment.course: enrolment.name for enrolment in turn.enrolments}
    return say(
        "learning.lesson_now" if lesson.starts_at <= turn.now else "learning.next_lesson",
        course=names.get(lesson.course, lesson.course),
        title=lesson.title,
        starts_at=lesson.starts_at,
        place=lesson.place,
        link=lesson.link,
    )
