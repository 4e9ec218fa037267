"""Opens the database: SQLite on one machine, PostgreSQL when that is outgrown, and the same code on both (design 2)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from tenacity import Retrying, retry_if_exception, stop_after_attempt

from bot.models import Base

BUSY_TIMEOUT_MS = 10_000
CONNECTIONS = 45  # to SQLite: as many as a worker has senders, loops and chores; to open one costs more than to use it
CONNECT_TIMEOUT_S = 5  # a webhook has 15 seconds in all, and 503 must be said within them
CHANNEL = "e4a"  # PostgreSQL's NOTIFY channel that wakes the worker
LOST_RACES = ("40P01", "40001")  # PostgreSQL: deadlock detected, serialization failure; the transaction is undone
TRIES = 3
T = TypeVar("T")


class Busy(Exception):
    """Others were changing the same rows, each time that it was tried; says so in words for whoever asked."""


@dataclass(frozen=True, slots=True)
class Database:
    """An engine, and the two ways to use it."""

    engine: Engine
    writer: AbstractContextManager[object] = field(default_factory=nullcontext, compare=False, repr=False)

    @property
    def is_sqlite(self) -> bool:
        """True for SQLite, where a writer holds the whole database."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction that commits at the end, or not at all. Keep it short: SQLite has one writer at a time."""
        with self.writer, Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only looks, and never waits for a writer."""
        with self.engine.connect() as connection:
            looking = connection.execution_options(e4a_only_looks=True)
            with Session(looking, expire_on_commit=False) as session:
                yield session
                session.rollback()


def open_database(url: str) -> Database:
    """The database at a SQLAlchemy URL; for SQLite the folder is made. Raises sqlalchemy's ArgumentError on a bad URL."""
    if make_url(url).get_backend_name() != "sqlite":
        args = {"connect_timeout": CONNECT_TIMEOUT_S}
        return Database(create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=10, connect_args=args))
    file = make_url(url).database
    if file and file != ":memory:":
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    kept = {"pool_size": CONNECTIONS} if file and file != ":memory:" else {}  # one in memory belongs to its thread
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}, **kept)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    # Threads of one process wait here for the one writer: SQLite's own way to wait is to sleep and try again.
    return Database(engine, threading.RLock())


def lost_a_race(error: BaseException) -> bool:
    """Was the transaction undone only because others wanted the same rows? The same once more goes through."""
    return isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", None) in LOST_RACES


def try_again(do: Callable[[], T]) -> T:
    """What `do` gives, which is one whole transaction: tried again where it lost a race. Raises Busy if it always did."""
    try:
        return Retrying(retry=retry_if_exception(lost_a_race), stop=stop_after_attempt(TRIES), reraise=True)(do)
    except OperationalError as error:
        if not lost_a_race(error):
            raise
        raise Busy("others are changing the same at this moment: try again in a minute. Nothing was changed") from None


def insert_new(session: Session, table: type[Base], **values: object) -> bool:
    """Insert a row unless its unique key is there already; True if it was inserted. The database decides, not an `if`."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(**values).on_conflict_do_nothing().returning(*inspect(table).primary_key)
    return session.execute(statement).first() is not None


def insert_many_new(session: Session, table: type[Base], rows: Sequence[Mapping[str, object]]) -> int:
    """Insert rows that all name the same columns, leaving out those whose unique key is there already; how many went in."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    key = inspect(table).primary_key
    statement = dialect.insert(table).on_conflict_do_nothing().returning(*key)
    return len(session.execute(statement, list(rows)).all())


def one_at_a_time(session: Session, lock: int) -> None:
    """Until the commit nobody else passes here with this number. SQLite has one writer in any case."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})


def wake_workers(session: Session) -> None:
    """Tell the workers, at commit, that there is something to do. SQLite's they see by themselves (`data_version`)."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"NOTIFY {CHANNEL}"))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours to say: the driver's own comes too late
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    only_looks = connection.get_execution_options().get("e4a_only_looks")
    connection.exec_driver_sql("BEGIN" if only_looks else "BEGIN IMMEDIATE")
