"""What we write first is planned once, for those alone who said yes: the first message, the group, one reminder."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import event, insert, update
from structlog.testing import capture_logs

from bot import consent, marks
from bot.database import Database
from bot.documents import load_documents
from bot.gate import last_day
from bot.models import (
    Base,
    ConsentEvent,
    ContactPoint,
    Course,
    EnrolmentRow,
    Invitation,
    OfficeCase,
    Outbound,
    PersonRow,
    TemplateRow,
)
from bot.models.people import AT_ONCE
from bot.planning import Links, Planned, links_under, plan
from bot.planning.who import in_company_since
from bot.template_files import load_templates
from tests.bot.rooms import (
    AMINA,
    BILAL,
    TERMS,
    Clock,
    Stage,
    a_learner,
    a_member_of_staff,
    an_incoming,
    english,
    only,
    owe,
    receive,
    rows,
)

TEMPLATES = load_templates()
LINKS = Links("https://e4a.example.org/privacy/1", "https://e4a.example.org/rules/3")
GROUP = "https://chat.whatsapp.com/Cohort12"
DAY = timedelta(days=1)
NOTHING = Planned()
ACTIONS = ("give", "refuse", "withdraw", "pause", "resume", "undo")


@pytest.fixture
def db(db: Database, now: datetime) -> Database:
    """A database in which WhatsApp has approved every template."""
    with db.write() as session:
        for number, one in enumerate(TEMPLATES):
            sid, named = f"HX{number:032d}", {"name": one.name, "language": one.language, "version": one.version}
            session.add(TemplateRow(**named, content_sid=sid, status="approved", category=one.category, checked_at=now))
    return db


def plans(db: Database, now: datetime) -> Planned:
    return plan(db, TERMS, LINKS, now)


def alter(db: Database, table: type[Base], **values: object) -> None:
    """Every row of a table has these values from now on; planning hears of it, but for what becomes of messages."""
    with db.write() as session:
        session.execute(update(table).values(**values))
    if table is not Outbound:
        is_looked_at(db)


def is_looked_at(db: Database) -> None:
    """Planning looks at everybody in its next round, whenever that is."""
    with db.write() as session:
        session.execute(update(PersonRow).values(plan_at=AT_ONCE))


def keys(db: Database) -> list[str]:
    return [row.key for row in rows(db, Outbound)]


def goes_out(db: Database, key: str, at: datetime) -> None:
    """The message with this key was taken by Twilio at this moment."""
    with db.write() as session:
        session.execute(update(Outbound).where(Outbound.key == key).values(state="accepted", sent_at=at, tried_at=at))


def a_greeted_learner(db: Database, now: datetime, phone: str = AMINA) -> int:
    """A learner whose first message went out now, and whose cohort has a group; their id."""
    person_id = a_learner(db, phone, now=now)
    alter(db, Course, group_link=GROUP)
    plans(db, now)
    goes_out(db, f"first:{person_id}", now)
    return person_id


def an_invited_learner(db: Database, now: datetime) -> tuple[int, str]:
    """A learner to whom an invitation went a day after `now`; their id and the end of their keys."""
    person_id = a_greeted_learner(db, now)
    assert plans(db, now + DAY) == Planned(invitations=1)
    ends = f"{person_id}:{only(db, Course).id}"
    goes_out(db, f"invite:{ends}", now + DAY)
    return person_id, ends


def says(db: Database, person_id: int, action: str, at: datetime, source: str = "chat") -> None:
    with db.write() as session:
        told = {"purpose": "service", "action": action, "source": source}
        session.add(ConsentEvent(person_id=person_id, at=at, recorded_at=at, **told))
        marks.look_at(session, [person_id], at)


def many_learners(db: Database, ledgers: Sequence[Sequence[str]], now: datetime) -> list[int]:
    """A learner for each ledger of service consent, all on one course with a group; their ids."""
    ends_on = now.date() + timedelta(days=90)
    with db.write() as session:
        course = Course(code="C", name="Big", cohort="", starts_on=now.date(), ends_on=ends_on, group_link=GROUP)
        session.add(course)
        session.flush()
        bare = {"language": "en", "created_at": now, "misses": 0, "watched": False}
        people = [bare | {"name": f"Ann{number} Lee", "learner_code": f"L{number}"} for number in range(len(ledgers))]
        ids = list(session.scalars(insert(PersonRow).returning(PersonRow.id, sort_by_parameter_order=True), people))
        points = [{"person_id": one, "kind": "phone", "value": f"+4477{one:08d}"} for one in ids]
        session.execute(insert(ContactPoint), points)
        session.execute(insert(EnrolmentRow), [{"person_id": one, "course_id": course.id, "created_at": now} for one in ids])
        said = {"purpose": "service", "source": "declaration", "recorded_at": now, "wording": "", "recorded_by": ""}
        told = [
            said | {"person_id": one, "action": action, "at": now - DAY + timedelta(minutes=place)}
            for one, ledger in zip(ids, ledgers, strict=True)
            for place, action in enumerate(ledger)
        ]
        if told:
            session.execute(insert(ConsentEvent), told)
        return ids


# The first message


def test_a_learner_who_agreed_gets_a_first_message(db: Database, now: datetime) -> None:
    person_id = a_learner(db, AMINA, now=now, name="Amina Khan")
    assert plans(db, now) == Planned(first_messages=1)
    row = only(db, Outbound)
    assert (row.key, row.purpose, row.use) == (f"first:{person_id}", "service", "course_update")
    assert (row.state, row.due_at, row.best_before) == ("queued", now, now + 14 * DAY)
    assert row.template == "first_message"
    assert row.variables == {
        "first_name": "Amina",
        "course": "Start Your Business",
        "privacy_link": LINKS.privacy,
        "rules_link": LINKS.rules,
    }
    assert row.body == TEMPLATES.find("first_message", "en").fill(row.variables)
    assert row.ask is None


def test_the_outbox_shows_which_version_of_the_rules_was_sent(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    plans(db, now)
    assert "https://e4a.example.org/rules/3" in only(db, Outbound).body


def test_planning_again_plans_nothing(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    plans(db, now)
    assert [plans(db, now + days * DAY) for days in range(3)] == [NOTHING, NOTHING, NOTHING]
    assert len(rows(db, Outbound)) == 1


@pytest.mark.parametrize("state", ["queued", "sending", "unknown", "accepted", "sent", "delivered", "read"])
def test_a_first_message_that_went_or_may_still_go_is_planned_once(db: Database, now: datetime, state: str) -> None:
    a_learner(db, now=now)
    plans(db, now)
    alter(db, Outbound, state=state)
    assert plans(db, now + 20 * DAY).first_messages == 0


def test_it_is_planned_for_whoever_wrote_first_and_was_answered(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    owe(db, AMINA, now, key="in:1:0", purpose="reply")
    assert plans(db, now) == Planned(first_messages=1)


@pytest.mark.parametrize("action", ["refuse", "withdraw", "pause"])
def test_nobody_is_planned_who_did_not_agree(db: Database, now: datetime, action: str) -> None:
    a_learner(db, now=now, consent=action)
    assert plans(db, now) == NOTHING


def test_nobody_is_planned_who_was_never_asked(db: Database, now: datetime) -> None:
    many_learners(db, [()], now)
    assert plans(db, now) == NOTHING


def test_a_yes_to_something_else_is_no_yes_to_lesson_messages(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    alter(db, ConsentEvent, purpose="marketing")
    assert plans(db, now) == NOTHING


def test_whoever_agrees_later_is_planned_then(db: Database, now: datetime) -> None:
    person_id = a_learner(db, now=now, consent="refuse")
    plans(db, now)
    says(db, person_id, "give", now)
    assert plans(db, now + DAY) == Planned(first_messages=1)


def test_those_are_planned_who_agreed_by_the_whole_ledger_and_no_others(db: Database, now: datetime) -> None:
    ledgers = [ledger for length in range(4) for ledger in product(ACTIONS, repeat=length)]
    ids = many_learners(db, ledgers, now)
    events = [[consent.Event("service", action, now, place) for place, action in enumerate(one)] for one in ledgers]
    agreed = [one for one, ledger in zip(ids, events, strict=True) if consent.standing(ledger)["service"].state == "given"]
    plans(db, now)
    assert [row.person_id for row in rows(db, Outbound)] == agreed
    assert 0 < len(agreed) < len(ids)


def test_somebody_is_greeted_after_their_course_too_for_as_long_as_we_may_write(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    alter(db, Course, ends_on=now.date())
    last = datetime(2027, 5, 24, 22, 30, tzinfo=UTC)  # half past eleven at night in London: six calendar months later
    assert plans(db, last + timedelta(hours=1)) == NOTHING
    is_looked_at(db)
    assert plans(db, last) == Planned(first_messages=1)


@pytest.mark.parametrize(
    ("today", "since"),
    [
        (date(2027, 2, 28), date(2026, 8, 28)),
        (date(2027, 3, 1), date(2026, 9, 1)),  # of 29, 30 and 31 August the last day is 28 February
        (date(2026, 12, 31), date(2026, 7, 1)),
        (date(2026, 7, 31), date(2026, 1, 31)),
    ],
)
def test_a_course_is_still_in_company_by_calendar_months(today: date, since: date) -> None:
    assert in_company_since(today) == since
    assert last_day(since) >= today > last_day(since - DAY)


def test_a_first_message_is_about_the_course_that_goes_on(db: Database, now: datetime) -> None:
    person_id = a_learner(db, now=now)
    over = now.date() - 20 * DAY
    with db.write() as session:
        course = Course(code="SON5", name="Sell Online", cohort="", starts_on=over - 80 * DAY, ends_on=over)
        course.group_link = GROUP
        session.add(course)
        session.flush()
        session.add(EnrolmentRow(person_id=person_id, course_id=course.id, created_at=now))
    assert plans(db, now) == Planned(first_messages=1)
    assert only(db, Outbound).variables["course"] == "Start Your Business"  # type: ignore[index]
    goes_out(db, f"first:{person_id}", now)
    assert plans(db, now + DAY).invitations == 0  # the group of a course that is over is not for joining


def test_a_course_without_an_end_goes_on(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    alter(db, Course, ends_on=None)
    assert plans(db, now + 900 * DAY) == Planned(first_messages=1)


@pytest.mark.parametrize("trouble", ["disowned_at", "unreachable_at"])
def test_nobody_is_planned_at_a_phone_that_is_not_theirs_or_that_nothing_reaches(
    db: Database, now: datetime, trouble: str
) -> None:
    a_learner(db, now=now)
    alter(db, ContactPoint, **{trouble: now})
    assert plans(db, now) == NOTHING
    alter(db, ContactPoint, **{trouble: None})
    assert plans(db, now) == Planned(first_messages=1)


def test_it_goes_to_the_phone_they_wrote_from_last(db: Database, now: datetime) -> None:
    person_id = a_learner(db, AMINA, now=now)
    with db.write() as session:
        session.add(ContactPoint(person_id=person_id, kind="phone", value=BILAL))
        session.add(ContactPoint(person_id=person_id, kind="bsuid", value="GB.1", last_inbound_at=now + DAY))
    plans(db, now)
    assert only(db, Outbound).contact_point_id == only(db, ContactPoint, ContactPoint.value == AMINA).id


def test_whoever_is_on_hold_is_planned_once_they_are_not(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    alter(db, PersonRow, held_at=now)
    assert plans(db, now) == NOTHING
    alter(db, PersonRow, held_at=None)
    assert plans(db, now) == Planned(first_messages=1)


@pytest.mark.parametrize("change", [{"status": "pending"}, {"category": "MARKETING"}, {"version": "older"}])
def test_nobody_is_planned_until_the_template_may_go(db: Database, now: datetime, change: dict[str, str]) -> None:
    a_learner(db, now=now)
    with db.write() as session:
        session.execute(update(TemplateRow).where(TemplateRow.name == "first_message").values(**change))
    assert plans(db, now) == NOTHING


def test_strangers_and_staff_get_no_first_message(db: Database, now: datetime) -> None:
    receive(db, an_incoming(AMINA), now)
    a_member_of_staff(db, "T01", "trainer", now=now, phone=BILAL)
    assert plans(db, now) == NOTHING


def test_a_learner_on_two_courses_gets_one_first_message_about_the_one_that_began_first(db: Database, now: datetime) -> None:
    person_id = a_learner(db, now=now)
    with db.write() as session:
        course = Course(
            code="SON5", name="Sell Online", cohort="", starts_on=now.date() - DAY, ends_on=None, group_link=GROUP
        )
        session.add(course)
        session.flush()
        session.add(EnrolmentRow(person_id=person_id, course_id=course.id, created_at=now))
    assert plans(db, now) == Planned(first_messages=1)
    assert only(db, Outbound).variables["course"] == "Sell Online"  # type: ignore[index]


def test_a_language_without_a_translation_gets_the_english_text(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    alter(db, PersonRow, language="pl")
    assert plans(db, now) == Planned(first_messages=1)


def test_a_name_that_no_template_takes_keeps_nobody_else_waiting(db: Database, now: datetime) -> None:
    a_learner(db, AMINA, now=now, name="\u200b")
    other = a_learner(db, BILAL, now=now)
    assert plans(db, now) == Planned(first_messages=1)
    assert keys(db) == [f"first:{other}"]


# The invitation


def test_the_group_is_offered_on_the_day_after_the_first_message_at_ten(db: Database, now: datetime) -> None:
    person_id = a_greeted_learner(db, now)
    assert plans(db, now + DAY - timedelta(minutes=1)) == NOTHING
    at = now + DAY  # ten o'clock in London
    assert plans(db, at) == Planned(invitations=1)
    course = only(db, Course)
    row = only(db, Outbound, Outbound.key == f"invite:{person_id}:{course.id}")
    assert (row.purpose, row.use, row.template) == ("service", "collaboration", "group_invitation")
    assert (row.due_at, row.best_before) == (at, at + 7 * DAY)
    assert row.variables == {
        "first_name": "Amina",
        "cohort": "Start Your Business, Cohort 12",
        "rules_link": LINKS.rules,
    }
    assert row.ask is not None
    assert row.ask["question"] == "invitation"
    assert {row.ask["options"]["yes"], row.ask["options"]["no"]} == {"request_group_link", "invitation_declined"}
    invited = only(db, Invitation)
    assert (invited.person_id, invited.course_id, invited.state, invited.at) == (person_id, course.id, "invited", at)


@pytest.mark.parametrize(
    ("greeted", "planned_from"),
    [
        (datetime(2027, 6, 1, 7, 30, tzinfo=UTC), datetime(2027, 6, 2, 9, 0, tzinfo=UTC)),  # summer: ten is nine in UTC
        (datetime(2027, 6, 1, 23, 30, tzinfo=UTC), datetime(2027, 6, 3, 9, 0, tzinfo=UTC)),  # in London it was tomorrow
        (datetime(2027, 3, 27, 12, 0, tzinfo=UTC), datetime(2027, 3, 28, 9, 0, tzinfo=UTC)),  # the clocks go forward
        (datetime(2026, 10, 24, 12, 0, tzinfo=UTC), datetime(2026, 10, 25, 10, 0, tzinfo=UTC)),  # the clocks go back
    ],
)
def test_ten_is_ten_by_londons_clocks(db: Database, greeted: datetime, planned_from: datetime) -> None:
    a_greeted_learner(db, greeted)
    assert plans(db, planned_from - timedelta(minutes=1)) == NOTHING
    assert plans(db, planned_from) == Planned(invitations=1)


@pytest.mark.parametrize("state", ["queued", "sending", "unknown", "failed", "withheld"])
def test_nobody_is_invited_whose_first_message_did_not_go_out(db: Database, now: datetime, state: str) -> None:
    a_greeted_learner(db, now)
    alter(db, Outbound, state=state)
    assert plans(db, now + DAY).invitations == 0


def test_a_first_message_that_was_sent_again_counts(db: Database, now: datetime) -> None:
    person_id = a_greeted_learner(db, now)
    alter(db, Outbound, state="failed")
    owe(db, AMINA, now, key=f"first:{person_id}~1", template="first_message", use="course_update")
    goes_out(db, f"first:{person_id}~1", now)
    assert plans(db, now + DAY) == Planned(invitations=1)


def test_a_cohort_without_a_group_has_no_invitation(db: Database, now: datetime) -> None:
    a_greeted_learner(db, now)
    alter(db, Course, group_link="")
    assert plans(db, now + DAY) == NOTHING


@pytest.mark.parametrize("state", ["sent", "declined"])
def test_whoever_asked_for_the_link_or_said_no_is_not_invited(db: Database, now: datetime, state: str) -> None:
    person_id = a_greeted_learner(db, now)
    with db.write() as session:
        session.add(Invitation(person_id=person_id, course_id=only(db, Course).id, state=state, at=now))
    assert [plans(db, now + days * DAY) for days in (1, 9, 30)] == [NOTHING, NOTHING, NOTHING]


def test_nobody_is_invited_who_took_back_their_yes(db: Database, now: datetime) -> None:
    person_id = a_greeted_learner(db, now)
    says(db, person_id, "withdraw", now)
    assert plans(db, now + DAY) == NOTHING
    assert rows(db, Invitation) == []


def test_nobody_is_invited_back_into_a_group_they_left(db: Database, now: datetime) -> None:
    person_id, _ = an_invited_learner(db, now)
    says(db, person_id, "withdraw", now + DAY, "left_group")
    says(db, person_id, "give", now + 2 * DAY)
    assert plans(db, now + 9 * DAY) == NOTHING


# The one reminder


def test_whoever_says_nothing_is_reminded_once_after_a_week(db: Database, now: datetime) -> None:
    _, ends = an_invited_learner(db, now)
    assert plans(db, now + 8 * DAY - timedelta(minutes=1)) == NOTHING
    assert plans(db, now + 8 * DAY) == Planned(reminders=1)
    row = only(db, Outbound, Outbound.key == f"invite-again:{ends}")
    assert (row.template, row.use, row.best_before) == ("group_invitation", "collaboration", now + 15 * DAY)
    invited = only(db, Invitation)
    assert (invited.state, invited.at) == ("reminded", now + 8 * DAY)


def test_nobody_is_reminded_twice(db: Database, now: datetime) -> None:
    _, ends = an_invited_learner(db, now)
    for days in range(2, 80):
        plans(db, now + days * DAY)
    assert [key for key in keys(db) if key.startswith("invite")] == [f"invite:{ends}", f"invite-again:{ends}"]


@pytest.mark.parametrize("state", ["sent", "declined", "reminded"])
def test_whoever_answered_is_not_reminded(db: Database, now: datetime, state: str) -> None:
    an_invited_learner(db, now)
    alter(db, Invitation, state=state)
    assert plans(db, now + 8 * DAY) == NOTHING


def test_nobody_is_reminded_once_their_course_has_ended(db: Database, now: datetime) -> None:
    an_invited_learner(db, now)
    alter(db, Course, ends_on=now.date() + 7 * DAY)
    assert plans(db, now + 8 * DAY) == NOTHING


# Twice, at once, and half


def at_once(db: Database, now: datetime) -> list[Planned]:
    """Two workers plan at the same moment."""
    together = threading.Barrier(2)

    def one() -> Planned:
        together.wait()
        return plans(db, now)

    with ThreadPoolExecutor(2) as pool:
        return [call.result() for call in [pool.submit(one), pool.submit(one)]]


def test_two_workers_at_once_plan_everything_once(db: Database, now: datetime) -> None:
    ids = many_learners(db, [("give",)] * 60, now)
    for _ in range(2):
        at_once(db, now)
    assert sorted(keys(db)) == sorted(f"first:{one}" for one in ids)
    alter(db, Outbound, state="delivered", sent_at=now)
    invited = at_once(db, now + DAY)
    alter(db, Outbound, state="delivered", sent_at=now + DAY)
    reminded = at_once(db, now + 8 * DAY)
    assert sum(one.invitations for one in invited) == sum(one.reminders for one in reminded) == len(ids)
    assert len(set(keys(db))) == len(keys(db)) == 3 * len(ids)


class Crash(Exception):
    """The process dies here."""


@contextmanager
def dying_at(db: Database, message: int) -> Iterator[None]:
    """Dies as this message of all those to come goes into the outbox."""
    left = [message]

    def count(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("INSERT INTO outbound"):
            left[0] -= 1 + statement.count("), (")  # a batch is one statement
            if left[0] <= 0:
                raise Crash

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        with pytest.raises(Crash):
            yield
    finally:
        event.remove(db.engine, "before_cursor_execute", count)


@pytest.mark.parametrize("message", [1, 30, 201, 230])
def test_a_crash_loses_nobody_and_doubles_nobody(db: Database, now: datetime, message: int) -> None:
    ids = many_learners(db, [("give",)] * 230, now)
    with dying_at(db, message):
        plans(db, now)
    assert len(rows(db, Outbound)) == (200 if message > 200 else 0)
    plans(db, now)
    assert keys(db) == [f"first:{one}" for one in ids]
    alter(db, Outbound, state="delivered", sent_at=now)
    with dying_at(db, message):
        plans(db, now + DAY)
    assert len(rows(db, Invitation)) == len(rows(db, Outbound)) - len(ids)
    plans(db, now + DAY)
    assert len(set(keys(db))) == 2 * len(ids)
    assert len(rows(db, Invitation)) == len(ids)


def test_no_name_and_no_text_is_logged(db: Database, now: datetime) -> None:
    a_learner(db, AMINA, now=now, name="Amina Khan")
    a_learner(db, BILAL, now=now, name="\u200b")
    with capture_logs() as lines:
        plans(db, now)
    because = {"template": "first_message", "variable": "first_name", "case": only(db, OfficeCase).id}
    assert lines == [{"event": "planning.not_fillable", **because, "log_level": "error"}]


def test_the_links_name_the_versions_of_the_day() -> None:
    assert links_under("https://e4a.example.org/", load_documents()) == Links(
        "https://e4a.example.org/privacy/1", "https://e4a.example.org/rules/1"
    )


# From the plan to the phone


def outside_the_window(db: Database) -> None:
    """Nobody has written to us yet."""
    alter(db, ContactPoint, last_inbound_at=None)


def test_it_goes_as_a_template_to_whoever_never_wrote(db: Database, now: datetime) -> None:
    a_learner(db, AMINA, now=now)
    outside_the_window(db)
    plans(db, now)
    stage = Stage(db, Clock(now))
    stage.works()
    (letter,) = stage.whatsapp.letters
    assert (letter.to, letter.body) == (AMINA, "")
    assert letter.content_sid.startswith("HX")
    assert letter.variables == {"1": "Amina", "2": "Start Your Business", "3": LINKS.privacy, "4": LINKS.rules}


def test_it_goes_in_the_same_words_to_whoever_wrote_today(db: Database, now: datetime) -> None:
    a_learner(db, AMINA, now=now)
    plans(db, now)
    stage = Stage(db, Clock(now))
    stage.works()
    assert stage.whatsapp.to(AMINA) == [only(db, Outbound).body]


def test_what_is_planned_in_the_night_goes_in_the_morning(db: Database, now: datetime) -> None:
    a_learner(db, AMINA, now=now)
    stage = Stage(db, Clock(now + timedelta(hours=11)))  # nine in the evening
    plans(db, stage.clock())
    stage.works()
    assert stage.whatsapp.letters == []
    stage.clock.wait(timedelta(hours=11))
    stage.works()
    assert len(stage.whatsapp.letters) == 1


def test_whoever_stops_before_it_goes_gets_nothing_of_it(db: Database, now: datetime) -> None:
    person_id = a_learner(db, AMINA, now=now)
    stage = Stage(db, Clock(now))
    plans(db, now)
    assert stage.hears_and_works(AMINA, "STOP") == [english("consent.opted_out")]
    planned = only(db, Outbound, Outbound.key == f"first:{person_id}")
    assert (planned.state, planned.reason) == ("withheld", "OPTED_OUT")


def test_whoever_says_no_to_the_group_is_not_asked_again(db: Database, now: datetime) -> None:
    person_id = a_greeted_learner(db, now)
    stage = Stage(db, Clock(now + DAY))
    plans(db, stage.clock())
    stage.works()
    stage.hears_and_works(AMINA, "NO")
    assert only(db, Invitation).state == "declined"
    assert plans(db, now + 9 * DAY) == NOTHING
    assert not [key for key in keys(db) if key.startswith(f"invite-again:{person_id}")]


def test_whoever_says_yes_to_the_group_gets_the_link_and_is_not_asked_again(db: Database, now: datetime) -> None:
    a_greeted_learner(db, now)
    stage = Stage(db, Clock(now + DAY))
    plans(db, stage.clock())
    stage.works()
    (answer,) = stage.hears_and_works(AMINA, "yes")
    assert GROUP in answer
    assert only(db, Invitation).state == "sent"
    assert plans(db, now + 9 * DAY) == NOTHING
