"""No count of an opportunity, and no difference between two of them, tells whom a safeguarding hold protects (D18)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pytest
from sqlalchemy import update

from bot import opportunities
from bot.database import Database
from bot.models import ContactPoint, PersonRow
from bot.opportunities.preview import in_order
from tests.bot.offers import EVERYTHING, a_course, an_offer, learners, staff
from tests.bot.rooms import TERMS


@pytest.fixture(autouse=True)
def college(db: Database, now: datetime) -> None:
    staff(db, now)
    a_course(db, "SYB12", now)
    a_course(db, "LONG_AGO", now, ends_in=-200 * (now - now.replace(day=now.day - 1)))
    opportunities.add(db, TERMS, an_offer(now), now)


def will_not(db: Database, now: datetime) -> Mapping[str, int]:
    return opportunities.preview(db, TERMS, "MARKET", now).survey.will_not


def hold(db: Database, now: datetime, *people: int) -> None:
    with db.write() as session:
        session.execute(update(PersonRow).where(PersonRow.id.in_(people)).values(held_at=now))


@pytest.mark.parametrize("course", ["SYB12", "LONG_AGO"])
@pytest.mark.parametrize("consent", [dict.fromkeys(EVERYTHING, "withdraw"), EVERYTHING | {"marketing": "refuse"}, {}])
def test_who_would_not_get_it_anyway_counts_as_before(
    db: Database, now: datetime, course: str, consent: dict[str, str]
) -> None:
    people = learners(db, now, 1, course=course, consent=consent)
    before = will_not(db, now)
    hold(db, now, *people)
    assert will_not(db, now) == before


def test_a_blocked_phone_and_a_hold_are_one_count(db: Database, now: datetime) -> None:
    people = learners(db, now, *range(6))
    with db.write() as session:
        session.execute(update(ContactPoint).where(ContactPoint.person_id.in_(people[:3])).values(unreachable_at=now))
    hold(db, now, *people)
    assert will_not(db, now) == {"NOT_REACHABLE": 6}


def test_a_few_who_are_not_reachable_are_among_the_other_few() -> None:
    assert in_order({"SAFEGUARDING_HOLD": 1, "OPTED_OUT": 3, "PAST_6_MONTHS": 7}) == {"PAST_6_MONTHS": 7, "OTHERS": 4}
    assert in_order({"SAFEGUARDING_HOLD": 4, "NO_PHONE": 1, "OPTED_OUT": 3}) == {"OPTED_OUT": 3, "NOT_REACHABLE": 5}
    assert in_order({"OPTED_OUT": 3, "STALE": 1}) == {"OPTED_OUT": 3, "STALE": 1}
    told = opportunities.told(opportunities.Survey(4, will_not=in_order({"SAFEGUARDING_HOLD": 1, "STALE": 2})))
    assert told == "4 will get it; 3 will not: 3 others."
