"""What one cell may hold: each kind of cell turns its text into a value, or says plainly why it cannot.

Reasons may repeat what a cell holds only through `shown`, so that a phone in the wrong column stays out of them.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from typing import Annotated, TypeVar

from babel import Locale
from email_validator import EmailNotValidError, validate_email
from pydantic import BeforeValidator, HttpUrl, TypeAdapter, ValidationError

from bot.hours import LONDON
from bot.phones import to_e164

LONGEST = 500
LONGEST_NAME = 100  # of a course or a cohort: templates put them into a text of 1,024 characters (Twilio error 63021)
INVISIBLE = dict.fromkeys([0xAD, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF])
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?")
GROUP_LINK = re.compile(r"https://chat\.whatsapp\.com/[A-Za-z0-9_-][A-Za-z0-9_/-]*(\?[A-Za-z0-9_=&%.-]*)?")
LANGUAGES = frozenset(code for code in map(str, Locale("en").languages) if len(code) == 2)
WEB = TypeAdapter(HttpUrl)
D = TypeVar("D", bound=date)


def clean(text: str) -> str:
    """A cell without what spreadsheets and copying put around it: spare spaces, line breaks, invisible marks."""
    return " ".join(unicodedata.normalize("NFC", text.translate(INVISIBLE)).split())


def shown(text: str) -> str:
    """A short code in quotation marks, for a reason; nothing where it could be a name, a phone, an address or a sentence.

    A code has a digit in it and a name has none: columns that were shifted by one must not print who somebody is.
    """
    digits = sum(char.isdigit() for char in text)
    if not 0 < digits <= 6 or len(text) > 20 or any(char in text for char in "@ "):
        return ""
    return f" '{text}'"


def _text(text: str) -> str:
    if len(text) > LONGEST:
        raise ValueError(f"longer than {LONGEST} characters")
    if any(unicodedata.category(char) == "Cc" for char in text):
        raise ValueError("holds a control character")
    return text


def _filled(text: str) -> str:
    if not text:
        raise ValueError("empty")
    return _text(text)


def _name(text: str) -> str:
    if len(text) > LONGEST_NAME:
        raise ValueError(f"longer than {LONGEST_NAME} characters: no message could name it")
    return _text(text)


def _name_filled(text: str) -> str:
    return _name(_filled(text))


def _one_word(text: str) -> str:
    if " " in text:
        raise ValueError("a staff code has no space in it")
    return _filled(text)


def _yes_no(text: str) -> bool:
    answer = text.casefold()
    if answer not in ("yes", "no"):
        raise ValueError(f"must be yes or no, not{shown(text) or ' that'}" if text else "empty: must be yes or no")
    return answer == "yes"


def _of_our_time(day: D) -> D:
    """The same day. Raises ValueError where a slip of the keyboard made it one of another century."""
    if not 2000 <= day.year < 2100:
        raise ValueError("not of this century")
    return day


def _day(text: str) -> date:
    try:
        return _of_our_time(date.fromisoformat(text if DAY.fullmatch(text) else ""))
    except ValueError:
        raise ValueError("not a date like 2026-09-14") from None


def _day_if_any(text: str) -> date | None:
    return _day(text) if text else None


def _london_time(text: str) -> datetime:
    """The moment in UTC. Of an hour that comes twice, the first (PEP 495's fold 0)."""
    try:
        local = _of_our_time(datetime.fromisoformat(text if MOMENT.fullmatch(text) else "")).replace(tzinfo=LONDON)
    except ValueError:
        raise ValueError("not a time like 2026-09-14T10:00 (London's, without a zone)") from None
    moment = local.astimezone(UTC)
    if moment.astimezone(LONDON).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueError("there is no such time in London: the clock goes forward over it")
    return moment


def _email_if_any(text: str) -> str:
    if not text:
        return ""
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        raise ValueError("not an e-mail address") from None


def _language(text: str) -> str:
    code = text.lower() or "en"
    if code not in LANGUAGES:
        raise ValueError(f"not the two letters of a language, like en or ur:{shown(text) or ' something else'}")
    return code


def _group_link(text: str) -> str:
    if text and not GROUP_LINK.fullmatch(text):
        raise ValueError("not a link to a WhatsApp group: it begins with https://chat.whatsapp.com/")
    return _text(text)


def _web_link(text: str) -> str:
    reason = "not a web link: it begins with https:// or http:// and has no spaces"
    if text and (" " in text or not text.lower().startswith(("https://", "http://"))):
        raise ValueError(reason)
    try:
        if text:
            WEB.validate_python(text)
    except ValidationError:
        raise ValueError(reason) from None
    return _text(text)


Text = Annotated[str, BeforeValidator(_text)]
Filled = Annotated[str, BeforeValidator(_filled)]
Name = Annotated[str, BeforeValidator(_name)]
NameFilled = Annotated[str, BeforeValidator(_name_filled)]
StaffCode = Annotated[str, BeforeValidator(_one_word)]
YesNo = Annotated[bool, BeforeValidator(_yes_no)]
Day = Annotated[date, BeforeValidator(_day)]
DayIfAny = Annotated[date | None, BeforeValidator(_day_if_any)]
LondonTime = Annotated[datetime, BeforeValidator(_london_time)]
Phone = Annotated[str, BeforeValidator(to_e164)]
EmailIfAny = Annotated[str, BeforeValidator(_email_if_any)]
Language = Annotated[str, BeforeValidator(_language)]
GroupLink = Annotated[str, BeforeValidator(_group_link)]
WebLink = Annotated[str, BeforeValidator(_web_link)]
