"""Everything a person ever said of our messages, with the words they said it to, and what we did not send because of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import suppression, wordings
from bot.acts import UNSIGNED
from bot.consent import Standing
from bot.consents import person_by, require
from bot.database import Database
from bot.models import Audit, ConsentEvent, ContactPoint, Inbound, Outbound, PersonRow, StaffRole
from bot.queries import standing_of
from bot.suppression import Keyed, Nos
from bot.turn import Consentable

MAY_SEE = ("admin", "safeguarding", "read-only")
SEES_HOLDS = "safeguarding"
OF_CONSENT = ("OPTED_OUT", "NO_CONSENT", "MARKETING_NOT_CONSENTED", "WRONG_NUMBER")  # a hold's reason is for few eyes (D18)


@dataclass(frozen=True, slots=True)
class TrailLine:
    """One line of a person's ledger: when it took effect and when it was recorded, both aware UTC.

    `words` are those of the version, or None where they are not on file; `message` is Twilio's id of the message.
    """

    at: datetime
    purpose: str
    action: str
    source: str
    wording: str
    words: str | None
    recorded_by: str
    recorded_at: datetime
    message: str | None


@dataclass(frozen=True, slots=True)
class Trail:
    """All that a person ever said, oldest first, where each purpose stands, and what came of it."""

    lines: tuple[TrailLine, ...]
    standing: dict[Consentable, Standing]
    held: bool | None  # since a disclosure: nothing automatic goes to them. None: not for the eyes of whoever asks (D18)
    suppressed: Nos  # what is kept as hashes of their numbers
    withheld: dict[str, int]  # how many messages were not sent, by reason


def show(db: Database, keyed: Keyed, person: str, by: str, now: datetime) -> Trail:
    """The trail of the person with this code or phone. Looking goes into the audit (D18), unsigned where `by` is empty.

    Raises NoSuchPerson, NoSuchStaff, NotAllowed.
    """
    with db.write() as session:
        if by:
            require(session, by, MAY_SEE, "look at consent")
        found = person_by(session, person)
        session.add(Audit(at=now, by=by or UNSIGNED, act="consent_show", person_id=found.id))
        return trail(session, found, keyed, of_holds=_sees_holds(session, by))


def trail(session: Session, person: PersonRow, keyed: Keyed, *, of_holds: bool) -> Trail:
    """The whole ledger of a person; with `of_holds` also whether they are on hold."""
    sid = select(Inbound.sid).where(Inbound.id == ConsentEvent.inbound_id).scalar_subquery()
    ledger = select(ConsentEvent, sid).where(ConsentEvent.person_id == person.id)
    found = session.execute(ledger.order_by(ConsentEvent.at, ConsentEvent.id)).all()
    rows = [row for row, _ in found]
    return Trail(
        _lines(session, rows, [message for _, message in found]),
        standing_of(session, person.id),
        person.held_at is not None if of_holds else None,
        _suppressed(session, person, keyed),
        _withheld(session, person),
    )


def _sees_holds(session: Session, by: str) -> bool:
    return session.scalar(select(StaffRole.role).where(StaffRole.code == by)) == SEES_HOLDS


def _lines(session: Session, rows: Sequence[ConsentEvent], messages: Sequence[str | None]) -> tuple[TrailLine, ...]:
    words = wordings.on_file(session, (row.wording for row in rows))
    return tuple(
        TrailLine(
            at=row.at,
            purpose=row.purpose,
            action=row.action,
            source=row.source,
            wording=row.wording,
            words=words.get((row.wording, row.purpose)),
            recorded_by=row.recorded_by,
            recorded_at=row.recorded_at,
            message=message,
        )
        for row, message in zip(rows, messages, strict=True)
    )


def _suppressed(session: Session, person: PersonRow, keyed: Keyed) -> Nos:
    theirs = select(ContactPoint.value).where(ContactPoint.person_id == person.id, ContactPoint.disowned_at.is_(None))
    nos = suppression.look_up(session, session.scalars(theirs).all(), keyed).values()
    return {purpose: max(one[purpose] for one in nos if purpose in one) for no in nos for purpose in no}


def _withheld(session: Session, person: PersonRow) -> dict[str, int]:
    theirs = (Outbound.person_id == person.id, Outbound.state == "withheld", Outbound.reason.in_(OF_CONSENT))
    counted = select(Outbound.reason, func.count()).where(*theirs).group_by(Outbound.reason).order_by(Outbound.reason)
    return {str(reason): count for reason, count in session.execute(counted)}
