"""Brings the database to the newest schema with Alembic; `make run` does it by itself, several processes at once may too."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from bot.database import Database

LOCK = 4_693_999  # any number will do, as long as nobody else on this database uses it


def migrate(db: Database) -> tuple[str | None, str | None]:
    """Upgrade to the newest revision; (before, after)."""
    with db.engine.begin() as connection:
        if not db.is_sqlite:  # SQLite's BEGIN IMMEDIATE is lock enough
            connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        before = revision(connection)
        command.upgrade(config(connection), "head")
        return before, revision(connection)


def config(connection: Connection) -> Config:
    """Alembic's configuration for this connection."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.attributes["connection"] = connection
    return made


def revision(connection: Connection) -> str | None:
    """The revision the database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def newest(connection: Connection) -> str | None:
    """The revision the code expects."""
    return ScriptDirectory.from_config(config(connection)).get_current_head()
