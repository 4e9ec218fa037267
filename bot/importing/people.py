"""Writes people: who is one person, their phone, their name and language, and the roles of staff."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert

from bot import marks
from bot.importing.identity import Someone
from bot.importing.join import join_people
from bot.importing.numbers import Desk, give_number
from bot.importing.rows import StaffLine
from bot.models import Audit, Base, PersonRow, StaffRole


def write_people(desk: Desk, everybody: list[Someone]) -> tuple[list[int], set[int]]:
    """The person's id for each of `everybody`, in their order; and the ids of those in whom anything changed."""
    made = iter(_make(desk, [one for one in everybody if not one.people]))
    homes = [one.people[0].id if one.people else next(made) for one in everybody]
    changed = {home for one, home in zip(everybody, homes, strict=True) if give_number(desk, one, home)}
    desk.session.flush()
    for one in everybody:
        for stranger in one.people[1:]:
            join_people(desk.session, one.people[0], stranger)
            _audit(desk, one.people[0].id, "join_people", {"joined": stranger.id})
    there = [one for one in everybody if one.people]
    changed.update(one.people[0].id for one in there if _describe(one))
    desk.session.flush()
    joined = {one.people[0].id for one in there if one.people[1:]}
    marks.look_at(desk.session, changed | joined, desk.now)  # whoever is new is looked at anyway
    return homes, changed


def write_role(desk: Desk, row: StaffLine, home: int) -> tuple[bool, bool]:
    """The role of one staff row: (new, changed). A role given or altered goes into the audit (D18)."""
    role = desk.known.staff.get(row.code)
    if role is None:
        desk.session.add(StaffRole(code=row.code, person_id=home, role=row.role, email=row.email))
        _audit(desk, home, "staff_role", {"code": row.code, "role": row.role})
        return True, False
    if role.role != row.role:
        _audit(desk, home, "staff_role", {"code": row.code, "role": row.role, "was": role.role})
    return False, alter(role, role=row.role, email=row.email)


def alter(row: Base, **values: Any) -> bool:
    """Set what differs; True if anything did."""
    differing = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in differing.items():
        setattr(row, name, value)
    return bool(differing)


def _make(desk: Desk, new: list[Someone]) -> list[int]:
    """The ids of people nobody knew, in their order: one statement for a thousand of them."""
    if not new:
        return []
    rows = [_description(one) | {"created_at": desk.now, "misses": 0, "watched": False} for one in new]
    made = desk.session.scalars(insert(PersonRow).returning(PersonRow.id, sort_by_parameter_order=True), rows)
    return list(made)


def _description(one: Someone) -> dict[str, Any]:
    code, language = next(((row.code, row.language) for _, row in one.learner), (None, "en"))
    return {"name": one.rows[0][1].name, "learner_code": code, "language": language}


def _describe(one: Someone) -> bool:
    """Bring a known person's details up to date. A staff row alone says nothing of language, nor of being a learner."""
    return alter(one.people[0], **(_description(one) if one.learner else {"name": one.rows[0][1].name}))


def _audit(desk: Desk, person_id: int, act: str, details: dict[str, Any]) -> None:
    desk.session.add(Audit(at=desk.now, by=desk.by, act=act, person_id=person_id, details=details))
