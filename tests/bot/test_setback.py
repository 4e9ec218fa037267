"""After the clock went back: nobody waits for a time that was seconds ahead, and what has its moment keeps it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from bot import inbox, outbox, setback
from bot.chores import Twilio
from bot.database import Database
from bot.health.ready import readiness
from bot.models import Alert, Inbound, Opportunity, Outbound, Stop
from bot.opportunities import RECALL_FOR
from bot.outbox import stopping
from bot.outbox.claim import LEASE
from bot.planning.opportunities import release
from bot.recovery import Lookout
from bot.schema import newest
from bot.whatsapp import ProviderAway
from tests.bot.offers import a_course, on_its_way, staff
from tests.bot.rooms import AMINA, BILAL, SECOND, TERMS, Archive, Clock, Stage, a_learner, only, owe, rows, states
from tests.words import lexicon

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A worker, and a learner; the clock is about to go back."""
    a_learner(db, AMINA, now=now - HOUR)
    return Stage(db, Clock(now))


def goes_back(stage: Stage, by: timedelta) -> int:
    """The clock goes back, and what that left standing is mended; how much that was."""
    return setback.mend(stage.db, stage.clock.wait(-by))


@pytest.mark.parametrize("by", [HOUR, 200 * DAY])
def test_a_message_that_waits_is_answered(stage: Stage, by: timedelta) -> None:
    stage.hears(AMINA, "cheers then")
    assert goes_back(stage, by) == 1
    stage.works()
    assert len(stage.whatsapp.to(AMINA)) == 1


def test_a_message_in_somebodys_hands_is_free_when_any_lease_ends(stage: Stage) -> None:
    stage.hears(AMINA, "cheers then")
    inbox.claim(stage.db, stage.clock())
    goes_back(stage, HOUR)
    assert inbox.claim(stage.db, stage.clock()) is None
    assert inbox.claim(stage.db, stage.clock.wait(inbox.LEASE)) is not None


def test_an_answer_that_was_to_go_at_once_goes_at_once(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock(), purpose="reply")
    goes_back(stage, HOUR)
    stage.works()
    assert states(stage.db) == [("accepted", None)]


def test_what_was_being_sent_is_unknown_after_any_lease_and_holds_up_nobody(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock(), purpose="reply")
    outbox.claim(stage.db, TERMS, stage.clock())
    goes_back(stage, HOUR)
    assert outbox.mark_unknown(stage.db, stage.clock()) == 0
    assert outbox.mark_unknown(stage.db, stage.clock.wait(LEASE + SECOND)) == 1


def test_what_is_planned_for_a_moment_keeps_it(stage: Stage) -> None:
    later = stage.clock() + HOUR
    owe(stage.db, AMINA, later, key="reminder", use="lesson_reminder", plan="day_before")
    assert goes_back(stage, 2 * HOUR) == 0
    assert only(stage.db, Outbound).due_at == later


@pytest.mark.parametrize("hours", [range(1), range(11)])
def test_an_opportunity_does_not_wait_for_the_days_that_the_clock_went_back(stage: Stage, hours: range) -> None:
    started = an_opportunity(stage)
    fast = started + 2 * DAY
    for passed in hours:  # with the clock fast; then it is put right
        release(stage.db, TERMS, fast + passed * HOUR)
    assert setback.mend(stage.db, started) == 1
    assert only(stage.db, Opportunity).plan_at == started
    release(stage.db, TERMS, started)
    assert setback.mend(stage.db, started) == 0


def test_an_opportunity_that_waits_for_the_hours_to_open_keeps_that_moment(stage: Stage) -> None:
    started = an_opportunity(stage)
    evening = started.replace(hour=21)
    release(stage.db, TERMS, evening)
    opens = only(stage.db, Opportunity).plan_at
    assert setback.mend(stage.db, evening) == 0
    assert only(stage.db, Opportunity).plan_at == opens
    assert setback.mend(stage.db, opens or evening) == 0


def test_an_opportunity_approved_on_a_fast_clock_goes_after_its_time_for_second_thoughts(stage: Stage) -> None:
    started = an_opportunity(stage)
    now = started - 2 * DAY
    setback.mend(stage.db, now)
    row = only(stage.db, Opportunity)
    assert row.release_at == row.plan_at == now + RECALL_FOR


def an_opportunity(stage: Stage) -> datetime:
    """One is on its way; from when."""
    staff(stage.db, stage.clock())
    a_course(stage.db, "OFFERED", stage.clock())
    return on_its_way(stage.db, stage.clock())


def test_an_alert_about_somebody_at_risk_does_not_wait(stage: Stage) -> None:
    stage.hears(BILAL, "i want to kill myself")
    stage.mail.up = False
    stage.works()
    stage.mail.up = True
    assert goes_back(stage, HOUR) > 0
    stage.works()
    assert {alert.state for alert in rows(stage.db, Alert, Alert.channel == "email")} == {"sent"}


def test_a_stop_tries_the_door_again(stage: Stage) -> None:
    with stage.db.write() as session:
        stopping.stop_sending(session, 20003, stage.clock(), by_callback=False)
    goes_back(stage, 5 * DAY)
    assert only(stage.db, Stop).until <= stage.clock()


def test_with_nothing_amiss_nothing_is_touched(stage: Stage) -> None:
    stage.hears(AMINA, "cheers then")
    owe(stage.db, BILAL, stage.clock() + HOUR, key="later")
    inbox.claim(stage.db, stage.clock())
    assert setback.mend(stage.db, stage.clock()) == 0
    with stage.db.read() as session:
        assert session.scalars(select(Inbound.state)).all() == ["received"]


def test_what_was_missed_before_the_clock_went_back_is_still_looked_for(db: Database, now: datetime) -> None:
    archive = Archive()
    lookout = Lookout(db, lexicon(), archive)
    lookout.look(now)
    lookout.look(now - 5 * HOUR)
    assert archive.asked[-1] == ("inbound_since", (now - 6 * HOUR).isoformat())


def test_a_twilio_that_was_away_is_asked_again(now: datetime) -> None:
    asked = list[datetime]()

    def do(at: datetime) -> int:
        asked.append(at)
        if len(asked) == 1:
            raise ProviderAway
        return 1

    work = Twilio().unless_away("a chore", do)
    assert [work(now), work(now - HOUR)] == [0, 1]


def test_a_heartbeat_from_later_is_no_sign_of_life(stage: Stage) -> None:
    stage.worker.beat()
    alive = [readiness(stage.db, stage.clock() - by, expected=newest(), model=True)[1]["worker"] for by in (SECOND, DAY)]
    assert alive == [True, False]
