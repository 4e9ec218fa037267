"""What one turn may know: frozen values, loaded before anything is decided and never changed after.

Every time is aware and in UTC. Handlers in `actions` see these values and nothing else (design section 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

Kind = Literal[
    "text",
    "picture",
    "document",
    "video",
    "voice",
    "sticker",
    "location",
    "contact",
    "button",
    "list",
    "unsupported",
    "empty",
]
Purpose = Literal["reply", "safety", "staff", "service", "checkin", "marketing"]
Use = Literal[  # what the policy lets us write first about (P12 to P19); "" for answers
    "",
    "lesson_reminder",
    "course_update",
    "technical_or_delay",
    "visual_work",
    "question",
    "collaboration",
    "encouragement",
    "opportunity",
    "keeping_in_touch",
    "staff",
]
Consentable = Literal["service", "checkin", "marketing"]
ConsentState = Literal["given", "refused", "withdrawn", "paused", "never_asked"]
DecidedBy = Literal["exact", "rule", "model", "fallback"]

CONSENTABLE: tuple[Consentable, ...] = ("service", "checkin", "marketing")
TAKEN_BACK: tuple[ConsentState, ...] = ("withdrawn", "paused")


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
    about: str = ""  # the number that a question about a number names, in E.164

    def open_at(self, now: datetime) -> bool:
        """True while an answer given at `now` still counts."""
        return now < self.asked_at + self.lasts


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything a handler may know about one message and the person who sent it."""

    message: Message
    person: Person
    now: datetime
    parse: Parse | None = None
    heard: tuple[Heard, ...] = ()
    says_all: bool = False  # the words say no to lessons, or to all but jobs, whatever part of it the model hears
    enrolments: tuple[Enrolment, ...] = ()
    lessons: tuple[Lesson, ...] = ()
    pending: Pending | None = None
    answer: str = ""  # the option of `pending` that this message chose, if it chose one
    consent: Mapping[Consentable, ConsentState] = field(default_factory=dict)
    restorable: frozenset[Consentable] = frozenset()  # what START would give back: given before it was taken back
    withdrawn_at: datetime | None = None  # of `service`, while it is withdrawn
    misses: int = 0  # messages running, before this one, that were not understood
    warned_at: datetime | None = None  # last warning about personal details (at most one in 10 minutes, D15)
    open_cases: frozenset[str] = frozenset()  # kinds of case of this person that are waiting for staff
    on_hold: bool = False  # after a disclosure, until the safeguarding lead releases (D07)
    watched: bool = False  # the disclosure said that somebody else reads this phone (D08)
    alerted: bool = False  # an alert of the open disclosure went out: somebody knows
    held_lately: bool = False  # a safety reply went to them in the last ten minutes: saying it again helps nobody
    overtaken: bool = False  # a later message of theirs has opted out already: this one re-opens nothing
    phone: Phone | None = None  # the one phone number that a learner's message names
    phone_asked: Phone | None = None  # the one that the pending question is about
    number_moved: bool = False  # they wrote from the new number that they told us of, and have not been told so
    left_group: bool = False  # staff stopped their messages because they left the group, and nobody asked them since (P09)
    agreed: tuple[Agreement, ...] = ()
    rules_url: str = ""  # where the group rules are read
    nlu_away: bool = False  # Rasa has been away for a minute: a person takes over

    @property
    def opted_out(self) -> bool:
        """True when the person has said no to everything (D04): answered, never written to first."""
        return self.consent.get("service") in TAKEN_BACK
