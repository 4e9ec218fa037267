"""An opportunity is written by one administrator, checked at once, approved by another, and called back in time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from bot import opportunities, outbox
from bot.acts import NoSuchStaff
from bot.consents import NotAllowed
from bot.database import Database
from bot.models import Audit, Course, LessonRow, Opportunity, Outbound, StaffRole
from bot.opportunities import RECALL_FOR, NoSuchOpportunity, Refused
from bot.planning.opportunities import release
from bot.whatsapp import Outcome
from tests.bot.offers import DAY, HOUR, MINUTE, a_course, an_offer, approved, learners, on_its_way, sent, staff, the_offer
from tests.bot.rooms import TERMS, a_member_of_staff, only, rows, states


@pytest.fixture(autouse=True)
def college(db: Database, now: datetime) -> None:
    staff(db, now)
    a_course(db, "SYB12", now)
    with db.write() as session:
        start, course_id = now + DAY, session.scalars(select(Course.id)).one()
        lesson = {"title": "Pricing Your Products", "place": "St Mary Hall", "starts_at": start, "ends_at": start + HOUR}
        session.add(LessonRow(code="L1", course_id=course_id, **lesson))


def write(db: Database, now: datetime, *, replace: bool = False, **given: Any) -> None:
    opportunities.add(db, TERMS, an_offer(now, **given), now, replace=replace)


def acts(db: Database) -> list[tuple[str, str]]:
    return [(one.by, one.act) for one in rows(db, Audit)]


def test_what_passes_every_check_is_kept_and_goes_to_nobody(db: Database, now: datetime) -> None:
    learners(db, now, 1)
    write(db, now, courses=("SYB12",), cohorts=("Cohort 12",), interests=("jobs",), status="current")
    kept = the_offer(db)
    assert (kept.courses, kept.cohorts, kept.interests, kept.status) == (["SYB12"], ["Cohort 12"], ["jobs"], "current")
    assert release(db, TERMS, now + DAY) == 0
    assert (states(db), acts(db)) == ([], [("A1", "opportunity_add")])


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("a job in a bakery; your lesson is on Mon 30 Nov at 10:00", "speaks of 'your lesson'"),  # P18, word for word
        ("a job fair; your next class is in the hall", "speaks of 'your next class'"),
        ("a job fair, and Monday's lesson is off", "speaks of 'Monday's lesson'"),
        ("no class on Friday: go to the job fair", "speaks of 'no class'"),
        ("a job fair, as the lessons are cancelled", "speaks of 'lessons are cancelled'"),
        ("jobs; bring your homework", "speaks of 'homework'"),
        ("a job, if you were absent", "speaks of 'absent'"),
        ("a job that your trainer knows of", "speaks of 'your trainer'"),
        ("a job fair in your room", "speaks of 'your room'"),
        ("a job fair for your course", "speaks of 'your course'"),
        ("reminder: the job fair is on Friday", "speaks of 'reminder'"),
        ("jobs for everybody in your class", "speaks of 'your class'"),
        ("a job fair after pricing your products", "names 'Pricing Your Products', which is in our timetable"),
        ("a job fair at St Mary Hall", "names 'St Mary Hall', which is in our timetable"),
        ("a job; send your National Insurance number", "names 'National Insurance'"),
        ("a grant; reply with your bank details", "names 'bank'"),
        ("a grant; bring your card and your PIN", "names 'card'"),
        ("a grant; we need your password", "names 'password'"),
        ("a market\non Saturday", "has a line break"),
        ("a market\u2028on Saturday", "has a line break"),
        ("a  market", "has double spaces"),
        ("", "--what is empty"),
        ("m" * 251, "--what is longer than 250 characters"),
    ],
)
def test_a_text_that_must_not_go_is_refused_when_it_is_written(db: Database, now: datetime, what: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        write(db, now, what=what)
    assert rows(db, Opportunity) == []


@pytest.mark.parametrize(
    "what",
    [
        "a free sewing class at the library",
        "a course: First Aid, 3 lessons",
        "our new course: Sell to Shops",
        "a job as a teaching assistant and tutor",
        "a job as a fitness trainer",
        "a meeting room for your business",
        "a grant for your business, and lessons in how to ask for it",
    ],
)
def test_further_learning_and_any_job_are_opportunities(db: Database, now: datetime, what: str) -> None:
    write(db, now, what=what)
    assert the_offer(db).what == what


@pytest.mark.parametrize(
    ("what", "more"), [("a market on Saturday.", "https://example.org/a."), ("a market...", "https://e.org/b")]
)
def test_a_full_stop_of_theirs_does_not_stand_beside_ours(now: datetime, what: str, more: str) -> None:
    text = opportunities.text_of(an_offer(now, what=what, more=more), TERMS, "Amina")
    assert ".." not in text
    assert ". You can find out more" in text
    assert f"{more.rstrip('.')}\n" in text


@pytest.mark.parametrize("more", ["https://www.example.org/jobs", "01254 693 999", "+44 1254 693999", "jobs@example.org"])
def test_more_is_a_link_a_phone_or_an_email(db: Database, now: datetime, more: str) -> None:
    write(db, now, more=more)
    assert the_offer(db).more == more


@pytest.mark.parametrize(
    "more",
    [
        "http://example.org",
        "https://",
        "https://a b.org",
        "https://us@evil.example.org",
        "call Ann",
        "+33 1 23 45 67 89",
        "",
    ],
)
def test_anything_else_under_more_is_refused(db: Database, now: datetime, more: str) -> None:
    with pytest.raises(Refused, match="--more is"):
        write(db, now, more=more)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"courses": ("SYB13",)}, "There is no course SYB13"),
        ({"cohorts": ("Cohort 99",)}, "There is no cohort Cohort 99"),
        ({"best_before": datetime.fromisoformat("2026-11-24T10:00:00+00:00")}, "is over already"),
        ({"best_before": datetime.fromisoformat("2027-03-01T10:00:00+00:00")}, "more than 60 days"),
        ({"code": "a market"}, "The code is"),
    ],
)
def test_whom_it_is_for_and_until_when_must_make_sense(db: Database, now: datetime, given: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        write(db, now, **given)


def test_every_reason_is_told_at_once(db: Database, now: datetime) -> None:
    with pytest.raises(Refused) as refused:
        write(db, now, what="a job and your lesson", more="soon", courses=("X",))
    assert len(str(refused.value).splitlines()) == 3


@pytest.mark.parametrize("by", ["T1", "S1", "R1"])
def test_only_admins_may_write_approve_and_call_back(db: Database, now: datetime, by: str) -> None:
    write(db, now)
    for attempt in (
        lambda: write(db, now, code="OTHER", by=by),
        lambda: approved(db, "MARKET", now, by),
        lambda: opportunities.recall(db, "MARKET", by, now),
    ):
        with pytest.raises(NotAllowed, match="an admin does"):
            attempt()
    assert the_offer(db).approved_at is None
    assert acts(db) == [("A1", "opportunity_add")]


def test_who_is_nobody_signs_nothing(db: Database, now: datetime) -> None:
    with pytest.raises(NoSuchStaff):
        write(db, now, by="X9")


def test_a_code_is_taken_once_and_before_approval_a_new_text_may_take_its_place(db: Database, now: datetime) -> None:
    write(db, now)
    with pytest.raises(Refused, match="--replace"):
        write(db, now, what="another market")
    write(db, now, what="another market", by="A2", replace=True)
    assert (the_offer(db).what, the_offer(db).made_by) == ("another market", "A2")
    with pytest.raises(Refused, match="another administrator"):
        approved(db, "MARKET", now)
    approved(db, "MARKET", now, "A1")
    assert acts(db) == [("A1", "opportunity_add"), ("A2", "opportunity_replace"), ("A1", "opportunity_approve")]


def test_nothing_of_it_changes_once_it_is_approved_or_called_back(db: Database, now: datetime) -> None:
    on_its_way(db, now)
    with pytest.raises(Refused, match="it was approved"):
        write(db, now, what="another market", replace=True)
    opportunities.recall(db, "MARKET", "A1", now)
    write(db, now, code="B")
    opportunities.recall(db, "B", "A1", now)
    with pytest.raises(Refused, match="it was called back"):
        write(db, now, code="B", replace=True)


def test_whoever_wrote_it_does_not_approve_it_with_any_of_their_codes(db: Database, now: datetime) -> None:
    write(db, now)
    with db.write() as session:
        author = session.scalars(select(StaffRole).where(StaffRole.code == "A1")).one()
        session.add(StaffRole(code="A9", person_id=author.person_id, role="admin"))
    a_member_of_staff(db, "A8", "admin", now=now, email="A1@Example.org")  # on the list twice, with one mailbox
    for code in ("A1", "A9", "A8"):
        with pytest.raises(Refused, match="another administrator does"):
            approved(db, "MARKET", now, code)
    assert approved(db, "MARKET", now).first


def test_an_author_who_has_left_must_be_replaced_before_it_goes(db: Database, now: datetime) -> None:
    write(db, now)
    with db.write() as session:
        session.execute(delete(StaffRole).where(StaffRole.code == "A1"))
    with pytest.raises(Refused, match="no longer on the list"):
        approved(db, "MARKET", now)


def test_an_approval_holds_it_for_a_quarter_of_an_hour_and_a_second_one_changes_nothing(db: Database, now: datetime) -> None:
    write(db, now)
    done = approved(db, "MARKET", now)
    assert (done.release_at, done.first) == (now + RECALL_FOR, True)
    again = approved(db, "MARKET", now + MINUTE)
    assert (again.release_at, again.by, again.first) == (now + RECALL_FOR, "A2", False)
    assert acts(db)[1:] == [("A2", "opportunity_approve")]


def test_what_would_be_over_before_it_goes_is_not_approved(db: Database, now: datetime) -> None:
    write(db, now, best_before=now + HOUR)
    with pytest.raises(Refused, match="over before it could go"):
        approved(db, "MARKET", now + HOUR - RECALL_FOR)


def test_what_was_called_back_is_not_approved_any_more(db: Database, now: datetime) -> None:
    write(db, now)
    opportunities.recall(db, "MARKET", "A1", now)
    with pytest.raises(Refused, match="called back"):
        approved(db, "MARKET", now)


def test_a_code_that_is_nobodys_is_said_to_be_so(db: Database, now: datetime) -> None:
    with pytest.raises(NoSuchOpportunity):
        opportunities.approve(db, "NONE", "A1", now, seen="")
    with pytest.raises(NoSuchOpportunity):
        opportunities.recall(db, "NONE", "A1", now)


def test_called_back_before_its_time_nobody_gets_it(db: Database, now: datetime) -> None:
    learners(db, now, 1, 2)
    starts = on_its_way(db, now)
    done = opportunities.recall(db, "MARKET", "A1", starts - MINUTE)
    assert (done.gone, done.kept_back, done.first) == (0, 0, True)
    assert release(db, TERMS, starts + HOUR) == 0
    assert sent(db, starts + HOUR) == states(db) == []


def test_called_back_half_way_the_rest_does_not_go_and_the_count_is_told(db: Database, now: datetime) -> None:
    learners(db, now, 1, 2, 3)
    starts = on_its_way(db, now)
    assert release(db, TERMS, starts) == 3
    one = sent_one(db, starts)
    done = opportunities.recall(db, "MARKET", "A2", starts + MINUTE)
    assert (done.gone, done.kept_back, done.under_way, done.first) == (1, 2, 0, True)
    assert sent(db, starts + HOUR) == []
    assert states(db) == [("accepted", None), ("withheld", "RECALLED"), ("withheld", "RECALLED")]
    again = opportunities.recall(db, "MARKET", "A1", starts + HOUR)
    assert (again.gone, again.kept_back, again.first) == (1, 2, False)
    assert (the_offer(db).recalled_by, one) == ("A2", "+447700900001")
    assert acts(db)[-1] == ("A2", "opportunity_recall")


def test_what_failed_and_is_tried_again_after_the_recall_does_not_go(db: Database, now: datetime) -> None:
    learners(db, now, 1)
    starts = on_its_way(db, now)
    release(db, TERMS, starts)
    opportunities.recall(db, "MARKET", "A2", starts)
    with db.write() as session:  # as the copy of a failed message is owed: queued, after the recall
        session.execute(update(Outbound).values(state="queued", reason=None))
    assert sent(db, starts + MINUTE) == []
    assert states(db) == [("withheld", "RECALLED")]


def test_what_was_called_back_is_not_looked_at_any_more(db: Database, now: datetime) -> None:
    on_its_way(db, now)
    opportunities.recall(db, "MARKET", "A1", now)
    assert only(db, Opportunity).plan_at is None


def sent_one(db: Database, at: datetime) -> str:
    """The first message goes, and no other."""
    one = outbox.claim(db, TERMS, at)
    assert one is not None
    outbox.record(db, TERMS, one.outbound_id, Outcome("accepted", "SM" + "a" * 32), at)
    return one.to


def test_the_full_stop_that_ends_a_text_is_the_templates_own(db: Database, now: datetime) -> None:
    write(db, now, what="a stall at the market.")
    assert the_offer(db).what == "a stall at the market"
