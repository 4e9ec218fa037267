"""Copies the database while the service runs, checks the copy, and says where it is: `python -m scripts.backup FOLDER`."""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, make_url

from bot.settings import SettingsError, read_settings

ONLY_WE_READ_IT = 0o077  # the umask: everything that learners wrote is in it


def main() -> None:
    """Copy, check, and give the copy its name; exit 1 and no file where any of it fails."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path, help="where the copy goes; made if it is not there")
    folder: Path = asked.parse_args().folder
    os.umask(ONLY_WE_READ_IT)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        made = back_up(make_url(read_settings().database_url), folder, datetime.now(UTC))
    except (SettingsError, OSError, sqlite3.Error, subprocess.CalledProcessError) as error:
        sys.exit(f"No backup was made: {type(error).__name__}: {error}")
    print(f"{made} ({made.stat().st_size:,} bytes)")


def back_up(url: URL, folder: Path, now: datetime) -> Path:
    """The checked copy. Raises sqlite3.Error, CalledProcessError or OSError; an unfinished copy is taken away again."""
    lite = url.get_backend_name() == "sqlite"
    made = folder / f"e4a-{now:%Y%m%dT%H%M%SZ}.{'db' if lite else 'dump'}"
    unfinished = made.with_suffix(".part")
    try:
        (copy_sqlite if lite else dump_postgresql)(url, unfinished)
        unfinished.rename(made)
    finally:
        unfinished.unlink(missing_ok=True)
    return made


def copy_sqlite(url: URL, to: Path) -> None:
    """SQLite's own copy: as the database stood at one moment; neither readers nor writers wait for it."""
    with closing(sqlite3.connect(f"file:{url.database}?mode=ro", uri=True)) as database:
        database.execute("VACUUM INTO ?", [str(to)])
    with closing(sqlite3.connect(to)) as copy:
        said = [row[0] for row in copy.execute("PRAGMA integrity_check")]
        if said != ["ok"] or copy.execute("PRAGMA foreign_key_check").fetchone():
            raise sqlite3.DatabaseError("the copy is not whole")


def dump_postgresql(url: URL, to: Path) -> None:
    """pg_dump's own format. The password goes by the environment: a command line is read by every user of the machine."""
    known = {"PGPASSWORD": str(url.password)} if url.password else {}
    without = url.set(drivername="postgresql", password=None).render_as_string()
    command = ["pg_dump", "--format=custom", "--no-owner", f"--file={to}", without]
    subprocess.run(command, env=os.environ | known, check=True)
    subprocess.run(["pg_restore", "--list", str(to)], stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    main()
