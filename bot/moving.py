"""A learner moves to another phone: by their own word from the old one, and once the new one has written (D10, F22).

Whoever holds the old phone is the learner: who found or stole it can do no more with it than read and answer as they
could before, and the office hears of every move. What was agreed to follows the person; nothing of theirs goes to the
old phone any more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from bot import ledger, marks, outbox
from bot.cases import open_case
from bot.facts import window_open
from bot.models import Audit, ContactPoint, Inbound, NumberChange, Outbound, PersonRow
from bot.named_phone import Named, as_shown, phone_named
from bot.queries import standing_of
from bot.suppression import Keyed
from bot.turn import TAKEN_BACK, Phone, Turn

Whose = Literal["free", "met", "theirs", "taken"]
LASTS = timedelta(days=3)  # after it, a word from the old phone counts no longer: a number may have been mistyped
CASE = "change_number"


@dataclass(frozen=True, slots=True)
class Move:
    """Who moves to which phone (E.164), and the words that tell the new phone so."""

    person_id: int
    value: str
    told: str


def whose(session: Session, value: str, person_id: int, alerted: Collection[str] = ()) -> Whose:
    """Whether this person may move to a phone (E.164). `taken`: by somebody, by a no, or by a hold; a person must check.

    `alerted` are the phones of the safeguarding contacts: an alert about this learner must not come to the learner.
    """
    if value in alerted:
        return "taken"
    point = session.scalar(select(ContactPoint).where(ContactPoint.value == value))
    if point is None:
        return "free"
    if point.disowned_at is not None and not _left_by(session, point, person_id):
        return "taken"
    if point.person_id == person_id:
        return "theirs" if point.disowned_at is None else "free"
    if not _is_free_stranger(session, point):
        return "taken"
    return "met" if point.last_inbound_at is not None else "free"


def with_phones(session: Session, turn: Turn, alerted: Collection[str] = ()) -> Turn:
    """The turn with the phone that the message names, and the one that our question named. Only a learner may move."""
    person, pending = turn.person, turn.pending
    if not turn.enrolments or person.roles or not person.known:
        return turn
    about = pending.about if pending is not None and pending.about.startswith("+") else ""  # or it is of something else
    asked = Named(about, as_shown(about), alone=False) if about else None
    named = (phone_named(turn.message.text), asked)
    seen = [_seen(session, one, person.id, alerted) if one else None for one in named]
    return replace(turn, phone=seen[0], phone_asked=seen[1])


def confirm(session: Session, person_id: int, value: str, now: datetime) -> NumberChange:
    """The learner's YES. Their last word counts: what they said before, and did not come to pass, is forgotten."""
    forget(session, person_id)
    change = NumberChange(person_id=person_id, value=value, confirmed_at=now)
    session.add(change)
    session.flush()  # its number goes into the message to the new phone
    return change


def move(session: Session, wanted: Move, keyed: Keyed, now: datetime) -> None:
    """The learner's YES: a phone that has written already is theirs now, any other once it writes."""
    change = confirm(session, wanted.person_id, wanted.value, now)
    _hold_whoever_has(session, wanted.value)
    if whose(session, wanted.value, wanted.person_id) != "met":
        return
    point = link(session, change, keyed, now)
    if window_open(point, now):
        told = outbox.Draft(f"moved:{change.id}", wanted.person_id, point.id, "reply", wanted.told, now)
        outbox.add(session, told, now)
        change.told_at = now


def forget(session: Session, person_id: int) -> None:
    """No phone is waited for any more: they named another, or they were never our learner (D11)."""
    waiting = (NumberChange.person_id == person_id, NumberChange.done_at.is_(None))
    session.execute(delete(NumberChange).where(*waiting))


def found_wrong(session: Session, person_id: int, now: datetime) -> None:
    """They are not where they said, or never were ours: whatever they moved to, the college's list counts again (D11)."""
    forget(session, person_id)
    unlisted = (NumberChange.person_id == person_id, NumberChange.listed_at.is_(None))
    session.execute(update(NumberChange).where(*unlisted).values(listed_at=now))


def arrive(session: Session, row: Inbound, keyed: Keyed, now: datetime, alerted: Collection[str] = ()) -> None:
    """The message is the first from a phone that a learner told us of: from now on it is theirs, and so is the message.

    The person of the message is locked by the caller. Nothing is linked under a hold, nor what two people claim.
    """
    point = session.get_one(ContactPoint, row.contact_point_id)
    waiting = (NumberChange.value == point.value, NumberChange.done_at.is_(None), NumberChange.confirmed_at > now - LASTS)
    changes = session.scalars(select(NumberChange).where(*waiting).with_for_update()).all()
    if not changes:
        return
    people = select(PersonRow).where(PersonRow.id.in_([one.person_id for one in changes])).order_by(PersonRow.id)
    learners = session.scalars(people.with_for_update()).all()
    if any(learner.held_at is not None for learner in learners):
        return
    if len(changes) > 1 or whose(session, point.value, learners[0].id, alerted) == "taken":
        _ask_office(session, changes, now)
        return
    link(session, changes[0], keyed, now)
    session.refresh(row)


def link(session: Session, change: NumberChange, keyed: Keyed, now: datetime) -> ContactPoint:
    """The new phone is the person's and the old ones are not; what waits for them goes with them. One line of audit."""
    person = session.get_one(PersonRow, change.person_id)
    point = session.scalars(select(ContactPoint).where(ContactPoint.value == change.value)).one()
    ours = _brought_along(session, point, person.id)
    old = [one for one in person.contact_points if one not in ours and one.disowned_at is None]
    for one in old:
        one.disowned_at = now
    waiting = update(Outbound).where(Outbound.contact_point_id.in_([one.id for one in old]), Outbound.state == "queued")
    session.execute(waiting.where(Outbound.person_id == person.id).values(contact_point_id=point.id))
    person.pending, change.done_at = None, now
    details = {"contact_point": point.id, "instead_of": [one.id for one in old]}
    session.add(Audit(at=now, by="learner", act="number_changed", person_id=person.id, details=details))
    session.flush()
    session.expire(person, ["contact_points"])
    ledger.replay(session, [person.id], keyed, now)
    ledger.keep_in_step(session, [person.id], keyed)
    marks.look_at(session, [person.id], now)
    return point


def told(session: Session, person_id: int, now: datetime) -> None:
    """Their new phone is being told that their messages come to it."""
    done = (NumberChange.person_id == person_id, NumberChange.done_at.is_not(None), NumberChange.told_at.is_(None))
    session.execute(update(NumberChange).where(*done).values(told_at=now))


def _hold_whoever_has(session: Session, value: str) -> None:
    """No message from this phone is stored as a stranger's once it is the learner's."""
    point = session.scalar(select(ContactPoint).where(ContactPoint.value == value))
    if point is not None:
        session.execute(select(PersonRow.id).where(PersonRow.id == point.person_id).with_for_update())
        session.refresh(point)


def _seen(session: Session, named: Named, person_id: int, alerted: Collection[str]) -> Phone:
    return Phone(named.value, named.shown, whose(session, named.value, person_id, alerted), named.alone)


def _brought_along(session: Session, point: ContactPoint, person_id: int) -> list[ContactPoint]:
    """The new phone, and the scoped ids that came with it: of a stranger until now. Their waiting messages come too."""
    before = point.person_id
    ids = select(ContactPoint).where(ContactPoint.person_id == before, ContactPoint.kind == "bsuid")
    ours = [point, *(session.scalars(ids).all() if before != person_id else [])]
    for one in ours:
        one.person_id, one.disowned_at = person_id, None
    if before != person_id:
        unread = update(Inbound).where(Inbound.person_id == before, Inbound.state == "received")
        session.execute(unread.where(Inbound.contact_point_id.in_([one.id for one in ours])).values(person_id=person_id))
    return ours


def _left_by(session: Session, point: ContactPoint, person_id: int) -> bool:
    """True where it is their own former phone, which they left for another: they may come back to it."""
    left = (NumberChange.person_id == person_id, NumberChange.done_at == point.disowned_at)
    return session.scalar(select(NumberChange.id).where(*left).limit(1)) is not None


def _is_free_stranger(session: Session, point: ContactPoint) -> bool:
    """A bare person who has said no to nothing, is not at risk, and is not somebody whom we alert."""
    person = session.get_one(PersonRow, point.person_id)
    if person.learner_code is not None or person.staff_roles or person.held_at is not None:
        return False
    if any(one.state in TAKEN_BACK for one in standing_of(session, person.id).values()):
        return False
    alerted = (Outbound.contact_point_id == point.id, Outbound.purpose == "staff")
    return session.scalar(select(Outbound.id).where(*alerted).limit(1)) is None


def _ask_office(session: Session, changes: Sequence[NumberChange], now: datetime) -> None:
    """The phone cannot simply be theirs: nobody gets it, and a person finds out why."""
    for change in changes:
        open_case(session, change.person_id, CASE, now)
        session.delete(change)
