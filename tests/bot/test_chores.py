"""What the worker does now and then: all of it with one command, and nothing waits for a Twilio that is away."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bot.chores import LEFT_ALONE, Twilio, chores
from bot.database import Database
from bot.inbox import KEEPS_COPY
from bot.models import Inbound, Outbound
from bot.planning import Links
from bot.templates import Template
from bot.whatsapp import Contents, OnFile, Outcome, ProviderAway
from bot.worker import Worker
from tests.bot.rooms import AMINA, BILAL, Archive, Clock, Stage, a_learner, an_incoming, only, rows

LINKS = Links("https://e4a.example.org/privacy/1", "https://e4a.example.org/rules/1")
EVERY = {"setback": 60, "planning": 60, "call_sheets": 60, "tidying": 60}
EVERY |= {"recovery": 300, "unknown": 20, "silent": 600, "templates": 3600}


@dataclass(slots=True)
class Shelf:
    """Fake Content API: no templates; `away` is Twilio not answering."""

    away: bool = False
    asked: list[str] = field(default_factory=list)

    def every(self) -> tuple[OnFile, ...]:
        self.asked.append("every")
        if self.away:
            raise ProviderAway
        return ()

    def create(self, template: Template) -> OnFile:
        raise AssertionError("no chore makes templates", template.name)

    def submit(self, sid: str, template: Template) -> OnFile:
        raise AssertionError("no chore hands templates in", sid, template.name)


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    a_learner(db, AMINA, now=now)
    return Stage(db, Clock(now))


def worker(stage: Stage, archive: Archive, shelf: Contents) -> Worker:
    return replace(stage.worker, chores=chores(stage.room, archive, shelf, LINKS))


def test_every_chore_has_its_time(stage: Stage) -> None:
    made = chores(stage.room, Archive(), Shelf(), LINKS)
    assert {one.name: one.every.total_seconds() for one in made} == EVERY


def test_once_does_them_all_and_then_takes_what_was_found(stage: Stage) -> None:
    archive, shelf = Archive(), Shelf()
    archive.inbound.append((an_incoming(BILAL, "cheers then"), stage.clock() - timedelta(minutes=30)))
    made = worker(stage, archive, shelf)
    assert made.once() == 2  # a turn and its answer
    assert (len(stage.whatsapp.to(BILAL)), shelf.asked) == (1, ["every", "every"])  # and once more, to find nothing new
    stage.clock.wait(KEEPS_COPY)
    made.once()
    assert ("delete", only(stage.db, Inbound).sid) in archive.asked


def test_with_twilio_away_messages_are_handled_and_one_line_says_so(stage: Stage) -> None:
    archive, shelf = Archive(away=True), Shelf(away=True)
    stage.whatsapp.answer = lambda _letter: Outcome("retry")
    stage.hears(AMINA, "cheers then")
    with capture_logs() as lines:
        worker(stage, archive, shelf).once()
    assert [line["event"] for line in lines if line["log_level"] in ("warning", "error")] == ["chores.twilio_away"]
    assert only(stage.db, Inbound).state == "done"
    assert [row.state for row in rows(stage.db, Outbound)] == ["queued"]


def test_after_a_while_twilio_is_asked_again(now: datetime) -> None:
    twilio, asked = Twilio(), list[datetime]()

    def do(at: datetime) -> int:
        asked.append(at)
        if len(asked) == 1:
            raise ProviderAway
        return 7

    work = twilio.unless_away("a chore", do)
    assert [work(now), work(now + LEFT_ALONE - timedelta(seconds=1)), work(now + LEFT_ALONE)] == [0, 0, 7]
    assert asked == [now, now + LEFT_ALONE]


def test_what_is_no_fault_of_twilios_is_not_hidden(now: datetime) -> None:
    def do(_: datetime) -> int:
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        Twilio().unless_away("a chore", do)(now)
