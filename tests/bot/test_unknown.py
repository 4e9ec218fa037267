"""Sends whose outcome nobody knows: found and adopted, sent once more, or shown to a person; never sent blindly again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from bot import outbox
from bot.cases import read_case
from bot.database import Database
from bot.models import OfficeCase, Outbound, PersonRow
from bot.outbox.claim import LEASE
from bot.outbox.silent import ASK_UNTIL, MOST_AT_ONCE
from bot.outbox.unknown import LOOK_LEASE, LOOK_UPS, LOOK_UPS_AT_RISK, UNKNOWN_FOR
from bot.turn import Purpose
from bot.whatsapp import Outcome, ProviderAway, SentRecord, StatusUpdate
from tests.bot.rooms import AMINA, BILAL, SECOND, TERMS, Archive, Clock, Stage, a_learner, a_member_of_staff, only, owe, rows

SID, OTHER_SID = "SM" + "1" * 32, "SM" + "2" * 32
FIRST, LAST = LOOK_UPS
(EARLY,) = LOOK_UPS_AT_RISK
LOST = Outcome("unknown")


@dataclass(slots=True)
class Scene:
    """A worker, a learner, and Twilio's records; `found` is how many each look-up settled."""

    stage: Stage
    archive: Archive = field(default_factory=Archive)

    @property
    def now(self) -> datetime:
        return self.stage.clock()

    def owes(self, purpose: Purpose = "reply", outcome: Outcome = LOST, key: str = "k1", **given: object) -> int:
        """A message that Twilio was asked to send just now, with this outcome."""
        outbound_id = owe(self.stage.db, AMINA, self.now, purpose=purpose, key=key, **given)
        self.sends(outcome)
        return outbound_id

    def sends(self, outcome: Outcome) -> str | None:
        """The next message that may go is sent, with this outcome; its words."""
        one = outbox.claim(self.stage.db, TERMS, self.now)
        if one is not None:
            outbox.record(self.stage.db, TERMS, one.outbound_id, outcome, self.now)
        return one.body if one else None

    def holds(self, body: str = "Body of k1.", sid: str = SID, status: str = "sent", **given: object) -> None:
        """Twilio holds a message to Amina, made at this moment unless told otherwise."""
        one = SentRecord(sid, body, status, None, self.now)
        self.archive.sent.append((AMINA, replace(one, **given)))  # type: ignore[arg-type]

    def looks(self) -> int:
        return outbox.reconcile(self.stage.db, TERMS, self.archive, self.now)

    def looks_after(self, *waits: timedelta) -> int:
        """Look-ups, each so long after the message was sent; how many were settled by the last."""
        start, settled = self.now, 0
        for wait in waits:
            self.stage.clock.now = start + wait
            settled = self.looks()
        return settled

    def hears(self, outbound_id: int, status: str, sid: str = SID, code: int | None = None) -> None:
        with self.stage.db.write() as session:
            outbox.advance(session, TERMS, outbound_id, StatusUpdate(sid, status, code), self.now)

    def row(self, outbound_id: int = 1) -> Outbound:
        return only(self.stage.db, Outbound, Outbound.id == outbound_id)

    @property
    def states(self) -> list[tuple[str, str | None]]:
        return [(row.state, row.reason) for row in rows(self.stage.db, Outbound)]

    @property
    def cases(self) -> list[str]:
        return [case.kind for case in rows(self.stage.db, OfficeCase)]


@pytest.fixture
def scene(db: Database, now: datetime) -> Scene:
    a_learner(db, AMINA, now=now)
    a_member_of_staff(db, "A1", "admin", now=now)
    return Scene(Stage(db, Clock(now)))


# Found.


def test_one_that_twilio_holds_is_adopted_with_how_it_stands(scene: Scene) -> None:
    scene.owes()
    scene.holds(status="delivered")
    assert scene.looks_after(FIRST) == 1
    assert (scene.row().state, scene.row().sid, scene.row().look_ups) == ("delivered", SID, 1)
    assert scene.looks_after(LAST) == 0
    assert (len(scene.states), scene.cases) == (1, [])


def test_adopted_or_spoken_of_it_is_as_if_twilio_had_said_so_at_once(scene: Scene) -> None:
    ask = {"question": "invitation", "options": {"yes": "request_group_link"}}
    for key, sid in (("k1", SID), ("k2", OTHER_SID)):
        outbound_id = scene.owes("service", key=key, ask=ask, use="course_update", urgent=True)
        if key == "k1":
            scene.holds(status="queued")
            scene.looks_after(FIRST)
        else:
            scene.hears(outbound_id, "queued", sid)
        assert scene.row(outbound_id).state == "accepted"
        assert scene.row(outbound_id).tidy_at == scene.now + timedelta(hours=24)
        pending = rows(scene.stage.db, PersonRow)[0].pending
        assert pending is not None
        assert pending["question"] == "invitation"
        with scene.stage.db.write() as session:
            session.execute(update(PersonRow).values(pending=None))


def test_news_of_a_failure_that_a_look_up_finds_is_acted_on(scene: Scene) -> None:
    scene.owes("service", use="course_update")
    scene.holds(status="undelivered", error_code=63024)
    scene.looks_after(FIRST)
    assert (scene.states, scene.cases) == ([("failed", None)], ["unreachable"])


@pytest.mark.parametrize("body", ["  Body of k1.\n", "Body\n of  k1."])
def test_twilio_may_change_blanks(scene: Scene, body: str) -> None:
    scene.owes()
    scene.holds(body)
    scene.looks_after(FIRST)
    assert scene.states == [("sent", None)]


@pytest.mark.parametrize(
    ("off", "state"), [(-60, "sent"), (-61, "unknown"), (LEASE.seconds + 60, "sent"), (LEASE.seconds + 61, "unknown")]
)
def test_only_what_was_made_about_then_counts(scene: Scene, off: int, state: str) -> None:
    scene.owes()
    scene.holds(created_at=scene.now + timedelta(seconds=off))
    scene.looks_after(FIRST)
    assert scene.row().state == state


def test_a_record_of_another_row_is_not_taken(scene: Scene) -> None:
    scene.owes(outcome=Outcome("accepted", SID), body="Same.")
    lost = scene.owes(key="k2", body="Same.")
    scene.holds("Same.")
    assert scene.looks_after(FIRST) == 0
    assert scene.row(lost).state == "unknown"
    scene.holds("Same.", OTHER_SID, created_at=scene.row(lost).tried_at)
    scene.looks_after(LAST - FIRST)
    assert scene.row(lost).sid == OTHER_SID


def test_a_template_is_known_by_its_words(scene: Scene) -> None:
    scene.owes("service", use="course_update", template="any", body="Hello Amina.", variables={"name": "Amina"})
    scene.holds("Hello Amina.")
    scene.looks_after(FIRST)
    assert scene.states == [("sent", None)]


# When it is looked for.


def test_it_is_looked_for_after_two_and_ten_minutes_and_no_more(scene: Scene) -> None:
    scene.owes()
    start = scene.now
    for seconds, asked in ((119, 0), (120, 1), (121, 1), (599, 1), (600, 2), (900, 2)):
        scene.stage.clock.now = start + timedelta(seconds=seconds)
        scene.looks()
        assert len(scene.archive.asked) == asked, seconds


def test_while_twilio_is_away_nothing_counts_and_it_is_tried_again(scene: Scene) -> None:
    scene.owes()
    scene.archive.away = True
    for _ in range(5):
        with pytest.raises(ProviderAway):
            scene.looks_after(LAST)
    assert (scene.row().state, scene.row().look_ups) == ("unknown", 0)
    scene.archive.away = False
    scene.holds(created_at=scene.row().tried_at)
    assert scene.looks() == 0  # it is still put off
    assert scene.looks_after(LOOK_LEASE) == 1


def test_one_whose_fate_was_told_meanwhile_is_left_alone(scene: Scene) -> None:
    lost = scene.owes()
    scene.archive.meanwhile = lambda: scene.hears(lost, "delivered")
    assert scene.looks_after(LAST) == 0
    assert (scene.states, scene.row().look_ups) == ([("delivered", None)], 0)


def test_two_workers_look_once_and_send_again_once(scene: Scene) -> None:
    scene.owes()
    scene.looks_after(FIRST)
    scene.archive.meanwhile = once(scene.looks)
    scene.looks_after(LAST - FIRST)
    assert [what for what, _ in scene.archive.asked] == ["sent_to"] * 2
    assert scene.states == [("failed", "SENT_AGAIN"), ("queued", None)]


def once(do: Callable[[], object]) -> Callable[[], None]:
    """It, the first time only."""
    left = [do]

    def work() -> None:
        if left:
            left.pop()()

    return work


def test_no_transaction_is_open_while_twilio_is_asked(scene: Scene) -> None:
    scene.owes()
    scene.archive.meanwhile = lambda: owe(scene.stage.db, BILAL, scene.now, key="another")
    scene.looks_after(FIRST)
    assert len(scene.states) == 2


# Not found.


def test_after_two_look_ups_that_find_nothing_it_is_sent_once_more(scene: Scene) -> None:
    scene.owes()
    assert scene.looks_after(FIRST) == 0
    assert scene.looks_after(LAST - FIRST) == 1
    assert scene.states == [("failed", "SENT_AGAIN"), ("queued", None)]
    assert scene.sends(Outcome("accepted", SID)) == "Body of k1."
    assert (scene.row(2).retry_of, scene.row(2).state, scene.cases) == (1, "accepted", [])


def test_the_second_time_a_person_must_look(scene: Scene) -> None:
    scene.owes()
    scene.looks_after(FIRST, LAST)
    scene.sends(LOST)
    scene.looks_after(FIRST, LAST)
    assert scene.states == [("failed", "SENT_AGAIN"), ("failed", "NOT_FOUND")]
    assert scene.cases == ["undelivered"]
    assert scene.sends(LOST) is None


@pytest.mark.parametrize("status", ["queued", "sent", "delivered", "read"])
@pytest.mark.parametrize("by_our_id", [True, False])
def test_if_twilio_speaks_of_the_first_after_all_the_second_is_called_off(
    scene: Scene, status: str, by_our_id: bool
) -> None:
    lost = scene.owes()
    scene.looks_after(FIRST, LAST)
    if by_our_id:
        scene.hears(lost, status)
    else:
        scene.hears(lost, "queued")
        scene.hears(lost, status)
    first, second = scene.states
    assert (first[0], second) == ("accepted" if status == "queued" else status, ("withheld", "ARRIVED_AFTER_ALL"))
    assert (scene.row().sid, scene.row().reason, scene.sends(LOST)) == (SID, None, None)


def test_one_that_was_called_off_and_failed_after_all_is_sent_again(scene: Scene) -> None:
    lost = scene.owes()
    scene.looks_after(FIRST, LAST)
    scene.hears(lost, "sent")
    scene.hears(lost, "undelivered", code=63012)
    assert scene.states == [("failed", "SENT_AGAIN"), ("queued", None)]


def test_what_would_come_too_late_is_not_sent_again_but_shown(scene: Scene) -> None:
    scene.owes(best_before=scene.now + LAST)
    scene.looks_after(FIRST, LAST)
    assert (scene.states, scene.cases) == ([("unknown", "AMBIGUOUS")], ["undelivered"])
    assert scene.looks_after(LAST) == 0


# Ambiguous.


def test_of_two_that_match_nobody_can_tell(scene: Scene) -> None:
    scene.owes()
    scene.holds()
    scene.holds(sid=OTHER_SID)
    assert scene.looks_after(FIRST, LAST) == 1
    assert (scene.states, scene.cases) == ([("unknown", "AMBIGUOUS")], ["undelivered"])


@pytest.mark.parametrize(("body", "again"), [("", False), ("Body of k1!", False), ("We are closed. Please phone.", True)])
def test_one_almost_like_it_may_be_it(scene: Scene, body: str, again: bool) -> None:
    scene.owes()
    scene.holds(body)
    scene.looks_after(FIRST, LAST)
    assert scene.states[0] == (("failed", "SENT_AGAIN") if again else ("unknown", "AMBIGUOUS"))


def test_of_two_lost_with_the_same_words_nobody_can_tell_whose_the_record_is(scene: Scene) -> None:
    scene.owes(body="Same.")
    scene.owes(key="k2", body="Same.")
    scene.holds("Same.")
    scene.looks_after(FIRST, LAST)
    assert scene.states == [("unknown", "AMBIGUOUS")] * 2


def test_what_is_ambiguous_is_settled_by_news_all_the_same(scene: Scene) -> None:
    lost = scene.owes()
    scene.holds()
    scene.holds(sid=OTHER_SID)
    scene.looks_after(FIRST, LAST)
    scene.hears(lost, "delivered")
    assert scene.states == [("delivered", None)]


def test_one_that_the_channel_did_not_answer_for_in_time_is_asked_after_by_its_name(scene: Scene) -> None:
    lost = scene.owes(outcome=Outcome("accepted", SID))
    scene.hears(lost, "undelivered", code=30410)
    scene.holds(status="undelivered", error_code=30410)
    scene.looks_after(FIRST)
    assert (scene.states, scene.archive.asked) == ([("unknown", None)], [("news_of", SID)])
    scene.archive.sent.clear()
    scene.holds(status="delivered")
    scene.looks_after(LAST - FIRST)
    assert scene.states == [("delivered", None)]


def test_if_twilio_never_learns_more_a_person_must_look(scene: Scene) -> None:
    lost = scene.owes(outcome=Outcome("accepted", SID))
    scene.hears(lost, "undelivered", code=30410)
    scene.holds(status="undelivered", error_code=30410)
    scene.looks_after(FIRST, LAST)
    assert (scene.states, scene.cases) == ([("unknown", "AMBIGUOUS")], ["undelivered"])


# Somebody at risk.


def test_a_safety_reply_that_is_not_there_goes_again_after_twenty_seconds(scene: Scene) -> None:
    scene.owes("safety")
    assert scene.looks_after(EARLY - SECOND) == 0
    assert scene.looks_after(SECOND) == 1
    assert scene.sends(Outcome("accepted", SID)) == "Body of k1."


@pytest.mark.parametrize("doubt", ["twilio_away", "several", "30410"])
def test_in_any_doubt_it_goes_again(scene: Scene, doubt: str) -> None:
    lost = scene.owes("safety", Outcome("accepted", SID) if doubt == "30410" else LOST)
    if doubt == "30410":
        scene.hears(lost, "undelivered", code=30410)
    for sid in (SID, OTHER_SID):
        scene.holds(sid=sid, status="undelivered", error_code=30410)
    scene.archive.away = doubt == "twilio_away"
    assert scene.looks_after(EARLY) == 1
    assert scene.states == [("failed", "SENT_AGAIN"), ("queued", None)]


def test_a_safety_reply_that_is_there_does_not_go_again(scene: Scene) -> None:
    scene.owes("safety")
    scene.holds()
    scene.looks_after(EARLY)
    assert scene.states == [("sent", None)]


def test_it_goes_again_once_and_then_a_person_must_act(scene: Scene) -> None:
    scene.owes("safety")
    scene.looks_after(EARLY)
    scene.sends(LOST)
    scene.looks_after(EARLY)
    assert (scene.states, scene.cases) == ([("failed", "SENT_AGAIN"), ("failed", "NOT_FOUND")], ["undelivered"])


# While Twilio cannot be asked for long, a person looks.


def test_an_answer_of_unknown_fate_is_a_case_when_nobody_could_look_for_it(scene: Scene) -> None:
    stage = scene.stage
    stage.whatsapp.answer = lambda _letter: LOST
    stage.hears_and_works(AMINA, "when do you open")
    stage.clock.wait(UNKNOWN_FOR - SECOND)
    assert outbox.tell_of_unknown(stage.db, stage.clock()) == 0
    stage.clock.wait(SECOND)
    assert outbox.tell_of_unknown(stage.db, stage.clock()) == 1
    assert outbox.tell_of_unknown(stage.db, stage.clock()) == 0
    case = only(stage.db, OfficeCase)
    assert [row["message"] for row in read_case(stage.db, case.id, "A1", stage.clock())] == ["when do you open"]


def test_one_of_which_there_is_news_in_time_is_none(scene: Scene) -> None:
    scene.hears(scene.owes(), "delivered")
    scene.stage.clock.wait(UNKNOWN_FOR)
    assert outbox.tell_of_unknown(scene.stage.db, scene.now) == 0


# Accepted, and then silence.


def silent(scene: Scene) -> int:
    return outbox.ask_after_silent(scene.stage.db, TERMS, scene.archive, scene.now)


def test_after_an_hour_without_a_word_twilio_is_asked_and_then_hourly_for_two_days(scene: Scene) -> None:
    scene.owes(outcome=Outcome("accepted", SID))
    scene.holds(status="queued")
    start = scene.now
    for minutes, asked in ((59, 0), (60, 1), (61, 1), (119, 1), (120, 2)):
        scene.stage.clock.now = start + timedelta(minutes=minutes)
        assert silent(scene) == 0
        assert len(scene.archive.asked) == asked, minutes
    scene.stage.clock.now = start + ASK_UNTIL + SECOND
    silent(scene)
    assert len(scene.archive.asked) == 2


def test_what_it_says_counts_like_a_callback(scene: Scene) -> None:
    scene.owes(outcome=Outcome("accepted", SID))
    scene.holds(status="read")
    scene.stage.clock.wait(timedelta(hours=1))
    assert silent(scene) == 1
    assert (scene.row().state, scene.row().tidy_at) == ("read", scene.now)


@pytest.mark.parametrize("heard", ["sent", "delivered"])
def test_what_has_been_heard_of_is_not_asked_after(scene: Scene, heard: str) -> None:
    scene.hears(scene.owes(outcome=Outcome("accepted", SID)), heard)
    scene.stage.clock.wait(timedelta(hours=2))
    assert (silent(scene), scene.archive.asked) == (0, [])


def test_one_whose_record_we_had_deleted_is_not_asked_after(scene: Scene) -> None:
    scene.owes(outcome=Outcome("accepted", SID))
    with scene.stage.db.write() as session:
        session.execute(update(Outbound).values(tidy_at=None))
    scene.stage.clock.wait(timedelta(hours=2))
    assert (silent(scene), scene.archive.asked) == (0, [])


def test_no_more_than_fifty_at_a_time_and_the_others_next(scene: Scene) -> None:
    with scene.stage.db.write() as session:
        for number in range(MOST_AT_ONCE + 1):
            values = {
                "key": str(number),
                "person_id": 1,
                "contact_point_id": 1,
                "purpose": "reply",
                "priority": 1,
                "body": "",
            }
            times = {"created_at": scene.now, "due_at": scene.now, "sent_at": scene.now, "tidy_at": scene.now}
            session.add(Outbound(**values, **times, state="accepted", sid=f"SM{number}"))
    scene.stage.clock.wait(timedelta(hours=1))
    silent(scene)
    assert len(scene.archive.asked) == MOST_AT_ONCE
    silent(scene)
    assert len({sid for _, sid in scene.archive.asked}) == MOST_AT_ONCE + 1
