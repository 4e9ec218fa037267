"""What we write first: by template outside the window, in its hours, no more than promised, and not for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from bot import outbox
from bot.database import Database
from bot.models import ContactPoint, Course, OfficeCase, Outbound, PersonRow, TemplateRow
from bot.terms import Terms
from bot.whatsapp import Outcome
from tests.bot.rooms import AMINA, BILAL, SECOND, TERMS, Clock, Stage, a_learner, only, owe, states
from tests.bot.templates import ready

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LESSON = {"lesson": "Pricing", "starts_at": "Mon 30 Nov, 10:00", "place": "Room 4"}
BY_TEMPLATE: dict[str, Any] = {"template": "lesson_reminder", "use": "lesson_reminder", "variables": LESSON}


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def away(db: Database, clock: Clock) -> str:
    """A learner who consented and last wrote two days ago: her phone."""
    a_learner(db, AMINA, now=clock())
    silent(db, clock() - 2 * DAY)
    return AMINA


def silent(db: Database, since: datetime) -> None:
    with db.write() as session:
        session.execute(update(ContactPoint).values(last_inbound_at=since))


def approved(db: Database, clock: Clock, name: str = "lesson_reminder", **given: str) -> str:
    with db.write() as session:
        return ready(session, name, clock(), **given)


def sent(db: Database, at: datetime, terms: Terms = TERMS) -> list[outbox.Sending]:
    """Everything that goes out at this moment; Twilio takes it all."""
    found = []
    while (one := outbox.claim(db, terms, at)) is not None:
        outbox.record(db, terms, one.outbound_id, Outcome("accepted", f"SMf{one.outbound_id:031d}"), at)
        found.append(one)
    return found


def test_outside_the_window_an_approved_template_goes_by_its_sid_with_its_variables(
    db: Database, away: str, clock: Clock
) -> None:
    sid = approved(db, clock)
    owe(db, away, clock(), **BY_TEMPLATE)
    (one,) = sent(db, clock())
    assert (one.to, one.body, one.content_sid) == (away, "", sid)
    assert one.variables == {"1": "Pricing", "2": "Mon 30 Nov, 10:00", "3": "Room 4"}
    assert only(db, Outbound).by_template


def test_inside_the_window_the_same_words_go_as_free_text(db: Database, clock: Clock) -> None:
    a_learner(db, AMINA, now=clock())
    approved(db, clock)
    owe(db, AMINA, clock(), **BY_TEMPLATE)
    (one,) = sent(db, clock())
    assert (one.body, one.content_sid, only(db, Outbound).by_template) == ("Body of k1.", "", False)


@pytest.mark.parametrize("given", [{"status": "pending"}, {"status": "paused"}, {"category": "MARKETING"}])
def test_a_template_that_is_not_approved_or_was_put_in_another_category_waits_until_it_is(
    db: Database, away: str, clock: Clock, given: dict[str, str]
) -> None:
    approved(db, clock, **given)
    owe(db, away, clock(), **BY_TEMPLATE)
    assert sent(db, clock()) == []
    assert states(db) == [("queued", "WINDOW_CLOSED_NO_TEMPLATE")]
    with db.write() as session:
        session.execute(update(TemplateRow).values(status="approved", category="UTILITY"))
    assert len(sent(db, clock.wait(HOUR))) == 1


@pytest.mark.parametrize("changed", [{"template": "of_last_year"}, {"variables": {"lesson": "Pricing"}}])
def test_what_was_planned_under_an_older_text_is_withheld_and_holds_nobody_up(
    db: Database, away: str, clock: Clock, changed: dict[str, Any]
) -> None:
    approved(db, clock)
    owe(db, away, clock(), key="old", **BY_TEMPLATE | changed)
    owe(db, away, clock(), key="new", **BY_TEMPLATE)
    assert len(sent(db, clock())) == 1
    assert states(db) == [("withheld", "WINDOW_CLOSED_NO_TEMPLATE"), ("accepted", None)]


def test_a_text_is_sent_for_what_it_is_whatever_it_was_planned_as(db: Database, away: str, clock: Clock) -> None:
    Stage(db, clock).hears_and_works(away, "no more job stuff but keep my lessons")
    silent(db, clock() - 2 * DAY)
    approved(db, clock, "opportunity")
    template = TERMS.templates.find("opportunity", "en")
    job = {"template": "opportunity", "variables": {one.name: one.sample for one in template.variables}}
    owe(db, away, clock(), purpose="service", use="course_update", urgent=True, **job)
    assert sent(db, clock()) == []
    assert states(db, Outbound.template == "opportunity") == [("withheld", "MARKETING_NOT_CONSENTED")]


def test_what_we_write_first_has_one_use_of_the_policy_or_is_refused(db: Database, away: str, clock: Clock) -> None:
    with pytest.raises(ValueError, match="one approved use"):
        owe(db, away, clock(), use="")


def test_a_course_without_an_end_stops_opportunities_and_the_office_hears_of_it(db: Database, clock: Clock) -> None:
    a_learner(db, AMINA, now=clock())
    with db.write() as session:
        session.execute(update(Course).values(ends_on=None))
    for key, purpose in (("a", "service"), ("b", "marketing"), ("c", "checkin")):
        owe(db, AMINA, clock(), key=key, purpose=purpose, urgent=True)  # type: ignore[arg-type]
    assert [one.body for one in sent(db, clock())] == ["Body of a."]
    assert states(db, Outbound.key != "a") == [("withheld", "PAST_6_MONTHS")] * 2
    assert only(db, OfficeCase).kind == "course_without_end"


def test_a_template_goes_once_and_its_files_do_not_go_without_the_window(db: Database, away: str, clock: Clock) -> None:
    sid = approved(db, clock)
    owe(db, away, clock(), **BY_TEMPLATE, media=("https://e4a.example.org/1", "https://e4a.example.org/2"))
    assert [one.content_sid for one in sent(db, clock())] == [sid]
    assert states(db) == [("accepted", None), ("withheld", "WINDOW_CLOSED_NO_TEMPLATE")]


def test_an_alert_reaches_staff_who_have_not_written_for_days(db: Database, clock: Clock) -> None:
    stage = Stage(db, clock)
    a_learner(db, AMINA, now=clock())
    sid = approved(db, clock, "safeguarding_alert")
    stage.hears_and_works(AMINA, "i want to end my life")
    letters = [letter for letter in stage.whatsapp.letters if letter.content_sid]
    assert {(letter.content_sid, letter.body) for letter in letters} == {(sid, "")}
    assert [letter.to for letter in letters] == [contact.phone for contact in stage.contacts]
    assert all(letter.variables == {"1": "1"} for letter in letters)


def test_at_night_a_notice_waits_and_an_answer_does_not(db: Database, clock: Clock) -> None:
    a_learner(db, AMINA, now=clock.wait(12 * HOUR))
    owe(db, AMINA, clock(), key="notice")
    assert sent(db, clock()) == []
    owe(db, AMINA, clock(), key="answer", purpose="reply")
    assert [one.body for one in sent(db, clock())] == ["Body of answer."]
    assert states(db, Outbound.key == "notice") == [("queued", "QUIET_HOURS")]
    assert [one.body for one in sent(db, clock.wait(10 * HOUR))] == ["Body of notice."]


def test_who_opts_out_at_night_is_not_written_to_in_the_morning(db: Database, clock: Clock) -> None:
    stage = Stage(db, clock)
    a_learner(db, AMINA, now=clock.wait(12 * HOUR))
    owe(db, AMINA, clock(), key="notice")
    stage.works()
    stage.hears_and_works(AMINA, "STOP")
    clock.wait(12 * HOUR)
    stage.works()
    assert states(db, Outbound.key == "notice") == [("withheld", "OPTED_OUT")]


def test_of_three_notices_for_one_day_one_goes_and_the_others_wait_for_their_days(db: Database, clock: Clock) -> None:
    a_learner(db, AMINA, now=clock())
    for key in "abc":
        owe(db, AMINA, clock(), key=key, best_before=clock() + 10 * DAY)
    assert [one.body for one in sent(db, clock())] == ["Body of a."]
    assert states(db) == [("accepted", None), ("queued", "FREQUENCY_CAP"), ("queued", "FREQUENCY_CAP")]
    silent(db, clock.wait(22 * HOUR))
    assert [one.body for one in sent(db, clock())] == ["Body of b."]
    assert sent(db, clock() + HOUR) == []


def test_urgent_news_and_lesson_reminders_wait_for_no_cap(db: Database, clock: Clock) -> None:
    a_learner(db, AMINA, now=clock())
    owe(db, AMINA, clock(), key="a")
    owe(db, AMINA, clock(), key="b", urgent=True)
    owe(db, AMINA, clock(), key="c", use="lesson_reminder")
    assert len(sent(db, clock())) == 3


def test_no_more_people_a_day_than_the_platform_lets_us_and_the_same_ones_again_cost_nothing(
    db: Database, clock: Clock
) -> None:
    phones = [f"+4477009004{n:02}" for n in range(4)]
    for phone in phones:
        a_learner(db, phone, now=clock())
    silent(db, clock() - 2 * DAY)
    approved(db, clock)
    few = replace(TERMS, reach_limit=2)
    for phone in phones:
        owe(db, phone, clock(), key=phone, **BY_TEMPLATE)
    assert len(sent(db, clock(), few)) == 2
    assert states(db, Outbound.state == "queued") == [("queued", "REACH_LIMIT")] * 2
    owe(db, phones[0], clock(), key="again", **BY_TEMPLATE)
    assert [one.to for one in sent(db, clock() + HOUR, few)] == [phones[0]]
    assert [one.to for one in sent(db, clock() + DAY, few)] == phones[2:3]
    assert [one.to for one in sent(db, clock() + DAY + HOUR, few)] == phones[3:]


def test_a_job_queued_before_six_months_were_over_and_run_after_it_is_not_sent(db: Database, clock: Clock) -> None:
    a_learner(db, AMINA, now=clock())
    with db.write() as session:
        session.execute(update(Course).values(ends_on=datetime(2026, 5, 23)))  # noqa: DTZ001 (a day)
    owe(db, AMINA, clock() - 2 * DAY, best_before=clock() + DAY)
    assert sent(db, clock()) == []
    assert states(db) == [("withheld", "PAST_6_MONTHS")]


def test_a_long_text_goes_in_parts_in_their_order(db: Database, clock: Clock) -> None:
    a_learner(db, AMINA, now=clock())
    body = "\n\n".join(f"{n}. " + "Come and see. " * 70 for n in range(4))
    owe(db, AMINA, clock(), purpose="reply", body=body)
    parts = [one.body for one in sent(db, clock())]
    assert all(len(part) <= 1600 for part in parts)
    assert [part[0] for part in parts] == ["0", "1", "2", "3"]


def test_of_several_files_each_goes_with_a_message_of_its_own(db: Database, clock: Clock) -> None:
    a_learner(db, AMINA, now=clock())
    owe(db, AMINA, clock(), purpose="reply", body="Look.", media=("https://e4a.example.org/1", "https://e4a.example.org/2"))
    found = [(one.body, one.media_url) for one in sent(db, clock())]
    assert found == [("Look.", "https://e4a.example.org/1"), ("", "https://e4a.example.org/2")]


def test_a_question_that_was_sent_may_be_answered_but_takes_no_other_ones_place(db: Database, clock: Clock) -> None:
    a_learner(db, AMINA, now=clock())
    ask = {"question": "invitation", "options": {"yes": "request_group_link"}}
    owe(db, AMINA, clock(), key="a", ask=ask)
    sent(db, clock())
    assert (only(db, PersonRow).pending or {})["question"] == "invitation"
    owe(db, AMINA, clock(), key="b", urgent=True, ask={"question": "another", "options": {}})
    sent(db, clock() + SECOND)
    assert (only(db, PersonRow).pending or {})["question"] == "invitation"
    owe(db, AMINA, clock(), key="c", urgent=True, ask={"question": "another", "options": {}})
    silent(db, clock() + DAY)
    sent(db, clock() + DAY + SECOND)
    assert (only(db, PersonRow).pending or {})["question"] == "another"


def test_an_answer_does_not_wait_for_a_notice_that_is_tried_again(db: Database, clock: Clock) -> None:
    a_learner(db, AMINA, now=clock())
    a_learner(db, BILAL, now=clock())
    owe(db, AMINA, clock(), key="notice", urgent=True)
    one = outbox.claim(db, TERMS, clock())
    assert one is not None
    outbox.record(db, TERMS, one.outbound_id, Outcome("retry"), clock())
    owe(db, AMINA, clock(), key="answer", purpose="reply")
    assert [one.body for one in sent(db, clock())] == ["Body of answer."]
