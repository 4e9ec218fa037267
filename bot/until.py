"""Reads until when somebody wants quiet ("not this week", "till 5 January"), where it can be reckoned surely. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from bot.hours import LONDON

DAY = timedelta(days=1)
LONGEST = timedelta(days=366)
HALF_A_YEAR = timedelta(days=184)  # "till 25 nov", said on that day, is no year of silence
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
COUNTS = {word: count for count, word in enumerate(("one", "two", "three", "four", "five", "six"), 1)}
COUNTS |= {"a": 1, "an": 1, "couple of": 2, "a couple of": 2, "next": 1, "the next": 1}
MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
NUMBER = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
YEAR = r"(?: (?P<year>20\d\d))?"
END = r"(?: (?:please|pls|thanks|thank you|now|ta|cheers|mate))*$"
UNTIL = re.compile(r"\b(?:until|untill|till|til)\b (.+)$")
COUNT = rf"(?P<count>\d{{1,2}}|{'|'.join(sorted(COUNTS, key=len, reverse=True))})"
SOME_TIME = re.compile(rf"\bfor {COUNT} (?P<unit>days?|weeks?|wks?|fortnight|months?){END}")
THIS_WEEK, THIS_MONTH = re.compile(rf"\bthis (?:week|wk){END}"), re.compile(rf"\bthis month{END}")
A_DATE = (
    re.compile(rf"(?:the )?{NUMBER}(?: of)? {MONTH}{YEAR}{END}"),
    re.compile(rf"{MONTH}(?: the)? {NUMBER}{YEAR}{END}"),
    re.compile(rf"(?:the )?{NUMBER}[ /.-](?P<month>\d{{1,2}})(?:[ /.-](?P<year>20\d\d))?{END}"),
)
A_MONTH = re.compile(rf"(?P<after>(?:after|the end of|end of) )?{MONTH}{YEAR}{END}")
A_WEEKDAY = re.compile(
    rf"(?:this |on )?(?P<weekday>mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun)(?:day|sday|nesday|rsday|urday)?{END}"
)


def quiet_until(text: str, at: datetime) -> datetime | None:
    """The midnight in London (aware UTC) until which `text` (plain words in lower case) wants quiet; None where unsure.

    `at` is when it was said. What has passed, or lies more than a year ahead, is unsure as well; and so is a day without
    a year that comes more than half a year later.
    """
    today = at.astimezone(LONDON).date()
    day = _day(text, today)
    if day is None or not today < day <= today + LONGEST:
        return None
    return datetime.combine(day, time.min, LONDON).astimezone(UTC)


def words_before(text: str) -> int:
    """How many words of `text` stand before those that say until when, which reach to its end; all where none do."""
    found = next((found for one in (UNTIL, SOME_TIME, THIS_WEEK, THIS_MONTH) if (found := one.search(text))), None)
    return len(text[: found.start()].split() if found else text.split())


def _day(text: str, today: date) -> date | None:
    """The day on which they want to hear again."""
    said = UNTIL.search(text)
    if said:
        return _after_until(said[1], today)
    lasts = SOME_TIME.search(text)
    if lasts:
        return _lasting(lasts, today)
    if THIS_WEEK.search(text):
        return _next_monday(today)
    return _next_month(today) if THIS_MONTH.search(text) else None


def _after_until(words: str, today: date) -> date | None:
    if re.match(rf"(?:next (?:week|wk)|the end of (?:the|this) week){END}", words):
        return _next_monday(today)
    if re.match(rf"tomorrow{END}", words):
        return today + DAY
    weekday = A_WEEKDAY.match(words)
    if weekday:
        return today + DAY + timedelta(days=(WEEKDAYS.index(weekday["weekday"][:3]) - today.weekday() - 1) % 7)
    month = A_MONTH.match(words)
    if month:
        first = _on("1", _number(month["month"]), month["year"], today)
        return _next_month(first) if first and month["after"] else first
    found = next((found for one in A_DATE if (found := one.match(words))), None)
    return _on(found["day"], _number(found["month"]), found["year"], today) if found else None


def _lasting(found: re.Match[str], today: date) -> date | None:
    count = int(found["count"]) if found["count"].isdigit() else COUNTS[found["count"]]
    if found["unit"].startswith("month"):
        years, month = divmod(today.month - 1 + count, 12)
        return _on(str(today.day), month + 1, str(today.year + years), today)
    days = {"d": 1, "w": 7, "f": 14}[found["unit"][0]]
    return today + timedelta(days=count * days)


def _on(day: str, month: int, year: str | None, today: date) -> date | None:
    """This day of the calendar; without a year, the next one there is if it comes soon. None: there is no such day."""
    try:
        found = date(int(year or today.year), month, int(day))
        if year:
            return found
        found = found if found > today else found.replace(year=found.year + 1)
    except ValueError:
        return None
    return found if found <= today + HALF_A_YEAR else None


def _number(month: str) -> int:
    return int(month) if month.isdigit() else MONTHS.index(month[:3]) + 1


def _next_monday(today: date) -> date:
    return today + timedelta(days=7 - today.weekday())


def _next_month(today: date) -> date:
    return (today.replace(day=28) + timedelta(days=4)).replace(day=1)
