"""Locks people before lessons, people in the order of their ids: so no two who change a timetable wait in a ring."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from bot.batches import by_thousands
from bot.models import EnrolmentRow, LessonRow, Outbound, PersonRow


def lock_people(session: Session, people: Iterable[int]) -> None:
    """Until the commit no turn and no sending of these people runs (PostgreSQL; SQLite has one writer in any case)."""
    for some in by_thousands(people):
        session.execute(select(PersonRow.id).where(PersonRow.id.in_(some)).order_by(PersonRow.id).with_for_update())


def learners_of(session: Session, *lessons: ColumnElement[bool]) -> set[int]:
    """Everybody on the courses of these lessons, and whoever has messages of them though they are enrolled no more."""
    ids, courses = select(LessonRow.id).where(*lessons), select(LessonRow.course_id).where(*lessons)
    enrolled = select(EnrolmentRow.person_id).where(EnrolmentRow.course_id.in_(courses))
    return set(session.scalars(enrolled.union(select(Outbound.person_id).where(Outbound.lesson_id.in_(ids)))))
