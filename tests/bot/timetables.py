"""A course with a lesson for the tests of the timetable: move it, tell of it, and look at what its learners have waiting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from bot.database import Database
from bot.hours import LONDON
from bot.models import Course, CourseTrainer, LessonRow, Outbound, StaffRole
from bot.planning.lessons import plan_lessons
from bot.timetable import change, notices
from bot.timetable.change import News
from bot.timetable.notices import Desk, Reach
from tests.bot.rooms import TERMS, a_member_of_staff, only, rows

CODE = "L2"  # of the lesson that `a_learner` brings
HOURS_2 = timedelta(hours=2)


def london(text: str) -> datetime:
    """`2026-11-30 10:00` on London's clocks, as aware UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


def put(db: Database, starts_at: datetime, **given: object) -> None:
    """The lesson is then, for two hours, as if it had always been."""
    with db.write() as session:
        lesson = session.scalars(select(LessonRow).where(LessonRow.code == CODE)).one()
        lesson.starts_at, lesson.ends_at, lesson.planned_at = starts_at, starts_at + HOURS_2, None
        for name, value in given.items():
            setattr(lesson, name, value)


def the_lesson(db: Database) -> LessonRow:
    """As it stands."""
    return only(db, LessonRow, LessonRow.code == CODE)


def planned(db: Database, now: datetime) -> int:
    """A round of planning of reminders."""
    return plan_lessons(db, TERMS, now)


def tell(db: Database, wanted: Callable[[LessonRow], News], now: datetime, by: str = "A01") -> Reach:
    """A change, carried out and told in one commit; whom it was said to reach beforehand."""
    with db.read() as session:
        lesson = change.find(session, CODE, now)
        said = notices.reach_of(Desk(session, TERMS, by, now), lesson, wanted(lesson))
    with db.write() as session:
        lesson = change.find(session, CODE, now, lock=True)
        told = notices.tell(Desk(session, TERMS, by, now), lesson, wanted(lesson))
    assert told.concerned == said.reached + said.unreached
    return said


def moved(db: Database, starts_at: datetime, now: datetime, *, everybody: bool = False) -> Reach:
    """The lesson is moved to this time, as long as it was."""

    def wanted(lesson: LessonRow) -> News:
        ends_at = starts_at + (lesson.ends_at - lesson.starts_at)
        return change.move(lesson, starts_at, ends_at, now, everybody=everybody)

    return tell(db, wanted, now)


def delayed(db: Database, minutes: int, now: datetime) -> Reach:
    """The lesson is so many minutes late."""
    return tell(db, lambda lesson: change.delay(lesson, minutes, now), now)


def cancelled(db: Database, now: datetime) -> Reach:
    """The lesson does not take place."""
    return tell(db, change.cancel, now)


def replaced(db: Database, room: str, now: datetime) -> Reach:
    """The lesson is in another room."""
    return tell(db, lambda lesson: change.place(lesson, room, None), now)


def reminders(db: Database) -> list[Outbound]:
    """Every reminder of the lesson there is a row of."""
    return list(rows(db, Outbound, Outbound.plan.in_(("day_before", "hour_before"))))


def news(db: Database) -> list[Outbound]:
    """Every row of a notice."""
    return list(rows(db, Outbound, Outbound.plan == "notice"))


def a_trainer(db: Database, code: str, now: datetime, *, teaches: bool = True, phone: str = "") -> None:
    """A trainer, of the course of the lesson or of none."""
    a_member_of_staff(db, code, "trainer", now=now, phone=phone)
    with db.write() as session:
        person = session.scalars(select(StaffRole.person_id).where(StaffRole.code == code)).one()
        course = session.scalars(select(Course.id).where(Course.code == "SYB12")).one()
        if teaches:
            session.add(CourseTrainer(course_id=course, person_id=person, position=0))
