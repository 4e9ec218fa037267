"""What an administrator approves is what they read, written by somebody else, whoever holds the author's code now (P18)."""

from __future__ import annotations

import json
import re
from datetime import datetime

import pytest
from sqlalchemy import select, update

from bot import clock, opportunities
from bot.database import Database
from bot.importing.join import join_people
from bot.models import Opportunity, PersonRow, StaffRole
from bot.opportunities import Refused
from tests.bot.offers import DAY, MINUTE, MORE, WHAT, a_course, an_offer, approved, staff, the_offer
from tests.bot.rooms import TERMS
from tests.bot.test_opportunities_preview import add, run


@pytest.fixture(autouse=True)
def college(db: Database, now: datetime) -> None:
    staff(db, now)
    a_course(db, "SYB12", now)


def mark(db: Database) -> str:
    return opportunities.mark_of(the_offer(db))


@pytest.mark.parametrize(
    "changed",
    [
        {"what": "something else entirely"},
        {"more": "https://www.example.org/other"},
        {"courses": ("SYB12",)},
        {"cohorts": ("Cohort 12",)},
        {"interests": ("jobs",)},
        {"status": "finished"},
        {"best_before": datetime.fromisoformat("2026-12-05T10:00:00+00:00")},
        {},
    ],
)
def test_what_was_replaced_after_it_was_read_is_not_approved(
    db: Database, now: datetime, changed: dict[str, object]
) -> None:
    opportunities.add(db, TERMS, an_offer(now), now)
    seen = opportunities.preview(db, TERMS, "MARKET", now).mark
    opportunities.add(db, TERMS, an_offer(now, **changed), now + MINUTE, replace=True)
    with pytest.raises(Refused, match="is not what you read"):
        opportunities.approve(db, "MARKET", "A2", now + MINUTE, seen=seen)
    assert the_offer(db).approved_at is None
    assert opportunities.approve(db, "MARKET", "A2", now + MINUTE, seen=mark(db)).first


def test_a_second_approval_asks_for_no_mark(db: Database, now: datetime) -> None:
    opportunities.add(db, TERMS, an_offer(now), now)
    approved(db, "MARKET", now)
    assert not opportunities.approve(db, "MARKET", "A2", now, seen="").first


def test_who_held_the_authors_code_when_it_was_written_does_not_approve_it(db: Database, now: datetime) -> None:
    opportunities.add(db, TERMS, an_offer(now), now)
    with db.write() as session:
        author = session.scalars(select(StaffRole).where(StaffRole.code == "A1")).one()
        next_one = session.scalars(select(StaffRole).where(StaffRole.code == "A2")).one()
        author.person_id, next_one.person_id = next_one.person_id, author.person_id
        author.email, next_one.email = "new1@example.org", "new2@example.org"
    with pytest.raises(Refused, match="another administrator does"):
        approved(db, "MARKET", now, "A2")
    assert approved(db, "MARKET", now, "A1").first  # another person now, by the code that it was written under


@pytest.mark.parametrize("email", ["A1@example.org", "later@example.org"])
def test_the_authors_email_of_then_and_of_now_is_theirs(db: Database, now: datetime, email: str) -> None:
    opportunities.add(db, TERMS, an_offer(now), now)
    with db.write() as session:
        session.execute(update(StaffRole).where(StaffRole.code == "A1").values(email="later@example.org"))
        session.execute(update(StaffRole).where(StaffRole.code == "A2").values(email=email))
    with pytest.raises(Refused, match="another administrator does"):
        approved(db, "MARKET", now)


def test_two_without_an_email_are_two(db: Database, now: datetime) -> None:
    with db.write() as session:
        session.execute(update(StaffRole).values(email=""))
    opportunities.add(db, TERMS, an_offer(now), now)
    assert approved(db, "MARKET", now).first


def test_an_author_who_becomes_one_with_another_person_stays_the_author(db: Database, now: datetime) -> None:
    opportunities.add(db, TERMS, an_offer(now), now)
    with db.write() as session:
        stays = PersonRow(name="Ann", created_at=now)
        session.add(stays)
        session.flush()
        join_people(session, stays, session.get_one(PersonRow, the_author(db)))
        stays_id = stays.id
    assert the_author(db) == stays_id
    with pytest.raises(Refused, match="another administrator does"):
        approved(db, "MARKET", now, "A1")


def the_author(db: Database) -> int:
    with db.read() as session:
        return session.scalars(select(Opportunity.author_id)).one()


def test_approve_shows_what_it_is_for_whom_and_until_when_and_asks(db: Database) -> None:
    add(db, "--cohort", "Cohort 12", "--interest", "jobs", "--best-before", (clock.now() + 9 * DAY).date().isoformat())
    no = run(db, "approve", "MARKET", "--as", "A2", says="n\n")
    assert (no.exit_code, the_offer(db).approved_at) == (1, None)
    for words in (WHAT, MORE, "all learners; cohorts Cohort 12; who wish to hear of jobs", "Until", "Approve this?"):
        assert words in no.stdout
    yes = run(db, "approve", "MARKET", "--as", "A2")
    assert (yes.exit_code, the_offer(db).approved_by) == (0, "A2")
    assert "Approve this?" not in run(db, "approve", "MARKET", "--as", "A2").stdout


def test_a_script_says_which_text_it_read(db: Database) -> None:
    add(db)
    found = json.loads(run(db, "preview", "MARKET", "--json").stdout)["mark"]
    assert re.search(f"The mark of this text: {found}", run(db, "preview", "MARKET").stdout)
    bare = run(db, "approve", "MARKET", "--as", "A2", "--yes", says="")
    assert (bare.exit_code, "--seen MARK" in bare.stderr) == (2, True)
    add(db, "--replace")
    late = run(db, "approve", "MARKET", "--as", "A2", "--yes", "--seen", found, says="")
    assert (late.exit_code, "is not what you read" in late.stderr) == (1, True)
    done = run(db, "approve", "MARKET", "--as", "A2", "--yes", "--seen", mark(db), says="")
    assert (done.exit_code, the_offer(db).approved_by) == (0, "A2")


def test_who_read_another_text_is_refused_after_the_question_too(db: Database) -> None:
    add(db)
    done = run(db, "approve", "MARKET", "--as", "A2", "--seen", "0" * 8)
    assert (done.exit_code, "is not what you read" in done.stderr) == (1, True)
