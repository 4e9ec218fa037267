"""What learners choose for themselves: their reminders, what they want to hear about, and how they say they are doing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from bot.models import CheckIn, EnrolmentRow, Interest, LessonRow, Outbound, PersonRow
from bot.turn import CheckInOutcome, ReminderChoice
from bot.turn import Interest as Topic

NOT_WANTED = "NOT_WANTED"  # the gate's reason: it asks the same again when it sends
BOTH = ("day_before", "hour_before")
PLANS = {"day": ("day_before",), "hour": ("hour_before",), "none": ()}


def choose_reminders(
    session: Session, person: PersonRow, which: ReminderChoice, quiet_until: datetime | None, now: datetime
) -> None:
    """From now on they get these reminders of lessons, or none before a moment. What is planned follows in this commit.

    A wish for a pause alone leaves their choice as it is. Times are aware UTC.
    """
    person.reminders, person.quiet_until = which or person.reminders, quiet_until
    wanted, starts = PLANS.get(person.reminders, BOTH), max(quiet_until or now, now)
    theirs = (Outbound.person_id == person.id, Outbound.use == "lesson_reminder")
    unwanted = Outbound.plan.not_in(wanted) | (Outbound.due_at < starts)
    _move(session, (*theirs, Outbound.state == "queued", unwanted), "withheld", NOT_WANTED)
    again = (Outbound.state == "withheld", Outbound.reason == NOT_WANTED, Outbound.due_at >= starts)
    _move(session, (*theirs, *again, Outbound.plan.in_(wanted)), "queued", None)
    courses = select(EnrolmentRow.course_id).where(EnrolmentRow.person_id == person.id)
    coming = update(LessonRow).where(LessonRow.course_id.in_(courses), LessonRow.starts_at > now)
    session.execute(coming.values(planned_at=None))  # planning adds what they lack


def choose_interests(session: Session, person_id: int, topics: Iterable[Topic]) -> None:
    """They want to hear about these, and of nothing that they chose before."""
    session.execute(delete(Interest).where(Interest.person_id == person_id))
    session.add_all(Interest(person_id=person_id, topic=topic) for topic in topics)


def record_check_in(session: Session, person_id: int, outcome: CheckInOutcome, now: datetime) -> None:
    """Their answer to the last check-in that went to them; a second answer to it takes the place of the first (P19)."""
    theirs = select(CheckIn).where(CheckIn.person_id == person_id).order_by(CheckIn.planned_at.desc(), CheckIn.id.desc())
    last = session.scalar(theirs.limit(1))
    if last is not None:
        last.outcome, last.answered_at = outcome, now


def _move(session: Session, which: tuple[ColumnElement[bool], ...], state: str, reason: str | None) -> None:
    session.execute(update(Outbound).where(*which).values(state=state, reason=reason))
