"""Which lessons a turn knows: the next few of each of their courses, and the cancelled ones until their time has passed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select

from bot.database import Database
from bot.models import Course, EnrolmentRow, Inbound, LessonRow, Outbound, PersonRow
from bot.queries import load_turn
from bot.turn import Turn
from tests.bot.rooms import AMINA, BILAL, Clock, Stage, a_learner, an_incoming, owe, receive

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A learner without any lesson yet, who has written to us."""
    a_learner(db, AMINA, now=now)
    with db.write() as session:
        session.delete(session.scalars(select(LessonRow)).one())
    receive(db, an_incoming(AMINA, "when is it"), now)
    return Stage(db, Clock(now))


def a_lesson(stage: Stage, code: str, starts_at: datetime, *, course: str = "SYB12", cancelled: bool = False) -> None:
    with stage.db.write() as session:
        on = session.scalars(select(Course.id).where(Course.code == course)).one()
        off = stage.clock() if cancelled else None
        row = LessonRow(code=code, course_id=on, title=code, starts_at=starts_at, ends_at=starts_at + 2 * HOUR)
        row.cancelled_at, row.version = off, 2 if cancelled else 1
        session.add(row)


def another_course(stage: Stage, code: str) -> None:
    with stage.db.write() as session:
        course = Course(code=code, name=f"Course {code}", cohort="", starts_on=stage.clock().date(), hour_before=True)
        session.add(course)
        session.flush()
        person = session.scalars(select(PersonRow)).one()
        session.add(EnrolmentRow(person_id=person.id, course_id=course.id, created_at=stage.clock()))


def turn(stage: Stage) -> Turn:
    with stage.db.read() as session:
        return load_turn(session, session.scalars(select(Inbound)).one(), (), stage.clock())


def shown(stage: Stage) -> list[tuple[str, bool]]:
    return [(lesson.code, lesson.cancelled) for lesson in turn(stage).lessons]


def test_the_next_three_of_each_course_are_known_soonest_first(stage: Stage, now: datetime) -> None:
    another_course(stage, "SON5")
    for place in range(5):
        a_lesson(stage, f"A{place}", now + (place + 1) * DAY)
        a_lesson(stage, f"B{place}", now + (place + 1) * DAY + HOUR, course="SON5")
    assert [code for code, _ in shown(stage)] == ["A0", "B0", "A1", "B1", "A2", "B2"]
    assert {lesson.course for lesson in turn(stage).lessons} == {"Start Your Business", "Course SON5"}


def test_cancelled_lessons_take_no_place_of_those_that_are_on(stage: Stage, now: datetime) -> None:
    for place in range(4):
        a_lesson(stage, f"off{place}", now + (place + 1) * DAY, cancelled=True)
    a_lesson(stage, "on", now + 9 * DAY)
    assert shown(stage) == [("off0", True), ("off1", True), ("off2", True), ("on", False)]
    assert turn(stage).lessons[0].version == 2


def test_a_cancelled_lesson_is_known_until_its_time_has_passed(stage: Stage, now: datetime) -> None:
    a_lesson(stage, "off", now + HOUR, cancelled=True)
    for wait, known in ((2 * HOUR, True), (HOUR - timedelta(seconds=1), True), (timedelta(seconds=1), False)):
        stage.clock.wait(wait)
        assert bool(shown(stage)) is known


def test_the_course_says_whether_it_reminds_an_hour_before(stage: Stage) -> None:
    another_course(stage, "SON5")
    assert {one.course: one.hour_before for one in turn(stage).enrolments} == {"SYB12": False, "SON5": True}


def test_a_reply_to_a_reminder_of_theirs_knows_its_lesson(stage: Stage, now: datetime) -> None:
    a_lesson(stage, "A1", now + DAY)
    a_learner(stage.db, BILAL, now=now, name="Bilal Shah")
    for phone, sid in ((AMINA, "SMhers"), (BILAL, "SMhis")):
        owed = owe(stage.db, phone, now, key=sid, due_at=now + DAY)
        with stage.db.write() as session:
            session.get_one(Outbound, owed).sid = sid
            session.get_one(Outbound, owed).lesson_id = session.scalars(select(LessonRow.id)).one()
    for quoted, known in (("SMhers", "A1"), ("SMhis", None), ("SMnobodys", None), ("", None)):
        with stage.db.write() as session:
            session.scalars(select(Inbound)).one().details = {"quoted_sid": quoted}
        lesson = turn(stage).quoted
        assert (lesson.code if lesson else None) == known


def test_a_turn_asks_for_lessons_once_however_many_courses_there_are(stage: Stage, now: datetime) -> None:
    for place in range(4):
        another_course(stage, f"C{place}")
        a_lesson(stage, f"L{place}", now + DAY, course=f"C{place}")
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(stage.db.engine, "before_cursor_execute", note)
    try:
        assert len(shown(stage)) == 4
    finally:
        event.remove(stage.db.engine, "before_cursor_execute", note)
    assert len([one for one in asked if "FROM lesson" in one]) == 1
