"""What learners answer to the invitation to their cohort's group: a choice, and a no is asked about no more (P06, P07)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot import marks
from bot.database import insert_new
from bot.models import Course, Invitation

OPEN = ("invited", "reminded")


def accept(session: Session, person_id: int, courses: Iterable[str], now: datetime) -> None:
    """They asked for the links of these courses (codes), and have them: nobody invites them to those groups again."""
    for course_id in session.scalars(select(Course.id).where(Course.code.in_(list(courses)))):
        insert_new(session, Invitation, person_id=person_id, course_id=course_id, state="sent", at=now)
        theirs = (Invitation.person_id == person_id, Invitation.course_id == course_id, Invitation.state != "sent")
        session.execute(update(Invitation).where(*theirs).values(state="sent", at=now))
    marks.look_at(session, [person_id], now)


def decline(session: Session, person_id: int, now: datetime) -> None:
    """They do not want to join. What they have the link to already is theirs to leave, and not touched."""
    theirs = (Invitation.person_id == person_id, Invitation.state.in_(OPEN))
    session.execute(update(Invitation).where(*theirs).values(state="declined", at=now))
    marks.look_at(session, [person_id], now)
