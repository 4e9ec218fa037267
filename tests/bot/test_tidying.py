"""Twilio forgets our messages and theirs as soon as ours are safe, and never what somebody still has to look for (L26)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from bot import inbox, outbox
from bot.database import Database
from bot.inbox import KEEPS_COPY
from bot.models import Inbound, Outbound
from bot.outbox.record import TIDY_AFTER
from bot.tidying import AGAIN_IN, BATCH, KEEP_FILES, tidy
from bot.turn import Media
from bot.whatsapp import Outcome, ProviderAway, StatusUpdate
from tests.bot.rooms import AMINA, SECOND, TERMS, Archive, Clock, Stage, a_learner, an_incoming, only, owe, receive, rows

SID = "SM" + "1" * 32
CARD = "my card is 4111 1111 1111 1111 please take it"


@dataclass(slots=True)
class Scene:
    """A worker, a learner, and Twilio's records."""

    stage: Stage
    archive: Archive = field(default_factory=Archive)

    @property
    def db(self) -> Database:
        return self.stage.db

    def tidies(self, after: timedelta = timedelta(0)) -> list[tuple[str, str]]:
        """What Twilio is asked for when we tidy so much later."""
        asked = len(self.archive.asked)
        tidy(self.db, self.archive, self.stage.clock.wait(after))
        return self.archive.asked[asked:]

    def gets_a_picture(self) -> str:
        """A picture came in with a caption and its turn is over; its SID."""
        incoming = an_incoming(AMINA, "my work", kind="picture", media=(Media("https://api.example.org/m", "image/jpeg"),))
        receive(self.db, incoming, self.stage.clock())
        self.finishes()
        return incoming.sid

    def finishes(self) -> None:
        while (claimed := inbox.claim(self.db, self.stage.clock())) is not None:
            with self.db.write() as session:
                inbox.finish(inbox.held(session, claimed, self.stage.clock()), "done", self.stage.clock())

    def sends(self, *news: str, code: int | None = None, outcome: Outcome | None = None) -> None:
        """A reply goes out, and this is said of it afterwards."""
        owe(self.db, AMINA, self.stage.clock(), purpose="reply")
        one = outbox.claim(self.db, TERMS, self.stage.clock())
        assert one is not None
        outbox.record(self.db, TERMS, one.outbound_id, outcome or Outcome("accepted", SID), self.stage.clock())
        with self.db.write() as session:
            for status in news:
                outbox.advance(session, TERMS, one.outbound_id, StatusUpdate(SID, status, code), self.stage.clock())


@pytest.fixture
def scene(db: Database, now: datetime) -> Scene:
    a_learner(db, AMINA, now=now)
    return Scene(Stage(db, Clock(now)))


# What came in.


def test_a_text_is_deleted_two_days_after_its_turn_and_only_once(scene: Scene) -> None:
    incoming = an_incoming(AMINA, "hello")
    receive(scene.db, incoming, scene.stage.clock())
    assert scene.tidies() == []
    scene.finishes()
    assert scene.tidies(KEEPS_COPY - SECOND) == []
    assert scene.tidies(SECOND) == [("delete", incoming.sid)]
    assert scene.tidies(timedelta(days=30)) == []
    assert only(scene.db, Inbound).text == "hello"


def test_a_message_whose_turn_failed_for_good_is_deleted_too(scene: Scene) -> None:
    incoming = an_incoming(AMINA, "hello")
    receive(scene.db, incoming, scene.stage.clock())
    claimed = inbox.claim(scene.db, scene.stage.clock())
    assert claimed is not None
    with scene.db.write() as session:
        inbox.finish(inbox.held(session, claimed, scene.stage.clock()), "failed", scene.stage.clock())
    assert scene.tidies(KEEPS_COPY) == [("delete", incoming.sid)]


def test_a_masked_detail_is_blanked_at_once_and_the_rest_deleted_after_the_turn(scene: Scene) -> None:
    incoming = an_incoming(AMINA, CARD)
    receive(scene.db, incoming, scene.stage.clock())
    assert scene.tidies() == [("redact", incoming.sid)]
    assert scene.tidies(timedelta(hours=2)) == []
    scene.finishes()
    assert scene.tidies() == [("delete", incoming.sid)]


def test_details_go_first_however_much_else_there_is(scene: Scene) -> None:
    for number in range(BATCH + 5):
        receive(scene.db, an_incoming(AMINA, f"message {number}"), scene.stage.clock())
    scene.finishes()
    scene.stage.clock.wait(KEEPS_COPY)
    incoming = an_incoming(AMINA, CARD)
    receive(scene.db, incoming, scene.stage.clock())
    asked = scene.tidies()
    assert (asked[0], len(asked)) == (("redact", incoming.sid), BATCH)
    assert len(scene.tidies()) == 6


def test_what_is_finished_while_its_text_is_being_blanked_is_deleted_next(scene: Scene) -> None:
    incoming = an_incoming(AMINA, CARD)
    receive(scene.db, incoming, scene.stage.clock())
    scene.archive.meanwhile = scene.finishes
    assert scene.tidies() == [("redact", incoming.sid)]
    assert scene.tidies() == [("delete", incoming.sid)]


def test_a_file_is_kept_until_it_can_be_copied_and_goes_within_seven_days(scene: Scene) -> None:
    sid = scene.gets_a_picture()
    assert scene.tidies(KEEPS_COPY) == [("redact", sid)]
    assert scene.tidies(KEEP_FILES - KEEPS_COPY - SECOND) == []
    assert scene.tidies(SECOND) == [("delete_media", sid), ("delete", sid)]
    assert scene.tidies(timedelta(days=30)) == []
    assert timedelta(days=6) < KEEP_FILES < timedelta(days=7)


def test_an_erased_persons_file_goes_at_once(scene: Scene) -> None:
    sid = scene.gets_a_picture()
    with scene.db.write() as session:  # as bot.erasure leaves it
        session.execute(update(Inbound).values(details={}, text="", tidy_at=scene.stage.clock()))
    assert scene.tidies() == [("delete_media", sid), ("delete", sid)]


# What went out.


def test_ours_is_deleted_when_it_was_read(scene: Scene) -> None:
    scene.sends("sent", "delivered")
    assert scene.tidies() == []
    with scene.db.write() as session:
        outbox.advance(session, TERMS, 1, StatusUpdate(SID, "read"), scene.stage.clock())
    assert scene.tidies() == [("delete", SID)]
    assert scene.tidies(timedelta(days=30)) == []


def test_a_file_of_ours_goes_with_it(scene: Scene) -> None:
    scene.sends("read")
    with scene.db.write() as session:
        session.execute(update(Outbound).values(media="https://e4a.example.org/media/1"))
    assert scene.tidies() == [("delete_media", SID), ("delete", SID)]


def test_ours_is_deleted_when_it_failed(scene: Scene) -> None:
    scene.sends("undelivered", code=63024)
    assert scene.tidies() == [("delete", SID)]


@pytest.mark.parametrize("news", [(), ("sent",), ("sent", "delivered")])
def test_without_more_news_it_is_deleted_after_a_day(scene: Scene, news: tuple[str, ...]) -> None:
    scene.sends(*news)
    assert scene.tidies(TIDY_AFTER - SECOND) == []
    assert scene.tidies(SECOND) == [("delete", SID)]


def test_one_whose_fate_is_unknown_is_kept_for_whoever_looks_for_it(scene: Scene) -> None:
    scene.sends("undelivered", code=30410)
    assert only(scene.db, Outbound).state == "unknown"
    assert scene.tidies(timedelta(days=2)) == []
    with scene.db.write() as session:
        session.execute(update(Outbound).values(reason="AMBIGUOUS"))
    assert scene.tidies() == [("delete", SID)]


def test_what_twilio_never_had_is_never_deleted(scene: Scene) -> None:
    scene.sends(outcome=Outcome("refused", error_code=63024))
    assert scene.tidies(timedelta(days=2)) == []


# Trouble.


def test_what_is_still_on_its_way_is_tried_again_in_an_hour(scene: Scene) -> None:
    scene.sends("read")
    scene.archive.unfinished = {SID}
    assert scene.tidies() == [("delete", SID)]
    assert scene.tidies(AGAIN_IN - SECOND) == []
    scene.archive.unfinished = set()
    assert scene.tidies(SECOND) == [("delete", SID)]
    assert only(scene.db, Outbound).tidy_at is None


def test_while_twilio_is_away_nothing_is_lost_and_nobody_is_kept_waiting(scene: Scene) -> None:
    scene.sends("read")
    sid = scene.gets_a_picture()
    scene.archive.away = True
    with pytest.raises(ProviderAway):
        scene.tidies(KEEPS_COPY)
    assert scene.archive.asked == [("redact", sid)]
    scene.archive.away = False
    assert scene.tidies() == [("delete", SID)]
    assert scene.tidies(AGAIN_IN) == [("redact", sid)]


def test_two_workers_delete_a_message_once(scene: Scene) -> None:
    scene.sends("read")

    def another() -> None:
        scene.archive.meanwhile = None
        tidy(scene.db, scene.archive, scene.stage.clock())

    scene.archive.meanwhile = another
    assert scene.tidies() == [("delete", SID)]
    assert [row.tidy_at for row in rows(scene.db, Outbound)] == [None]
