"""What was withheld or failed is planned again on a later day, a few times at most, and never twice what went."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from bot import outbox
from bot.database import Database
from bot.importing import import_folder
from bot.models import ContactPoint, Course, Invitation, OfficeCase, Outbound, PersonRow
from bot.planning import Planned
from bot.planning.who import MOST_TRIES
from bot.whatsapp import StatusUpdate
from tests.bot.ledgers import a_college, ann, books
from tests.bot.rooms import AMINA, BILAL, TERMS, Clock, Stage, a_learner, only, owe, rows
from tests.bot.test_planning import (
    DAY,
    GROUP,
    NOTHING,
    a_greeted_learner,
    alter,
    an_invited_learner,
    at_once,
    db,
    goes_out,
    is_looked_at,
    keys,
    many_learners,
    plans,
    says,
)

__all__ = ["db"]  # the fixture: every template is approved
MINUTE = timedelta(minutes=1)


def becomes(db: Database, key: str, state: str) -> None:
    """What became of the message with this key."""
    with db.write() as session:
        session.execute(update(Outbound).where(Outbound.key == key).values(state=state))


def went(db: Database, template: str) -> int:
    return len(rows(db, Outbound, Outbound.template == template, Outbound.state == "accepted"))


# The first message


@pytest.mark.parametrize("state", ["withheld", "failed"])
def test_a_first_message_that_reached_nobody_is_planned_again_from_the_next_day_on(
    db: Database, now: datetime, state: str
) -> None:
    person_id = a_learner(db, now=now)
    plans(db, now)
    becomes(db, f"first:{person_id}", state)
    assert plans(db, now + timedelta(hours=13)) == NOTHING
    assert plans(db, now + timedelta(hours=14)) == Planned(first_messages=1)  # midnight in London
    assert keys(db) == [f"first:{person_id}", f"first:{person_id}:2"]


def test_it_is_planned_a_handful_of_times_and_no_more(db: Database, now: datetime) -> None:
    person_id = a_learner(db, now=now)
    for days in range(20):
        plans(db, now + days * DAY)
        alter(db, Outbound, state="withheld")
    tried = [key for key in keys(db) if key.startswith("first")]
    assert tried == [f"first:{person_id}", *(f"first:{person_id}:{nth}" for nth in range(2, MOST_TRIES + 1))]


@pytest.mark.parametrize("state", ["queued", "sending", "unknown", "accepted", "sent", "delivered", "read"])
def test_no_third_is_planned_once_a_second_went_or_may_still_go(db: Database, now: datetime, state: str) -> None:
    person_id = a_learner(db, now=now)
    plans(db, now)
    alter(db, Outbound, state="withheld")
    plans(db, now + DAY)
    becomes(db, f"first:{person_id}:2", state)
    assert plans(db, now + 20 * DAY).first_messages == 0


def test_one_that_failed_and_was_sent_again_by_the_outbox_is_not_planned_again(db: Database, now: datetime) -> None:
    person_id = a_learner(db, now=now)
    plans(db, now)
    becomes(db, f"first:{person_id}", "failed")
    owe(db, AMINA, now, key=f"first:{person_id}~1", template="first_message", use="course_update")
    assert plans(db, now + DAY).first_messages == 0
    goes_out(db, f"first:{person_id}~1", now)
    assert plans(db, now + 20 * DAY).first_messages == 0


def test_one_that_was_withheld_after_a_restore_may_have_gone_and_is_not_planned_again(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    plans(db, now)
    alter(db, Outbound, state="withheld", reason="RESTORED")
    assert plans(db, now + DAY) == NOTHING
    alter(db, Outbound, reason=None)
    is_looked_at(db)
    assert plans(db, now + DAY) == Planned(first_messages=1)


def test_two_workers_at_once_plan_a_second_try_once(db: Database, now: datetime) -> None:
    ids = many_learners(db, [("give",)] * 30, now)
    plans(db, now)
    alter(db, Outbound, state="withheld")
    for _ in range(2):
        at_once(db, now + DAY)
    assert sorted(keys(db)) == sorted(f"first:{one}{nth}" for one in ids for nth in ("", ":2"))


def test_whoever_stops_and_starts_before_it_went_gets_it_on_the_next_day_and_then_the_invitation(
    db: Database, now: datetime
) -> None:
    a_learner(db, now=now)
    alter(db, Course, group_link=GROUP)
    stage = Stage(db, Clock(now.replace(hour=21)))
    plans(db, stage.clock())
    stage.hears_and_works(AMINA, "STOP")
    stage.clock.wait(MINUTE)
    stage.hears_and_works(AMINA, "START")
    for _ in range(12):
        stage.clock.wait(DAY)
        plans(db, stage.clock())
        stage.clock.wait(12 * timedelta(hours=1))
        stage.works()
        stage.clock.wait(-12 * timedelta(hours=1))
    assert went(db, "first_message") == 1
    assert went(db, "group_invitation") == 2


def test_whoever_was_on_hold_when_it_was_due_gets_it_later(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    plans(db, now)
    alter(db, PersonRow, held_at=now)
    outbox.claim(db, TERMS, now)
    alter(db, PersonRow, held_at=None)
    assert only(db, Outbound).state == "withheld"
    assert plans(db, now + DAY) == Planned(first_messages=1)
    assert outbox.claim(db, TERMS, now + DAY) is not None


def test_whoever_could_not_be_reached_gets_it_once_they_have_written(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    alter(db, ContactPoint, last_inbound_at=None)
    stage = Stage(db, Clock(now))
    plans(db, now)
    stage.works()
    row = only(db, Outbound)
    with db.write() as session:
        outbox.advance(session, TERMS, row.id, StatusUpdate(str(row.sid), "undelivered", 63003), now)
    assert plans(db, now + DAY) == NOTHING
    stage.clock.wait(DAY)
    stage.hears_and_works(AMINA, "thanks")
    assert plans(db, stage.clock()) == Planned(first_messages=1)


def test_what_waits_for_whoever_has_another_number_on_the_next_list_goes_there(
    db: Database, now: datetime, tmp_path: Path
) -> None:
    night = now.replace(hour=22)
    import_folder(books(db), a_college(tmp_path / "a", ann(phone=AMINA)), night)
    plans(db, night)
    import_folder(books(db), a_college(tmp_path / "b", ann(phone=BILAL)), night + MINUTE)
    morning = night + timedelta(hours=12)
    assert plans(db, morning) == NOTHING
    sending = outbox.claim(db, TERMS, morning)
    assert sending is not None
    assert sending.to == BILAL


def test_whoever_waits_for_the_platforms_daily_limit_until_it_is_stale_still_gets_it(db: Database, now: datetime) -> None:
    a_learner(db, AMINA, now=now)
    a_learner(db, BILAL, now=now)
    alter(db, ContactPoint, last_inbound_at=None)
    plans(db, now)
    with db.write() as session:  # it waited for a fortnight
        session.execute(update(Outbound).where(Outbound.person_id == 2).values(state="withheld", reason="STALE"))
    assert plans(db, now + 14 * DAY) == Planned(first_messages=1)


# The invitation


@pytest.mark.parametrize("state", ["withheld", "failed"])
def test_an_invitation_that_reached_nobody_is_planned_again_on_the_next_day_at_ten(
    db: Database, now: datetime, state: str
) -> None:
    _, ends = an_invited_learner(db, now)
    becomes(db, f"invite:{ends}", state)
    assert plans(db, now + 2 * DAY - MINUTE) == NOTHING
    assert plans(db, now + 2 * DAY) == Planned(invitations=1)
    assert keys(db)[-1] == f"invite:{ends}:2"
    assert only(db, Invitation).state == "invited"


def test_an_invitation_is_planned_a_handful_of_times_and_no_more(db: Database, now: datetime) -> None:
    _, ends = an_invited_learner(db, now)
    for days in range(2, 20):
        with db.write() as session:
            session.execute(update(Outbound).where(Outbound.template == "group_invitation").values(state="withheld"))
        plans(db, now + days * DAY)
    assert len([key for key in keys(db) if key.startswith("invite")]) == MOST_TRIES
    assert keys(db)[-1] == f"invite:{ends}:{MOST_TRIES}"


def test_a_second_invitation_waits_for_the_answer_and_has_the_one_reminder(db: Database, now: datetime) -> None:
    _, ends = an_invited_learner(db, now)
    becomes(db, f"invite:{ends}", "withheld")
    plans(db, now + 2 * DAY)
    goes_out(db, f"invite:{ends}:2", now + 3 * DAY)
    assert plans(db, now + 10 * DAY - MINUTE) == NOTHING
    assert plans(db, now + 10 * DAY) == Planned(reminders=1)
    assert plans(db, now + 60 * DAY) == NOTHING


def test_the_week_until_the_reminder_counts_from_when_the_invitation_went(db: Database, now: datetime) -> None:
    person_id = a_greeted_learner(db, now)
    plans(db, now + DAY)
    goes_out(db, f"invite:{person_id}:{only(db, Course).id}", now + 5 * DAY)
    assert plans(db, now + 12 * DAY - MINUTE) == NOTHING
    assert plans(db, now + 12 * DAY) == Planned(reminders=1)


@pytest.mark.parametrize("state", ["queued", "sending", "unknown"])
def test_nobody_is_reminded_of_an_invitation_that_may_not_have_gone(db: Database, now: datetime, state: str) -> None:
    _, ends = an_invited_learner(db, now)
    becomes(db, f"invite:{ends}", state)
    assert plans(db, now + 30 * DAY) == NOTHING


@pytest.mark.parametrize("state", ["sent", "declined", "reminded"])
def test_whoever_answered_meanwhile_is_not_invited_again(db: Database, now: datetime, state: str) -> None:
    _, ends = an_invited_learner(db, now)
    becomes(db, f"invite:{ends}", "withheld")
    alter(db, Invitation, state=state)
    assert plans(db, now + 3 * DAY) == NOTHING


def test_whoever_opted_out_before_it_went_is_invited_when_they_come_back(db: Database, now: datetime) -> None:
    person_id, ends = an_invited_learner(db, now)
    says(db, person_id, "withdraw", now + DAY)
    becomes(db, f"invite:{ends}", "withheld")
    assert plans(db, now + 8 * DAY) == NOTHING
    says(db, person_id, "give", now + 20 * DAY)
    assert plans(db, now + 20 * DAY) == Planned(invitations=1)


def test_the_invitation_to_another_course_is_another_one(db: Database, now: datetime) -> None:
    _, ends = an_invited_learner(db, now)
    becomes(db, f"invite:{ends}", "withheld")
    owe(db, AMINA, now, key=f"invite:{ends}1", template="group_invitation", use="collaboration")
    assert plans(db, now + 2 * DAY) == Planned(invitations=1)


# What no template takes


def test_a_course_whose_name_no_template_takes_is_one_case_however_many_learners_wait(db: Database, now: datetime) -> None:
    a_learner(db, AMINA, now=now)
    a_learner(db, BILAL, now=now)
    alter(db, Course, name="X" * 260)
    assert [plans(db, now + minutes * MINUTE) for minutes in range(3)] == [NOTHING] * 3
    case = only(db, OfficeCase)
    assert (case.person_id, case.kind, case.state) == (None, "template_not_fillable", "open")
    assert case.flags == ["first_message", "course", only(db, Course).code]


def test_a_name_that_no_template_takes_is_a_case_about_the_learner(db: Database, now: datetime) -> None:
    person_id = a_learner(db, now=now, name="\u200b")
    plans(db, now)
    plans(db, now + MINUTE)
    case = only(db, OfficeCase)
    assert (case.person_id, case.flags) == (person_id, ["first_message", "first_name"])


def test_a_case_that_was_closed_is_opened_again_after_a_day_if_it_was_not_put_right(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    alter(db, Course, name="X" * 260)
    plans(db, now)
    alter(db, OfficeCase, state="closed", closed_at=now + MINUTE)
    plans(db, now + DAY)
    assert len(rows(db, OfficeCase)) == 1
    plans(db, now + 2 * DAY)
    assert [case.state for case in rows(db, OfficeCase)] == ["closed", "open"]


def test_once_it_is_put_right_the_message_is_planned(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    alter(db, Course, name="X" * 260)
    plans(db, now)
    alter(db, Course, name="Start Your Business")
    assert plans(db, now + MINUTE) == Planned(first_messages=1)
