"""Frozen values of one turn: the message, who wrote it, what is known of them, and what we asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from bot.turn.words import Consentable, Kind, NoticeKind, Plan, WishKind

LONGEST_DELAY = 240  # minutes that a lesson may begin late; what is later than that is a move, and the office's
PENDING_LASTS = timedelta(hours=24)  # how long a question of ours may be answered


class NluAway(Exception):
    """Rasa did not answer. The message waits; it was not the message's fault."""


@dataclass(frozen=True, slots=True)
class Media:
    """A file that came with a message: where Twilio keeps it, and the type its sender claims."""

    url: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Message:
    """One inbound message as it was stored: personal details are already masked in `text`."""

    sid: str
    kind: Kind
    text: str
    received_at: datetime
    media: tuple[Media, ...] = ()
    button: str = ""
    quoted_sid: str = ""
    forwarded: bool = False
    masked: tuple[str, ...] = ()
    answered_by_twilio: str = ""  # STOP, START or HELP: Advanced Opt-Out took it and has replied already


@dataclass(frozen=True, slots=True)
class Parse:
    """What Rasa heard: the likeliest intent, how sure it is (0 to 1), and the runners-up, best first."""

    intent: str
    confidence: float
    ranking: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing the safety rules heard without any model.

    `sure` is False where the words may mean it: then the assistant pauses first and asks second (D02).
    `flags` for a disclosure: `immediate`, `watched`, `domestic`, `about_other`, `about_staff`, `secrecy`.
    `flags` for an opting-out: `for_other`.
    """

    intent: str
    decided_by: Literal["exact", "rule"]
    sure: bool = True
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Person:
    """Who is writing. `known` is True for learners and staff on file; a stranger gets public answers only (P01)."""

    id: int
    known: bool = False
    first_name: str = ""
    language: str = "en"
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson still to come or under way, of a course the person learns on or teaches."""

    code: str
    course: str
    title: str
    starts_at: datetime
    ends_at: datetime
    place: str = ""
    link: str = ""
    cancelled: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True)
class Order:
    """A trainer's order about one lesson (its code), as it stood at `version`: what to tell, and how many it reaches.

    `minutes` of a delay; `words` are a new place, a link, or what the trouble is. `lesson` is empty where none fits;
    `trouble` says why it cannot be carried out, for whoever ordered it.
    """

    kind: NoticeKind
    lesson: str
    version: int
    minutes: int = 0
    words: str = ""
    reached: int = 0
    unreached: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Coming:
    """A message that is planned for the person and may go: what it is, when (aware UTC), and about what."""

    plan: Plan
    due_at: datetime
    about: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the words ask of our own messages, heard without any model: which reminders of lessons, none for a time (P12).

    `unclear` is a wish about reminders that does not say which; `until` (aware UTC) belongs to `quiet`.
    """

    kind: WishKind
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The person's place on a course; `trainer` is the first name of the trainer who leads it."""

    course: str
    name: str
    cohort: str
    starts_on: date
    ends_on: date | None
    trainer: str = ""
    group_link: str = ""
    hour_before: bool = False  # its lessons are reminded of an hour before, too


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone number that somebody named, and whether they may move to it (D10).

    `whose`: `free` nobody has written from it; `met` a bare stranger has; `theirs` already; `taken` a person must check.
    """

    value: str  # E.164
    shown: str  # as people write it
    whose: Literal["free", "met", "theirs", "taken"]
    alone: bool = False  # the message says hardly anything else


@dataclass(frozen=True, slots=True)
class Agreement:
    """When and how a person said yes to one purpose, in which version of the words, and whether it holds today (P11)."""

    purpose: Consentable
    on: date  # the day in London
    how: Literal["declaration", "chat", "staff"]
    wording: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Pending:
    """The one question we have asked and not had answered. `options` maps what may be answered to an intent."""

    question: str
    options: Mapping[str, str]
    asked_at: datetime
    lasts: timedelta = PENDING_LASTS
    about: str = ""  # the number that a question about a number names (E.164), or the orders it is about, packed

    def open_at(self, now: datetime) -> bool:
        """True while an answer given at `now` still counts."""
        return now < self.asked_at + self.lasts
