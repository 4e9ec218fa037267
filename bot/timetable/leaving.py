"""A lesson that turns out to be another course's: who counts on it hears that it is not theirs (P12, P13)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from bot import outbox
from bot.models import Audit, EnrolmentRow, LessonRow
from bot.timetable import notices, whom
from bot.timetable.change import News, Slot
from bot.timetable.notices import Desk
from bot.timetable.whom import Learner


def who_counts_on(desk: Desk, lesson: LessonRow, course_id: int) -> list[Learner]:
    """Learners of its course of now who know of the lesson, and are not on the other course; nobody once it is over."""
    if lesson.ends_at <= desk.now:
        return []
    there = set(desk.session.scalars(select(EnrolmentRow.person_id).where(EnrolmentRow.course_id == course_id)))
    known = whom.concerned(desk.session, desk.terms.hours, lesson, _off(Slot.of(lesson)), desk.now)
    return [one for one in known if one.person.id not in there]


def tell_it_is_not_theirs(desk: Desk, lesson: LessonRow, was: Slot, learners: list[Learner]) -> None:
    """For them the lesson, as it was, is cancelled. Never commits.

    What they are to read stays true whatever becomes of the lesson on its new course, so it names no version of it.
    """
    if not learners:
        return
    number, drafts = notices.written(desk, lesson, _off(was), learners, {})
    outbox.add_all(desk.session, [replace(one, lesson_id=None, lesson_version=None) for one in drafts], desk.now)
    details = {"lesson": lesson.code, "notice": number}
    desk.session.add(Audit(at=desk.now, by=desk.by, act="lesson_left_course", details=details))


def _off(was: Slot) -> News:
    return News("cancelled", was, was, everybody=False)
