"""Wishes about reminders: heard in clear words, reckoned by London's calendar, and followed by what is planned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from bot import planning, wishes
from bot.database import Database
from bot.effects import ChooseReminders
from bot.hours import LONDON, opening
from bot.models import ConsentEvent, ContactPoint, Course, Inbound, LessonRow, Outbound, PersonRow
from bot.reminders import day_before, hour_before
from bot.routing import choose
from bot.safety import read_wish, screen
from bot.turn import Heard, Media, Parse, Plan, ReminderChoice, Wish, WishKind
from bot.until import quiet_until
from tests.bot.rooms import (
    AMINA,
    BILAL,
    TERMS,
    Clock,
    SmallLimits,
    Stage,
    a_learner,
    consent_of,
    english,
    only,
    owe,
    rows,
    states,
)
from tests.bot.templates import ready
from tests.builders import a_message, a_pending, a_turn
from tests.words import lexicon

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WEDNESDAY = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
CHOICES: tuple[ReminderChoice, ...] = ("day", "both", "hour", "none")


def heard(text: str, at: datetime = WEDNESDAY) -> Wish | None:
    return read_wish(text, lexicon(), at)


def midnight(year: int, month: int, day: int) -> datetime:
    return datetime.combine(datetime(year, month, day, tzinfo=UTC).date(), time.min, LONDON).astimezone(UTC)


MONDAY = midnight(2026, 11, 30)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("an hour before as well", "both"),
        ("can u remind me an hour before too", "both"),
        ("day before and hour before pls", "both"),
        ("remind me twice, i want both reminders", "both"),
        ("only an hour before", "hour"),
        ("just remind me an hour b4", "hour"),
        ("can you remind me only an hour before?", "hour"),
        ("not the day before, just an hour before", "hour"),
        ("keep my reminders but only an hour before", "hour"),
        ("just the day before", "day"),
        ("only the day before please", "day"),
        ("i dont want the hour before one", "day"),
        ("no reminders but tell me if it is cancelled", "none"),
        ("dont remind me but let me know if a lesson is cancelled", "none"),
        ("only tell me if its cancelled", "none"),
        ("reminders", "unclear"),
        ("Change my reminders", "unclear"),
        ("remind me an hour before", "unclear"),
        ("pause my reminders", "unclear"),
        ("pause reminders until after eid", "unclear"),
        ("no reminders till 31/2", "unclear"),
        ("what will you send me?", "what_will_you_send"),
        ("wot msgs do i get", "what_will_you_send"),
        ("wot u gonna send me", "what_will_you_send"),
        ("When will you text me next?", "what_will_you_send"),
        ("whats my next reminder", "what_will_you_send"),
        ("what texts am i going to get", "what_will_you_send"),
    ],
)
def test_a_clear_wish_is_heard(text: str, kind: WishKind) -> None:
    assert heard(text) == Wish(kind)
    assert "opt_out" not in {one.intent for one in screen(text, lexicon())}


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("not this week", MONDAY),
        ("None this week please", MONDAY),
        ("no lesson reminders this week pls", MONDAY),
        ("dont remind me this week", MONDAY),
        ("no reminders till next week", MONDAY),
        ("not for 2 weeks", midnight(2026, 12, 9)),
        ("pause my reminders for a fortnight", midnight(2026, 12, 9)),
        ("no reminders for a couple of weeks", midnight(2026, 12, 9)),
        ("skip reminders this month", midnight(2026, 12, 1)),
        ("no reminders till january", midnight(2027, 1, 1)),
        ("no reminders until 5/1", midnight(2027, 1, 5)),
        ("stop reminders til the 5th of january thanks", midnight(2027, 1, 5)),
        ("no reminders till friday", midnight(2026, 11, 27)),
    ],
)
def test_a_wish_for_quiet_is_heard_with_its_end(text: str, until: datetime) -> None:
    assert heard(text) == Wish("quiet", until)


@pytest.mark.parametrize(
    "text",
    [
        "is it on tomorrow",
        "i cant come this week",
        "not coming this week",
        "not next week",
        "no reminder this week?",
        "why no reminders this week",
        "i got no reminder this week",
        "the lesson was moved only an hour before",
        "why do i get two reminders",
        "can you remind me of the link",
        "what do i get for the homework",
        "what will you send me if i pass",
        "dont text me till january",  # of all messages: more than a wish about reminders
        "no messages till january",
        "i dont know what you send me",
        "reminder to self",
        "",
        "only an hour before " * 20,
    ],
)
def test_other_words_are_no_wish(text: str) -> None:
    assert heard(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "no reminders",
        "stop reminders",
        "i dont want reminders",
        "stop the reminders but tell me if its cancelled",
        "stop texting me, and what will you send me",
        "dont text me reminders ever again",
    ],
)
def test_an_opting_out_is_never_a_mere_wish(db: Database, text: str) -> None:
    stage = Stage(db, Clock(WEDNESDAY))
    stage.nlu.intents[text] = Parse("opt_out", 0.97, (("opt_out", 0.97),))
    a_learner(stage.db, AMINA, now=WEDNESDAY)
    stage.hears_and_works(AMINA, text)
    assert only(stage.db, PersonRow).reminders == ""
    handlers = only(stage.db, Inbound).intents or [""]
    assert handlers[0] in ("opt_out", "opt_out_unsure")
    assert not {"reminder_preferences", "what_will_you_send"} & set(handlers)


BESIDE_A_WISH = [
    "leave me alone no reminders till january",
    "i want out. no reminders till january",
    "block me, no reminders this week",
    "delete me and no reminders for 2 weeks",
    "no reminders or messages till january",
    "no messages or reminders till january",
    "no reminders or texts for 2 weeks",
    "no reminders, or anything else, this week",
    "no reminders till january and no messages",
    "no reminders till january and then never again",
    "dont remind me ever again till january",
    "no reminders leave me alone just tell me if it is cancelled",
]


@pytest.mark.parametrize("away", [True, False])
@pytest.mark.parametrize("text", BESIDE_A_WISH)
def test_an_opting_out_beside_a_wish_pauses_and_is_asked_about(db: Database, text: str, *, away: bool) -> None:
    stage = Stage(db, Clock(WEDNESDAY))
    stage.nlu.away = away
    a_learner(stage.db, AMINA, now=WEDNESDAY)
    (answer,) = stage.hears_and_works(AMINA, text)
    assert answer.startswith(english("consent.pause_question"))
    assert "given" not in consent_of(stage.db, AMINA)
    assert (only(stage.db, PersonRow).reminders, only(stage.db, PersonRow).quiet_until) == ("", None)


def test_who_asks_to_be_deleted_beside_a_wish_is_asked_about_both(db: Database) -> None:
    text = "delete me and no reminders for 2 weeks"
    stage = Stage(db, Clock(WEDNESDAY))
    stage.nlu.intents[text] = Parse("data_erasure_request", 0.9, (("data_erasure_request", 0.9),))
    a_learner(stage.db, AMINA, now=WEDNESDAY)
    stage.hears_and_works(AMINA, text)
    assert only(stage.db, Inbound).intents == ["opt_out_unsure", "data_erasure_request"]


@pytest.mark.parametrize(
    "text",
    [
        "sick of this no reminders this week",
        "shut up, no reminders till friday",
        "no reminders for 2 weeks its too much for me",
    ],
)
def test_who_says_more_than_a_wish_gets_the_menu_and_nothing_is_granted(db: Database, text: str) -> None:
    stage = Stage(db, Clock(WEDNESDAY))
    stage.nlu.away = True
    a_learner(stage.db, AMINA, now=WEDNESDAY)
    assert stage.hears_and_works(AMINA, text) == [english("reminders.menu")]


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("hi, no reminders till january please", midnight(2027, 1, 1)),
        ("im away so no reminders for 2 weeks", midnight(2026, 12, 9)),
        ("hello can you pause my reminders till monday, thanks", MONDAY),
        ("Good morning. I am on holiday, please no lesson reminders this week", MONDAY),
    ],
)
def test_courtesies_and_reasons_beside_a_wish_change_nothing(text: str, until: datetime) -> None:
    assert heard(text) == Wish("quiet", until)


@pytest.mark.parametrize(("stop", "handler"), [(0.4, "opt_out_unsure"), (0.39, "reminder_preferences")])
def test_a_doubtful_opting_out_that_the_model_hears_beside_a_wish_counts(stop: float, handler: str) -> None:
    ranking = (("reminder_preferences", 0.7), ("opt_out", stop))
    turn = replace(a_turn(wish=Wish("quiet", MONDAY)), parse=Parse("reminder_preferences", 0.7, ranking))
    assert choose(turn, SmallLimits()).handlers == (handler,)


def test_the_year_is_said_where_it_is_not_this_one(db: Database, now: datetime) -> None:
    scene = a_scene(db, now)
    assert "before Fri 1 Jan 2027. I" in scene.says("no reminders till january")
    assert "before Tue 1 Dec. I" in scene.says("no reminders till december")


WORDS = ["not", "no", "reminder", "hour", "day", "before", "only", "till", "january", "5", "/", "31", "2"]
some_words = st.lists(st.sampled_from(WORDS)).map(" ".join)


@given(st.text(max_size=250) | some_words)
def test_no_words_break_the_reading(text: str) -> None:
    wish = heard(text)
    assert wish is None or (wish.until is not None) == (wish.kind == "quiet")


@pytest.mark.parametrize(
    ("said", "at", "until"),
    [
        ("not till monday", MONDAY, midnight(2026, 12, 7)),  # said on a Monday: the next one
        ("not this week", MONDAY, midnight(2026, 12, 7)),
        ("not till tomorrow", WEDNESDAY, midnight(2026, 11, 26)),
        ("not till november", WEDNESDAY, None),  # a year of silence is said with its year
        ("not till the end of january", WEDNESDAY, midnight(2027, 2, 1)),
        ("not till after december", WEDNESDAY, midnight(2027, 1, 1)),
        ("not till january 5th", WEDNESDAY, midnight(2027, 1, 5)),
        ("not till 29 february", WEDNESDAY, None),  # neither 2026 nor 2027 has one
        ("not till 29 2 2028", WEDNESDAY, None),  # more than a year ahead
        ("not till november 2027", WEDNESDAY, midnight(2027, 11, 1)),
        ("not till 25 11", WEDNESDAY, None),  # today
        ("not till 24 nov", WEDNESDAY, None),
        ("not till the end of may", WEDNESDAY, midnight(2027, 6, 1)),
        ("not till 1 2 2026", WEDNESDAY, None),
        ("not for a month", datetime(2027, 1, 31, tzinfo=UTC), None),  # there is no 31 February
        ("not for 3 months", WEDNESDAY, midnight(2027, 2, 25)),
        ("not for 90 weeks", WEDNESDAY, None),
        ("not for 0 weeks", WEDNESDAY, None),
        ("not for a few weeks", WEDNESDAY, None),
        ("not till eid", WEDNESDAY, None),
        ("not till after january 5", WEDNESDAY, None),
        ("not for 1 week", datetime(2026, 10, 20, 12, 0, tzinfo=UTC), midnight(2026, 10, 27)),  # the clocks go back
        ("not for 1 week", datetime(2027, 3, 24, 12, 0, tzinfo=UTC), midnight(2027, 3, 31)),  # and forward
        ("not till tomorrow", datetime(2026, 7, 1, 23, 30, tzinfo=UTC), midnight(2026, 7, 3)),  # it is the 2nd in London
    ],
)
def test_until_when_is_reckoned_surely_or_not_at_all(said: str, at: datetime, until: datetime | None) -> None:
    assert quiet_until(said, at) == until


@given(st.text(max_size=60), st.datetimes(datetime(2026, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_quiet_is_never_over_when_it_begins(words: str, at: datetime) -> None:
    for text in (words, f"till {words}", f"for {words}", "till 5 january", "this week", "for 3 weeks"):
        until = quiet_until(text, at)
        if until is not None:
            assert at < until <= at + 367 * DAY
            assert until.astimezone(LONDON).time() == time.min


@dataclass(frozen=True, slots=True)
class Scene:
    """One learner with one lesson next week on Thursday at ten, and what is planned of it."""

    stage: Stage
    person_id: int
    lesson_id: int

    @property
    def now(self) -> datetime:
        return self.stage.clock.now

    def planned(self) -> dict[str, tuple[str, str | None]]:
        """State and reason of each reminder by its plan."""
        return {row.plan: (row.state, row.reason) for row in rows(self.stage.db, Outbound, Outbound.plan != "")}

    def choose(self, which: ReminderChoice = "", until: datetime | None = None) -> None:
        with self.stage.db.write() as session:
            person = session.get_one(PersonRow, self.person_id)
            wishes.choose_reminders(session, person, ChooseReminders(which, until), TERMS, self.now)

    def says(self, text: str) -> str:
        """The one answer to a message."""
        (answer,) = self.stage.hears_and_works(AMINA, text)
        return answer

    def sends(self, at: datetime) -> list[str]:
        """What goes to them at this moment that is no answer; they have just written, so no template is needed."""
        with self.stage.db.write() as session:
            session.execute(update(ContactPoint).values(last_inbound_at=at))
        said = len(self.stage.whatsapp.letters)
        self.stage.clock.now = at
        self.stage.works()
        return [letter.body for letter in self.stage.whatsapp.letters[said:]]


LESSON_AT = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)  # the Thursday after NOW
QUEUED, UNWANTED = ("queued", None), ("withheld", "NOT_WANTED")
TWO_QUEUED = {"day_before": QUEUED, "hour_before": QUEUED}


def a_scene(db: Database, now: datetime, *plans: Plan) -> Scene:
    stage = Stage(db, Clock(now))
    person_id = a_learner(db, AMINA, now=now)
    with db.write() as session:
        lesson = session.scalars(select(LessonRow)).one()
        lesson.starts_at, lesson.ends_at, lesson_id = LESSON_AT, LESSON_AT + 2 * HOUR, lesson.id
        session.get_one(PersonRow, person_id).plan_at = None
        session.get_one(Course, lesson.course_id).hour_before = True
    for plan in plans or ("day_before", "hour_before"):
        due_at = (day_before if plan == "day_before" else hour_before)(LESSON_AT)
        row = owe(db, AMINA, now, key=f"{plan}:{lesson_id}:{person_id}", plan=plan, due_at=due_at, best_before=LESSON_AT)
        with db.write() as session:
            of_lesson = {"use": "lesson_reminder", "lesson_id": lesson_id, "lesson_version": 1}
            session.execute(update(Outbound).where(Outbound.id == row).values(of_lesson))
    return Scene(stage, person_id, lesson_id)


WANTED = {"day": {"day_before"}, "both": {"day_before", "hour_before"}, "hour": {"hour_before"}, "none": set()}


@pytest.mark.parametrize("choice", CHOICES)
def test_what_is_planned_follows_the_choice_in_the_same_commit(db: Database, now: datetime, choice: ReminderChoice) -> None:
    scene = a_scene(db, now)
    scene.choose(choice)
    expected = {plan: QUEUED if plan in WANTED[choice] else UNWANTED for plan in TWO_QUEUED}
    assert scene.planned() == expected
    assert only(db, PersonRow).reminders == choice


@pytest.mark.parametrize("first", CHOICES)
@pytest.mark.parametrize("second", CHOICES)
def test_a_choice_and_another_are_the_same_as_the_other_alone(
    db: Database, now: datetime, first: ReminderChoice, second: ReminderChoice
) -> None:
    scene = a_scene(db, now)
    scene.choose(first)
    scene.choose(second)
    assert scene.planned() == {plan: QUEUED if plan in WANTED[second] else UNWANTED for plan in TWO_QUEUED}


def test_quiet_keeps_back_what_is_due_before_its_end_and_nothing_else(db: Database, now: datetime) -> None:
    scene = a_scene(db, now)
    scene.choose(until=LESSON_AT - 2 * HOUR)
    assert scene.planned() == {"day_before": UNWANTED, "hour_before": QUEUED}
    scene.choose(until=LESSON_AT)
    assert scene.planned() == {"day_before": UNWANTED, "hour_before": UNWANTED}
    scene.choose(until=LESSON_AT - DAY)
    assert scene.planned() == TWO_QUEUED  # what is due as quiet ends goes


def test_quiet_leaves_their_choice_as_it_is_and_a_choice_ends_quiet(db: Database, now: datetime) -> None:
    scene = a_scene(db, now)
    scene.choose("hour")
    scene.choose(until=LESSON_AT)
    person = only(db, PersonRow)
    assert (person.reminders, person.quiet_until) == ("hour", LESSON_AT)
    scene.choose("both")
    person = only(db, PersonRow)
    assert (person.reminders, person.quiet_until) == ("both", None)
    assert scene.planned() == TWO_QUEUED


def test_what_waits_for_its_hour_is_not_lost_by_a_choice_that_wants_it(db: Database, now: datetime) -> None:
    scene = a_scene(db, now)
    scene.stage.clock.now = LESSON_AT - DAY + HOUR  # due an hour ago, and held back for some reason
    scene.choose("both")
    assert scene.planned() == TWO_QUEUED


def test_the_day_before_comes_back_late_and_the_hour_before_does_not(db: Database, now: datetime) -> None:
    scene = a_scene(db, now)
    scene.choose("none")
    scene.stage.clock.now = LESSON_AT - 3 * HOUR
    scene.choose("both")
    assert scene.planned() == TWO_QUEUED
    scene.choose("none")
    scene.stage.clock.now = LESSON_AT - 2 * HOUR
    scene.choose("both")
    assert scene.planned() == {"day_before": UNWANTED, "hour_before": QUEUED}
    scene.stage.clock.now = LESSON_AT - HOUR + timedelta(seconds=1)
    scene.choose("none")
    scene.choose("both")
    assert scene.planned() == {"day_before": UNWANTED, "hour_before": UNWANTED}


def test_other_messages_and_other_people_are_left_alone(db: Database, now: datetime) -> None:
    scene = a_scene(db, now)
    other = a_learner(db, BILAL, now=now, name="Bilal Shah")
    key, due_at = f"day_before:{scene.lesson_id}:{other}", LESSON_AT - DAY
    owe(db, BILAL, now, key=key, use="lesson_reminder", plan="day_before", due_at=due_at)
    owe(db, AMINA, now, key="news", plan="notice", due_at=LESSON_AT - DAY)
    scene.choose("none")
    assert states(db, Outbound.person_id == other) == [QUEUED]
    assert states(db, Outbound.key == "news") == [QUEUED]


@pytest.mark.parametrize("reason", ["RESTORED", "ERASED", "STALE"])
def test_what_was_withheld_for_good_does_not_come_back(db: Database, now: datetime, reason: str) -> None:
    scene = a_scene(db, now)
    with db.write() as session:
        session.execute(update(Outbound).values(state="withheld", reason=reason))
    scene.choose("both")
    assert set(scene.planned().values()) == {("withheld", reason)}


def test_what_went_already_is_not_touched(db: Database, now: datetime) -> None:
    scene = a_scene(db, now)
    with db.write() as session:
        session.execute(update(Outbound).where(Outbound.plan == "day_before").values(state="delivered"))
    scene.choose("none")
    scene.choose("both")
    assert scene.planned() == {"day_before": ("delivered", None), "hour_before": QUEUED}


def test_planning_adds_what_they_lack_in_its_next_round_and_for_nobody_else(db: Database, now: datetime) -> None:
    scene = a_scene(db, now, "day_before")
    with db.write() as session:
        ready(session, "lesson_reminder", now)
    scene.choose("both")
    assert only(db, PersonRow).plan_at == now
    planning.plan(db, TERMS, planning.Links("https://e4a.example.org/privacy", "https://e4a.example.org/rules"), now)
    planned = scene.planned()
    assert planned["hour_before"] == QUEUED
    assert planned["day_before"] == QUEUED


def test_the_gate_says_the_same_of_what_was_planned_unawares(db: Database, now: datetime) -> None:
    scene = a_scene(db, now)
    with db.write() as session:
        session.get_one(PersonRow, scene.person_id).reminders = "hour"  # as if planning had come in between
    assert scene.sends(LESSON_AT - DAY) == []
    assert scene.planned()["day_before"] == UNWANTED
    assert scene.sends(LESSON_AT - HOUR) != []


def test_a_wish_in_chat_acts_without_rasa_and_the_reminder_stays_away(db: Database, now: datetime) -> None:
    scene = a_scene(db, now)
    scene.stage.nlu.away = True
    assert scene.says("Only an hour before please") == english("reminders.hour_chosen")
    assert scene.planned() == {"day_before": UNWANTED, "hour_before": QUEUED}
    assert scene.sends(LESSON_AT - DAY) == []
    assert len(scene.sends(LESSON_AT - HOUR)) == 1


def test_not_this_week_keeps_both_back_and_says_until_when(db: Database, now: datetime) -> None:
    scene = a_scene(db, now)
    assert "before Mon 30 Nov" in scene.says("not this week")
    assert scene.planned() == {"day_before": UNWANTED, "hour_before": UNWANTED}


def test_the_menu_leads_to_a_choice_by_its_number(db: Database, now: datetime) -> None:
    scene = a_scene(db, now)
    assert scene.says("reminders") == english("reminders.menu")
    assert scene.says("5") == english("reminders.none_chosen")
    assert scene.planned() == {"day_before": UNWANTED, "hour_before": UNWANTED}


def test_a_wish_that_the_model_takes_for_an_opting_out_is_asked_about(db: Database, now: datetime) -> None:
    scene = a_scene(db, now)
    scene.stage.nlu.intents["not this week"] = Parse("opt_out", 0.97, (("opt_out", 0.97),))
    assert scene.says("not this week") == english("consent.pause_question")
    assert only(db, PersonRow).quiet_until is None


@pytest.mark.parametrize(
    ("given", "handlers"),
    [
        ({}, ("reminder_preferences",)),
        ({"wish": Wish("what_will_you_send")}, ("what_will_you_send",)),
        ({"says_all": True}, ("opt_out_unsure",)),
        ({"on_hold": True}, ("on_hold",)),
        ({"heard": (Heard("opt_out", "rule"),)}, ("opt_out",)),
        ({"heard": (Heard("opt_out", "rule", sure=False),)}, ("opt_out_unsure",)),
        ({"heard": (Heard("safeguarding_disclosure", "rule"),)}, ("safeguarding_disclosure",)),
        ({"heard": (Heard("wrong_number", "rule"),)}, ("wrong_number",)),
        ({"heard": (Heard("opt_out_checkin", "rule"),)}, ("opt_out_checkin", "reminder_preferences")),
        ({"heard": (Heard("opt_out_checkin", "rule"),), "says_all": True}, ("opt_out_unsure", "opt_out_checkin")),
        ({"message": a_message("not this week", media=(Media("https://x.example.org", "image/png"),))}, ("media_picture",)),
        ({"message": a_message("not this week", button="late")}, ("report_absence",)),
        ({"pending": a_pending("reminders", {"1": "reminders_day"}), "answer": "1"}, ("reminders_day",)),
    ],
)
def test_a_wish_is_granted_without_the_model_where_nothing_graver_is_heard(
    given: dict[str, Any], handlers: tuple[str, ...]
) -> None:
    message = given.get("message", a_message("not this week"))
    kind = "picture" if message.media else "text"
    turn = replace(a_turn(wish=Wish("quiet", MONDAY)), **given | {"message": replace(message, kind=kind)})
    assert choose(turn, SmallLimits()).handlers == handlers


def test_jobs_stopped_and_a_wish_in_one_message_are_both_heard(db: Database, now: datetime) -> None:
    scene = a_scene(db, now)
    answer = scene.says("no more job adverts please, and remind me only an hour before")
    assert english("consent.marketing_off") in answer
    assert english("reminders.hour_chosen") in answer


def test_whoever_is_opted_out_is_told_so_and_nothing_is_chosen(db: Database, now: datetime) -> None:
    scene = a_scene(db, now)
    scene.says("STOP")
    scene.stage.clock.wait(HOUR)
    assert scene.says("only an hour before").startswith(english("consent.stays_off"))
    assert only(db, PersonRow).reminders == ""


def test_what_will_you_send_is_answered_from_what_is_planned(db: Database, now: datetime) -> None:
    scene = a_scene(db, now)
    answer = scene.says("wot msgs do i get")
    assert english("reminders.both_now") in answer
    assert answer.index("Wed 25 Nov, 10:00: a reminder of Pricing.") < answer.index(
        "Thu 26 Nov, 09:00: a reminder of Pricing."
    )
    scene.choose("none")
    scene.stage.clock.wait(timedelta(minutes=20))
    answer = scene.says("what will you send me")
    assert english("reminders.none_now") in answer
    assert "a reminder of" not in answer


def test_a_message_that_will_wait_for_the_morning_is_told_for_the_morning(db: Database, now: datetime) -> None:
    scene = a_scene(db, now)
    night = LESSON_AT - DAY - 5 * HOUR
    with db.write() as session:
        session.execute(update(Outbound).where(Outbound.plan == "day_before").values(due_at=night))
    assert opening(TERMS.hours, night) == night + 3 * HOUR
    assert "Wed 25 Nov, 08:00: a reminder of Pricing." in scene.says("what will you send me")


def test_what_is_not_agreed_to_is_of_an_older_lesson_or_too_late_is_not_promised(db: Database, now: datetime) -> None:
    scene = a_scene(db, now, "day_before")
    owe(db, AMINA, now, key="check", purpose="checkin", plan="check_in", due_at=now + DAY, best_before=now + 2 * DAY)
    owe(db, AMINA, now, key="late", plan="notice", due_at=now + HOUR, best_before=now + timedelta(minutes=1))
    with db.write() as session:
        session.execute(update(LessonRow).values(version=2))
        ledgers = [one for one in session.scalars(select(ConsentEvent)) if one.purpose == "checkin"]
        for one in ledgers:
            one.action = "refuse"
    scene.stage.clock.wait(timedelta(minutes=2))
    answer = scene.says("what will you send me")
    assert [line for line in ("a reminder of", "news of", "how you are getting on") if line in answer] == []


def test_a_stranger_asks_what_will_come_and_learns_nothing(db: Database, now: datetime) -> None:
    a_scene(db, now)
    stage = Stage(db, Clock(now))
    assert stage.hears_and_works(BILAL, "what will you send me") == [english("reminders.stranger")]
