"""The real library against the simulator over HTTP: what was lost is found, and nothing is sent twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import outbox
from bot.database import Database
from bot.inbox import KEEPS_COPY
from bot.models import Inbound, OfficeCase, Outbound
from bot.outbox.claim import LEASE
from bot.outbox.unknown import LOOK_UPS, LOOK_UPS_AT_RISK
from bot.recovery import Lookout
from bot.tidying import tidy
from bot.turn import Purpose
from bot.whatsapp import Letter, ProviderAway, TwilioRecords, TwilioSender
from bot.worker import Post, Worker
from tests.bot.rooms import TERMS, Clock, Stage, a_learner, only, owe, rows
from tests.simulator.world import ACCOUNT, AMINA, SENDER, World
from tests.words import lexicon

FIRST, LAST = LOOK_UPS
WORDS = "Body of k1."


@dataclass(slots=True)
class Scene:
    """A worker that sends to the simulator. What the simulator reports never reaches us: its callbacks are lost."""

    stage: Stage
    world: World

    @property
    def db(self) -> Database:
        return self.stage.db

    @property
    def records(self) -> TwilioRecords:
        return TwilioRecords(ACCOUNT.sid, ACCOUNT.token, SENDER, self.world.served.url, timeout_s=5)

    @property
    def sender(self) -> TwilioSender:
        return TwilioSender(ACCOUNT.sid, ACCOUNT.token, SENDER, self.world.served.url, timeout_s=5)

    @property
    def public_url(self) -> str:
        return self.world.service.served.url

    def works(self) -> None:
        Worker(self.stage.room, Post(self.sender, self.stage.mail, self.public_url), self.stage.clock).once()

    def looks(self, *waits: timedelta) -> None:
        """Look-ups, each so long after this moment."""
        start = self.stage.clock()
        for wait in waits:
            self.stage.clock.now = self.world.moment = start + wait
            outbox.reconcile(self.db, TERMS, self.records, self.stage.clock())

    @property
    def on_the_phone(self) -> list[str]:
        return [one["text"] for one in self.world.phone() if one["text"] == WORDS]

    @property
    def states(self) -> list[tuple[str, str | None]]:
        return [(row.state, row.reason) for row in rows(self.db, Outbound)]


@pytest.fixture
def scene(db: Database, tmp_path: Path) -> Iterator[Scene]:
    """Amina has just written, so that she may be answered."""
    world = World(tmp_path)
    world.say("hello")
    a_learner(db, AMINA, now=world.moment)
    yield Scene(Stage(db, Clock(world.moment)), world)
    world.close()


def arrived(scene: Scene) -> bool:
    return "read" in scene.world.service.statuses


@pytest.mark.parametrize(
    ("purpose", "wait"), [("reply", FIRST), ("safety", *LOOK_UPS_AT_RISK)], ids=["an answer", "to somebody at risk"]
)
@pytest.mark.parametrize("lost", [{"status": "garbled"}, {"status": 500, "taken": True}], ids=str)
def test_what_was_taken_though_the_answer_was_lost_is_found_and_not_sent_twice(
    scene: Scene, lost: dict[str, Any], purpose: Purpose, wait: timedelta
) -> None:
    scene.world.ask("fail", lost)
    owe(scene.db, AMINA, scene.stage.clock(), purpose=purpose)
    scene.works()
    assert scene.states == [("unknown", None)]
    scene.world.until(lambda: arrived(scene))
    scene.looks(wait)
    scene.works()
    assert scene.states == [("read", None)]
    assert scene.on_the_phone == [WORDS]


def test_what_was_never_taken_is_sent_once_more(scene: Scene) -> None:
    scene.world.ask("fail", {"status": 500, "taken": False})
    owe(scene.db, AMINA, scene.stage.clock(), purpose="reply")
    scene.works()
    scene.looks(FIRST)
    scene.works()
    assert scene.on_the_phone == []
    scene.looks(LAST - FIRST)
    scene.works()
    assert scene.states == [("failed", "SENT_AGAIN"), ("accepted", None)]
    scene.world.until(lambda: arrived(scene))
    assert scene.on_the_phone == [WORDS]
    assert rows(scene.db, OfficeCase) == []


@pytest.mark.parametrize("taken", [True, False])
def test_what_a_dead_worker_was_sending_is_found_or_sent_once_more(scene: Scene, taken: bool) -> None:
    owe(scene.db, AMINA, scene.stage.clock(), purpose="reply")
    sending = outbox.claim(scene.db, TERMS, scene.stage.clock())
    assert sending is not None
    if taken:  # and here the worker dies
        scene.sender.send(Letter(sending.to, sending.body, f"{scene.public_url}/whatsapp/status/{sending.outbound_id}"))
        scene.world.until(lambda: arrived(scene))
    scene.stage.clock.wait(LEASE)
    scene.works()
    assert scene.states == [("unknown", None)]
    scene.looks(FIRST, LAST)
    scene.works()
    scene.world.until(lambda: arrived(scene))
    assert scene.on_the_phone == [WORDS]
    assert len(scene.states) == (1 if taken else 2)


def test_news_that_never_reached_us_is_asked_for(scene: Scene) -> None:
    owe(scene.db, AMINA, scene.stage.clock(), purpose="reply")
    scene.works()
    scene.world.until(lambda: arrived(scene))
    assert scene.states == [("accepted", None)]
    outbox.ask_after_silent(scene.db, TERMS, scene.records, scene.stage.clock.wait(timedelta(hours=1)))
    assert scene.states == [("read", None)]


def test_what_she_wrote_is_found_answered_and_then_forgotten_at_twilio(scene: Scene) -> None:
    scene.stage.clock.wait(timedelta(minutes=5))
    lookout = Lookout(scene.db, lexicon(), scene.records)
    assert lookout.look(scene.stage.clock()) == 1
    scene.works()
    found = only(scene.db, Inbound)
    assert (found.text, found.received_at, found.state) == ("hello", scene.world.moment, "done")
    later = scene.stage.clock() + KEEPS_COPY
    assert tidy(scene.db, scene.records, later) == 2  # hers, and our answer
    assert scene.records.news_of(found.sid) is None
    assert lookout.look(scene.stage.clock()) == 0
    assert tidy(scene.db, scene.records, later) == 0


def test_while_twilio_is_ill_nothing_is_decided(scene: Scene) -> None:
    scene.world.ask("fail", {"status": "garbled"})
    owe(scene.db, AMINA, scene.stage.clock(), purpose="reply")
    scene.works()
    scene.world.ask("fail", {"on": "records", "status": 503})
    with pytest.raises(ProviderAway):
        scene.looks(LAST)
    scene.looks(timedelta(minutes=1))
    assert only(scene.db, Outbound).look_ups == 1
    assert scene.states[0][0] in ("accepted", "sent", "delivered", "read")
