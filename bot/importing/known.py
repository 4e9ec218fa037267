"""What the database already holds of what the files name: read in a few questions, however many rows there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from bot.batches import by_thousands
from bot.importing.sheets import College
from bot.models import ContactPoint, Course, Inbound, NumberChange, PersonRow, StaffRole
from bot.timetable.locks import lock_people

T = TypeVar("T")
Attribute = InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True)
class Known:
    """People that the files name by code or phone, with their phones and roles; and the roles and courses they refer to."""

    people: dict[int, PersonRow]
    learners: dict[str, PersonRow]
    staff: dict[str, StaffRole]
    points: dict[str, ContactPoint]
    courses: frozenset[str]
    held_before: frozenset[tuple[int, int]]  # (person, contact point): who wrote from a number that is now disowned
    moved: tuple[NumberChange, ...]  # numbers that learners changed by their own word, and no list has named since (D10)


def load_known(session: Session, college: College, others: Iterable[int] = ()) -> Known:
    """The rows, locked until the end of the transaction: no turn of these people runs meanwhile (PostgreSQL).

    So are `others` (ids), whom the files do not name, and whose messages an import changes too.
    """
    codes = {row.code for _, row in college.learners.rows}
    phones = {row.phone for row in college.people}
    staff = {row.code for _, row in college.staff.rows} | {code for _, row in college.courses.rows for code in row.trainers}
    ids: set[int] = set(_among(session, select(PersonRow.id), PersonRow.learner_code, codes))
    ids.update(_among(session, select(StaffRole.person_id), StaffRole.code, staff))
    ids.update(_among(session, select(ContactPoint.person_id), ContactPoint.value, phones))
    lock_people(session, {*ids, *others})
    people = {person.id: person for person in _among(session, _whole(), PersonRow.id, ids)}
    points = {point.value: point for person in people.values() for point in person.contact_points}
    return Known(
        people=people,
        learners={person.learner_code: person for person in people.values() if person.learner_code},
        staff={role.code: role for person in people.values() for role in person.staff_roles},
        points=points,
        courses=frozenset(_among(session, select(Course.code), Course.code, college.course_codes)),
        held_before=frozenset(_wrote(session, [point.id for point in points.values() if point.disowned_at is not None])),
        moved=tuple(_among(session, _unlisted(), NumberChange.person_id, ids)),
    )


def rows_by(session: Session, statement: Select[T], column: Attribute, values: Iterable[Any]) -> list[T]:
    """The rows whose `column` is one of `values`, a thousand values at a time."""
    return list(_among(session, statement, column, values))


def columns_by(
    session: Session,
    columns: Sequence[InstrumentedAttribute[Any]],
    column: InstrumentedAttribute[Any],
    values: Iterable[Any],
) -> Iterator[tuple[Any, ...]]:
    """Only these columns of such rows, the oldest first: where there may be many, and none is altered."""
    statement = select(*columns).order_by(column.class_.id)
    for some in by_thousands(values):
        yield from map(tuple, session.execute(statement.where(column.in_(some))))


def _wrote(session: Session, points: list[int]) -> Iterator[tuple[Any, ...]]:
    return columns_by(session, (Inbound.person_id, Inbound.contact_point_id), Inbound.contact_point_id, points)


def _among(session: Session, statement: Select[T], column: Attribute, values: Iterable[Any]) -> Iterator[T]:
    for some in by_thousands(values):
        yield from session.scalars(statement.where(column.in_(some)))


def _unlisted() -> Select[NumberChange]:
    done = (NumberChange.done_at.is_not(None), NumberChange.listed_at.is_(None))
    return select(NumberChange).where(*done).order_by(NumberChange.id)


def _whole() -> Select[PersonRow]:
    with_all = (selectinload(PersonRow.contact_points), selectinload(PersonRow.staff_roles))
    fresh = {"populate_existing": True}
    return select(PersonRow).options(*with_all).order_by(PersonRow.id).execution_options(**fresh)
