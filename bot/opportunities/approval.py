"""A second administrator lets an opportunity go; any of them calls it back, before it goes or the rest of it (P18)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from bot.consents import require
from bot.database import Database
from bot.models import Audit, Opportunity, Outbound, StaffRole
from bot.opportunities.values import RECALL_FOR, Refused
from bot.opportunities.writing import ADMINS, locked
from bot.status import WENT

UNDER_WAY = ("sending", "unknown")  # nobody can say of these whether they went
RECALLED = "RECALLED"  # the gate's reason, too: what is sent again after a failure asks it


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved it, and when it begins to go (aware UTC): until then it can be called back and nobody has it."""

    by: str
    release_at: datetime
    first: bool  # False: it had been approved before, and nothing was changed


@dataclass(frozen=True, slots=True)
class Recall:
    """How many had it already, of how many nobody knows yet, and how many will not get it now."""

    gone: int
    under_way: int
    kept_back: int
    first: bool


def mark_of(one: Opportunity) -> str:
    """A short mark of what the row says: the words, whom they are for and until when, who wrote them and at what moment.

    It changes with each --replace, so an author cannot make two texts of one mark: nobody chooses the microsecond.
    """
    whom = (one.courses, one.cohorts, one.interests, one.status)
    when = (one.best_before.isoformat(), one.made_by, one.made_at.isoformat())
    return sha256(json.dumps([one.code, one.what, one.more, *whom, *when]).encode()).hexdigest()[:8]


def approve(db: Database, code: str, by: str, now: datetime, *, seen: str) -> Approval:
    """Let it go after RECALL_FOR, if it still is what was read: `seen` is the mark of that.

    Raises NoSuchOpportunity, NoSuchStaff, NotAllowed, and Refused for its author, when recalled, changed, or too late.
    """
    with db.write() as session:
        require(session, by, ADMINS, "approve opportunities; an admin does")
        one = locked(session, code)
        if one.recalled_at:
            raise Refused(f"{code} was called back. Write it again under another code.")
        if one.approved_at and one.release_at:
            return Approval(one.approved_by or "", one.release_at, first=False)
        _require_another(session, one, by)
        if mark_of(one) != seen:
            raise Refused(f"{code} is not what you read. Read it again: `opportunity preview {code}`.")
        if one.best_before <= now + RECALL_FOR:
            raise Refused(f"{code} is over before it could go. Write it again with a later --best-before.")
        one.approved_by, one.approved_at, one.release_at = by, now, now + RECALL_FOR
        one.plan_at = one.release_at
        session.add(Audit(at=now, by=by, act="opportunity_approve", details={"opportunity": code}))
        return Approval(by, one.release_at, first=True)


def recall(db: Database, code: str, by: str, now: datetime) -> Recall:
    """Nobody gets it from this commit on; what waits to go is withheld.

    Raises NoSuchOpportunity, NoSuchStaff, NotAllowed.
    """
    with db.write() as session:
        require(session, by, ADMINS, "call opportunities back; an admin does")
        one = locked(session, code)
        first = one.recalled_at is None
        if first:
            one.recalled_at, one.recalled_by, one.plan_at = now, by, None
            waits = update(Outbound).where(Outbound.opportunity_id == one.id, Outbound.state == "queued")
            session.execute(waits.values(state="withheld", reason=RECALLED))
            session.add(Audit(at=now, by=by, act="opportunity_recall", details={"opportunity": code}))
        gone, under_way = (_count(session, one, Outbound.state.in_(states)) for states in (WENT, UNDER_WAY))
        return Recall(gone, under_way, _count(session, one, Outbound.reason == RECALLED), first)


def _require_another(session: Session, one: Opportunity, by: str) -> None:
    """Two people, however many codes each of them has: the same phone is one person, and so is the same email.

    Codes change hands: the author is who held the code when it was written, with the email of then and any of now.
    """
    author = session.scalars(select(StaffRole).where(StaffRole.person_id == one.author_id)).all()
    other = session.scalars(select(StaffRole).where(StaffRole.code == by)).one()
    if not author:
        raise Refused(f"Whoever wrote {one.code} is no longer on the list of staff. Write it again with --replace.")
    emails = {email.casefold() for email in (one.author_email, *(role.email for role in author)) if email}
    if one.author_id == other.person_id or other.email.casefold() in emails:
        raise Refused("Whoever wrote it cannot approve it: another administrator does.")


def _count(session: Session, one: Opportunity, which: ColumnElement[bool]) -> int:
    theirs = select(func.count()).select_from(Outbound).where(Outbound.opportunity_id == one.id, which)
    return session.scalar(theirs) or 0
