"""docs/running.md names what there is: every setting, command, figure, kind of case and code that stops sending."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from bot.database import open_database
from bot.health import figures, make_blueprint
from bot.health.ready import NEEDED
from bot.settings import ROOT, Settings
from bot.whatsapp.errors import table
from scripts import run

PAGE = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
OF_THE_DEMO = {
    "twilio_api_url",
    "twilio_whatsapp_from",
    "simulator_port",
    "demo_clock",
    "clamav_url",
    "flask_debug",
}  # said elsewhere, or later
BUILT_IN = {"routes", "run", "shell"}


def named(word: str) -> bool:
    """Does it stand on the page as a word of its own?"""
    return re.search(rf"(?<![\w.]){re.escape(word)}(?!\w)", PAGE) is not None


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields) - OF_THE_DEMO))
def test_every_setting_is_explained(name: str) -> None:
    assert named(name.upper())


def test_the_demo_says_that_it_is_ready_once_every_part_is() -> None:
    assert set(run.PARTS) == set(NEEDED)


@pytest.mark.parametrize("part", NEEDED)
def test_every_part_of_readiness_is_explained(part: str) -> None:
    assert f"| `{part}` |" in PAGE


def test_every_figure_is_explained(sqlite_url: str) -> None:
    db, app = open_database(sqlite_url), Flask("tests")
    app.register_blueprint(make_blueprint(db, lambda: True))
    shown = app.test_client().get("/metrics").text
    names = re.findall(r"^# TYPE e4a_(\w+)", shown, re.MULTILINE)
    db.engine.dispose()
    assert len(names) > 15
    assert [name for name in names if not named(name)] == []


def test_every_kind_of_case_that_the_service_opens_by_itself_is_explained() -> None:
    assert [kind for kind in figures.CASES if not named(kind)] == []


def test_every_code_that_stops_sending_is_named_and_no_other() -> None:
    said = PAGE.partition("**Codes that stop sending.**")[2].partition("\n\n")[0]
    stops = {code for code, what in table().items() if what.kind == "stop"}
    assert {int(code) for code in re.findall(r"`(\d{3,5})`", said)} == stops


def test_every_event_that_is_explained_is_logged_somewhere() -> None:
    rows = PAGE.partition("| event | means |")[2].partition("\n\n")[0]
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "bot").rglob("*.py"))
    events = re.findall(r"`([a-z]+\.[a-z_]+)`", rows)
    assert len(events) > 15
    assert [event for event in events if f'"{event}"' not in source] == []


def test_every_command_on_the_page_exists_and_every_one_there_is_is_on_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    there = set(re.findall(r"^  ([a-z-]+) ", done.stdout.partition("Commands:")[2], re.MULTILINE)) - BUILT_IN
    used = set(re.findall(r"(?:^    |`)e4a ([a-z-]+)", PAGE, re.MULTILINE))
    assert used <= there
    assert there - used <= {"work", "classify"}  # the unit starts the first; the second is for the model
