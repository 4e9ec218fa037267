"""The simulator's memory: one SQLite file, so that conversations are still there after a restart."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

Value = str | int | float | bytes | None

SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, sid TEXT NOT NULL UNIQUE, inbound INTEGER NOT NULL, address TEXT NOT NULL,
    sender TEXT NOT NULL, recipient TEXT NOT NULL, body TEXT NOT NULL, look TEXT NOT NULL, status TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, sent_at TEXT, media_url TEXT NOT NULL, callback TEXT NOT NULL,
    template INTEGER NOT NULL, fate_status TEXT NOT NULL, fate_code INTEGER NOT NULL, error_code INTEGER, answer INTEGER,
    deleted INTEGER NOT NULL DEFAULT 0, changed INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS message_by_address ON message (address, changed);
CREATE INDEX IF NOT EXISTS message_by_change ON message (changed);
CREATE INDEX IF NOT EXISTS message_by_status ON message (status, inbound);
CREATE TABLE IF NOT EXISTS file (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, sid TEXT NOT NULL UNIQUE, message_sid TEXT NOT NULL, content_type TEXT NOT NULL,
    data BLOB NOT NULL, created_at TEXT NOT NULL, deleted INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS file_by_message ON file (message_sid);
CREATE TABLE IF NOT EXISTS content (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, sid TEXT NOT NULL UNIQUE, name TEXT NOT NULL, language TEXT NOT NULL,
    types TEXT NOT NULL, variables TEXT NOT NULL, created_at TEXT NOT NULL,
    approval_name TEXT, approval_category TEXT, approval_status TEXT, approval_reason TEXT);
"""


class Store:
    """One connection behind one lock: every statement is its own transaction, safe from any thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(SCHEMA)

    def rows(self, sql: str, *values: Value) -> list[sqlite3.Row]:
        """Every row the query finds."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Value) -> sqlite3.Row | None:
        """The first row the query finds, or None."""
        found = self.rows(sql, *values)
        return found[0] if found else None

    def write(self, sql: str, *values: Value) -> int:
        """Change something; says how many rows it touched."""
        with self._lock:
            return self._connection.execute(sql, values).rowcount

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()


def to_text(moment: datetime) -> str:
    """An aware time as sortable text in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def to_time(text: str) -> datetime:
    """The aware UTC time that `to_text` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f").replace(tzinfo=UTC)
