"""The audit of what staff do that concerns no one person: who, what, and how many (D18). Never a name or a number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.database import Database
from bot.models import Audit, StaffRole

UNSIGNED = "cli"  # whoever may use the machine and did not say who they are


class NoSuchStaff(Exception):
    """No member of staff has this code."""


def require_signer(session: Session, by: str) -> None:
    """Whoever signs is on file; nobody has to sign. Raises NoSuchStaff."""
    if by != UNSIGNED and session.scalar(select(StaffRole.id).where(StaffRole.code == by)) is None:
        raise NoSuchStaff("no member of staff has this code")


def check_signer(db: Database, by: str) -> None:
    """As `require_signer`, before anything is done. Raises NoSuchStaff."""
    with db.read() as session:
        require_signer(session, by)


def note(db: Database, by: str, act: str, details: Mapping[str, object], now: datetime) -> None:
    """One line of audit, at `now` (aware UTC)."""
    with db.write() as session:
        session.add(Audit(at=now, by=by, act=act, details=dict(details)))
