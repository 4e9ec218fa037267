"""Gives everybody in the files the phone that the files say, and lets go of the one they had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from bot.gate import ANSWERS
from bot.importing.identity import Someone, is_bare
from bot.importing.known import Known
from bot.models import ContactPoint, NumberChange, Outbound
from bot.suppression import Keyed
from bot.terms import Terms

LEFT = "the learner left this number for another by NEW NUMBER: put the other one on the list, or ask them"
WRONG = "this number was found not to be theirs, and no other one was listed since: ask them for their number"


@dataclass(frozen=True, slots=True)
class Desk:
    """Where an import is written: its transaction, what was known before, the terms of sending, when, who signs."""

    session: Session
    known: Known
    terms: Terms
    now: datetime
    by: str

    @property
    def keyed(self) -> Keyed:
        """The key of the hashes."""
        return self.terms.keyed


def give_number(desk: Desk, one: Someone, home: int) -> bool:
    """The person `home` has the phone of the files; True if that changed anything. What they had before it is disowned.

    A list that corrects a number overrules what they told us of numbers: one that never wrote may have been mistyped.
    """
    changed = _give(desk, one, home)
    if changed and one.people:
        mine = {person.id for person in one.people}
        waiting = (NumberChange.person_id.in_(mine), NumberChange.done_at.is_(None))
        desk.session.execute(delete(NumberChange).where(*waiting))
        for change in _moved(desk, mine):
            change.listed_at = change.listed_at or desk.now
    return changed


def why_not(desk: Desk, person_id: int, phone: str) -> str | None:
    """Why the phone that the files say is not the person's after all; None where it is."""
    point = desk.known.points.get(phone)
    if point is None or (point.person_id == person_id and point.disowned_at is None):
        return None
    return LEFT if point.disowned_at in _left_at(desk, {person_id}) else WRONG


def _give(desk: Desk, one: Someone, home: int) -> bool:
    mine = [point for person in one.people for point in person.contact_points if point.person_id == person.id]
    point = desk.known.points.get(one.phone)
    if _left_by_their_word(desk, one, point):
        return False  # the list is older than what they told us; the office has a case of it
    if point is None:
        point = ContactPoint(person_id=home, kind="phone", value=one.phone)
        desk.session.add(point)
        _leave(desk, mine, point)
        return True
    if (home, point.id) in desk.known.held_before and point not in mine and not _given_back(point, mine):
        return False  # they were found not to be there, and somebody else has written from it since
    wrote_first = point in mine and is_bare(desk.known.people[point.person_id])
    if point in mine and not wrote_first and not _given_back(point, mine):
        _leave(desk, [other for other in mine if other.person_id != point.person_id], point)
        return False
    if point not in mine:
        _take_over(desk, point)
    came_along = [other for other in mine if wrote_first and other.person_id == point.person_id]
    _leave(desk, [other for other in mine if other is not point and other not in came_along], point)
    point.person_id, point.disowned_at = home, None
    return True


def _left_by_their_word(desk: Desk, one: Someone, point: ContactPoint | None) -> bool:
    """True for a number that they left for another by NEW NUMBER, until a list has named the other one (D10)."""
    mine = {person.id for person in one.people}
    for change in _moved(desk, mine):
        if change.value == one.phone:
            change.listed_at = desk.now
    return point is not None and point.disowned_at in _left_at(desk, mine)


def _left_at(desk: Desk, people: set[int]) -> set[datetime | None]:
    """When they left a number for one that no list has named yet."""
    return {one.done_at for one in _moved(desk, people) if one.listed_at is None}


def _moved(desk: Desk, people: set[int]) -> list[NumberChange]:
    return [change for change in desk.known.moved if change.person_id in people]


def _given_back(point: ContactPoint, mine: list[ContactPoint]) -> bool:
    """They had another number meanwhile. Without one, a number found wrong stays disowned, however often it is imported."""
    if point.disowned_at is None:
        return False
    return any(other.disowned_at is None or other.disowned_at > point.disowned_at for other in mine if other.kind == "phone")


def _take_over(desk: Desk, point: ContactPoint) -> None:
    """The number was somebody else's: what waits there for them must not reach who has it now, nor does their window."""
    waiting = update(Outbound).where(Outbound.contact_point_id == point.id, Outbound.state == "queued")
    desk.session.execute(waiting.values(state="withheld", reason="WRONG_NUMBER"))
    point.last_inbound_at = point.window_shut_at = point.unreachable_at = point.unreachable_code = None


def _leave(desk: Desk, points: list[ContactPoint], instead: ContactPoint) -> None:
    """They are reached elsewhere now: what we wrote first and waits goes there; an answer goes to where it was asked."""
    for point in points:
        point.disowned_at = point.disowned_at or desk.now
    if points:
        desk.session.flush()  # the new number needs its id
        waiting = update(Outbound).where(Outbound.contact_point_id.in_([one.id for one in points]))
        waiting = waiting.where(Outbound.state == "queued", Outbound.purpose.not_in(ANSWERS))
        desk.session.execute(waiting.values(contact_point_id=instead.id))
