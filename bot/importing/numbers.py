"""Gives everybody in the files the phone that the files say, and lets go of the one they had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from bot.importing.identity import Someone, is_bare
from bot.importing.known import Known
from bot.models import ContactPoint, Outbound
from bot.suppression import Keyed


@dataclass(frozen=True, slots=True)
class Desk:
    """Where an import is written: its transaction, what was known before it, the key of suppressed numbers, the moment."""

    session: Session
    known: Known
    keyed: Keyed
    now: datetime


def give_number(desk: Desk, one: Someone, home: int) -> bool:
    """The person `home` has the phone of the files; True if that changed anything. What they had before it is disowned."""
    mine = [point for person in one.people for point in person.contact_points if point.person_id == person.id]
    point = desk.known.points.get(one.phone)
    if _left_by_their_word(desk, one, point):
        return False  # the list is older than what they told us; the office has a case of it
    if point is None:
        desk.session.add(ContactPoint(person_id=home, kind="phone", value=one.phone))
        _disown(mine, desk.now)
        return True
    if (home, point.id) in desk.known.held_before and point not in mine and not _given_back(point, mine):
        return False  # they were found not to be there, and somebody else has written from it since
    wrote_first = point in mine and is_bare(desk.known.people[point.person_id])
    if point in mine and not wrote_first and not _given_back(point, mine):
        _disown([other for other in mine if other.person_id != point.person_id], desk.now)
        return False
    if point not in mine:
        _take_over(desk, point)
    came_along = [other for other in mine if wrote_first and other.person_id == point.person_id]
    _disown([other for other in mine if other is not point and other not in came_along], desk.now)
    point.person_id, point.disowned_at = home, None
    return True


def _left_by_their_word(desk: Desk, one: Someone, point: ContactPoint | None) -> bool:
    """True for a number that they left for another by NEW NUMBER, until a list has named the other one (D10)."""
    mine = {person.id for person in one.people}
    moved = [change for change in desk.known.moved if change.person_id in mine]
    for change in moved:
        if change.value == one.phone:
            change.listed_at = desk.now
    left = {change.done_at for change in moved if change.listed_at is None}
    return point is not None and point.disowned_at in left


def _given_back(point: ContactPoint, mine: list[ContactPoint]) -> bool:
    """They had another number meanwhile. Without one, a number found wrong stays disowned, however often it is imported."""
    if point.disowned_at is None:
        return False
    return any(other.disowned_at is None or other.disowned_at > point.disowned_at for other in mine if other.kind == "phone")


def _take_over(desk: Desk, point: ContactPoint) -> None:
    """The number was somebody else's: what waits there for them must not reach who has it now, nor does their window."""
    waiting = update(Outbound).where(Outbound.contact_point_id == point.id, Outbound.state == "queued")
    desk.session.execute(waiting.values(state="withheld", reason="WRONG_NUMBER"))
    point.last_inbound_at = None


def _disown(points: list[ContactPoint], now: datetime) -> None:
    for point in points:
        point.disowned_at = point.disowned_at or now
