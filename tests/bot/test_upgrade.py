"""A database with people in it is brought to the newest schema, and nothing in it is lost."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import MetaData, Table, create_engine, make_url, text
from sqlalchemy.exc import IntegrityError

from bot.database import Database, open_database
from bot.schema import config, migrate

ROWS: list[tuple[str, dict[str, object]]] = [
    ("person", {"id": 1, "name": "Amina", "language": "en", "misses": 0, "watched": False}),
    ("contact_point", {"id": 1, "person_id": 1, "kind": "phone", "value": "+447700900101"}),
    ("inbound", {"id": 1, "sid": "SM1", "person_id": 1, "contact_point_id": 1, "kind": "text", "text": "hi"}),
    ("outbound", {"id": 1, "key": "in:1:0", "person_id": 1, "contact_point_id": 1, "inbound_id": 1, "body": "Hello."}),
    ("outbound_event", {"id": 1, "outbound_id": 1, "status": "sent"}),
    ("office_case", {"id": 1, "person_id": 1, "kind": "ask_admin", "urgent": False, "restricted": False}),
    ("case_message", {"case_id": 1, "inbound_id": 1}),
]


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """A database of its own, as the first schema left it, with a row of everything that a later one rebuilds."""
    db = open_database(f"sqlite:///{tmp_path / 'old.db'}" if request.param == "sqlite" else _another(request))
    with db.engine.begin() as connection:
        command.upgrade(config(connection), "0001")
    return db


def _another(request: pytest.FixtureRequest) -> str:
    url = make_url(str(request.getfixturevalue("postgres_url")))
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS e4a_old"))
        connection.execute(text("CREATE DATABASE e4a_old"))
    admin.dispose()
    return url.set(database="e4a_old").render_as_string(hide_password=False)


def fill(db: Database, now: datetime) -> None:
    defaults = {"purpose": "reply", "priority": 1, "details": {}, "flags": [], "state": "done", "urgent": False}
    defaults |= {"confirms_opt_out": False, "attempts": 0}
    with db.engine.begin() as connection:
        for name, values in ROWS:
            table = Table(name, MetaData(), autoload_with=connection)
            needed = {c.name: now for c in table.c if c.name.endswith("_at") or c.name == "at"}
            given = {c.name: defaults[c.name] for c in table.c if c.name in defaults}
            connection.execute(table.insert().values(**needed, **given | values))


def test_an_old_database_keeps_every_row(old: Database, now: datetime) -> None:
    fill(old, now)
    assert migrate(old)[0] == "0001"
    with old.engine.connect() as connection:
        for name, values in ROWS:
            found = connection.execute(text(f"SELECT * FROM {name}")).mappings().one()  # noqa: S608 (names of our own)
            assert {key: found[key] for key in values} == values
        new = connection.execute(text("SELECT use, urgent, by_template, look_ups FROM outbound")).one()
    assert tuple(new) == ("", False, False, 0)
    old.engine.dispose()


def test_references_are_minded_again_after_an_upgrade(old: Database, now: datetime) -> None:
    fill(old, now)
    migrate(old)
    with pytest.raises(IntegrityError), old.engine.begin() as connection:
        connection.execute(text("DELETE FROM outbound"))
    old.engine.dispose()
