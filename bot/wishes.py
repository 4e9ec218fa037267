"""What learners choose for themselves: their reminders, what they want to hear about, and how they say they are doing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, delete, update
from sqlalchemy.orm import Session

from bot import checkins
from bot.effects import ChooseReminders
from bot.marks import look_at
from bot.models import Inbound, Interest, Outbound, PersonRow
from bot.planning import comebacks, lessons
from bot.reminders import CHOSEN
from bot.terms import Terms
from bot.turn import CheckInOutcome
from bot.turn import Interest as Topic

NOT_WANTED = "NOT_WANTED"  # the gate's reason: it asks the same again when it sends


def choose_reminders(session: Session, person: PersonRow, wish: ChooseReminders, terms: Terms, now: datetime) -> None:
    """From now on they get these reminders of lessons, or none before a moment. What is planned follows in this commit.

    A wish for a pause alone leaves their choice as it is; a choice ends a pause. What is planned already and wanted again
    comes back as it would be planned for whoever came now. Times are aware UTC.
    """
    person.reminders, person.quiet_until = wish.which or person.reminders, wish.quiet_until
    theirs = (Outbound.person_id == person.id, Outbound.use == "lesson_reminder", Outbound.state == "queued")
    unwanted: ColumnElement[bool] = Outbound.plan.not_in(CHOSEN.get(person.reminders, CHOSEN["both"]))
    if wish.quiet_until is not None:
        unwanted |= Outbound.due_at < wish.quiet_until
    session.execute(update(Outbound).where(*theirs, unwanted).values(state="withheld", reason=NOT_WANTED))
    comebacks.put_right(session, lessons.of_people(session, lessons.Words(terms), [person.id], now))
    look_at(session, [person.id], now)  # planning adds what they lack


def choose_interests(session: Session, person_id: int, topics: Iterable[Topic]) -> None:
    """They want to hear about these, and of nothing that they chose before."""
    session.execute(delete(Interest).where(Interest.person_id == person_id))
    session.add_all(Interest(person_id=person_id, topic=topic) for topic in topics)


def record_check_in(session: Session, row: Inbound, outcome: CheckInOutcome, now: datetime) -> None:
    """Their answer to the check-in that they tapped on, or that waits for one; a second one takes its place (P19)."""
    checkins.record(session, row.person_id, outcome, now, row.details.get("quoted_sid", ""))
