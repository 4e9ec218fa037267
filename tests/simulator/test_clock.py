"""The clock of the demo: moved on by the page and by scripts, for the service and the simulator alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from bot import clock
from simulator.app import create_app
from simulator.simulation import Outside, Simulation, build
from tests.simulator.world import ACCOUNT, AMINA, QUICK, World

LONDON = ZoneInfo("Europe/London")
SLACK = timedelta(seconds=30)
YEAR_MINUTES = 400 * 24 * 60


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Simulation]:
    """A simulator whose clock is the demo's own."""
    file = tmp_path / "folder" / "clock"
    clock.follow(file)
    made = build(ACCOUNT, tmp_path / "simulator.db", tmp_path, QUICK, Outside(clock_file=file))
    yield made
    made.close()
    clock.follow(None)


@pytest.fixture
def http(here: Simulation) -> FlaskClient:
    """A script on this machine."""
    return create_app(here).test_client()


def moved(http: FlaskClient, wanted: dict[str, Any]) -> int:
    """What came of asking for it."""
    return http.post("/simulator/clock", json=wanted).status_code


def is_about(moment: datetime) -> bool:
    return abs(clock.now() - moment) < SLACK


def test_it_shows_the_real_time_until_it_is_moved(http: FlaskClient) -> None:
    shown = http.get("/simulator/clock").json or {}
    assert shown["ahead_seconds"] == 0
    assert is_about(datetime.fromisoformat(shown["now"]))
    assert is_about(datetime.now(UTC))


def test_forward_moves_the_service_and_the_simulator_alike_and_adds_up(http: FlaskClient, here: Simulation) -> None:
    before = datetime.now(UTC)
    for _ in range(3):
        assert moved(http, {"forward_minutes": 60}) == 200
    assert is_about(before + timedelta(hours=3))
    assert abs(here.outside.now() - clock.now()) < SLACK
    assert (http.get("/simulator/clock").json or {})["ahead_seconds"] == 3 * 3600


@pytest.mark.parametrize("zone", ["", "+05:00", "Z"])
def test_to_is_londons_time_unless_a_zone_is_named(http: FlaskClient, zone: str) -> None:
    later = (datetime.now(LONDON) + timedelta(days=200)).replace(hour=10, minute=0, second=0, microsecond=0, tzinfo=None)
    assert moved(http, {"to": f"{later.isoformat()}{zone}"}) == 200
    wanted = datetime.fromisoformat(f"{later.isoformat()}{zone}")
    assert is_about((wanted if zone else wanted.replace(tzinfo=LONDON)).astimezone(UTC))


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"forward_minutes": 0},
        {"forward_minutes": -60},
        {"forward_minutes": "soon"},
        {"forward_minutes": YEAR_MINUTES + 1},
        {"forward_minutes": 10**30},
        {"to": "2020-01-01T10:00"},
        {"to": "9999-12-31T23:59"},
        {"to": "never"},
        {"to": "2026-12-01T10:00", "forward_minutes": 5},
        {"backward_minutes": 5},
    ],
)
def test_it_goes_forward_only_and_a_year_at_most_and_says_what_is_wrong(http: FlaskClient, wanted: dict[str, Any]) -> None:
    answer = http.post("/simulator/clock", json=wanted)
    assert answer.status_code == 400
    assert (answer.json or {})["error"]
    assert is_about(datetime.now(UTC))


def test_many_steps_go_further_than_one(http: FlaskClient) -> None:
    assert [moved(http, {"forward_minutes": YEAR_MINUTES}) for _ in range(2)] == [200, 200]
    assert is_about(datetime.now(UTC) + timedelta(days=800))


def test_the_window_of_a_phone_closes_as_the_clock_goes_on(http: FlaskClient, here: Simulation) -> None:
    http.post("/simulator/heard", json={"from": AMINA, "text": "hello"})
    assert here.messages.window_open(AMINA)
    moved(http, {"forward_minutes": 24 * 60})
    assert not here.messages.window_open(AMINA)


def test_a_clock_in_a_tests_own_hands_is_not_moved(shared: World) -> None:
    assert shared.ask("clock", {"forward_minutes": 60})["http"] == 400


@pytest.mark.parametrize("headers", [{"Host": "phones.example"}, {"Origin": "https://phones.example"}])
def test_nobody_else_moves_it(http: FlaskClient, headers: dict[str, str]) -> None:
    assert http.post("/simulator/clock", json={"forward_minutes": 60}, headers=headers).status_code in (400, 403)
    assert is_about(datetime.now(UTC))
