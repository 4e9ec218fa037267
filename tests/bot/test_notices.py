"""News of a lesson: told at once to everybody concerned, and whom it does not reach come back as a call sheet (P13)."""

from __future__ import annotations

import re
import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, update

from bot.acts import NoSuchStaff
from bot.consents import NotAllowed
from bot.database import Database
from bot.models import Audit, ConsentEvent, ContactPoint, Notice, OfficeCase, Outbound, PersonRow
from bot.timetable import change
from bot.timetable.calls import call_sheet, call_sheets
from bot.timetable.change import LessonError
from bot.timetable.notices import Reach, announce, reach
from bot.turn import Order
from bot.whatsapp import Letter, Outcome
from tests.bot.rooms import AMINA, BILAL, CARLA, TERMS, Clock, Stage, a_learner, a_member_of_staff, only, rows
from tests.bot.timetables import (
    CODE,
    a_trainer,
    cancelled,
    delayed,
    london,
    moved,
    news,
    planned,
    put,
    reminders,
    replaced,
    tell,
    the_lesson,
)

EIGHT = london("2026-11-25 08:00")
TWENTY_TO = london("2026-11-25 07:40")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def stage(db: Database) -> Stage:
    """Two learners and one who opted out, at 07:40 before the class at 08:00; each wrote last evening."""
    evening = TWENTY_TO - 11 * HOUR
    for phone, consent in ((AMINA, "give"), (BILAL, "give"), (CARLA, "withdraw")):
        a_learner(db, phone, now=evening, consent=consent, name=f"Learner {phone[-1]}")
    put(db, EIGHT)
    a_member_of_staff(db, "A01", "admin", now=evening)
    return Stage(db, Clock(TWENTY_TO))


def an_order(stage: Stage, kind: str = "late", **given: object) -> Order:
    """A trainer's order about the lesson as it stands."""
    values = {"minutes": 20} if kind == "late" else {}
    return Order(kind, CODE, the_lesson(stage.db).version, **{**values, **given})  # type: ignore[arg-type]


def person(db: Database, phone: str) -> int:
    return only(db, ContactPoint, ContactPoint.value == phone).person_id


def cases(db: Database) -> list[tuple[str, list[str], bool]]:
    return [(case.kind, case.flags, case.urgent) for case in rows(db, OfficeCase, OfficeCase.person_id.is_(None))]


def calls(stage: Stage, by: str = "A01", notice: int = 1) -> list[tuple[str, str, str]]:
    return [(one.name, one.phone, one.reason) for one in call_sheet(stage.db, notice, by, stage.clock()).calls]


# P13's own case.


def test_twenty_minutes_late_at_twenty_to_eight_goes_out_at_once_and_who_opted_out_is_phoned(stage: Stage) -> None:
    assert delayed(stage.db, 20, stage.clock()) == Reach(2, 1)
    stage.works()
    for phone in (AMINA, BILAL):
        (text,) = stage.whatsapp.to(phone)
        assert "08:20" in text
    assert stage.whatsapp.to(CARLA) == []
    assert {(row.state, row.reason, row.urgent) for row in news(stage.db)} == {
        ("accepted", None, True),
        ("withheld", "OPTED_OUT", True),
    }
    assert calls(stage) == [("Learner 3", CARLA, "OPTED_OUT")]


def test_it_says_beforehand_whom_it_reaches_and_changes_nothing(stage: Stage) -> None:
    with stage.db.read() as session:
        assert reach(session, TERMS, an_order(stage), stage.clock()) == Reach(2, 1)
    assert (the_lesson(stage.db).version, news(stage.db), rows(stage.db, Notice)) == (1, [], [])


def test_an_order_is_carried_out_once_and_signed(stage: Stage) -> None:
    order = an_order(stage)
    with stage.db.write() as session:
        announce(session, TERMS, order, "T01", stage.clock())
    with stage.db.write() as session, pytest.raises(LessonError, match="changed a moment ago"):
        announce(session, TERMS, order, "T01", stage.clock())
    assert the_lesson(stage.db).starts_at == EIGHT + 20 * MINUTE
    notice = only(stage.db, Notice)
    assert (notice.kind, notice.by, notice.urgent) == ("late", "T01", True)
    audit = only(stage.db, Audit, Audit.act == "lesson_late")
    assert (audit.by, audit.details) == ("T01", {"lesson": CODE, "notice": notice.id, "version": 2})


@pytest.mark.parametrize(
    ("kind", "words", "shown", "use"),
    [
        ("cancelled", "", "is cancelled", "course_update"),
        ("place", "Room 6", "New place: Room 6", "course_update"),
        ("place", "https://zoom.us/j/9", "https://zoom.us/j/9", "course_update"),
        ("problem", "Zoom is down. Please wait.", "Zoom is down. Please wait.", "technical_or_delay"),
    ],
)
def test_each_kind_of_news_says_what_has_happened(stage: Stage, kind: str, words: str, shown: str, use: str) -> None:
    with stage.db.write() as session:
        assert announce(session, TERMS, an_order(stage, kind, words=words), "T01", stage.clock()).concerned == 3
    for row in news(stage.db):
        assert shown in row.body
        assert (row.purpose, row.use, row.lesson_version) == ("service", use, the_lesson(stage.db).version)
    stage.works()
    assert len(stage.whatsapp.to(AMINA)) == 1


def test_a_problem_leaves_the_lesson_and_its_reminders_as_they_are(stage: Stage) -> None:
    put(stage.db, EIGHT + 26 * HOUR)
    planned(stage.db, TWENTY_TO)
    before = [(row.state, row.due_at, row.body) for row in reminders(stage.db)]
    tell(stage.db, lambda lesson: change.problem(lesson, "Zoom is down"), stage.clock())
    assert [(row.state, row.due_at, row.body) for row in reminders(stage.db)] == before
    assert the_lesson(stage.db).version == 1


def test_words_over_several_lines_become_one_line(stage: Stage) -> None:
    tell(stage.db, lambda lesson: change.problem(lesson, "Zoom is down.\nPlease wait."), stage.clock())
    assert "Zoom is down. Please wait." in news(stage.db)[0].body


# When it goes, and until when.


@pytest.mark.parametrize(("hours", "urgent"), [(-1, True), (12, True), (13, False)])
def test_news_is_urgent_when_the_lesson_is_on_or_starts_within_twelve_hours(stage: Stage, hours: int, urgent: bool) -> None:
    put(stage.db, stage.clock() + hours * HOUR)
    cancelled(stage.db, stage.clock())
    assert only(stage.db, Notice).urgent is urgent
    assert {row.urgent for row in news(stage.db)} == {urgent}


def test_news_that_is_not_urgent_waits_for_the_morning_and_counts_as_reached(stage: Stage) -> None:
    stage.clock.now = london("2026-11-24 21:00")
    put(stage.db, EIGHT + 48 * HOUR)
    assert cancelled(stage.db, stage.clock()) == Reach(2, 1)
    stage.works()
    assert stage.whatsapp.letters == []
    assert [row.reason for row in news(stage.db) if row.state == "queued"] == ["QUIET_HOURS"] * 2


def test_a_lesson_moved_away_from_today_is_urgent_news(stage: Stage) -> None:
    assert moved(stage.db, EIGHT + timedelta(days=7), stage.clock()) == Reach(2, 1)
    assert only(stage.db, Notice).urgent


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (TWENTY_TO, EIGHT + 20 * MINUTE),
        (EIGHT + 10 * MINUTE, EIGHT + 25 * MINUTE),  # at least a quarter of an hour
    ],
)
def test_a_delay_is_news_until_the_lesson_starts(stage: Stage, at: datetime, until: datetime) -> None:
    delayed(stage.db, 20, at)
    assert {row.best_before for row in news(stage.db)} == {until}


@pytest.mark.parametrize(("at", "until"), [(TWENTY_TO, EIGHT), (EIGHT + 30 * MINUTE, EIGHT + 120 * MINUTE)])
def test_a_cancelled_lesson_is_news_until_it_would_have_started_or_while_it_is_on(
    stage: Stage, at: datetime, until: datetime
) -> None:
    cancelled(stage.db, at)
    assert {row.best_before for row in news(stage.db)} == {until}


def test_what_could_not_be_sent_in_time_is_dropped_and_on_the_call_sheet(stage: Stage) -> None:
    cancelled(stage.db, stage.clock())
    stage.clock.now = EIGHT + MINUTE
    stage.works()
    assert stage.whatsapp.letters == []
    assert ("Learner 1", AMINA, "STALE") in calls(stage)


# Nobody reads the old after the new.


def test_of_two_delays_only_the_last_is_read_and_it_says_the_whole(stage: Stage) -> None:
    delayed(stage.db, 20, stage.clock())
    delayed(stage.db, 15, stage.clock())
    stage.works()
    (text,) = stage.whatsapp.to(AMINA)
    assert "08:35" in text
    assert "08:00" in text  # the time they knew of, not the one they never read
    assert [row.reason for row in news(stage.db)][:3] == ["SUPERSEDED"] * 3
    assert calls(stage, notice=1) == []
    assert [name for name, _, _ in calls(stage, notice=2)] == ["Learner 3"]


def test_another_room_and_then_a_delay_says_both_to_who_read_neither(stage: Stage) -> None:
    replaced(stage.db, "Room 6", stage.clock())
    delayed(stage.db, 20, stage.clock())
    stage.works()
    (text,) = stage.whatsapp.to(AMINA)
    assert "Room 6" in text
    assert "08:20" in text


def test_who_read_the_first_gets_the_second_as_it_is(stage: Stage) -> None:
    delayed(stage.db, 20, stage.clock())
    stage.works()
    delayed(stage.db, 15, stage.clock())
    stage.works()
    first, second = stage.whatsapp.to(AMINA)
    assert "08:20" in first
    assert "08:35" in second


def test_a_reminder_that_waits_for_the_morning_is_replaced_by_the_news_which_says_all_of_it(stage: Stage) -> None:
    stage.clock.now = london("2026-11-24 21:30")
    put(stage.db, london("2026-11-25 21:00"))
    planned(stage.db, london("2026-11-24 20:30"))
    stage.works()
    assert {row.reason for row in reminders(stage.db) if row.state == "queued"} == {"QUIET_HOURS"}
    delayed(stage.db, 20, stage.clock())
    stage.clock.now = london("2026-11-25 08:01")
    planned(stage.db, stage.clock())
    stage.works()
    (text,) = stage.whatsapp.to(AMINA)
    assert "21:20" in text
    assert "Room 4" in text


# Whom a move concerns.


def test_a_move_in_good_time_is_told_to_those_who_know_the_old_time_and_to_no_others(stage: Stage) -> None:
    db, start = stage.db, EIGHT + timedelta(days=3)
    put(db, start)
    planned(db, start - timedelta(days=3))
    with db.write() as session:  # one was reminded already; somebody else wants no reminders
        ours = (Outbound.person_id == person(db, AMINA), Outbound.plan == "day_before")
        session.execute(update(Outbound).where(*ours).values(state="delivered", tried_at=TWENTY_TO))
        session.execute(update(PersonRow).where(PersonRow.id == person(db, CARLA)).values(reminders="none"))
    moved(db, start + timedelta(days=7), stage.clock())
    assert {row.person_id for row in news(db)} == {person(db, AMINA), person(db, CARLA)}


def test_everybody_hears_of_a_move_when_asked_for(stage: Stage) -> None:
    put(stage.db, EIGHT + timedelta(days=20))
    assert moved(stage.db, EIGHT + timedelta(days=21), stage.clock()) == Reach(0, 0)
    assert moved(stage.db, EIGHT + timedelta(days=22), stage.clock(), everybody=True) == Reach(2, 1)


# The call sheet.


def test_ten_minutes_after_urgent_news_that_did_not_reach_somebody_there_is_one_case(stage: Stage) -> None:
    delayed(stage.db, 20, stage.clock())
    stage.works()
    assert call_sheets(stage.db, stage.clock()) == 0  # Twilio has taken them, and has not said what became of them
    assert call_sheets(stage.db, stage.clock.wait(10 * MINUTE)) == 1
    assert call_sheets(stage.db, stage.clock.wait(10 * MINUTE)) == 0
    assert cases(stage.db) == [("call_sheet", ["1", CODE], True)]
    assert only(stage.db, Notice).called_at == TWENTY_TO + 10 * MINUTE


def test_it_is_there_at_once_when_nothing_is_under_way(stage: Stage) -> None:
    delayed(stage.db, 20, stage.clock())
    stage.works()
    with stage.db.write() as session:
        session.execute(update(Outbound).where(Outbound.state == "accepted").values(state="delivered"))
    assert call_sheets(stage.db, stage.clock()) == 1


def test_news_that_reached_everybody_is_no_case(stage: Stage) -> None:
    with stage.db.write() as session:
        session.execute(delete(ConsentEvent).where(ConsentEvent.action == "withdraw"))
        for one in CONSENTS:
            session.add(ConsentEvent(person_id=person(stage.db, CARLA), purpose=one, action="give", **LONG_AGO))
    assert delayed(stage.db, 20, stage.clock()) == Reach(3, 0)
    stage.works()
    assert call_sheets(stage.db, stage.clock.wait(11 * MINUTE)) == 0
    assert cases(stage.db) == []
    assert only(stage.db, Notice).called_at is not None


CONSENTS = ("service", "checkin", "marketing")
LONG_AGO = {"at": TWENTY_TO - 100 * HOUR, "recorded_at": TWENTY_TO - 100 * HOUR, "source": "declaration"}


def test_news_that_is_not_urgent_is_called_about_once_it_is_known_whom_it_reached(stage: Stage) -> None:
    stage.clock.now = london("2026-11-24 21:00")
    put(stage.db, EIGHT + 48 * HOUR)
    cancelled(stage.db, stage.clock())
    stage.works()
    assert call_sheets(stage.db, stage.clock.wait(3 * HOUR)) == 0  # it waits for the morning
    stage.clock.now = london("2026-11-25 08:00")
    stage.works()
    assert call_sheets(stage.db, stage.clock.wait(11 * MINUTE)) == 1


def test_failed_deliveries_and_people_without_a_phone_are_on_the_sheet(stage: Stage) -> None:
    with stage.db.write() as session:
        session.execute(update(ContactPoint).where(ContactPoint.value == BILAL).values(disowned_at=TWENTY_TO - HOUR))

    def refuse(letter: Letter) -> Outcome:
        return Outcome("refused", error_code=21211)

    stage.whatsapp.answer = refuse
    assert delayed(stage.db, 20, stage.clock()) == Reach(1, 2)
    stage.works()
    assert calls(stage) == [
        ("Learner 1", AMINA, "failed"),
        ("Learner 2", "", "no_phone"),
        ("Learner 3", CARLA, "OPTED_OUT"),
    ]


def test_nobody_learns_from_a_call_sheet_that_somebody_is_at_risk(stage: Stage) -> None:
    with stage.db.write() as session:
        session.execute(update(PersonRow).where(PersonRow.id == person(stage.db, AMINA)).values(held_at=TWENTY_TO - HOUR))
    delayed(stage.db, 20, stage.clock())
    stage.works()
    assert ("withheld", "SAFEGUARDING_HOLD") in [(row.state, row.reason) for row in news(stage.db)]
    assert [name for name, _, _ in calls(stage)] == ["Learner 3"]


def test_a_trainer_sees_who_was_not_told_on_their_own_course_and_no_number(stage: Stage) -> None:
    a_trainer(stage.db, "T01", stage.clock())
    a_trainer(stage.db, "T02", stage.clock(), teaches=False)
    a_member_of_staff(stage.db, "R01", "read-only", now=stage.clock())
    delayed(stage.db, 20, stage.clock())
    stage.works()
    assert calls(stage, by="T01") == [("Learner 3", "", "OPTED_OUT")]
    for code in ("T02", "R01"):
        with pytest.raises(NotAllowed):
            calls(stage, by=code)
    with pytest.raises(NoSuchStaff):
        calls(stage, by="X99")
    with pytest.raises(LessonError, match="no notice"):
        calls(stage, notice=99)
    assert [row.by for row in rows(stage.db, Audit, Audit.act == "notice.calls")] == ["T01"]


def test_no_case_and_no_audit_of_the_timetable_names_anybody(stage: Stage) -> None:
    delayed(stage.db, 20, stage.clock())
    stage.works()
    call_sheets(stage.db, stage.clock.wait(11 * MINUTE))
    written = str([case.flags for case in rows(stage.db, OfficeCase)] + [row.details for row in rows(stage.db, Audit)])
    assert "Learner" not in written
    assert "+44" not in written


def test_the_news_of_a_lesson_is_for_its_own_course_alone(stage: Stage) -> None:
    a_trainer(stage.db, "T01", stage.clock(), phone="+447700900200")
    delayed(stage.db, 20, stage.clock())
    assert person(stage.db, "+447700900200") not in {row.person_id for row in news(stage.db)}


def test_while_messages_go_out_a_lesson_changes_and_nobody_reads_the_old_after_the_new(stage: Stage) -> None:
    phones = [f"+4477009002{place:02d}" for place in range(6)]
    for phone in phones:
        a_learner(stage.db, phone, now=TWENTY_TO - HOUR)
    over, failures = threading.Event(), list[Exception]()

    def send() -> None:
        try:
            while not over.is_set():
                stage.works()
            stage.works()
        except Exception as error:  # noqa: BLE001 (whatever it is, the test must show it)
            failures.append(error)

    senders = [threading.Thread(target=send) for _ in range(2)]
    for one in senders:
        one.start()
    for _ in range(8):
        delayed(stage.db, 5, stage.clock())
    over.set()
    for one in senders:
        one.join()
    assert failures == []
    for phone in phones:
        told = [re.findall(r"\d\d:\d\d", text)[-1] for text in stage.whatsapp.to(phone)]
        assert told == sorted(set(told))
        assert told[-1] == "08:40"


def test_who_read_neither_the_reminder_nor_the_news_is_told_of_the_time_they_know(stage: Stage) -> None:
    stage.clock.now = london("2026-11-24 21:00")
    start = london("2026-11-26 10:00")
    put(stage.db, start)
    planned(stage.db, stage.clock())
    delayed(stage.db, 60, stage.clock())  # waits for the morning, as the reminder for its day does
    moved(stage.db, london("2026-11-25 18:00"), stage.clock())
    texts = [row.body for row in news(stage.db) if row.state == "queued"]
    assert ["Thu 26 Nov, 10:00" in text and "Wed 25 Nov, 18:00" in text for text in texts] == [True] * 3
