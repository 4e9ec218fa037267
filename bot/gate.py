"""May this be said to this person now? The one answer to that, asked again at the moment of sending (design 6, D01).

Pure: whoever asks loads the facts. The reasons come in the order of D01, so that the weightiest is the one recorded.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Literal

from bot.hours import GROUP_HOURS, LONDON, Hours, hours_for, opening, opening_on
from bot.turn import TAKEN_BACK, Consentable, ConsentState, Purpose, Use

Reason = Literal[
    "WRONG_NUMBER",
    "SAFEGUARDING_HOLD",
    "OPTED_OUT",
    "NO_CONSENT",
    "MARKETING_NOT_CONSENTED",
    "PAST_6_MONTHS",
    "BLOCKED_BY_USER",
    "NO_RESPONSE",
    "NOT_WANTED",
    "SUPERSEDED",
    "RECALLED",
    "STALE",
    "QUIET_HOURS",
    "FREQUENCY_CAP",
    "WINDOW_CLOSED_NO_TEMPLATE",
    "REACH_LIMIT",
    "PAIR_LIMIT",
]
SUPERSEDED: Final = "SUPERSEDED"  # also what is withheld at once when a lesson or the end of a course changes
ANSWERS: tuple[Purpose, ...] = ("reply", "safety", "staff")  # they wrote to us, or are our own staff: no consent asked
AFTER_COURSES: tuple[Purpose, ...] = ("checkin", "marketing")  # what the goodbye ends (P03)
KEEPS_HOURS: tuple[Purpose, ...] = ("service", "checkin", "marketing", "staff")
MONTHS_OF_COMPANY = 6  # after the course (P03)
MOST_A_DAY, MOST_A_WEEK = 1, 3  # of what is neither urgent nor a lesson reminder (P25)
SILENCES = 2  # check-ins running that nobody answered: then we stop asking (P19)
WEEK = timedelta(days=7)
LOOK_AGAIN = timedelta(minutes=15)  # at what ends at no known time: a pause, a template under review


@dataclass(frozen=True, slots=True)
class Facts:
    """What the gate must know of one message and the one it is for. Times are aware UTC, days are London's."""

    purpose: Purpose
    now: datetime
    window_open: bool  # the person wrote in the last 24 hours (D14)
    use: Use = ""
    urgent: bool = False
    urgent_from: datetime | None = None  # from when it is urgent: the news of a lesson that draws near (P13)
    wrong_number: bool = False
    not_theirs: bool = False  # since it was written the number has become somebody else's, or nobody's we know (D11)
    on_hold: bool = False
    confirms_opt_out: bool = False
    best_before: datetime | None = None
    consent: Mapping[Consentable, ConsentState] = field(default_factory=dict)
    course_ends: tuple[date | None, ...] = ()  # of each course the person is enrolled on; None: it has no end yet
    said_goodbye: bool = False  # the last message that we said there would be may have gone, of the course that ends last
    unreachable: bool = False  # blocked, or not on WhatsApp, and not heard from since
    unanswered: int = 0  # check-ins sent since they last wrote
    unwanted: bool = False  # a lesson reminder that their own choice leaves out
    superseded: bool = False  # the lesson has changed since it was written: nobody reads the old after the new (P12)
    recalled: bool = False  # the opportunity was called back
    hours: Hours = GROUP_HOURS
    sent: tuple[datetime, ...] = ()  # what counted for the frequency cap in the last week
    has_template: bool = False
    template_waits: bool = False  # there is one, and WhatsApp has not approved it, or looks at it again (L20)
    reach_free_at: datetime | None = None  # when the platform lets us write to one more person; None: at once
    pair_free_at: datetime | None = None  # when this recipient may have one more; None: at once

    @property
    def is_urgent(self) -> bool:
        """Is it urgent at `now`? Asked when it is sent, so that what waited is not held to death."""
        return self.urgent or (self.urgent_from is not None and self.now >= self.urgent_from)


@dataclass(frozen=True, slots=True)
class Decision:
    """Sent if `reason` is None. With `until` it is held back until then and asked about again; else it is withheld."""

    reason: Reason | None = None
    until: datetime | None = None

    @property
    def allowed(self) -> bool:
        """True when it may be sent."""
        return self.reason is None


def may_send(facts: Facts) -> Decision:
    """The decision for one message. The first rule that objects gives its reason."""
    reason = _never(facts)
    if reason is not None:
        return Decision(reason, _pause_ends(facts) if reason == "OPTED_OUT" else None)
    held = _not_yet(facts)
    if held.until is not None and _outlasts(facts, held.until):
        return Decision("STALE")  # by then it would be yesterday's news (P27)
    return held


def last_day(ends_on: date) -> date:
    """The last day on which we may write first about a course: six calendar months on, at most that month's last (P03)."""
    years, month = divmod(ends_on.month - 1 + MONTHS_OF_COMPANY, 12)
    year = ends_on.year + years
    return date(year, month + 1, min(ends_on.day, monthrange(year, month + 1)[1]))


def in_company(purpose: Purpose, course_ends: Iterable[date | None], today: date) -> bool:
    """Is `today` within six months of the end of any of these courses? (P03)

    A course without an end lets its own messages through, and nothing that may come after it: that could go on for ever.
    """
    return any(purpose == "service" if end is None else today <= last_day(end) for end in course_ends)


def counts_for_cap(purpose: Purpose, use: Use, *, urgent: bool) -> bool:
    """Does a message count for the frequency cap, and is it held back by it? (P25)"""
    return purpose not in ANSWERS and not urgent and use != "lesson_reminder"


def _never(facts: Facts) -> Reason | None:
    """Why it must not be sent, however long it waits."""
    proactive = facts.purpose not in ANSWERS
    if facts.not_theirs or (facts.wrong_number and proactive):
        return "WRONG_NUMBER"
    if facts.on_hold and facts.purpose not in ("safety", "staff") and not facts.confirms_opt_out:
        return "SAFEGUARDING_HOLD"
    if proactive and (reason := _not_first(facts)):
        return reason
    return _out_of_date(facts)


def _out_of_date(facts: Facts) -> Reason | None:
    """Why what was true when it was written is not worth saying any more."""
    if facts.unwanted or facts.superseded or facts.recalled:
        return "NOT_WANTED" if facts.unwanted else SUPERSEDED if facts.superseded else "RECALLED"
    return "STALE" if facts.best_before is not None and facts.now >= facts.best_before else None


def _not_first(facts: Facts) -> Reason | None:
    """Why we may not write to them unasked."""
    if reason := _without_consent(facts):
        return reason
    if not in_company(facts.purpose, facts.course_ends, facts.now.astimezone(LONDON).date()):
        return "PAST_6_MONTHS"
    if facts.said_goodbye and facts.purpose in AFTER_COURSES:
        return "PAST_6_MONTHS"
    if facts.unreachable:
        return "BLOCKED_BY_USER"
    return "NO_RESPONSE" if facts.purpose == "checkin" and facts.unanswered >= SILENCES else None


def _pause_ends(facts: Facts) -> datetime | None:
    """When to look again at who was only paused while we ask what they meant: their NO must find it there (D02)."""
    again = facts.now + LOOK_AGAIN
    paused = facts.purpose not in ANSWERS and facts.consent.get(facts.purpose) == "paused"  # type: ignore[arg-type]
    return again if paused and not _outlasts(facts, again) else None


def _outlasts(facts: Facts, until: datetime) -> bool:
    return facts.best_before is not None and until >= facts.best_before


def _not_yet(facts: Facts) -> Decision:
    """Held back for a time, or for want of a template, or sent. Urgent passes hours and caps, and nothing else."""
    opens = opening(hours_for(facts.purpose, facts.hours), facts.now)
    if facts.purpose in KEEPS_HOURS and not facts.is_urgent and opens > facts.now:
        return Decision("QUIET_HOURS", _or_urgent(facts, opens))
    if counts_for_cap(facts.purpose, facts.use, urgent=facts.is_urgent) and (again := _capped_until(facts)):
        return Decision("FREQUENCY_CAP", _or_urgent(facts, again))
    if not facts.window_open and not facts.has_template:
        waits = facts.template_waits and facts.purpose not in ANSWERS
        return Decision("WINDOW_CLOSED_NO_TEMPLATE", facts.now + LOOK_AGAIN if waits else None)
    if facts.reach_free_at and facts.reach_free_at > facts.now and not facts.window_open and facts.purpose not in ANSWERS:
        return Decision("REACH_LIMIT", facts.reach_free_at)
    if facts.pair_free_at and facts.pair_free_at > facts.now and facts.purpose != "safety":
        return Decision("PAIR_LIMIT", facts.pair_free_at)
    return Decision()


def _or_urgent(facts: Facts, until: datetime) -> datetime:
    """The end of a hold, or the moment from which it is urgent, if that comes first."""
    return until if facts.urgent_from is None else min(until, facts.urgent_from)


def _capped_until(facts: Facts) -> datetime | None:
    """The next opening on a day that has room for one more: one a day, three in any seven days of London's calendar."""
    today = facts.now.astimezone(LONDON).date()
    days = sorted(at.astimezone(LONDON).date() for at in facts.sent)
    free = [days[-MOST_A_DAY] + timedelta(days=1)] if len(days) >= MOST_A_DAY else []
    free += [days[-MOST_A_WEEK] + WEEK] if len(days) >= MOST_A_WEEK else []
    first = max(free, default=today)
    return opening_on(hours_for(facts.purpose, facts.hours), first) if first > today else None


def _without_consent(facts: Facts) -> Reason | None:
    if facts.purpose not in ("service", "checkin", "marketing"):
        return None
    state = facts.consent.get(facts.purpose, "never_asked")
    if state == "given":
        return None
    if facts.consent.get("service") in TAKEN_BACK:
        return "OPTED_OUT"
    if facts.purpose == "marketing":
        return "MARKETING_NOT_CONSENTED"
    return "OPTED_OUT" if state in TAKEN_BACK else "NO_CONSENT"
