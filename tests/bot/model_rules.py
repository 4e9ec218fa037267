"""What must be true of every message, written down a second time for the model test.

It asks nothing of bot.gate but how soon to look again at what ends at no known time: that is taste, and no rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.gate import LOOK_AGAIN

LONDON = ZoneInfo("Europe/London")
ALL = ("service", "checkin", "marketing")
OFF = ("withdrawn", "paused")
NO_ASKING = ("reply", "safety", "staff")
WINDOW = timedelta(hours=23, minutes=50)
REPLY_KEEPS, NEWS_KEEPS = timedelta(hours=23), timedelta(days=3)
DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)
PER_MESSAGE, ROOM = timedelta(seconds=6), timedelta(seconds=60)  # ten at once to one person, then one in six seconds
REACH = 2  # people a day outside the window: small, so that the limit is met often
NEVER = datetime.min.replace(tzinfo=UTC)
Until = datetime | None
Line = tuple[datetime, int, str, str, str]  # at, order, purpose, action, source
Off = tuple[tuple[datetime, int], bool] | None


@dataclass(eq=False, slots=True)
class Human:
    """Somebody: what they said of each purpose, and whether they are held."""

    id: int
    ends: tuple[date | None, ...] = ()
    known: bool = True
    modelled: bool = True  # False: a bare person behind a disowned number, of whose consent nothing depends
    said: list[Line] = field(default_factory=list)
    held: bool = False
    question: str = ""  # the one they may answer with yes or no
    asked_at: datetime | None = None
    left_asked: datetime | None = None
    left_recorded: datetime = NEVER  # when staff last wrote down that they left the group
    noes: list[tuple[datetime, int]] = field(default_factory=list)  # when each no was said, and its message
    phones: list[Phone] = field(default_factory=list, repr=False)

    def says(self, purposes: Iterable[str], action: str, at: datetime, source: str = "") -> None:
        """A line of the ledger for each purpose."""
        self.said += [(at, len(self.said), purpose, action, source) for purpose in purposes]

    def stands(self, purpose: str) -> tuple[str, str]:
        """How it stands, and how it stood before it was taken back."""
        now, before, _ = self._stands(purpose)
        return now, before

    def gives_back(self, purpose: str) -> bool:
        """Does START do anything about it? It undoes the stop of lessons and what that took, and no stop by name."""
        (state, _, off), (_, _, lessons) = self._stands(purpose), self._stands("service")
        if state == "paused":
            return True
        return state == "withdrawn" and lessons is not None and off is not None and off[1] and off[0] >= lessons[0]

    def _stands(self, purpose: str) -> tuple[str, str, Off]:
        """How it stands, how it stood before, and what took it back: when, and whether lessons went with it."""
        now, before, off = "never_asked", "never_asked", None
        for line in sorted(self.said):
            at, _, about, action, _ = line
            if about != purpose or (action == "pause" and now == "withdrawn"):
                continue
            if (action, now) in (("resume", "paused"), ("undo", "withdrawn")):
                now, off = before, None
            elif action in ("give", "refuse"):
                before = before if now in OFF else now
                now, off = {"give": "given", "refuse": "refused"}[action], None
            elif action in ("withdraw", "pause"):
                together = [one for one in self.said if _one_act(one, line)]
                with_lessons = any(one[2] == "service" for one in together)
                if now not in OFF or not with_lessons:
                    off = ((at, min(one[1] for one in together)), with_lessons)
                before = before if now in OFF else now
                now = {"withdraw": "withdrawn", "pause": "paused"}[action]
        return now, before, off

    def state(self, purpose: str) -> str:
        """How it stands."""
        return self.stands(purpose)[0]


@dataclass(eq=False, slots=True)
class Phone:
    """A number, and what we know of it."""

    value: str
    point: int
    owner: Human = field(repr=False)
    wrote: Until = None
    shut: Until = None
    dead: bool = False
    disowned_at: Until = None
    debt: timedelta = timedelta(0)  # what was sent lately, in waiting time
    debt_at: Until = None

    @property
    def disowned(self) -> bool:
        """Did somebody say from it that they are not our learner?"""
        return self.disowned_at is not None

    def is_open(self, now: datetime) -> bool:
        """May free text be sent?"""
        return self.wrote is not None and now < self.wrote + WINDOW and (self.shut is None or self.shut < self.wrote)

    def owes(self, now: datetime) -> timedelta:
        """What is left of the debt."""
        return max(self.debt - (now - self.debt_at), timedelta(0)) if self.debt_at else timedelta(0)

    def takes(self, now: datetime) -> None:
        """One more message to this number."""
        self.debt, self.debt_at = self.owes(now) + PER_MESSAGE, now


@dataclass(frozen=True, eq=False, slots=True)
class Owed:
    """One message as it was planned."""

    key: str
    human: Human
    phone: Phone
    purpose: str
    best_before: datetime
    written: datetime
    use: str = ""
    urgent: bool = False
    template: str | None = None
    confirms: bool = False

    @property
    def counts(self) -> bool:
        """Is it one of those of which there is one a day and three a week?"""
        return self.purpose not in NO_ASKING and not self.urgent and self.use != "lesson_reminder"


@dataclass(eq=False, slots=True)
class Went:
    """A message that Twilio was asked to send, or may have been. `gone` until it is known that it did not go."""

    owed: Owed
    at: datetime
    by_template: bool
    gone: bool = True


def _one_act(one: Line, other: Line) -> bool:
    """Said of several purposes at once: in one message, or by others than the learner for one moment."""
    same = (one[0], one[3]) == (other[0], other[3])
    return same and (one[1] == other[1] or bool(one[4] and other[4]))


def verdict(owed: Owed, now: datetime, went: Sequence[Went], approved: Iterable[str]) -> tuple[str | None, Until]:
    """Why it may not go now (D01's order), and until when; (None, None) where it may."""
    reason = _for_good(owed, now, went)
    if reason is None and now >= owed.best_before:
        reason = "STALE"
    if reason == "OPTED_OUT" and owed.human.state(owed.purpose) == "paused" and now + LOOK_AGAIN < owed.best_before:
        return reason, now + LOOK_AGAIN  # they were asked what they meant
    if reason is not None:
        return reason, None
    reason, until = _for_now(owed, now, went, approved)
    return ("STALE", None) if until is not None and until >= owed.best_before else (reason, until)


def open_at(owed: Owed, now: datetime) -> bool:
    """Is it a time of day for this? 8 to 8 in London; opportunities 9 to 6 on weekdays."""
    there = now.astimezone(LONDON)
    if owed.purpose == "marketing":
        return there.isoweekday() <= 5 and time(9) <= there.time() < time(18)
    return time(8) <= there.time() < time(20)


def six_months_after(end: date) -> date:
    """The last day of our company: the same day of the month, or the last there is."""
    months = end.month + 6
    year, month = (end.year, months) if months <= 12 else (end.year + 1, months - 12)
    for day in range(end.day, 0, -1):
        try:
            return date(year, month, day)
        except ValueError:
            continue
    raise AssertionError(end)


def _for_good(owed: Owed, now: datetime, went: Sequence[Went]) -> str | None:  # noqa: PLR0911 (one for each rule)
    unasked, human = owed.purpose not in NO_ASKING, owed.human
    if owed.phone.disowned and (unasked or owed.phone.disowned_at > owed.written):
        return "WRONG_NUMBER"
    if owed.phone.owner is not human:
        return "WRONG_NUMBER"
    if human.held and owed.purpose not in ("safety", "staff") and not owed.confirms:
        return "SAFEGUARDING_HOLD"
    if not unasked:
        return None
    if human.state(owed.purpose) != "given":
        if human.state("service") in OFF:
            return "OPTED_OUT"
        if owed.purpose == "marketing":
            return "MARKETING_NOT_CONSENTED"
        return "OPTED_OUT" if human.state(owed.purpose) in OFF else "NO_CONSENT"
    today = now.astimezone(LONDON).date()
    kept = [today <= six_months_after(end) if end else owed.purpose == "service" for end in human.ends]
    if not any(kept):
        return "PAST_6_MONTHS"
    if owed.phone.dead:
        return "BLOCKED_BY_USER"
    return "NO_RESPONSE" if owed.purpose == "checkin" and _silences(human, went) >= 2 else None


def _silences(human: Human, went: Sequence[Went]) -> int:
    """Check-ins since they last wrote from any of their numbers."""
    wrote = max((phone.wrote for phone in human.phones if phone.wrote), default=None)
    mine = [one for one in went if one.owed.human is human and one.owed.purpose == "checkin" and one.gone]
    return len([one for one in mine if wrote is None or one.at > wrote])


def _for_now(owed: Owed, now: datetime, went: Sequence[Went], approved: Iterable[str]) -> tuple[str | None, Until]:
    if owed.purpose not in ("reply", "safety") and not owed.urgent and not open_at(owed, now):
        return "QUIET_HOURS", _opening(owed, now)
    if owed.counts and (until := _capped(owed, now, went)):
        return "FREQUENCY_CAP", until
    shut = not owed.phone.is_open(now)
    if shut and owed.template not in approved:
        waits = owed.template is not None and owed.purpose not in NO_ASKING  # for WhatsApp to approve it
        return "WINDOW_CLOSED_NO_TEMPLATE", now + LOOK_AGAIN if waits else None
    if shut and owed.purpose not in NO_ASKING and (until := _out_of_reach(owed, now, went)):
        return "REACH_LIMIT", until
    if owed.purpose != "safety" and owed.phone.owes(now) > ROOM - PER_MESSAGE:
        return "PAIR_LIMIT", now + owed.phone.owes(now) - (ROOM - PER_MESSAGE)
    return None, None


def _opening(owed: Owed, after: datetime) -> datetime:
    """The next quarter of an hour, by looking at each, at which it is a time of day for this."""
    at = datetime.fromtimestamp((after.timestamp() // 900 + 1) * 900, UTC)
    while not open_at(owed, at):
        at += QUARTER
    return at


def _capped(owed: Owed, now: datetime, went: Sequence[Went]) -> Until:
    """The opening of the first day with room: none that day, and not three in the seven days that end with it."""
    mine = [one for one in went if one.owed.human is owed.human and one.owed.counts and one.gone]
    days = [one.at.astimezone(LONDON).date() for one in mine]
    today = day = now.astimezone(LONDON).date()
    while day in days or len([one for one in days if day - 6 * DAY <= one <= day]) >= 3:
        day += DAY
    if day == today:
        return None
    midnight = datetime.combine(day, time(), LONDON).astimezone(UTC)
    return midnight if open_at(owed, midnight) else _opening(owed, midnight)


def _out_of_reach(owed: Owed, now: datetime, went: Sequence[Went]) -> Until:
    last: dict[Phone, datetime] = {}
    for one in went:
        if one.by_template and one.gone and one.at > now - DAY:
            last[one.owed.phone] = max(one.at, last.get(one.owed.phone, one.at))
    if owed.phone in last or len(last) < REACH:
        return None
    return sorted(last.values(), reverse=True)[REACH - 1] + DAY
