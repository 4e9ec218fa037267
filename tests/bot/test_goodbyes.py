"""Nothing comes before the first message, nothing after the goodbye; of a course without an end the office hears (P03)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete, update
from structlog.testing import capture_logs

from bot import facts, goodbyes
from bot.chores import chores
from bot.database import Database
from bot.gate import Decision, Facts, may_send
from bot.models import Course, EnrolmentRow, LessonRow, OfficeCase, Opportunity, Outbound, Pace, PersonRow, TemplateRow
from bot.models.people import AT_ONCE
from bot.opportunities.audience import ask
from bot.planning import Planned
from bot.planning.forecast import forecast
from bot.preview import Span, preview
from bot.status import FORWARD, MAY_HAVE_GONE
from bot.turn import Purpose
from tests.bot.offers import on_its_way
from tests.bot.offers import staff as the_staff
from tests.bot.rooms import AMINA, BILAL, TERMS, Archive, Clock, Stage, a_learner, greeted, only, owe, rows
from tests.bot.test_chores import Shelf
from tests.bot.test_planning import LINKS, alter, db, plans

__all__ = ["db"]  # the fixture: every template is approved
DAY, HOUR, WEEK = timedelta(days=1), timedelta(hours=1), timedelta(weeks=1)
ENDS = date(2027, 1, 29)
BYE = datetime(2027, 7, 23, 9, 30, tzinfo=UTC)  # half past ten by London's clocks
ENDED = datetime(2027, 1, 29, 12, tzinfo=UTC)
CHECK_IN = datetime(2027, 2, 12, 10, 30, tzinfo=UTC)


def a_finisher(db: Database, now: datetime, phone: str = AMINA) -> int:
    """Somebody whose course ended in January, and to whom we never wrote; their id."""
    person_id = a_learner(db, phone, now=now)
    alter(db, LessonRow, cancelled_at=now)
    alter(db, Course, ends_on=ENDS)
    return person_id


def another_course(db: Database, person_id: int, ends_on: date | None, code: str = "GYB3") -> int:
    with db.write() as session:
        course = Course(code=code, name="Grow Your Business", starts_on=date(2026, 9, 1), ends_on=ends_on)
        session.add(course)
        session.flush()
        session.add(EnrolmentRow(person_id=person_id, course_id=course.id, created_at=ENDED))
        session.execute(update(PersonRow).values(plan_at=AT_ONCE))
        return course.id


def said_goodbye(db: Database, phone: str, at: datetime, state: str = "accepted") -> None:
    """The goodbye of their first course stands so."""
    course = rows(db, Course)[0].id
    person = a_person(db, phone)
    owe(db, phone, at, key=f"goodbye:{person}:{course}", plan="goodbye", use="keeping_in_touch")
    with db.write() as session:
        session.execute(update(Outbound).where(Outbound.plan == "goodbye").values(state=state, tried_at=at, sent_at=at))


def a_person(db: Database, phone: str) -> int:
    return only(db, PersonRow, PersonRow.learner_code == f"L{phone[1:]}").id


def parted(db: Database, *people: int) -> frozenset[int]:
    with db.read() as session:
        return goodbyes.said(session, people)


def plans_of(db: Database) -> list[str]:
    return [row.plan for row in rows(db, Outbound)]


# Before the first message


def test_who_comes_after_their_course_gets_the_first_message_and_only_then_is_asked(db: Database) -> None:
    a_finisher(db, CHECK_IN)
    stage = Stage(db, Clock(CHECK_IN))
    assert plans(db, CHECK_IN) == Planned(first_messages=1)
    stage.works()
    assert [row.state for row in rows(db, Outbound)] == ["accepted"]
    stage.clock.wait(DAY)
    assert plans(db, stage.clock()) == Planned(check_ins=1)
    stage.works()
    assert plans_of(db) == ["first_message", "check_in"]


@pytest.mark.parametrize("state", FORWARD)
def test_a_check_in_follows_a_first_message_that_may_have_gone(db: Database, state: str) -> None:
    a_finisher(db, CHECK_IN)
    greeted(db, AMINA, CHECK_IN - DAY)
    with db.write() as session:
        session.execute(update(Outbound).values(state=state))
    assert plans(db, CHECK_IN).check_ins == (1 if state in MAY_HAVE_GONE else 0)


def test_nobody_is_told_goodbye_to_whom_nothing_ever_went(db: Database) -> None:
    a_learner(db, AMINA, now=BYE, consent="refuse")
    alter(db, Course, ends_on=ENDS)
    alter(db, LessonRow, cancelled_at=BYE)
    assert plans(db, BYE) == Planned()
    assert rows(db, Outbound) == []


def test_a_preview_of_somebody_not_yet_greeted_has_the_first_message_alone(db: Database) -> None:
    a_finisher(db, CHECK_IN)
    with db.read() as session:
        found = forecast(session, TERMS, LINKS, CHECK_IN, CHECK_IN + 20 * WEEK)
        assert [one.plan for one in found] == ["first_message"]


# After the goodbye


@pytest.mark.parametrize(
    ("purpose", "reason"), [("service", None), ("reply", None), ("checkin", "PAST_6_MONTHS"), ("marketing", "PAST_6_MONTHS")]
)
def test_after_the_goodbye_no_check_in_and_no_opportunity(purpose: Purpose, reason: str | None) -> None:
    agreed = dict.fromkeys(("service", "checkin", "marketing"), "given")
    told = Facts(purpose, ENDED, window_open=True, consent=agreed, course_ends=(ENDS,), said_goodbye=True)  # type: ignore[arg-type]
    assert may_send(told) == Decision(reason)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", [*FORWARD, "withheld"])
def test_a_goodbye_counts_once_it_may_have_gone(db: Database, state: str) -> None:
    person = a_finisher(db, BYE)
    said_goodbye(db, AMINA, BYE, state)
    assert (person in parted(db, person)) == (state in MAY_HAVE_GONE)


def test_a_goodbye_that_was_sent_again_counts(db: Database) -> None:
    person = a_finisher(db, BYE)
    said_goodbye(db, AMINA, BYE)
    with db.write() as session:
        session.execute(update(Outbound).values(key=Outbound.key + "~1"))
    assert parted(db, person) == {person}


def test_a_course_that_ends_later_or_has_no_end_yet_opens_everything_again(db: Database) -> None:
    person, other = a_finisher(db, BYE), a_finisher(db, BYE, BILAL)
    said_goodbye(db, AMINA, BYE)
    another_course(db, other, ENDS + 40 * WEEK)
    assert parted(db, person, other) == {person}
    another_course(db, person, ENDS - WEEK, "OLD1")
    assert parted(db, person) == {person}
    course = another_course(db, person, None, "NEW1")
    assert parted(db, person) == frozenset()
    with db.write() as session:
        session.execute(update(Course).where(Course.id == course).values(ends_on=ENDS + WEEK))
    assert parted(db, person) == frozenset()


def test_what_waited_when_they_were_told_goodbye_does_not_go(db: Database) -> None:
    a_finisher(db, BYE)
    owe(db, AMINA, BYE, key="job", purpose="marketing", use="opportunity")
    owe(db, AMINA, BYE, key="how are you", purpose="checkin", use="keeping_in_touch")
    said_goodbye(db, AMINA, BYE)
    stage = Stage(db, Clock(BYE + HOUR))
    stage.works()
    found = [(row.state, row.reason) for row in rows(db, Outbound, Outbound.plan != "goodbye")]
    assert found == [("withheld", "PAST_6_MONTHS")] * 2
    assert stage.hears_and_works(AMINA, "hello") != []  # whoever writes is answered
    assert rows(db, OfficeCase) == []


def test_an_end_that_moves_on_after_the_goodbye_brings_no_check_in_and_no_second_goodbye(db: Database) -> None:
    a_finisher(db, BYE)
    greeted(db, AMINA, ENDED)
    said_goodbye(db, AMINA, BYE)
    alter(db, Course, ends_on=(BYE - 2 * WEEK).date())
    assert plans(db, BYE) == Planned()


def test_the_many_are_asked_about_as_the_one_is(db: Database) -> None:
    person, other = a_finisher(db, BYE), a_finisher(db, BYE, BILAL)
    said_goodbye(db, AMINA, BYE)
    the_staff(db, BYE)
    with db.write() as session:
        session.execute(delete(TemplateRow))
    on_its_way(db, BYE)
    with db.write() as session:
        readers = ask(session, only(db, Opportunity), [person, other], TERMS, BYE)
        messages = [a_row(one.person_id, one.point_id or 0, BYE) for one in readers]
        known = [facts.load(session, row, Pace(name="to", full_until=BYE), TERMS, BYE) for row in messages]
    assert [one.reason for one in readers] == ["PAST_6_MONTHS", None]
    assert [may_send(one).reason for one in known] == ["PAST_6_MONTHS", None]


def a_row(person: int, point: int, now: datetime) -> Outbound:
    row = Outbound(person_id=person, contact_point_id=point, purpose="marketing", use="opportunity", body="b", urgent=False)
    row.confirms_opt_out, row.created_at, row.due_at = False, now, now
    return row


def test_a_preview_lets_nothing_go_after_the_goodbye_it_foresees(db: Database) -> None:
    a_finisher(db, BYE)
    greeted(db, AMINA, ENDED)
    owe(db, AMINA, BYE + 3 * DAY, key="job", purpose="marketing", use="opportunity", template="opportunity")
    found = preview(db, TERMS, lambda *given: forecast(given[0], TERMS, LINKS, *given[1:]), Span(BYE, BYE + 6 * DAY))
    assert [(one.plan, one.fate, one.reason) for one in found] == [
        ("goodbye", "goes", None),
        ("opportunity", "withheld", "PAST_6_MONTHS"),
    ]


# A course without an end


def endless(db: Database, **lesson: object) -> None:
    alter(db, LessonRow, **lesson)
    alter(db, Course, ends_on=None)


def the_cases(db: Database) -> list[tuple[int | None, str, list[str]]]:
    return [(one.person_id, one.kind, one.flags) for one in rows(db, OfficeCase)]


def test_of_a_course_whose_lessons_are_over_and_that_has_no_end_the_office_hears_once(db: Database, now: datetime) -> None:
    for phone in (AMINA, BILAL):
        a_learner(db, phone, now=now)
    endless(db, starts_at=now - 3 * HOUR, ends_at=now - HOUR)
    with capture_logs() as lines:
        plans(db, now)
    plans(db, now + HOUR)
    assert the_cases(db) == [(None, "course_without_end", ["SYB12"])]
    assert [(line["event"], line["because"]) for line in lines if line["log_level"] == "error"] == [
        ("planning.cannot_plan", "course_without_end")
    ]


def test_while_a_lesson_is_still_to_come_nobody_is_troubled_and_then_planning_looks_by_itself(
    db: Database, now: datetime
) -> None:
    person = a_learner(db, now=now, consent="refuse")
    endless(db, starts_at=now + DAY, ends_at=now + DAY + HOUR)
    plans(db, now)
    assert rows(db, OfficeCase) == []
    assert only(db, PersonRow, PersonRow.id == person).plan_at == now + DAY + HOUR
    plans(db, now + DAY + HOUR)
    assert the_cases(db) == [(None, "course_without_end", ["SYB12"])]


def test_a_course_that_has_not_begun_needs_no_end_yet(db: Database, now: datetime) -> None:
    a_learner(db, now=now, consent="refuse")
    endless(db, cancelled_at=now)
    alter(db, Course, starts_on=now.date() + 5 * DAY)
    plans(db, now)
    assert rows(db, OfficeCase) == []
    plans(db, now + 5 * DAY)
    assert len(rows(db, OfficeCase)) == 1


def test_two_courses_without_an_end_are_two_cases_and_one_that_has_an_end_is_none(db: Database, now: datetime) -> None:
    person = a_learner(db, now=now)
    endless(db, cancelled_at=now)
    another_course(db, person, None, "ZZZ9")
    another_course(db, person, ENDS, "FINE1")
    plans(db, now)
    assert [flags for *_, flags in the_cases(db)] == [["SYB12"], ["ZZZ9"]]


def test_what_planning_did_is_logged_by_name(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    stage = Stage(db, Clock(now))
    (planning,) = [one for one in chores(stage.room, Archive(), Shelf(), LINKS) if one.name == "planning"]
    with capture_logs() as lines:
        assert planning.do(now) == 1
        assert planning.do(now) == 0
    counts = dict.fromkeys(("invitations", "reminders", "lesson_reminders", "check_ins", "goodbyes", "revived"), 0)
    assert lines == [
        {"event": "planning.planned", "log_level": "info", "first_messages": 1, "opportunities": 0, **counts},
    ]
    assert only(db, PersonRow).plan_at != AT_ONCE
