"""Who an address belongs to. A stranger becomes a bare person; a phone and a scoped id named together are one (D09)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.orm import Session

from bot import marks
from bot.cases import open_case
from bot.database import insert_new
from bot.models import ContactPoint, Outbound, PersonRow

# Conflicts with the lock of a turn and with that of another message, and not with a mere reference to the person.
HOLD = select(PersonRow.id).where(PersonRow.id.in_(bindparam("people", expanding=True))).order_by(PersonRow.id)
HOLD = HOLD.with_for_update(key_share=True)
STILL_GOES = ("safety", "staff")  # to a number that was found wrong: words for somebody at risk, and an alert to staff


def point_of(session: Session, phone: str, scoped_id: str, now: datetime) -> ContactPoint:
    """The contact point a message came from: the phone where there is one. Makes and links what is new.

    Whoever has it stays locked: no turn gives it to somebody else before the message is stored.
    """
    known_phone, known_id = _held(session, phone, scoped_id)
    _part(session, [one for one in (known_phone, known_id) if one and one.disowned_at], now)
    if known_phone and known_id:
        _note_conflict(session, known_phone, known_id, now)
        return known_phone
    known = known_phone or known_id
    met = known.person_id if known else _new_person(session, now)
    if phone and not known_phone:
        known_phone = _insert(session, met, "phone", phone)
        if known is not None:  # by their id alone until now: nothing could reach them
            marks.look_at(session, [met], now)
    if scoped_id and not known_id:
        known_id = _insert(session, known_phone.person_id if known_phone else met, "bsuid", scoped_id)
    point = known_phone or known_id
    if point is None:
        raise ValueError("a message comes from a phone or a scoped id")
    if known is None and point.person_id != met:  # another worker met them a moment ago: whoever we made is nobody
        session.execute(delete(PersonRow).where(PersonRow.id == met))
    return point


def disown(session: Session, contact_point_id: int, now: datetime) -> Sequence[int]:
    """This number is not this person's, nor is any scoped id we took for theirs: ids come with the numbers (D11).

    Where only an id was named, that is every phone they have written from: we keep no record of which came with which.
    What waits to go there is theirs to read and nobody else's: answers too. The contact points that are theirs no more.
    """
    point = session.get_one(ContactPoint, contact_point_id)
    came_along = ContactPoint.kind == "bsuid"
    if point.kind == "bsuid":
        came_along = or_(came_along, ContactPoint.last_inbound_at.is_not(None))
    theirs = (ContactPoint.person_id == point.person_id, ContactPoint.disowned_at.is_(None), came_along)
    session.execute(update(ContactPoint).where(*theirs).values(disowned_at=now))
    point.disowned_at = now
    session.flush()
    wrong = select(ContactPoint.id).where(ContactPoint.person_id == point.person_id, ContactPoint.disowned_at == now)
    ids = session.scalars(wrong).all()
    waits = (Outbound.contact_point_id.in_(ids), Outbound.state == "queued", Outbound.purpose.not_in(STILL_GOES))
    session.execute(update(Outbound).where(*waits).values(state="withheld", reason="WRONG_NUMBER"))
    return ids


def _held(session: Session, phone: str, scoped_id: str) -> tuple[ContactPoint | None, ContactPoint | None]:
    """What we know of both, once nobody can change any more whose they are."""
    locked: set[int] = set()
    while True:
        found = (_find(session, phone), _find(session, scoped_id))
        owners = {point.person_id for point in found if point}
        if owners <= locked:
            return found
        session.execute(HOLD, {"people": sorted(owners - locked)}).all()
        locked |= owners  # while we waited, it may have gone to somebody else


def _part(session: Session, disowned: list[ContactPoint], now: datetime) -> None:
    """Whoever writes from a disowned number is somebody else from now on: a bare person of their own, and one."""
    parted = [point for point in disowned if _is_bare(session, point.person_id)]
    left = [point for point in disowned if point not in parted]
    if not left:
        return
    bare = parted[0].person_id if parted else _new_person(session, now)
    for point in left:
        point.person_id = bare


def _is_bare(session: Session, person_id: int) -> bool:
    person = session.get_one(PersonRow, person_id)
    return person.learner_code is None and not person.staff_roles


def _find(session: Session, value: str) -> ContactPoint | None:
    fresh = select(ContactPoint).where(ContactPoint.value == value).execution_options(populate_existing=True)
    return session.scalar(fresh) if value else None


def _new_person(session: Session, now: datetime) -> int:
    person = PersonRow(created_at=now)
    session.add(person)
    session.flush()  # its id is needed by the contact point
    return person.id


def _insert(session: Session, person_id: int, kind: str, value: str) -> ContactPoint:
    """Insert, or take the row that another worker inserted a moment ago."""
    insert_new(session, ContactPoint, person_id=person_id, kind=kind, value=value)
    return session.scalars(select(ContactPoint).where(ContactPoint.value == value)).one()


def _note_conflict(session: Session, phone: ContactPoint, scoped: ContactPoint, now: datetime) -> None:
    """A webhook names a phone of one person and an id of another: link nothing, tell the office (design 5)."""
    if phone.person_id == scoped.person_id:
        return
    open_case(session, phone.person_id, "identity_conflict", now)
