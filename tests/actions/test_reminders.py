"""Reminders as each learner wants them, and a true answer to what will come."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from actions import reminders
from bot.effects import Ask, ChooseReminders, Effect, say
from bot.texts import load_texts
from bot.turn import Coming, Consentable, ConsentState, Plan, ReminderChoice, Wish
from tests.builders import NOW, a_lesson, a_stranger_turn, a_turn, an_enrolment, consents, heard

ALL_OFF = consents("withdrawn", "withdrawn", "withdrawn")
ALL_PAUSED = consents("paused", "paused", "paused")
PAUSE_QUESTION = Ask("opt_out", say("consent.pause_question"), {"yes": "opt_out", "no": "opt_out_no"})
MONDAY = datetime(2026, 11, 30, tzinfo=UTC)  # the next one: midnight in London
CHOICES: tuple[ReminderChoice, ...] = ("day", "both", "hour", "none")
ALL_ON = [say("reminders.day_now"), say("consent.checkin_marketing_rest")]
HOW = say("reminders.how")


def told(*effects: Effect) -> list[Effect]:
    return list(effects)


@pytest.mark.parametrize("kind", CHOICES)
def test_a_clear_wish_is_granted_at_once_in_one_text_with_the_way_back(kind: ReminderChoice) -> None:
    turn = a_turn("only an hour before", wish=Wish(kind))  # type: ignore[arg-type]
    assert reminders.reminder_preferences(turn) == told(ChooseReminders(kind), say(f"reminders.{kind}_chosen"))
    assert "REMINDERS" in load_texts().by_language["en"][f"reminders.{kind}_chosen"]


def test_a_wish_for_quiet_says_when_it_ends() -> None:
    turn = a_turn("not this week", wish=Wish("quiet", MONDAY))
    expected = told(ChooseReminders(quiet_until=MONDAY), say("reminders.quiet", until=date(2026, 11, 30), year=""))
    assert reminders.reminder_preferences(turn) == expected


def test_the_day_on_which_quiet_ends_is_londons() -> None:
    july = datetime(2026, 6, 30, 23, 0, tzinfo=UTC)
    turn = a_turn("not till july", wish=Wish("quiet", july))
    assert say("reminders.quiet", until=date(2026, 7, 1), year="") in reminders.reminder_preferences(turn)


@pytest.mark.parametrize("key", ["none_chosen", "quiet", "stays_none", "none_now", "quiet_now"])
def test_no_reminders_never_means_no_news_and_says_so(key: str) -> None:
    assert "still tell you if a lesson changes" in load_texts().by_language["en"][f"reminders.{key}"]


def test_what_is_not_clear_gets_a_menu() -> None:
    for turn in (a_turn("can they come earlier"), a_turn("reminders", wish=Wish("unclear"))):
        (ask,) = reminders.reminder_preferences(turn)
        assert isinstance(ask, Ask)
        assert set(ask.options) == set("123456")


def test_every_number_of_the_menu_does_what_it_says() -> None:
    turn = a_turn("2")
    assert reminders.reminders_day(turn)[0] == ChooseReminders("day")
    assert reminders.reminders_both(turn)[0] == ChooseReminders("both")
    assert reminders.reminders_hour(turn)[0] == ChooseReminders("hour")
    assert reminders.reminders_none(turn)[0] == ChooseReminders("none")
    assert reminders.reminders_quiet_week(turn)[0] == ChooseReminders(quiet_until=MONDAY)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (datetime(2026, 11, 29, 23, 59, tzinfo=UTC), MONDAY),  # Sunday
        (MONDAY, MONDAY + timedelta(days=7)),
        (datetime(2026, 10, 20, 12, 0, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC)),  # the clocks go back on Sunday
        (datetime(2027, 3, 24, 12, 0, tzinfo=UTC), datetime(2027, 3, 28, 23, 0, tzinfo=UTC)),  # and forward
        (datetime(2026, 7, 5, 23, 30, tzinfo=UTC), datetime(2026, 7, 12, 23, 0, tzinfo=UTC)),  # Monday in London by then
    ],
)
def test_this_week_ends_at_mondays_midnight_in_london(now: datetime, until: datetime) -> None:
    assert reminders.reminders_quiet_week(a_turn("4", now=now))[0] == ChooseReminders(quiet_until=until)


def test_quiet_adds_nothing_where_there_are_no_reminders() -> None:
    turn = a_turn("not this week", wish=Wish("quiet", MONDAY), reminders="none")
    assert reminders.reminder_preferences(turn) == told(say("reminders.stays_none"))
    assert reminders.reminders_quiet_week(turn) == told(say("reminders.stays_none"))


@pytest.mark.parametrize(
    ("consent", "expected"),
    [
        (ALL_OFF, say("consent.stays_off")),
        (ALL_PAUSED, PAUSE_QUESTION),
        (consents(service="refused"), say("consent.reminders_off")),
        (consents(service="never_asked"), say("consent.reminders_off")),
    ],
)
@pytest.mark.parametrize(
    "handler",
    [
        reminders.reminder_preferences,
        reminders.reminders_day,
        reminders.reminders_both,
        reminders.reminders_hour,
        reminders.reminders_quiet_week,
        reminders.reminders_none,
    ],
)
def test_nothing_is_chosen_while_lesson_messages_are_off(
    handler: object, consent: dict[Consentable, ConsentState], expected: Effect
) -> None:
    assert callable(handler)
    assert handler(a_turn("only an hour before", wish=Wish("hour"), consent=consent)) == [expected]


def test_a_stranger_has_no_reminders_to_choose_or_to_keep() -> None:
    for turn in (a_stranger_turn(wish=Wish("hour")), a_stranger_turn(heard=(heard("reminder_preferences"),))):
        assert reminders.reminder_preferences(turn) == [say("office.not_on_list")]
        assert reminders.reminders_none(turn) == [say("office.not_on_list")]


def test_do_not_stop_changes_nothing_and_says_that_reminders_are_on() -> None:
    turn = a_turn("dont stop them", heard=(heard("reminder_preferences"),))
    assert reminders.reminder_preferences(turn) == [say("consent.reminders_on")]


def test_do_not_stop_tells_the_truth_where_reminders_are_off() -> None:
    keep = (heard("reminder_preferences"),)
    refused = a_turn("dont stop them", heard=keep, consent=consents(service="refused"))
    assert reminders.reminder_preferences(refused) == [say("consent.reminders_off")]
    stopped = a_turn("dont stop them", heard=keep, consent=ALL_OFF)
    assert reminders.reminder_preferences(stopped) == [say("consent.stays_off")]
    assert reminders.reminder_preferences(a_turn(heard=keep, reminders="none")) == [say("reminders.stays_none")]
    quiet = a_turn(heard=keep, quiet_until=MONDAY)
    assert reminders.reminder_preferences(quiet) == [say("reminders.stays_quiet", until=MONDAY.date(), year="")]
    assert reminders.reminder_preferences(a_turn(heard=keep, quiet_until=NOW)) == [say("consent.reminders_on")]


def test_do_not_stop_ends_no_pause_and_has_the_question_again() -> None:
    turn = a_turn("keep my messages", heard=(heard("reminder_preferences"),), consent=ALL_PAUSED)
    assert reminders.reminder_preferences(turn) == [PAUSE_QUESTION]
    assert reminders.reminder_preferences(a_turn("in the mornings", consent=ALL_PAUSED)) == [PAUSE_QUESTION]


def test_keep_them_but_an_hour_before_is_a_wish() -> None:
    turn = a_turn("keep them but only an hour before", heard=(heard("reminder_preferences"),), wish=Wish("hour"))
    assert reminders.reminder_preferences(turn)[0] == ChooseReminders("hour")


def coming(plan: Plan, days: float = 1, about: str = "") -> Coming:
    return Coming(plan, NOW + timedelta(days=days), about)


def test_what_will_come_is_told_soonest_first_with_day_and_time() -> None:
    first, second = coming("day_before", 1, "Pricing"), coming("check_in", 3)
    expected = [
        *ALL_ON,
        say("reminders.day_before_coming", at=first.due_at, about="Pricing"),
        say("reminders.check_in_coming", at=second.due_at, about=""),
        HOW,
    ]
    assert reminders.what_will_you_send(a_turn(coming=(first, second))) == expected


def test_at_most_three_messages_to_come_are_told() -> None:
    many = tuple(coming("notice", day, f"Lesson {day}") for day in range(1, 6))
    said = reminders.what_will_you_send(a_turn(coming=many))
    assert said[2:-1] == [say("reminders.notice_coming", at=one.due_at, about=one.about) for one in many[:3]]


@pytest.mark.parametrize(
    ("choice", "quiet_until", "left"),
    [
        ("", None, ["day_before", "hour_before"]),
        ("both", None, ["day_before", "hour_before"]),
        ("day", None, ["day_before"]),
        ("hour", None, ["hour_before"]),
        ("none", None, []),
        ("", NOW + timedelta(days=1, minutes=1), ["hour_before"]),
        ("", NOW + timedelta(days=9), []),
        ("both", NOW, ["day_before", "hour_before"]),
    ],
)
def test_a_reminder_that_the_gate_would_hold_back_is_not_promised(
    choice: ReminderChoice, quiet_until: datetime | None, left: list[str]
) -> None:
    planned = (coming("day_before", 1, "Pricing"), coming("hour_before", 2, "Pricing"))
    said = reminders.what_will_you_send(a_turn(coming=planned, reminders=choice, quiet_until=quiet_until))
    keys = [one.key for one in said if getattr(one, "key", "").endswith("_coming")]  # type: ignore[union-attr]
    assert keys == [f"reminders.{plan}_coming" for plan in left]


@pytest.mark.parametrize("choice", CHOICES)
def test_their_own_choice_is_told(choice: ReminderChoice) -> None:
    assert reminders.what_will_you_send(a_turn(reminders=choice))[0] == say(f"reminders.{choice}_now")


def test_without_a_choice_it_is_as_their_courses_have_it() -> None:
    day, both = an_enrolment(), an_enrolment("SON5", name="Sell Online", hour_before=True)
    for enrolments, key in (((day,), "day"), ((both,), "both"), ((day, both), "some")):
        assert reminders.what_will_you_send(a_turn(enrolments=enrolments))[0] == say(f"reminders.{key}_now")


def test_a_course_that_is_over_reminds_nobody() -> None:
    over = an_enrolment("CTM3", ends_on=date(2026, 7, 21), hour_before=True)
    assert reminders.what_will_you_send(a_turn(enrolments=(over,)))[0] == say("reminders.no_course")
    assert reminders.what_will_you_send(a_turn(enrolments=(over, an_enrolment())))[0] == say("reminders.day_now")


def test_quiet_is_told_with_its_end() -> None:
    said = reminders.what_will_you_send(a_turn(quiet_until=MONDAY))
    assert said[0] == say("reminders.quiet_now", until=MONDAY.date(), year="")
    assert reminders.what_will_you_send(a_turn(quiet_until=NOW))[0] == say("reminders.day_now")


def test_the_kinds_that_are_on_are_told_from_the_ledger() -> None:
    only_lessons = a_turn(consent=consents(checkin="refused", marketing="withdrawn"))
    assert say("consent.none_rest") in reminders.what_will_you_send(only_lessons)
    only_jobs = a_turn(consent=consents("withdrawn", "withdrawn", "given"))
    expected = [say("reminders.lessons_off"), say("consent.marketing_rest"), HOW]
    assert reminders.what_will_you_send(only_jobs) == expected


@pytest.mark.parametrize(
    ("consent", "expected"),
    [
        (ALL_OFF, say("reminders.nothing")),
        (ALL_PAUSED, PAUSE_QUESTION),
        (consents("never_asked", "never_asked", "never_asked"), say("reminders.nothing_yet")),
        (consents("refused", "refused", "refused"), say("reminders.nothing_yet")),
    ],
)
def test_who_gets_nothing_is_told_so(consent: dict[Consentable, ConsentState], expected: Effect) -> None:
    turn = a_turn("what will you send me", consent=consent, coming=(coming("day_before", 1, "Pricing"),))
    assert reminders.what_will_you_send(turn) == [expected]


def test_a_stranger_hears_public_words_only() -> None:
    turn = a_stranger_turn(coming=(coming("day_before", 1, "Pricing"),), lessons=(a_lesson(),))
    assert reminders.what_will_you_send(turn) == [say("reminders.stranger")]
