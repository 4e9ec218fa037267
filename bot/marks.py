"""Marks for planning: whom and what it has to look at again, set in the commit that changes them (design section 2).

Planning looks at nothing else, so that its cost follows what is due and not how many learners there are. A mark is always
written, also where planning was about to look: it must show to a round that is looking at this very moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, or_, select, update
from sqlalchemy.orm import Session

from bot.batches import by_thousands
from bot.models import Course, EnrolmentRow, LessonRow, PersonRow

WAITING = timedelta(hours=25)  # whoever still waits for something is looked at once a day; a day may have 25 hours


def look_at(session: Session, people: Iterable[int], now: datetime) -> None:
    """Planning looks at these people in its next round: what they agreed to, their phone or their courses changed.

    It also plans what the lessons of their courses still lack for them.
    """
    for some in by_thousands(people):
        session.execute(update(PersonRow).where(PersonRow.id.in_(some), _unmarked(now)).values(plan_at=now))


def look_at_courses(session: Session, courses: Iterable[str], now: datetime) -> None:
    """Planning looks at everybody on these courses (codes), and plans what their lessons still lack."""
    for some in by_thousands(courses):
        ids = select(Course.id).where(Course.code.in_(some))
        session.execute(update(PersonRow).where(PersonRow.id.in_(_learners(ids)), _unmarked(now)).values(plan_at=now))
        planned = (LessonRow.course_id.in_(ids), LessonRow.planned_at.is_not(None), LessonRow.starts_at > now)
        session.execute(update(LessonRow).where(*planned).values(planned_at=None))


def look_at_waiting(session: Session, now: datetime) -> None:
    """Planning looks at whoever waits for something each day: a template that they may wait for was approved."""
    waiting = (PersonRow.plan_at > now, PersonRow.plan_at <= now + WAITING)
    session.execute(update(PersonRow).where(*waiting).values(plan_at=now))


def _unmarked(now: datetime) -> ColumnElement[bool]:
    return or_(PersonRow.plan_at.is_(None), PersonRow.plan_at != now)


def _learners(courses: Select[int]) -> Select[int]:
    return select(EnrolmentRow.person_id).where(EnrolmentRow.course_id.in_(courses))
