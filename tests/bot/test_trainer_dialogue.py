"""A trainer orders from their own WhatsApp: one question, a YES, and everybody is told; else nobody is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from actions import timetable
from bot.conversation import decide
from bot.database import Database
from bot.effects import Announce, Effect
from bot.models import (
    Audit,
    Course,
    CourseTrainer,
    EnrolmentRow,
    LessonRow,
    Notice,
    OfficeCase,
    Outbound,
    PersonRow,
    StaffRole,
)
from bot.orders import read_order
from bot.people import point_of
from bot.timetable.asked import with_orders
from bot.turn import LONGEST_DELAY, Message, Order, Parse, Person, Turn
from tests.bot.rooms import (
    AMINA,
    BILAL,
    CARLA,
    TERMS,
    Clock,
    Stage,
    a_learner,
    a_member_of_staff,
    an_incoming,
    consent_of,
    english,
    only,
    receive,
    rows,
)
from tests.bot.test_orders import NO_ORDERS, ORDERS
from tests.builders import NOW, a_lesson, a_person

NASREEN, TOM, ADA, SAFIYA = "+447700900200", "+447700900201", "+447700900202", "+447700900203"
SURE_OF_NOTHING = Parse("thanks", 0.9, (("thanks", 0.9),))


@dataclass(slots=True)
class College:
    """Two courses, their trainers, and who learns on the first."""

    stage: Stage

    @property
    def db(self) -> Database:
        return self.stage.db

    def lesson(self, code: str) -> LessonRow:
        return only(self.db, LessonRow, LessonRow.code == code)

    def told(self, *phones: str) -> list[str]:
        """What these phones got of any notice."""
        return [body for phone in phones for body in self.stage.whatsapp.to(phone) if body.startswith("Enterprise4all")]

    def says(self, phone: str, text: str) -> str:
        """The one answer to this."""
        (answer,) = self.stage.hears_and_works(phone, text)
        return answer


@pytest.fixture
def college(db: Database, now: datetime) -> College:
    """It is Tuesday 10:00. SYB12 (Nasreen) has a lesson today at 18:00; two of its three learners agreed to messages."""
    a_learner(db, AMINA, now=now, name="Amina Khan")
    a_learner(db, BILAL, now=now, name="Bilal Aziz")
    a_learner(db, CARLA, now=now, name="Carla Jones", consent="withdraw")
    for code, role, phone in (
        ("T01", "trainer", NASREEN),
        ("T02", "trainer", TOM),
        ("A01", "admin", ADA),
        ("R01", "read-only", SAFIYA),
    ):
        a_member_of_staff(db, code, role, now=now, phone=phone)
    with db.write() as session:
        other = Course(code="SON5", name="Sell Online", cohort="Cohort 5", starts_on=now.date())
        session.add(other)
        session.flush()
        mine = session.scalars(select(Course).where(Course.code == "SYB12")).one()
        session.add(a_lesson_row(mine, "SYB12-11", "Pricing Your Products", now + timedelta(hours=8)))
        session.add(a_lesson_row(other, "SON5-2", "Photos That Sell", now + timedelta(days=1, hours=8)))
        for course, phone in ((mine, NASREEN), (other, TOM)):
            session.add(CourseTrainer(course_id=course.id, person_id=point_of(session, phone, "", now).person_id))
    return College(Stage(db, Clock(now)))


def a_lesson_row(course: Course, code: str, title: str, starts_at: datetime) -> LessonRow:
    ends_at = starts_at + timedelta(hours=2)
    return LessonRow(code=code, course_id=course.id, title=title, starts_at=starts_at, ends_at=ends_at, place="Room 4")


def test_a_delay_is_asked_about_and_then_told_to_everybody_it_reaches(college: College, now: datetime) -> None:
    question = college.says(NASREEN, "running 20 mins late tonight")
    assert question == (
        "SYB12, Pricing Your Products, today at 18:00.\n\n"
        "I will tell 2 learners:\nit starts at 18:20.\n\n"
        "1 cannot be told: the office gets the name.\nSend it? Reply YES or NO."
    )
    assert college.told(AMINA, BILAL, CARLA) == []
    assert college.lesson("SYB12-11").version == 1
    answer = college.says(NASREEN, "YES")
    assert answer == (
        "SYB12, Pricing Your Products, today at 18:00.\n\nDone. It now starts at 18:20.\n\n"
        "2 learners will be told.\n1 cannot be told: the office gets the name."
    )
    lesson = college.lesson("SYB12-11")
    assert (lesson.starts_at, lesson.version) == (now + timedelta(hours=8, minutes=20), 2)
    assert ["18:20" in body for body in college.told(AMINA, BILAL)] == [True, True]
    assert college.told(CARLA) == []
    assert only(college.db, Notice).by == "T01"


def test_a_second_yes_does_nothing_twice(college: College) -> None:
    for text in ("delay 20", "yes", "yes"):
        college.stage.hears_and_works(NASREEN, text)
    assert len(rows(college.db, Notice)) == 1
    assert len(college.told(AMINA)) == 1
    assert college.lesson("SYB12-11").version == 2


@pytest.mark.parametrize("answer", ["NO", "no thanks", ""])
def test_a_no_and_silence_tell_nobody(college: College, answer: str) -> None:
    college.says(NASREEN, "cancel tonight")
    if answer:
        assert college.says(NASREEN, answer) in (english("orders.not_sent"), english("smalltalk.thanks"))
    assert college.told(AMINA, BILAL) == []
    assert college.lesson("SYB12-11").cancelled_at is None


def test_a_yes_a_day_later_cancels_nothing(college: College) -> None:
    college.says(NASREEN, "cancel tonight")
    college.stage.clock.wait(timedelta(hours=11))
    assert college.says(NASREEN, "yes") == english("orders.gone")
    assert rows(college.db, Notice) == []


def test_a_cancelled_lesson_is_off_and_everybody_hears_it(college: College) -> None:
    assert "it is cancelled" in college.says(NASREEN, "cancel tonight")
    assert "Done. It is cancelled." in college.says(NASREEN, "yes")
    assert college.lesson("SYB12-11").cancelled_at is not None
    assert ["cancelled" in body for body in college.told(AMINA, BILAL)] == [True, True]
    assert english("orders.cancelled_already") in college.says(NASREEN, "cancel tonight")
    assert consent_of(college.db, NASREEN) == ["never_asked"] * 3  # nobody has opted out


@pytest.mark.parametrize(
    ("order", "shown"),
    [
        ("place room 6", "Room 6"),
        ("we are in room 6 tonight", "Room 6"),
        ("link https://meet.google.com/abc-defg-hij", "https://meet.google.com/abc-defg-hij"),
        ("problem zoom is down", "zoom is down"),
    ],
)
def test_places_links_and_troubles_are_told_in_their_words(college: College, order: str, shown: str) -> None:
    assert shown in college.says(NASREEN, order)
    assert shown in college.says(NASREEN, "yes")
    assert [shown in body for body in college.told(AMINA, BILAL)] == [True, True]


def test_a_lesson_that_changed_meanwhile_is_asked_about_anew(college: College, now: datetime) -> None:
    college.says(NASREEN, "delay 20")
    with college.db.write() as session:
        moved = {"version": 2, "starts_at": now + timedelta(hours=9)}
        session.execute(update(LessonRow).where(LessonRow.code == "SYB12-11").values(moved))
    again = college.says(NASREEN, "yes")
    assert again.startswith(english("orders.changed"))
    assert "19:20" in again
    assert rows(college.db, Notice) == []
    assert "19:20" in college.says(NASREEN, "yes")
    assert "19:20" in college.told(AMINA)[0]


def test_a_lesson_cancelled_meanwhile_is_not_delayed(college: College, now: datetime) -> None:
    college.says(NASREEN, "delay 20")
    with college.db.write() as session:
        session.execute(update(LessonRow).where(LessonRow.code == "SYB12-11").values(version=2, cancelled_at=now))
    assert english("orders.cancelled_already") in college.says(NASREEN, "yes")
    assert rows(college.db, Notice) == []


def test_of_two_courses_today_they_choose_by_number(college: College, now: datetime) -> None:
    teaches_both(college, now)
    question = college.says(NASREEN, "cancel tonight")
    assert "1 SYB12, Pricing Your Products, Tue 24 Nov, 18:00\n2 SON5, Selling Abroad, Tue 24 Nov, 19:00" in question
    assert "3 " not in question
    assert "SON5, Selling Abroad, today at 19:00." in college.says(NASREEN, "2")
    college.says(NASREEN, "yes")
    assert college.lesson("SON5-1").cancelled_at is not None
    assert college.lesson("SYB12-11").cancelled_at is None


def test_a_named_course_needs_no_choice(college: College, now: datetime) -> None:
    teaches_both(college, now)
    assert "SON5, Selling Abroad, today at 19:00." in college.says(NASREEN, "delay SON5 20")


def teaches_both(college: College, now: datetime) -> None:
    with college.db.write() as session:
        other = session.scalars(select(Course).where(Course.code == "SON5")).one()
        session.add(a_lesson_row(other, "SON5-1", "Selling Abroad", now + timedelta(hours=9)))
        session.add(CourseTrainer(course_id=other.id, person_id=point_of(session, NASREEN, "", now).person_id, position=1))


def test_where_no_lesson_fits_the_next_one_is_named(college: College) -> None:
    answer = college.says(TOM, "cancel tonight")
    assert "SON5, Photos That Sell, Wed 25 Nov, 18:00" in answer
    assert rows(college.db, PersonRow, PersonRow.pending.is_not(None)) == []


def test_a_trainer_orders_nothing_for_a_course_they_do_not_teach(college: College) -> None:
    assert college.says(TOM, "cancel SYB12") == english("orders.none_at_all")
    assert college.says(TOM, "delay SYB12-11 20") == english("orders.none_at_all")


def test_an_administrator_orders_for_any_course_by_its_code(college: College) -> None:
    assert college.says(ADA, "delay 20") == english("orders.none_at_all")
    assert "today at 18:00" in college.says(ADA, "delay syb12 20")
    college.says(ADA, "yes")
    assert only(college.db, Notice).by == "A01"
    assert only(college.db, Audit, Audit.act == "lesson_late").by == "A01"


@pytest.mark.parametrize("order", ["delay 0", "delay 999", "running late"])
def test_nonsense_minutes_get_what_works(college: College, order: str) -> None:
    assert college.says(NASREEN, order) == english("orders.minutes", most=str(LONGEST_DELAY))


def test_a_link_with_a_password_in_it_is_not_half_sent(college: College) -> None:
    assert english("orders.hidden") in college.says(NASREEN, "link https://zoom.us/j/85512345678?pwd=abcd1234")
    assert rows(college.db, Notice) == []


def test_what_cannot_be_done_is_said_with_its_reason(college: College) -> None:
    college.stage.clock.wait(timedelta(hours=8, minutes=30))  # it began at 18:00
    assert "I can't do that. That time has passed. Send a longer delay." in college.says(NASREEN, "delay 20")


def test_an_order_wins_over_another_question(college: College) -> None:
    college.says(NASREEN, "cancel tonight")
    assert "it starts at 18:15" in college.says(NASREEN, "late 15")
    college.says(NASREEN, "yes")
    assert college.lesson("SYB12-11").cancelled_at is None
    assert college.lesson("SYB12-11").version == 2


def test_a_bare_cancel_is_an_opting_out_for_a_trainer_too(college: College) -> None:
    college.says(NASREEN, "cancel tonight")
    assert college.says(NASREEN, "cancel").startswith(english("consent.opted_out")[:30])
    assert consent_of(college.db, NASREEN) == ["withdrawn"] * 3
    assert rows(college.db, Notice) == []


def test_a_disclosure_comes_before_any_order(college: College) -> None:
    college.stage.hears_and_works(NASREEN, "cancel tonight i want to die")
    assert rows(college.db, OfficeCase, OfficeCase.restricted.is_(True))
    college.stage.hears_and_works(NASREEN, "delay 20", "yes")
    assert rows(college.db, Notice) == []
    assert college.told(AMINA, BILAL) == []


def test_words_of_trouble_that_the_model_hears_as_a_cry_for_help_are_no_notice(college: College) -> None:
    words = "problem at home again"
    college.stage.nlu.intents[words] = Parse("safeguarding_disclosure", 0.9, (("safeguarding_disclosure", 0.9),))
    college.stage.hears_and_works(NASREEN, words)
    assert rows(college.db, OfficeCase, OfficeCase.restricted.is_(True))
    assert rows(college.db, PersonRow, PersonRow.pending.is_not(None)) == []


def test_an_order_needs_no_rasa(college: College) -> None:
    college.stage.nlu.away = True
    assert "it starts at 18:20" in college.says(NASREEN, "delay 20")
    assert "Done." in college.says(NASREEN, "yes")
    assert "zoom is down" in college.says(NASREEN, "zoom is down")


def test_a_forwarded_order_is_not_theirs(college: College, now: datetime) -> None:
    receive(college.db, an_incoming(NASREEN, "cancel tonight", forwarded=True), now)
    college.stage.works()
    assert rows(college.db, PersonRow, PersonRow.pending.is_not(None)) == []


@pytest.mark.parametrize("phone", [AMINA, SAFIYA, "+447700900777"])
@pytest.mark.parametrize("order", ["cancel tonight", "delay 20", "delay SYB12 20", "zoom is down"])
def test_nobody_else_orders_anything(college: College, phone: str, order: str) -> None:
    college.stage.hears_and_works(phone, order)
    college.stage.hears_and_works(phone, "yes")
    assert rows(college.db, Notice) == []
    assert college.lesson("SYB12-11").version == 1


def test_who_learns_and_teaches_orders_for_what_they_teach_only(college: College, now: datetime) -> None:
    with college.db.write() as session:
        mine = session.scalars(select(Course).where(Course.code == "SYB12")).one()
        tom = point_of(session, TOM, "", now).person_id
        session.add(EnrolmentRow(person_id=tom, course_id=mine.id, created_at=now))
    college.stage.nlu.intents["cancel tonight"] = Parse("report_absence", 0.95, (("report_absence", 0.95),))
    assert "learners" not in college.says(TOM, "cancel tonight")  # their own lesson: they will be away
    assert only(college.db, OfficeCase).kind == "report_absence"
    assert "SON5, Photos That Sell, tomorrow at 18:00." in college.says(TOM, "cancel tomorrow")


def test_whoever_lost_the_role_meanwhile_confirms_nothing(college: College) -> None:
    college.says(NASREEN, "cancel tonight")
    with college.db.write() as session:
        for taught in session.scalars(select(CourseTrainer)):
            session.delete(taught)
    assert college.says(NASREEN, "yes") == english("orders.gone")
    assert rows(college.db, Notice) == []


def test_a_learner_who_was_a_trainer_when_we_asked_confirms_nothing(college: College, now: datetime) -> None:
    college.says(NASREEN, "cancel tonight")
    with college.db.write() as session:
        nasreen = point_of(session, NASREEN, "", now).person_id
        session.execute(delete(StaffRole).where(StaffRole.person_id == nasreen))
        mine = session.scalars(select(Course).where(Course.code == "SYB12")).one()
        session.add(EnrolmentRow(person_id=nasreen, course_id=mine.id, created_at=now))
    assert college.says(NASREEN, "yes") == english("orders.gone")
    assert rows(college.db, Notice) == []


def test_a_trainer_reads_no_name_and_no_number_of_a_learner(college: College) -> None:
    for text in ("delay 20", "yes", "problem zoom is down", "yes", "cancel tonight", "yes"):
        college.stage.hears_and_works(NASREEN, text)
    said = " ".join(college.stage.whatsapp.to(NASREEN))
    assert not [one for one in ("Amina", "Bilal", "Carla", "7700 900", "7700900") if one in said]


def test_the_notice_and_the_change_are_one_commit(college: College, monkeypatch: pytest.MonkeyPatch) -> None:
    college.says(NASREEN, "delay 20")

    def falls_over(_turn: Turn) -> list[object]:
        raise RuntimeError("the machine falls over")

    college.stage.handling(order_yes=falls_over)  # type: ignore[arg-type]
    college.stage.hears_and_works(NASREEN, "yes")
    assert college.lesson("SYB12-11").version == 1
    assert rows(college.db, Outbound, Outbound.plan == "notice") == []


def test_a_lesson_that_changes_in_that_very_moment_is_looked_at_again(college: College) -> None:
    """The other commit came first: the turn is rolled back, taken again, and sees the lesson as it is now."""
    taken: list[Turn] = []

    def one_moment_too_late(turn: Turn) -> list[Effect]:
        taken.append(turn)
        stale = Announce(replace(turn.orders[0], version=0))
        return [stale] if len(taken) == 1 else timetable.order_yes(turn)

    college.says(NASREEN, "delay 20")
    college.stage.handling(order_yes=one_moment_too_late)
    assert college.stage.hears_and_works(NASREEN, "yes") == []
    assert (college.lesson("SYB12-11").version, rows(college.db, Notice)) == (1, [])
    college.stage.clock.wait(timedelta(seconds=10))
    college.stage.works()
    assert college.lesson("SYB12-11").version == 2
    assert len(college.told(AMINA)) == 1


@pytest.mark.parametrize(
    ("order", "shown"),
    [
        ("cancel next lesson", "SYB12, Pricing, Tue 1 Dec, 10:00."),
        ("cancel SYB12", "SYB12, Pricing Your Products, today at 18:00."),
        ("delay SYB12-11 20", "SYB12, Pricing Your Products, today at 18:00."),
        ("cancel tuesday", "SYB12, Pricing Your Products, today at 18:00."),
        ("cancel this evening's class", "SYB12, Pricing Your Products, today at 18:00."),
        ("cancel this morning", "Your next one is:\nSYB12, Pricing Your Products, Tue 24 Nov, 18:00."),
    ],
)
def test_which_lesson_is_meant_follows_the_day_and_the_code(college: College, order: str, shown: str) -> None:
    if order == "cancel next lesson":
        college.stage.clock.wait(timedelta(hours=8, minutes=10))  # the one of today is on
    assert shown in college.says(NASREEN, order)


def test_tonight_is_the_evening_of_the_day_on_which_they_wrote(college: College, now: datetime) -> None:
    college.stage.clock.wait(timedelta(hours=9, minutes=59))
    receive(college.db, an_incoming(NASREEN, "problem tonight: zoom is down"), college.stage.clock() - timedelta(hours=1))
    college.stage.works()
    assert "SYB12, Pricing Your Products, today at 18:00." in college.stage.whatsapp.to(NASREEN)[0]


def test_a_lesson_by_day_and_in_summer_time_is_shown_as_london_has_it(college: College, now: datetime) -> None:
    summer = datetime(2027, 6, 1, 8, 0, tzinfo=UTC)
    with college.db.write() as session:
        mine = session.scalars(select(Course).where(Course.code == "SYB12")).one()
        session.add(a_lesson_row(mine, "SYB12-40", "Summer Fairs", summer + timedelta(hours=1)))
    college.stage.clock.now = summer
    assert "today at 10:00" in college.says(NASREEN, "delay 20")


words = st.text(max_size=80) | st.sampled_from([text for text, _ in ORDERS] + NO_ORDERS)


@given(text=words, roles=st.frozensets(st.sampled_from(["read-only", "safeguarding"])), known=st.booleans())
def test_no_text_of_a_learner_leads_to_a_notice(text: str, roles: frozenset[str], known: bool) -> None:
    person = a_person(roles=roles, known=known)
    turn = Turn(Message("SM1", "text", text, NOW), person, NOW, parse=SURE_OF_NOTHING, lessons=(a_lesson(),))
    loaded = with_orders(None, turn, TERMS, NOW)  # type: ignore[arg-type]  # no database is asked
    assert loaded == turn
    mind = Stage(None, Clock(NOW)).room.mind  # type: ignore[arg-type]
    choice, composed = decide(loaded, mind)
    assert "order_asked" not in choice.handlers
    assert "Announce" not in {type(one).__name__ for one in composed.effects}


def test_a_question_of_ours_costs_a_learner_no_look_into_the_timetable() -> None:
    turn = Turn(Message("SM1", "text", "yes", NOW), Person(1, known=True), NOW)
    assert with_orders(None, turn, TERMS, NOW) == turn  # type: ignore[arg-type]
    assert read_order("yes") is None
    assert Order("late", "L1", 1).reached == 0


@pytest.mark.parametrize("answer", ["20", "20 mins", "about 20 minutes", "twenty"])
def test_how_late_is_answered_by_the_number_alone(college: College, answer: str) -> None:
    assert "How many minutes late?" in college.says(NASREEN, "running late")
    assert "it starts at 18:20" in college.says(NASREEN, answer)
    assert "Done. It now starts at 18:20." in college.says(NASREEN, "yes")


def test_a_number_that_cannot_be_is_asked_about_again_and_may_be_one_digit(college: College) -> None:
    college.says(NASREEN, "delay 999")
    assert "How many minutes late?" in college.says(NASREEN, "500")
    assert "it starts at 18:05" in college.says(NASREEN, "5")


def test_the_number_is_of_the_lessons_that_were_meant(college: College, now: datetime) -> None:
    teaches_both(college, now)
    college.says(NASREEN, "running late tonight")
    assert "1 SYB12" in college.says(NASREEN, "20")
    assert "SON5, Selling Abroad, today at 19:00." in college.says(NASREEN, "2")
    assert rows(college.db, Notice) == []


def test_a_number_answers_how_late_only_while_that_is_open(college: College) -> None:
    college.says(NASREEN, "running late")
    college.stage.clock.wait(timedelta(hours=25))
    assert "it starts at" not in college.says(NASREEN, "20")
    assert rows(college.db, Notice) == []


def test_opting_out_while_we_ask_how_late_is_opting_out(college: College) -> None:
    college.says(NASREEN, "running late")
    college.says(NASREEN, "STOP")
    assert consent_of(college.db, NASREEN) == ["withdrawn"] * 3


def test_words_that_end_with_a_full_stop_are_told_with_one(college: College) -> None:
    assert "zoom is down.\n" in college.says(NASREEN, "problem zoom is down.") + "\n"
    for text in ("problem: zoom is down, please wait!", "yes"):
        assert not [mark for mark in ("..", "!.") if mark in college.says(NASREEN, text)]


def test_a_trainer_is_told_who_puts_a_cancelled_lesson_back(college: College) -> None:
    for text in ("cancel tonight", "yes"):
        college.says(NASREEN, text)
    assert "Ask the office. Call 01254 693 999." in college.says(NASREEN, "delay 20 SYB12-11")
