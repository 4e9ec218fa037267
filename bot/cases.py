"""Cases: opening, showing and closing them. A disclosure is for the safeguarding role alone (D18)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import marks
from bot.database import Database, one_at_a_time
from bot.models import Audit, CaseMessage, ContactPoint, Inbound, OfficeCase, PersonRow, StaffRole

LOCK = 4_693_997  # PostgreSQL: no number that migrations or imports use
MAY_SEE = ("admin", "safeguarding")


class CaseError(Exception):
    """There is no such case, or it is not for who asked. Says which."""


def open_case(
    session: Session, person_id: int | None, kind: str, now: datetime, flags: tuple[str, ...] = (), **given: bool
) -> int:
    """The open case of this kind about this person (None: about the service itself, one for each `flags`); its number.

    `urgent` and `restricted` are `given` to a new one. Admins are mailed of it by the worker (`alerts.tell_admins`).
    """
    if person_id is None:  # else the person is locked by whoever opens a case about them
        one_at_a_time(session, LOCK)
    here = select(OfficeCase).where(OfficeCase.person_id == person_id, OfficeCase.kind == kind, OfficeCase.state == "open")
    for case in session.scalars(here.order_by(OfficeCase.id)):
        if person_id is not None or tuple(case.flags) == flags:
            return case.id
    case = OfficeCase(person_id=person_id, kind=kind, flags=list(flags), opened_at=now, **given)
    session.add(case)
    session.flush()  # its number goes into other rows
    return case.id


def read_case(db: Database, case_id: int, by: str, now: datetime) -> list[dict[str, object]]:
    """Who wrote, and everything they wrote of it, for a member of staff who may know; the look goes into the audit.

    `media` are the addresses of files at Twilio, which ask for the account's password. Raises CaseError.
    """
    with db.write() as session:
        case = _allowed(session, case_id, by)
        person = session.get(PersonRow, case.person_id)
        _audit(session, by, "case.shown", case, now)
        shown = {"id": case.id, "kind": case.kind, "state": case.state, "flags": case.flags}
        shown |= {"learner": person.learner_code, "name": person.name} if person else {}
        return [{**shown, **message} for message in _messages(session, case)] or [shown]


def close_case(db: Database, case_id: int, by: str, now: datetime) -> dict[str, object]:
    """The case is dealt with. Closing a person's last open disclosure ends the hold on them (D07). Raises CaseError."""
    with db.write() as session:
        case = _allowed(session, case_id, by)
        person = _locked_person(session, case.person_id)
        if case.state == "open":
            case.state, case.closed_at = "closed", now
            _audit(session, by, "case.closed", case, now)
            session.flush()  # the question below must see it closed
        if person is not None and case.restricted and not _open_disclosure(session, person.id):
            person.held_at, person.watched = None, False
            marks.look_at(session, [person.id], now)
        return {"id": case.id, "kind": case.kind, "state": case.state}


def _messages(session: Session, case: OfficeCase) -> list[dict[str, object]]:
    """What staff were promised to see of this case, oldest first."""
    rows = session.execute(
        select(Inbound, ContactPoint.value)
        .join(CaseMessage, CaseMessage.inbound_id == Inbound.id)
        .join(ContactPoint, ContactPoint.id == Inbound.contact_point_id)
        .where(CaseMessage.case_id == case.id)
        .order_by(Inbound.id)
    )
    return [
        {
            "number": number,
            "received_at": row.received_at,
            "sent": row.kind,
            "message": row.text,
            "media": [url for url, _ in row.details.get("media", ())],
        }
        for row, number in rows
    ]


def _locked_person(session: Session, person_id: int | None) -> PersonRow | None:
    """No turn of theirs is under way while we look: a new disclosure must not lose its hold to the end of an old one."""
    return session.scalar(select(PersonRow).where(PersonRow.id == person_id).with_for_update())


def _allowed(session: Session, case_id: int, by: str) -> OfficeCase:
    roles = set(session.scalars(select(StaffRole.role).where(StaffRole.code == by)))
    if not roles:
        raise CaseError("say who you are with --as CODE, a staff code on file")
    case = session.get(OfficeCase, case_id)
    if case is None or not roles & set(MAY_SEE) or (case.restricted and "safeguarding" not in roles):
        raise CaseError(f"there is no case {case_id} that {by} may see")
    return case


def _open_disclosure(session: Session, person_id: int) -> bool:
    here = (OfficeCase.person_id == person_id, OfficeCase.restricted, OfficeCase.state == "open")
    return session.scalar(select(OfficeCase.id).where(*here).limit(1)) is not None


def _audit(session: Session, by: str, act: str, case: OfficeCase, now: datetime) -> None:
    session.add(Audit(at=now, by=by, act=act, person_id=case.person_id, details={"case": case.id}))
