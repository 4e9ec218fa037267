"""An approved opportunity goes to those who agreed, as many a day as our reach has room for, until it is over (P18)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from bot import opportunities
from bot.batches import BATCH
from bot.database import Database
from bot.models import Audit, ContactPoint, OfficeCase, Opportunity, Outbound, PersonRow, TemplateRow
from bot.planning.opportunities import LEASE, LOOK_AGAIN, release
from bot.template_files import load_templates
from bot.templates import Templates
from bot.terms import Terms
from tests.bot.offers import (
    DAY,
    EVERYTHING,
    HOUR,
    MINUTE,
    MORE,
    WHAT,
    a_course,
    an_offer,
    learners,
    on_its_way,
    phone,
    sent,
    silent,
    staff,
    the_offer,
)
from tests.bot.rooms import TERMS, Clock, Stage, only, owe, rows, states

FEW = replace(TERMS, reach_limit=5)  # four of them for opportunities
LESSONS_ONLY = EVERYTHING | {"marketing": "refuse"}


@pytest.fixture(autouse=True)
def college(db: Database, now: datetime) -> None:
    staff(db, now)
    a_course(db, "SYB12", now)


def day_by_day(db: Database, starts: datetime, terms: Terms, days: int) -> list[list[str]]:
    """Who gets something on each day, when the worker runs once an hour, in the hours and out of them."""
    found: list[list[str]] = []
    for day in range(days):
        found.append([])
        for hour in range(24):
            at = starts + day * DAY + hour * HOUR
            release(db, terms, at)
            found[-1] += sent(db, at, terms)
    return found


def test_nobody_has_it_before_its_time_and_everybody_who_agreed_after_it(db: Database, now: datetime) -> None:
    learners(db, now, 1, 2)
    learners(db, now, 3, consent=LESSONS_ONLY)
    starts = on_its_way(db, now)
    assert release(db, TERMS, starts - timedelta(seconds=1)) == 0
    assert release(db, TERMS, starts) == 2
    assert release(db, TERMS, starts) == release(db, TERMS, starts + HOUR) == 0
    assert sorted(sent(db, starts)) == [phone(1), phone(2)]
    row = rows(db, Outbound)[0]
    assert (row.key, row.purpose, row.use, row.plan) == (
        f"opportunity:1:{row.person_id}",
        "marketing",
        "opportunity",
        "opportunity",
    )
    assert (row.best_before, row.opportunity_id, row.by_template) == (now + 7 * DAY, 1, True)
    assert row.variables == {"first_name": f"Learner{row.person_id - 5}", "what": WHAT, "more": MORE}


def test_lessons_yes_marketing_no_blocks_the_opportunity_and_not_the_reminder(db: Database, now: datetime) -> None:
    learners(db, now, 1, consent=LESSONS_ONLY, wrote_ago=HOUR)
    starts = on_its_way(db, now)
    release(db, TERMS, starts)
    owe(db, phone(1), starts, key="job", purpose="marketing", use="opportunity", opportunity_id=1)  # however it came about
    owe(db, phone(1), starts, key="reminder", use="lesson_reminder", plan="day_before")
    assert sent(db, starts) == [phone(1)]
    assert states(db) == [("withheld", "MARKETING_NOT_CONSENTED"), ("accepted", None)]


def test_each_day_has_its_tranche_and_the_best_engaged_come_first(db: Database, now: datetime) -> None:
    order = [7, 2, 9, 4, 1, 8, 3, 6, 5]
    for place, number in enumerate(order[:5]):
        learners(db, now, number, wrote_ago=(place + 2) * DAY)
    for place, number in enumerate(order[5:]):
        learners(db, now, number, wrote_ago=None, enrolled_ago=(50 - place) * DAY)
    starts = on_its_way(db, now)
    days = day_by_day(db, starts, FEW, 4)
    assert [len(one) for one in days] == [4, 4, 1, 0]
    assert [one for day in days for one in day] == [phone(number) for number in order]


def test_who_wrote_within_the_last_day_gets_it_at_once_and_takes_nobodys_place(db: Database, now: datetime) -> None:
    learners(db, now, *range(6), wrote_ago=HOUR)
    learners(db, now, *range(6, 12))
    assert release(db, FEW, on_its_way(db, now)) == 6 + 4


def test_while_whatsapp_has_not_approved_the_template_only_open_windows_get_it(db: Database, now: datetime) -> None:
    learners(db, now, 1, wrote_ago=HOUR)
    learners(db, now, 2)
    starts = on_its_way(db, now)
    with db.write() as session:
        session.execute(update(TemplateRow).values(status="pending"))
    assert release(db, TERMS, starts) == 1
    with db.write() as session:
        session.execute(update(TemplateRow).values(status="approved"))
    assert release(db, TERMS, starts + LOOK_AGAIN) == 1


def test_two_opportunities_share_one_days_room(db: Database, now: datetime) -> None:
    learners(db, now, *range(10))
    on_its_way(db, now, "A", courses=("SYB12",))
    starts = on_its_way(db, now, "B")
    assert release(db, FEW, starts) == 4
    assert len(sent(db, starts, FEW)) == 4


def test_at_night_and_at_weekends_it_waits(db: Database, now: datetime) -> None:
    learners(db, now, 1)
    friday_evening = now.replace(day=27, hour=17, minute=50)
    starts = on_its_way(db, friday_evening)
    monday = now.replace(day=30, hour=9)
    for at in (starts, starts + DAY, starts + 2 * DAY, monday - MINUTE):
        assert release(db, TERMS, at) == 0
    assert release(db, TERMS, monday) == 1
    assert sent(db, monday) == [phone(1)]


def test_who_opts_out_overnight_does_not_get_it_in_the_morning(db: Database, now: datetime) -> None:
    learners(db, now, 1, 2, 3)
    starts = on_its_way(db, now)
    one_a_day = replace(TERMS, reach_limit=2)
    assert release(db, one_a_day, starts) == 1
    assert sent(db, starts, one_a_day) == [phone(1)]
    stage = Stage(db, Clock(starts + 10 * HOUR))
    stage.hears_and_works(phone(2), "no more job stuff but keep my lessons")
    silent(db, starts - 2 * DAY)
    days = day_by_day(db, starts + HOUR, one_a_day, 4)
    assert [one for day in days for one in day] == [phone(3)]


def test_who_opts_out_when_it_waits_already_has_it_withdrawn_in_the_same_commit(db: Database, now: datetime) -> None:
    learners(db, now, 1)
    starts = on_its_way(db, now)
    release(db, TERMS, starts)
    stage = Stage(db, Clock(starts))
    stage.hears(phone(1), "STOP")
    assert sent(db, starts) == []  # an unread message may be a STOP
    stage.works()
    assert states(db, Outbound.purpose == "marketing") == [("withheld", "OPTED_OUT")]


def test_who_joins_or_agrees_later_gets_it_too(db: Database, now: datetime) -> None:
    learners(db, now, 1)
    starts = on_its_way(db, now)
    assert release(db, TERMS, starts) == 1
    learners(db, now, 2)
    assert release(db, TERMS, starts + MINUTE) == 0
    assert release(db, TERMS, starts + LOOK_AGAIN) == 1


def test_when_its_time_is_over_who_never_got_it_is_listed_and_the_others_are_counted(db: Database, now: datetime) -> None:
    learners(db, now, *range(6))
    learners(db, now, 6, consent=LESSONS_ONLY)
    learners(db, now, 8)
    (held,) = learners(db, now, 7)
    Stage(db, Clock(now)).hears_and_works(phone(8), "no more job stuff but keep my lessons")  # said yes once, and no since
    silent(db, now - 2 * DAY)
    with db.write() as session:
        session.execute(update(PersonRow).where(PersonRow.id == held).values(held_at=now))
    starts = on_its_way(db, now, best_before=now + 2 * HOUR)
    assert release(db, FEW, starts) == 4
    assert len(sent(db, starts, FEW)) == 4
    for at in (now + 2 * HOUR, now + 3 * HOUR, now + 4 * HOUR):
        assert release(db, FEW, at) == 0
    never = states(db, Outbound.state == "withheld")
    assert never == [("withheld", "STALE")] * 3  # who is on hold like everybody else
    assert (the_offer(db).ended_at, the_offer(db).plan_at) == (now + 2 * HOUR, None)
    ended = only(db, Audit, Audit.act == "opportunity_end")
    assert (ended.by, ended.details) == ("worker", {"opportunity": "MARKET", "will_not": {"MARKETING_NOT_CONSENTED": 2}})
    shown = opportunities.show(db, FEW, "MARKET", now + DAY)
    assert (shown.stage, shown.messages) == ("over", {"STALE": 3, "accepted": 4})
    assert shown.others.will_not == {"MARKETING_NOT_CONSENTED": 2}
    assert sent(db, now + DAY, FEW) == []


def test_what_waits_when_its_time_is_over_is_stale(db: Database, now: datetime) -> None:
    learners(db, now, 1)
    starts = on_its_way(db, now, best_before=now + 2 * HOUR)
    release(db, TERMS, starts)
    assert sent(db, now + 2 * HOUR) == []
    assert states(db) == [("withheld", "STALE")]


@contextmanager
def dying_at(db: Database, commit: int) -> Iterator[None]:
    """The process dies in its n-th commit from here."""
    left = [commit]

    def die(_session: Session) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise SystemExit

    event.listen(Session, "before_commit", die)
    try:
        with pytest.raises(SystemExit):
            yield
    finally:
        event.remove(Session, "before_commit", die)


@pytest.mark.parametrize("commit", [1, 2, 3, 4])
def test_a_crash_between_tranches_loses_nobody_and_doubles_nobody(db: Database, now: datetime, commit: int) -> None:
    learners(db, now, *range(BATCH + 20))
    starts = on_its_way(db, now)
    large = replace(TERMS, reach_limit=2000)
    with dying_at(db, commit):
        release(db, large, starts)
    owed = len(rows(db, Outbound))
    assert owed in (0, BATCH, BATCH + 20)
    assert owed + release(db, large, starts + LEASE) + release(db, large, starts + LEASE + MINUTE) == BATCH + 20
    assert len({row.person_id for row in rows(db, Outbound)}) == BATCH + 20


@pytest.mark.parametrize("commit", [1, 2, 3])
def test_a_crash_while_it_is_closed_leaves_it_to_the_next_round(db: Database, now: datetime, commit: int) -> None:
    learners(db, now, *range(BATCH + 20))
    starts = on_its_way(db, now, best_before=now + HOUR)
    with dying_at(db, commit):
        release(db, TERMS, starts + HOUR)
    release(db, TERMS, starts + HOUR + LEASE)
    assert states(db) == [("withheld", "STALE")] * (BATCH + 20)
    assert len(rows(db, Audit, Audit.act == "opportunity_end")) == 1


def test_two_workers_at_the_same_moment_owe_it_once(db: Database, now: datetime) -> None:
    learners(db, now, 1, 2)
    starts = on_its_way(db, now)
    once = release(db, TERMS, starts)
    with db.write() as session:  # as the other worker read it, a moment before
        session.execute(update(Opportunity).values(plan_at=starts))
    assert (once, release(db, TERMS, starts), len(rows(db, Outbound))) == (2, 0, 2)


def test_with_nothing_on_its_way_it_costs_one_question(db: Database, now: datetime) -> None:
    learners(db, now, 1)
    starts = on_its_way(db, now)
    release(db, TERMS, starts)
    opportunities.add(db, TERMS, an_offer(now, "DRAFT"), now)
    asked: list[str] = []

    def count(_c: object, _k: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        assert release(db, TERMS, starts + MINUTE) == 0
    finally:
        event.remove(db.engine, "before_cursor_execute", count)
    assert [one for one in asked if not one.startswith(("BEGIN", "ROLLBACK"))] == [asked[-1]]


@dataclass(frozen=True)
class Interrupted(Database):
    """A database in which something happens right after the last of so many looks at it."""

    happens: Callable[[], object] = lambda: None
    looks: list[None] = field(default_factory=list)

    @contextmanager
    def read(self) -> Iterator[Session]:
        with super().read() as session:
            yield session
        self.looks.pop()
        if not self.looks:
            self.happens()


def test_a_recall_between_the_question_and_the_commit_lets_nothing_more_be_owed(db: Database, now: datetime) -> None:
    learners(db, now, *range(BATCH + 20))
    starts = on_its_way(db, now)
    looks = [None] * 5  # what is due, today's room, who it is for, the first of them, the rest whom the gate lets through
    interrupted = Interrupted(db.engine, db.writer, lambda: opportunities.recall(db, "MARKET", "A1", starts), looks)
    large = replace(TERMS, reach_limit=2000)
    assert release(interrupted, large, starts) == BATCH
    assert states(db) == [("withheld", "RECALLED")] * BATCH
    assert only(db, Opportunity).plan_at is None
    assert release(db, large, starts + DAY) == 0


@pytest.mark.parametrize("name", ["", "\u200b", "N" * 300])
def test_a_name_that_no_template_takes_keeps_nobody_from_it(db: Database, now: datetime, name: str) -> None:
    learners(db, now, 1, name=name)
    release(db, TERMS, on_its_way(db, now))
    assert only(db, Outbound).body.startswith("Hi there, Enterprise4all")


def test_a_template_that_does_not_take_it_any_more_is_a_case_for_the_office(db: Database, now: datetime) -> None:
    learners(db, now, 1)
    starts = on_its_way(db, now, what="m" * 240)
    template = TERMS.templates.find("opportunity", "en")
    longer = replace(template, body=template.body + " x" * 300)
    by_name = {**load_templates().by_name, "opportunity": {"en": longer}}
    changed = replace(TERMS, templates=Templates(by_name))
    for at in (starts, starts + LOOK_AGAIN):
        assert release(db, changed, at) == 0
    case = only(db, OfficeCase)
    assert (case.kind, case.flags) == ("template_not_fillable", ["opportunity", "what", "MARKET"])
    assert release(db, TERMS, starts + 2 * LOOK_AGAIN) == 1


def test_it_goes_to_the_phone_they_last_wrote_from(db: Database, now: datetime) -> None:
    (who,) = learners(db, now, 1, wrote_ago=5 * DAY)
    with db.write() as session:
        session.add(ContactPoint(person_id=who, kind="phone", value=phone(99), last_inbound_at=now - 2 * DAY))
        session.add(ContactPoint(person_id=who, kind="phone", value=phone(98), last_inbound_at=now, unreachable_at=now))
    starts = on_its_way(db, now)
    release(db, TERMS, starts)
    assert sent(db, starts) == [phone(99)]
