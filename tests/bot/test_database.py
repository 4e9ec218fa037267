"""Both databases, the same schema, the same behaviour."""

from __future__ import annotations

from datetime import datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from bot.database import Database, insert_new
from bot.models import Base, Heartbeat
from bot.schema import migrate, newest, revision


def test_the_migrations_make_exactly_the_tables_of_the_models(db: Database) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_twice_changes_nothing(db: Database) -> None:
    with db.engine.begin() as connection:
        assert revision(connection) == newest()
    before, after = migrate(db)
    assert before == after


def test_a_row_with_a_key_that_is_there_already_is_not_inserted(db: Database, now: datetime) -> None:
    with db.write() as session:
        assert insert_new(session, Heartbeat, name="worker", at=now)
        assert not insert_new(session, Heartbeat, name="worker", at=now)


def test_a_time_comes_back_as_it_went_in_and_a_naive_one_is_refused(db: Database, now: datetime) -> None:
    with db.write() as session:
        session.add(Heartbeat(name="worker", at=now))
    with db.read() as session:
        assert session.scalars(select(Heartbeat.at)).one() == now
    with pytest.raises(StatementError, match="zone"), db.write() as session:
        session.add(Heartbeat(name="other", at=now.replace(tzinfo=None)))


def test_what_raises_inside_a_write_leaves_nothing_behind(db: Database, now: datetime) -> None:
    def half() -> None:
        with db.write() as session:
            session.add(Heartbeat(name="worker", at=now))
            session.flush()
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        half()
    with db.read() as session:
        assert session.scalars(select(Heartbeat)).all() == []
