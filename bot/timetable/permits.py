"""Which staff may act on a lesson: an admin on any, a trainer on those of their own courses (P40)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.acts import NoSuchStaff
from bot.consents import NotAllowed
from bot.models import CourseTrainer, StaffRole


def require(session: Session, by: str, course_id: int) -> str:
    """The role in which `by` (a staff code) may act on this course. Raises NoSuchStaff and NotAllowed."""
    staff = session.scalar(select(StaffRole).where(StaffRole.code == by))
    if staff is None:
        raise NoSuchStaff("no member of staff has this code")
    if staff.role == "admin" or (staff.role == "trainer" and _teaches(session, staff.person_id, course_id)):
        return staff.role
    raise NotAllowed(f"the role {staff.role} does not change this timetable; an admin does, or a trainer of the course")


def _teaches(session: Session, person_id: int, course_id: int) -> bool:
    taught = (CourseTrainer.person_id == person_id, CourseTrainer.course_id == course_id)
    return session.scalar(select(CourseTrainer.course_id).where(*taught)) is not None
