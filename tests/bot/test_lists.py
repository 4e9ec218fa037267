"""The lists of the command line: a list of one learner tells nobody that they disclosed something (D18)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from unittest.mock import Mock

import click
import pytest
from click.testing import CliRunner

from bot.cli import Tools
from bot.cli.lists import cases_command, inbox_command, outbox_command
from bot.database import Database
from tests.bot.rooms import AMINA, Clock, Stage, a_learner, owe

LEARNER = ("--learner", f"L{AMINA[1:]}")
Listed = Callable[..., list[dict[str, object]]]


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A learner who opted out of nothing and was answered once."""
    a_learner(db, AMINA, now=now)
    stage = Stage(db, Clock(now))
    stage.hears_and_works(AMINA, "thanks")
    return stage


@pytest.fixture
def listed(stage: Stage) -> Listed:
    """What a command lists."""
    group = click.Group()
    for make in (inbox_command, outbox_command, cases_command):
        group.add_command(make(Mock(spec=Tools, db=stage.db)))

    def listed(*arguments: str) -> list[dict[str, object]]:
        result = CliRunner().invoke(group, [*arguments, "--json"])
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.output.splitlines()]

    return listed


@pytest.mark.parametrize("what", ["inbox", "outbox", "cases"])
def test_a_list_of_one_learner_is_the_same_before_and_after_a_disclosure(stage: Stage, listed: Listed, what: str) -> None:
    before = listed(what, *LEARNER)
    stage.hears_and_works(AMINA, "i want to kill myself")
    owe(stage.db, AMINA, stage.clock())
    stage.works()
    stage.hears_and_works(AMINA, "thanks")
    assert listed(what, *LEARNER) == before
    assert len(listed(what)) > len(before)


def test_a_list_of_everybody_says_why_and_names_nobody(stage: Stage, listed: Listed) -> None:
    stage.hears_and_works(AMINA, "i want to kill myself")
    owe(stage.db, AMINA, stage.clock())
    stage.works()
    assert "SAFEGUARDING_HOLD" in [row["reason"] for row in listed("outbox")]
    assert [row["kind"] for row in listed("cases")] == ["safeguarding_disclosure"]
    assert AMINA not in str(listed("outbox") + listed("cases"))


def test_the_confirmation_of_an_opting_out_is_in_the_list(stage: Stage, listed: Listed) -> None:
    stage.hears_and_works(AMINA, "STOP")
    assert [row["purpose"] for row in listed("outbox", *LEARNER)] == ["safety", "reply"]
