"""Marks for planning: whom and what it has to look at again, set in the commit that changes them (design section 2).

Planning looks at nothing else, so that its cost follows what is due and not how many learners there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session

from bot.batches import by_thousands
from bot.models import Course, EnrolmentRow, LessonRow, PersonRow


def look_at(session: Session, people: Iterable[int], now: datetime) -> None:
    """Planning looks at these people in its next round: what they agreed to, their phone or their courses changed."""
    for some in by_thousands(people):
        sooner = or_(PersonRow.plan_at.is_(None), PersonRow.plan_at > now)
        session.execute(update(PersonRow).where(PersonRow.id.in_(some), sooner).values(plan_at=now))


def look_at_courses(session: Session, courses: Iterable[str], now: datetime) -> None:
    """Planning looks at everybody on these courses (codes), and plans what their lessons still lack, such as newcomers."""
    for some in by_thousands(courses):
        ids = select(Course.id).where(Course.code.in_(some))
        sooner = or_(PersonRow.plan_at.is_(None), PersonRow.plan_at > now)
        session.execute(update(PersonRow).where(PersonRow.id.in_(_learners(ids)), sooner).values(plan_at=now))
        session.execute(update(LessonRow).where(LessonRow.course_id.in_(ids)).values(planned_at=None))


def _learners(courses: Select[int]) -> Select[int]:
    return select(EnrolmentRow.person_id).where(EnrolmentRow.course_id.in_(courses))
