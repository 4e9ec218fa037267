"""Reminders of lessons as each learner wants them, and what else we will send (P12): said plainly, with the way back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from actions.consent import PAUSE_QUESTION
from actions.learning import is_over
from bot.effects import Ask, ChooseReminders, Effect, Say, say
from bot.turn import Coming, ReminderChoice, Turn

LONDON = ZoneInfo("Europe/London")  # a week begins and a quiet time ends at London's midnight
MOST_TOLD = 3
HOUR_BEFORE: tuple[ReminderChoice, ...] = ("both", "hour")
DAY_BEFORE: tuple[ReminderChoice, ...] = ("both", "day")
MENU = Ask(
    "reminders",
    say("reminders.menu"),
    {
        "1": "reminders_day",
        "2": "reminders_both",
        "3": "reminders_hour",
        "4": "reminders_quiet_week",
        "5": "reminders_none",
        "6": "request_human",
    },
)


def reminder_preferences(turn: Turn) -> list[Effect]:
    """A clear wish is granted at once, "do not stop" changes nothing and says how things stand, and the rest gets a menu.

    A pause it does not end: only NO to our question and START do. Nothing is chosen while lesson messages are off.
    """
    if off := _off(turn):
        return off
    wish = turn.wish
    if wish and wish.kind == "quiet" and wish.until:
        return _quiet(turn, wish.until)
    if wish and wish.kind in ("day", "both", "hour", "none"):
        return _chosen(wish.kind)
    if any(heard.intent == "reminder_preferences" for heard in turn.heard):
        return [_as_it_was(turn)]
    return [MENU]


def reminders_day(turn: Turn) -> list[Effect]:
    """1: the day before."""
    return _off(turn) or _chosen("day")


def reminders_both(turn: Turn) -> list[Effect]:
    """2: the day before and an hour before."""
    return _off(turn) or _chosen("both")


def reminders_hour(turn: Turn) -> list[Effect]:
    """3: an hour before only."""
    return _off(turn) or _chosen("hour")


def reminders_quiet_week(turn: Turn) -> list[Effect]:
    """4: none before next Monday, by London's calendar."""
    today = turn.now.astimezone(LONDON)
    monday = (today + timedelta(days=7 - today.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    return _off(turn) or _quiet(turn, monday.astimezone(UTC))


def reminders_none(turn: Turn) -> list[Effect]:
    """5: none at all. News of a lesson that changes comes all the same."""
    return _off(turn) or _chosen("none")


def what_will_you_send(turn: Turn) -> list[Effect]:
    """What is on and what comes next, from consent, choices and what is planned; public words for a stranger (P01)."""
    if not turn.person.known:
        return [say("reminders.stranger")]
    if turn.consent.get("service") == "paused":
        return [PAUSE_QUESTION]
    if "given" not in turn.consent.values():
        return [say("reminders.nothing" if turn.opted_out else "reminders.nothing_yet")]
    coming = [one for one in turn.coming if _wanted(one, turn)][:MOST_TOLD]
    soon = [say(f"reminders.{one.plan}_coming", at=one.due_at, about=one.about) for one in coming]
    return [*_lesson_news(turn), say(f"consent.{_rest(turn)}_rest"), *soon, say("reminders.how")]


def _off(turn: Turn) -> list[Effect]:
    """Why there is nothing to choose; empty where lesson messages are on."""
    if not turn.person.known:
        return [say("office.not_on_list")]
    service = turn.consent.get("service")
    if service == "given":
        return []
    if service == "paused":
        return [PAUSE_QUESTION]
    return [say("consent.stays_off" if turn.opted_out else "consent.reminders_off")]


def _chosen(which: ReminderChoice) -> list[Effect]:
    return [ChooseReminders(which), say(f"reminders.{which}_chosen")]


def _quiet(turn: Turn, until: datetime) -> list[Effect]:
    """No reminders before a moment (aware UTC); then they go on as they were."""
    if turn.reminders == "none":
        return [say("reminders.stays_none")]
    return [ChooseReminders(quiet_until=until), _until("quiet", until, turn)]


def _as_it_was(turn: Turn) -> Say:
    """How reminders stand, for whoever asks us not to stop (F07)."""
    if turn.reminders == "none":
        return say("reminders.stays_none")
    until = _quiet_until(turn)
    return _until("stays_quiet", until, turn) if until else say("consent.reminders_on")


def _until(key: str, until: datetime, turn: Turn) -> Say:
    """A text with the day on which quiet ends, by London's calendar; with its year where it is not this one."""
    day, today = until.astimezone(LONDON).date(), turn.now.astimezone(LONDON).date()
    return say(f"reminders.{key}", until=day, year="" if day.year == today.year else f" {day.year}")


def _quiet_until(turn: Turn) -> datetime | None:
    return turn.quiet_until if turn.quiet_until and turn.quiet_until > turn.now else None


def _lesson_news(turn: Turn) -> list[Say]:
    """Which reminders of lessons they get."""
    if turn.consent.get("service") != "given":
        return [say("reminders.lessons_off")]
    running = [enrolment for enrolment in turn.enrolments if not is_over(enrolment, turn)]
    if not running:
        return [say("reminders.no_course")]
    until = _quiet_until(turn)
    if until and turn.reminders != "none":
        return [_until("quiet_now", until, turn)]
    by_course = "both" if all(enrolment.hour_before for enrolment in running) else "day"
    some = by_course == "day" and any(enrolment.hour_before for enrolment in running)
    return [say(f"reminders.{turn.reminders or ('some' if some else by_course)}_now")]


def _rest(turn: Turn) -> str:
    return "_".join(purpose for purpose in ("checkin", "marketing") if turn.consent.get(purpose) == "given") or "none"


def _wanted(coming: Coming, turn: Turn) -> bool:
    """Would the gate let it go by their own choice, were it sent when it is due? (NOT_WANTED)"""
    if coming.plan not in ("day_before", "hour_before"):
        return True
    chosen = DAY_BEFORE if coming.plan == "day_before" else HOUR_BEFORE
    until = _quiet_until(turn)
    return (not turn.reminders or turn.reminders in chosen) and not (until and coming.due_at < until)
