"""What people wrote while we could not be reached is found at Twilio, stored like any other, and answered sensibly."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from bot import cli, inbox
from bot.cli.recovering import recover_command
from bot.database import Database
from bot.models import Audit, ContactPoint, Inbound, OfficeCase, Outbound, PersonRow
from bot.recovery import LONGEST, OVERLAP, STILL_KNOCKING, Lookout, last_heard
from bot.whatsapp import ProviderAway, TwilioContents
from tests.bot.rooms import (
    AMINA,
    BILAL,
    SECOND,
    Archive,
    Clock,
    Stage,
    a_learner,
    a_member_of_staff,
    an_incoming,
    consent_of,
    only,
    owe,
    rows,
)
from tests.bot.rooms import states as outbound_states
from tests.words import lexicon

HOUR = timedelta(hours=1)
CARD = "my card is 4111 1111 1111 1111 please take it"


@dataclass(slots=True)
class Scene:
    """A worker and Twilio's records of what people wrote."""

    stage: Stage
    archive: Archive = field(default_factory=Archive)

    @property
    def now(self) -> datetime:
        return self.stage.clock()

    @property
    def lookout(self) -> Lookout:
        return Lookout(self.stage.db, lexicon(), self.archive)

    def missed(self, text: str, age: timedelta, phone: str = AMINA) -> None:
        """A message that Twilio got so long ago, and we did not."""
        self.archive.inbound.append((an_incoming(phone, text), self.now - age))

    def finds(self, back: timedelta = LONGEST) -> tuple[int, int]:
        """We look so far back; how many are found, and how many are new."""
        done = self.lookout.recover(self.now - back, self.now)
        return done.found, done.new

    def finds_and_works(self) -> list[str]:
        """What Amina is told when what was missed has been found."""
        said = len(self.stage.whatsapp.to(AMINA))
        self.finds()
        self.stage.works()
        return self.stage.whatsapp.to(AMINA)[said:]


@pytest.fixture
def scene(db: Database, now: datetime) -> Scene:
    """Amina is a learner who last wrote four days ago."""
    a_learner(db, AMINA, now=now - timedelta(days=4))
    return Scene(Stage(db, Clock(now)))


def test_what_never_reached_us_is_stored_with_when_twilio_got_it(scene: Scene) -> None:
    scene.missed("when is my next lesson", 2 * HOUR)
    assert scene.finds() == (1, 1)
    row = only(scene.stage.db, Inbound)
    assert (row.received_at, row.retry_at, row.state) == (scene.now - 2 * HOUR, scene.now, "received")


def test_what_is_there_already_changes_nothing(scene: Scene) -> None:
    scene.missed("hello", 2 * HOUR)
    scene.finds()
    scene.stage.works()
    before = only(scene.stage.db, Inbound)
    assert scene.finds() == (1, 0)
    after = only(scene.stage.db, Inbound)
    assert (after.state, after.received_at, after.tidy_at) == (before.state, before.received_at, before.tidy_at)
    assert len(rows(scene.stage.db, Outbound)) == 1


def test_details_are_masked_and_twilios_copy_is_to_be_blanked_at_once(scene: Scene) -> None:
    scene.missed(CARD, HOUR)
    scene.finds()
    row = only(scene.stage.db, Inbound)
    assert "4111" not in row.text
    assert row.tidy_at == scene.now
    assert row.details["masked"]


@pytest.mark.parametrize(("text", "urgent"), [("STOP", True), ("i want to kill myself", True), ("hello there", False)])
def test_what_must_not_wait_overtakes(scene: Scene, text: str, urgent: bool) -> None:
    scene.missed(text, HOUR)
    scene.finds()
    assert only(scene.stage.db, Inbound).urgent is urgent


def test_the_window_counts_from_when_they_wrote_and_never_moves_back(scene: Scene) -> None:
    scene.missed("one", 3 * HOUR)
    scene.missed("two", 5 * HOUR)
    scene.finds()
    assert only(scene.stage.db, ContactPoint).last_inbound_at == scene.now - 3 * HOUR
    scene.missed("three", 8 * HOUR)
    scene.finds()
    assert only(scene.stage.db, ContactPoint).last_inbound_at == scene.now - 3 * HOUR


def test_where_twilios_clock_is_ahead_nothing_comes_from_the_future(scene: Scene) -> None:
    incoming = an_incoming(AMINA, "hello")
    with scene.stage.db.write() as session:
        inbox.record(session, incoming, inbox.look_over(incoming, lexicon()), scene.now, scene.now + SECOND)
    assert only(scene.stage.db, Inbound).received_at == scene.now
    assert only(scene.stage.db, ContactPoint).last_inbound_at == scene.now


def test_what_the_webhook_may_still_bring_is_left_to_it(scene: Scene) -> None:
    scene.missed("just now", STILL_KNOCKING - SECOND)
    assert scene.finds() == (0, 0)
    scene.stage.clock.wait(SECOND)
    assert scene.finds() == (1, 1)


def test_an_old_message_does_not_prove_that_somebody_can_be_reached_now(scene: Scene) -> None:
    with scene.stage.db.write() as session:
        point = session.get_one(ContactPoint, 1)
        point.unreachable_at, point.unreachable_code = scene.now - 2 * HOUR, 63003
    scene.missed("before it failed", 3 * HOUR)
    scene.finds()
    assert only(scene.stage.db, ContactPoint).unreachable_code == 63003
    scene.missed("after it failed", HOUR)
    scene.finds()
    assert only(scene.stage.db, ContactPoint).unreachable_at is None


# It is answered sensibly.


def test_what_is_not_old_is_answered(scene: Scene) -> None:
    scene.missed("cheers then", 22 * HOUR)
    assert len(scene.finds_and_works()) == 1


@pytest.mark.parametrize("wrote_since", [False, True])
def test_what_is_older_than_23_hours_is_not_answered_but_shown(scene: Scene, wrote_since: bool) -> None:
    scene.missed("cheers then", 25 * HOUR)
    if wrote_since:
        scene.stage.hears_and_works(AMINA, "hello?")
    assert scene.finds_and_works() == []
    assert outbound_states(scene.stage.db)[-1] == ("withheld", "STALE")
    assert [case.kind for case in rows(scene.stage.db, OfficeCase)] == ["undelivered"]


def test_a_late_stop_still_counts(scene: Scene) -> None:
    planned = owe(scene.stage.db, AMINA, scene.now + HOUR, key="planned")
    scene.missed("STOP", 30 * HOUR)
    assert scene.finds_and_works() == []
    assert consent_of(scene.stage.db, AMINA) == ["withdrawn"] * 3
    assert only(scene.stage.db, Outbound, Outbound.id == planned).reason == "OPTED_OUT"


def test_a_late_start_does_not_undo_a_stop_that_came_after_it(scene: Scene) -> None:
    scene.missed("START", 5 * HOUR)
    scene.stage.hears_and_works(AMINA, "STOP")
    scene.finds_and_works()
    assert consent_of(scene.stage.db, AMINA) == ["withdrawn"] * 3


def test_a_late_disclosure_is_acted_on_and_answered_while_they_may_be_written_to(scene: Scene) -> None:
    scene.missed("i want to kill myself", 30 * HOUR)
    assert scene.finds_and_works() == []
    assert only(scene.stage.db, OfficeCase, OfficeCase.restricted).kind == "safeguarding_disclosure"
    assert scene.stage.mail.mails


def test_somebody_at_risk_is_answered_however_late_if_they_have_written_since(scene: Scene) -> None:
    scene.stage.hears_and_works(AMINA, "hello")
    scene.missed("i want to kill myself", 30 * HOUR)
    assert any("999" in said for said in scene.finds_and_works())


def test_what_they_wrote_before_we_asked_is_no_answer_to_it(scene: Scene) -> None:
    scene.missed("yes", 2 * HOUR)
    with scene.stage.db.write() as session:
        options = {"yes": "opt_in_marketing"}
        asked = {"question": "marketing", "options": options, "asked_at": (scene.now - HOUR).isoformat(), "inbound_id": None}
        session.get_one(PersonRow, 1).pending = asked
    scene.finds_and_works()
    assert only(scene.stage.db, Inbound).intents != ["opt_in_marketing"]


# How far back.


def test_we_look_from_an_hour_before_the_newest_we_have(scene: Scene) -> None:
    scene.stage.hears(AMINA, "hello")
    scene.stage.clock.wait(2 * HOUR)
    assert last_heard(scene.stage.db, scene.now) == scene.now - 2 * HOUR - OVERLAP


def test_we_never_look_further_back_than_seven_days_and_only_an_hour_where_nobody_ever_wrote(scene: Scene) -> None:
    assert last_heard(scene.stage.db, scene.now) == scene.now - OVERLAP
    scene.stage.hears(AMINA, "hello")
    assert last_heard(scene.stage.db, scene.now + timedelta(days=30)) == scene.now + timedelta(days=23)


def test_after_twilio_was_away_we_look_from_before_that(scene: Scene) -> None:
    lookout, start = scene.lookout, scene.now
    lookout.look(start)
    scene.archive.away = True
    with pytest.raises(ProviderAway):
        lookout.look(scene.stage.clock.wait(10 * HOUR))
    scene.archive.away = False
    scene.missed("while twilio was away", 9 * HOUR)
    assert lookout.look(scene.now) == 1
    assert scene.archive.asked[-1] == ("inbound_since", (start - OVERLAP).isoformat())
    lookout.look(scene.stage.clock.wait(timedelta(days=30)))
    assert scene.archive.asked[-1] == ("inbound_since", (scene.now - LONGEST).isoformat())


# The command.


def run(scene: Scene, monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str, str]:
    """`flask recover` with these words: exit status, output, errors."""
    monkeypatch.setattr("bot.clock.now", scene.stage.clock)
    contents = TwilioContents("AC", "unused", "http://127.0.0.1:9")  # nobody asks for it
    tools = cli.Tools(scene.stage.db, scene.stage.room, scene.stage.worker, contents, scene.archive)
    done = CliRunner().invoke(recover_command(tools), list(words))
    return done.exit_code, done.stdout, done.stderr


def test_the_command_says_how_many_it_found_and_how_many_were_new(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.missed("one", 2 * HOUR)
    scene.missed("two", 3 * HOUR, BILAL)
    assert run(scene, monkeypatch, "--since", "2026-11-24T05:00")[0] == 0
    scene.missed("three", HOUR)
    status, out, _ = run(scene, monkeypatch, "--since", "2026-11-24T05:00", "--json")
    assert (status, json.loads(out.splitlines()[-1])) == (0, {"since": "2026-11-24T05:00:00+00:00", "found": 3, "new": 1})


def test_the_command_goes_into_the_audit_with_who_signed_it_and_how_many_it_found(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_member_of_staff(scene.stage.db, "A01", "admin", now=scene.stage.clock())
    scene.missed("one", 2 * HOUR)
    run(scene, monkeypatch, "--since", "2026-11-24T05:00", "--as", "A01")
    run(scene, monkeypatch, "--since", "2026-11-24T05:00")
    scene.archive.away = True
    run(scene, monkeypatch, "--since", "2026-11-24T05:00")
    since = {"since": "2026-11-24T05:00:00+00:00"}
    assert [(row.by, row.act, row.person_id, row.details) for row in rows(scene.stage.db, Audit)] == [
        ("A01", "recover", None, since | {"found": 1, "new": 1}),
        ("cli", "recover", None, since | {"found": 1, "new": 0}),
        ("cli", "recover", None, since | {"away": 503}),
    ]


def test_the_command_signed_with_the_code_of_nobody_asks_nobody(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    status, _, err = run(scene, monkeypatch, "--as", "A99")
    assert (status, err, scene.archive.asked) == (1, "Error: no member of staff has this code\n", [])


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("2026-07-01T09:30", datetime(2026, 7, 1, 8, 30, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 6, 30, 23, 0, tzinfo=UTC)),
        ("2026-11-01T09:30", datetime(2026, 11, 1, 9, 30, tzinfo=UTC)),
        ("2026-07-01T09:30Z", datetime(2026, 7, 1, 9, 30, tzinfo=UTC)),
        ("2026-07-01T09:30+02:00", datetime(2026, 7, 1, 7, 30, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_londons(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, given: str, meant: datetime
) -> None:
    run(scene, monkeypatch, "--since", given)
    assert scene.archive.asked == [("inbound_since", meant.isoformat())]


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", "2026-11-25"])
def test_a_time_that_is_none_or_has_yet_to_come_is_refused(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, since: str
) -> None:
    status, _, err = run(scene, monkeypatch, "--since", since)
    assert (status, "--since" in err, scene.archive.asked) == (2, True, [])


def test_with_twilio_away_it_fails_and_says_so(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.archive.away = True
    status, out, err = run(scene, monkeypatch)
    assert (status, out) == (3, "")
    assert "Twilio answered 503" in err
