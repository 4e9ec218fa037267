"""Whom the frequency cap leaves out for now, opportunities pass over: nobody's place lies idle, and they come back (P25)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from bot import opportunities
from bot.database import Database
from bot.models import Outbound
from bot.opportunities.reach import days_for
from bot.planning.opportunities import LOOK_AGAIN, release
from tests.bot.offers import DAY, HOUR, a_course, had_news, learners, on_its_way, phone, sent, staff
from tests.bot.rooms import TERMS, states
from tests.bot.test_opportunities_release import FEW, day_by_day

OFFERS = Outbound.opportunity_id.is_not(None)


@pytest.fixture(autouse=True)
def college(db: Database, now: datetime) -> None:
    """Four who wrote last week, and four who wrote long ago."""
    staff(db, now)
    a_course(db, "SYB12", now)
    learners(db, now, 1, 2, 3, 4, wrote_ago=2 * DAY)
    learners(db, now, 5, 6, 7, 8, wrote_ago=20 * DAY)


def test_who_had_enough_for_the_week_is_passed_over_and_has_it_when_the_cap_lets_them(db: Database, now: datetime) -> None:
    had_news(db, now, range(1, 5), 3)  # on Sunday, Monday and Tuesday
    starts = on_its_way(db, now, best_before=now + 6 * DAY + 10 * HOUR)
    foreseen = opportunities.preview(db, FEW, "MARKET", now)
    assert (foreseen.survey.will, foreseen.survey.will_not, foreseen.days, foreseen.days_open) == (8, {}, 5, 5)
    went = day_by_day(db, starts, FEW, 8)
    assert went[0] == [phone(number) for number in (5, 6, 7, 8)]
    assert sorted(one for day in went[1:] for one in day) == [phone(number) for number in (1, 2, 3, 4)]
    assert states(db, OFFERS) == [("accepted", None)] * 8


def test_who_had_news_today_has_it_tomorrow_and_the_next_best_today(db: Database, now: datetime) -> None:
    had_news(db, now, range(1, 3), 1)
    starts = on_its_way(db, now)
    assert opportunities.preview(db, FEW, "MARKET", now).days == 2
    went = day_by_day(db, starts, FEW, 2)
    assert went == [[phone(number) for number in (3, 4, 5, 6)], [phone(number) for number in (1, 2, 7, 8)]]


def test_whom_the_cap_holds_beyond_its_time_is_too_late_and_never_takes_a_place(db: Database, now: datetime) -> None:
    had_news(db, now, range(1, 5), 3)
    starts = on_its_way(db, now, best_before=now + 3 * DAY)
    foreseen = opportunities.preview(db, FEW, "MARKET", now).survey
    assert (foreseen.will, foreseen.outside, foreseen.will_not) == (4, 4, {"STALE": 4})
    went = day_by_day(db, starts, FEW, 5)
    assert [len(day) for day in went] == [4, 0, 0, 0, 0]
    assert sorted(states(db, OFFERS)) == [("accepted", None)] * 4 + [("withheld", "STALE")] * 4


def test_at_night_the_cap_is_asked_as_in_the_morning(db: Database, now: datetime) -> None:
    had_news(db, now, range(1, 3), 1)
    had_news(db, now, range(3, 5), 3)
    evening = now.replace(hour=19)
    on_its_way(db, now, best_before=now + 2 * DAY)
    assert opportunities.preview(db, FEW, "MARKET", evening).survey.will_not == {"STALE": 2}


def test_what_the_cap_keeps_for_tomorrow_takes_no_place_of_today(db: Database, now: datetime) -> None:
    learners(db, now, 9, 10, wrote_ago=HOUR)
    starts = on_its_way(db, now, "FIRST")
    assert release(db, FEW, starts) == 2 + 4
    had_news(db, starts, range(9, 11), 1)  # between the planning of it and the sending
    assert len(sent(db, starts, FEW)) == 4
    assert states(db, OFFERS, Outbound.state == "queued") == [("queued", "FREQUENCY_CAP")] * 2
    assert release(db, replace(FEW, reach_limit=8), starts + LOOK_AGAIN) == 3  # seven may be reached today, and four were


def test_the_days_until_all_have_it_count_those_on_which_the_cap_waits(now: datetime) -> None:
    thursday, friday = now.replace(day=26, hour=9), now.replace(day=27, hour=9)
    assert days_for(0, {}, 4, FEW, now) == 0
    assert days_for(9, {}, 4, FEW, now) == 3
    assert days_for(4, {thursday: 1}, 4, FEW, now) == 3
    assert days_for(9, {thursday: 5, friday: 4}, 4, FEW, now) == 5  # Tuesday and Wednesday, then nine at four a day
    assert days_for(2, {friday: 1}, 0, TERMS, now) == 4
