"""Makes one person of two: a stranger who wrote first turns out to be a learner whom we knew under another number."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Column, Table, UniqueConstraint, and_, delete, exists, update
from sqlalchemy.orm import Session

from bot.models import Base, PersonRow

PERSON_ID = PersonRow.__table__.c.id


def join_people(session: Session, stays: PersonRow, goes: PersonRow) -> None:
    """Everything of the one who goes is from now on of the one who stays; a safeguarding hold is never lost. Flushes."""
    holds = [one for one in (stays.held_at, goes.held_at) if one]
    warnings = [one for one in (stays.warned_at, goes.warned_at) if one]
    stays.held_at = min(holds, default=None)
    stays.warned_at = max(warnings, default=None)
    stays.watched = stays.watched or goes.watched
    stays.pending = stays.pending or goes.pending
    session.flush()
    for column in _to_person():
        _move(session, column, stays.id, goes.id)
    for row in (*goes.contact_points, *goes.staff_roles):
        session.expire(row)
    session.expire(stays, ["contact_points", "staff_roles"])
    session.expunge(goes)
    session.execute(delete(PersonRow).where(PersonRow.id == goes.id).execution_options(synchronize_session=False))


def _to_person() -> Iterator[Column[int]]:
    """Every column of every table that points at a person, those of later issues too."""
    for table in Base.metadata.sorted_tables:
        yield from (column for column in table.columns if any(key.column is PERSON_ID for key in column.foreign_keys))


def _move(session: Session, column: Column[int], stays: int, goes: int) -> None:
    for key in _unique_keys(column.table, column):
        _drop_doubles(session, column, key, (stays, goes))
    session.execute(update(column.table).where(column == goes).values({column: stays}))


def _unique_keys(table: Table, column: Column[int]) -> Iterator[list[Column[int]]]:
    """The rest of each key that `column` is a part of."""
    keys = [table.primary_key, *(one for one in table.constraints if isinstance(one, UniqueConstraint))]
    for key in keys:
        columns = list(key.columns)
        if column in columns:
            yield [one for one in columns if one is not column]


def _drop_doubles(session: Session, column: Column[int], rest: list[Column[int]], ids: tuple[int, int]) -> None:
    """Where both have a row that may be there once (a place on the same course), the one of who stays is enough."""
    stays, goes = ids
    other = column.table.alias()
    same = and_(other.c[column.name] == stays, *(other.c[one.name] == one for one in rest))
    session.execute(delete(column.table).where(column == goes, exists().where(same)))
