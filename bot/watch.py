"""Waits until somebody has written to the database, so that a message is taken when it comes and nobody asks in vain.

And sees when the clock was moved: whoever waits by one clock and reads another must know.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import psycopg

from bot.database import CHANNEL, Database

LOOK_EVERY_S = 0.02  # SQLite: how often the version of the database is looked at
POLL_S = 1.0  # what is due later wakes nobody: look again after this
AWAY = (psycopg.Error, sqlite3.Error)  # what a watch raises when the database does not answer


class Watch(Protocol):
    """Waits until the database changed, or a second has passed."""

    def wait(self, stop: threading.Event) -> None: ...
    def close(self) -> None: ...


def watch(db: Database) -> Watch:
    """A watch on this database; the caller closes it."""
    return _SqliteWatch(db) if db.is_sqlite else _PostgresWatch(db)


class Drift:
    """By how much a clock went otherwise than time passed: it was moved, or the machine slept."""

    def __init__(self, clock: Callable[[], datetime], passed: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._passed = clock, passed
        self._then = clock(), passed()

    def since_asked(self) -> timedelta:
        """Since it was last asked; negative where the clock went back."""
        (told, passed), self._then = self._then, (self._clock(), self._passed())
        return self._then[0] - told - timedelta(seconds=self._then[1] - passed)


class _SqliteWatch:
    """SQLite counts the commits of others (`PRAGMA data_version`): looking costs next to nothing."""

    def __init__(self, db: Database) -> None:
        self._connection = db.engine.raw_connection()
        self._seen = self._version()

    def wait(self, stop: threading.Event) -> None:
        end = time.monotonic() + POLL_S
        while time.monotonic() < end and not stop.wait(LOOK_EVERY_S):
            version, self._seen = self._seen, self._version()
            if version != self._seen:
                return

    def close(self) -> None:
        self._connection.close()

    def _version(self) -> int:
        return int(self._connection.cursor().execute("PRAGMA data_version").fetchone()[0])


class _PostgresWatch:
    """PostgreSQL tells who listens; a connection of its own, made anew when it was lost."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._connection: psycopg.Connection | None = None

    def wait(self, stop: threading.Event) -> None:
        if stop.is_set():
            return
        try:
            connection = self._listening()
            next(connection.notifies(timeout=POLL_S, stop_after=1), None)
        except psycopg.Error:
            self.close()
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _listening(self) -> psycopg.Connection:
        if self._connection is None:
            url = self._db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
            self._connection = psycopg.connect(url, autocommit=True)
            self._connection.execute(f"LISTEN {CHANNEL}")
        return self._connection
