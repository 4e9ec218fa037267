"""The clock: the real time, and in the demo as far ahead of it as its file says, whoever wrote that and however."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app import create_app
from bot import clock
from bot.settings import Settings

DAY = timedelta(days=1)
SLACK = timedelta(seconds=30)
PRODUCTION = {
    "app_env": "production",
    "public_url": "https://bot.example",
    "twilio_account_sid": "AC" + "0" * 32,
    "twilio_auth_token": "t",
    "nlu_token": "t",
    "secret_key": "s",
    "suppression_key": "0" * 64,
    "safeguarding_contacts": "Farah Malik <farah@example.org> +447700900990",
}


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """The file that is followed; not there yet."""
    path = tmp_path / "clock"
    clock.follow(path)
    yield path
    clock.follow(None)


def written(file: Path, text: str) -> None:
    """As the simulator writes it: a new file in the place of the old."""
    new = file.with_name("new")
    new.write_text(text)
    new.replace(file)


def is_ahead_by(wanted: timedelta) -> bool:
    return abs(clock.now() - datetime.now(UTC) - wanted) < SLACK


def test_nobody_moves_a_clock_that_follows_nothing() -> None:
    clock.follow(None)
    assert is_ahead_by(timedelta(0))


def test_before_there_is_a_file_it_is_the_real_time(file: Path) -> None:
    assert not file.exists()
    assert is_ahead_by(timedelta(0))


def test_it_is_ahead_as_the_file_says_again_and_again_and_back(file: Path) -> None:
    for days in (1, 40, 39, 0):
        written(file, f"{days * 86400}\n")
        assert is_ahead_by(days * DAY)
    written(file, "3600")
    file.unlink()
    assert is_ahead_by(timedelta(0))


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "-5", "1e300", "99999999999999", "\xff"])
def test_what_cannot_be_read_changes_nothing_and_is_said_once(file: Path, text: str) -> None:
    written(file, "86400")
    assert is_ahead_by(DAY)
    written(file, text)
    with capture_logs() as lines:
        assert is_ahead_by(DAY)
        assert is_ahead_by(DAY)
    assert [line["event"] for line in lines] == ["clock.unreadable"]


def test_the_demo_follows_its_file_and_production_never_looks(file: Path, sqlite_url: str) -> None:
    written(file, "86400")
    demo = Settings(database_url=sqlite_url, demo_clock=str(file))
    production = Settings(database_url=sqlite_url, demo_clock=str(file), **PRODUCTION)  # type: ignore[arg-type]
    clock.follow(None)
    create_app(demo)
    assert is_ahead_by(DAY)
    create_app(production)
    assert is_ahead_by(timedelta(0))


def test_a_day_begins_by_londons_clocks() -> None:
    assert clock.london_day_starts(date(2026, 7, 1)) == datetime(2026, 6, 30, 23, tzinfo=UTC)
