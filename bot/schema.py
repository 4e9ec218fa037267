"""Brings the database to the newest schema with Alembic; `make run` does it by itself, several processes at once may too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from bot.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 4_693_999  # any number will do, as long as nobody else on this database uses it


def migrate(db: Database) -> tuple[str | None, str | None]:
    """Upgrade to the newest revision; (before, after)."""
    with _tables_may_be_rebuilt(db) as connection, connection.begin():
        if not db.is_sqlite:  # SQLite's BEGIN IMMEDIATE is lock enough
            connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        before = revision(connection)
        command.upgrade(config(connection), "head")
        if db.is_sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
            raise RuntimeError(
                f"the upgrade would leave a row of {broken[0]} without what it refers to; nothing was changed"
            )
        return before, revision(connection)


@contextmanager
def _tables_may_be_rebuilt(db: Database) -> Iterator[Connection]:
    """SQLite alters a table by making it anew, and must not mind its references meanwhile: they are checked at the end."""
    with db.engine.connect() as connection:
        if not db.is_sqlite:
            yield connection
            return
        driver = connection.connection.cursor()  # outside any transaction: inside one the pragma does nothing
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            yield connection
        finally:
            driver.execute("PRAGMA foreign_keys=ON")
            driver.close()


def config(connection: Connection) -> Config:
    """Alembic's configuration for this connection."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.attributes["connection"] = connection
    return made


def revision(connection: Connection) -> str | None:
    """The revision the database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """The revision that the code on disk expects: asked at start, it is what this process was made for."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()
