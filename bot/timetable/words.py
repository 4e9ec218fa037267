"""How a lesson is put into words: its time as London's clocks show it, and the values that its templates take. Pure."""

from __future__ import annotations

from datetime import datetime

from babel.dates import format_datetime

from bot.hours import LONDON
from bot.templates import LONGEST_VALUE, clean

SHORT = 100  # characters of a title or a place: the template lint counts on so many for each variable
ONLINE = "online"
NO_PLACE = "ask your trainer"  # neither a place nor a link: a variable may not be empty (Twilio error 63013)
NO_TITLE = "your next lesson"


def when(at: datetime) -> str:
    """Day and time in London, in English as the templates are: `Mon 30 Nov, 10:00`. `at` is aware."""
    return format_datetime(at, "EEE d MMM, HH:mm", tzinfo=LONDON, locale="en")


def clock_of(at: datetime) -> str:
    """The time alone, as London's clocks show it: `10:00`. `at` is aware."""
    return format_datetime(at, "HH:mm", tzinfo=LONDON, locale="en")


def short(text: str, instead: str) -> str:
    """The text on one line and no longer than a template has room for; `instead` where nothing of it would show."""
    bare = clean(text)
    if not any(char.isalnum() for char in bare):
        return instead
    return bare if len(bare) <= SHORT else bare[: SHORT - 1].rstrip() + "…"


def where(place: str, link: str) -> str:
    """Where a lesson is, on one line and never empty: the place, the link, or both. A link is whole or not there."""
    room, address = short(place, ""), clean(link)
    if len(address) > LONGEST_VALUE - SHORT - len(ONLINE) - 5:
        return room or ONLINE
    if not address:
        return room or NO_PLACE
    return f"{room}, or {ONLINE}: {address}" if room else f"{ONLINE}: {address}"


def reminder_variables(title: str, starts_at: datetime, place: str, link: str) -> dict[str, str]:
    """What the template `lesson_reminder` takes; every value is on one line and none is empty."""
    return {"lesson": short(title, NO_TITLE), "starts_at": when(starts_at), "place": where(place, link)}
