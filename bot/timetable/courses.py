"""What a course asks for of all its lessons: whether they are reminded of an hour before, too (P12)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from bot import marks
from bot.models import Audit, Course, EnrolmentRow, LessonRow, Outbound, PersonRow
from bot.timetable.locks import learners_of, lock_people

NOT_WANTED = "NOT_WANTED"
AS_THE_COURSE = ""  # learners who have chosen nothing themselves


def remind_hour_before(session: Session, course: Course, by: str, now: datetime, *, wanted: bool) -> None:
    """From now on, for whoever has not chosen themselves; what waits follows in this commit. Never commits."""
    enrolled = session.scalars(select(EnrolmentRow.person_id).where(EnrolmentRow.course_id == course.id))
    lock_people(session, {*enrolled, *learners_of(session, LessonRow.course_id == course.id)})
    course.hour_before = wanted
    session.flush()
    lessons = select(LessonRow.id).where(LessonRow.course_id == course.id)
    undecided = select(PersonRow.id).where(PersonRow.reminders == AS_THE_COURSE)
    theirs = (Outbound.lesson_id.in_(lessons), Outbound.plan == "hour_before", Outbound.person_id.in_(undecided))
    if wanted:
        again = (Outbound.state == "withheld", Outbound.reason == NOT_WANTED, Outbound.due_at > now)
        _move(session, (*theirs, *again), "queued", None)
    else:
        _move(session, (*theirs, Outbound.state == "queued"), "withheld", NOT_WANTED)
    marks.look_at_courses(session, [course.code], now)
    details = {"course": course.code, "hour_before": wanted}
    session.add(Audit(at=now, by=by, act="lesson_remind", details=details))


def _move(session: Session, which: tuple[ColumnElement[bool], ...], state: str, reason: str | None) -> None:
    moved = update(Outbound).where(*which).values(state=state, reason=reason)
    session.execute(moved, execution_options={"synchronize_session": False})
