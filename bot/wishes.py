"""What learners choose for themselves: their reminders, what they want to hear about, and how they say they are doing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, delete, update
from sqlalchemy.orm import Session

from bot import checkins
from bot.database import wake_workers
from bot.marks import look_at
from bot.models import Interest, Outbound, PersonRow
from bot.planning.reminders import TOO_LATE
from bot.turn import CheckInOutcome, ReminderChoice
from bot.turn import Interest as Topic

NOT_WANTED = "NOT_WANTED"  # the gate's reason: it asks the same again when it sends
BOTH = ("day_before", "hour_before")
PLANS = {"day": ("day_before",), "hour": ("hour_before",), "none": ()}


def choose_reminders(
    session: Session, person: PersonRow, which: ReminderChoice, quiet_until: datetime | None, now: datetime
) -> None:
    """From now on they get these reminders of lessons, or none before a moment. What is planned follows in this commit.

    A wish for a pause alone leaves their choice as it is; a choice ends a pause. What they did not want and want again
    comes back while it is yet to come, and the day before as late as for whoever joins a course late. Times are aware UTC.
    """
    person.reminders, person.quiet_until = which or person.reminders, quiet_until
    wanted = PLANS.get(person.reminders, BOTH)
    theirs = (Outbound.person_id == person.id, Outbound.use == "lesson_reminder")
    unwanted: ColumnElement[bool] = Outbound.plan.not_in(wanted)
    ahead: ColumnElement[bool] = Outbound.due_at >= max(quiet_until or now, now)
    if quiet_until is None:
        ahead |= (Outbound.plan == "day_before") & (Outbound.best_before > now + TOO_LATE)
    else:
        unwanted |= Outbound.due_at < quiet_until
    _move(session, (*theirs, Outbound.state == "queued", unwanted), "withheld", NOT_WANTED)
    again = (Outbound.state == "withheld", Outbound.reason == NOT_WANTED, ahead)
    _move(session, (*theirs, *again, Outbound.plan.in_(wanted)), "queued", None)
    wake_workers(session)
    look_at(session, [person.id], now)  # planning adds what they lack


def choose_interests(session: Session, person_id: int, topics: Iterable[Topic]) -> None:
    """They want to hear about these, and of nothing that they chose before."""
    session.execute(delete(Interest).where(Interest.person_id == person_id))
    session.add_all(Interest(person_id=person_id, topic=topic) for topic in topics)


def record_check_in(session: Session, person_id: int, outcome: CheckInOutcome, now: datetime) -> None:
    """Their answer to the last check-in that went to them; a second answer to it takes the place of the first (P19)."""
    checkins.record(session, person_id, outcome, now)


def _move(session: Session, which: tuple[ColumnElement[bool], ...], state: str, reason: str | None) -> None:
    session.execute(update(Outbound).where(*which).values(state=state, reason=reason))
