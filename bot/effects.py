"""What a turn may do: a closed union of frozen values. Actions return them; `apply` alone carries them out.

A new effect needs a sentence in an ADR (house style): the fewer there are, the easier a turn is to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from bot.turn import CheckInOutcome, Consentable, Interest, Order, ReminderChoice

Value = str | int | date | datetime


@dataclass(frozen=True, slots=True)
class Say:
    """A text by its key in `bot/texts`, with the values it names. Times are UTC; the text shows London time."""

    key: str
    values: tuple[tuple[str, Value], ...] = ()
    purpose: Literal["reply", "safety"] = "reply"


@dataclass(frozen=True, slots=True)
class Ask:
    """A text that is a question, and what each answer leads to (an answer in lower case -> an intent)."""

    question: str
    say: Say
    options: Mapping[str, str] = field(default_factory=dict)
    about: str = ""  # the number that the question is about, in E.164, or the orders, packed


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Opt out of these purposes, for every number and identity of the person; what was planned is cancelled (D03)."""

    purposes: tuple[Consentable, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Hold everything proactive while we ask whether they meant to opt out (D02); silence leaves it so."""


@dataclass(frozen=True, slots=True)
class Resume:
    """They did not mean to opt out: the pause ends, and every purpose stands as it stood."""


@dataclass(frozen=True, slots=True)
class Restore:
    """START: any pause or stop of these purposes is undone. What was given before is given again, and nothing more."""

    purposes: tuple[Consentable, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A yes of the person's own, to these purposes, in chat."""

    purposes: tuple[Consentable, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Disown:
    """The number is not the learner's: from now on it is a stranger's, and nobody writes to it first (D11)."""


@dataclass(frozen=True, slots=True)
class MoveNumber:
    """From now on the person's phone is this one (E.164): at once if it has written to us, else when it first does (D10)."""

    value: str


@dataclass(frozen=True, slots=True)
class TellMoved:
    """The new phone is being told that their messages come to it: once is enough."""


@dataclass(frozen=True, slots=True)
class Invite:
    """They have the link to the groups of these courses (codes), because they asked for it (P06)."""

    courses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeclineInvitation:
    """They do not want to join: no invitation of theirs is sent again (P07)."""


@dataclass(frozen=True, slots=True)
class ChooseReminders:
    """Their own wish: which reminders of lessons (day, both, hour, none), or none before a moment (aware UTC; P12)."""

    which: ReminderChoice = ""
    quiet_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordCheckIn:
    """What they said to the last check-in (P19)."""

    outcome: CheckInOutcome


@dataclass(frozen=True, slots=True)
class ChooseInterests:
    """What they want to hear about, by their own word; it takes the place of what they chose before (P18)."""

    topics: tuple[Interest, ...]


@dataclass(frozen=True, slots=True)
class Announce:
    """Carry out what a trainer ordered of a lesson, and tell everybody concerned (P13)."""

    order: Order


@dataclass(frozen=True, slots=True)
class OpenCase:
    """Something for the office to do. `kind` is the intent that led to it; one open case of a kind is enough."""

    kind: str
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class AlertSafeguarding:
    """Tell the safeguarding contacts now, and hold automatic messages where it is sure (D06, D07).

    `if_told` is what the person reads once an alert went out, `if_not_told` what they read when none could; each in
    one message, so that nothing of it can overtake the rest.
    """

    flags: frozenset[str]
    holds: bool  # where it is only suspected, staff look at it and the rest goes on
    if_told: tuple[Say, ...]
    if_not_told: tuple[Say, ...]


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """This message was not understood; the second one running brings a person in (D16)."""


@dataclass(frozen=True, slots=True)
class WarnPrivacy:
    """The person has been told that personal details were hidden; once in ten minutes is enough (D15)."""


Effect = (
    Say
    | Ask
    | Withdraw
    | Pause
    | Resume
    | Restore
    | Grant
    | Disown
    | MoveNumber
    | TellMoved
    | Invite
    | DeclineInvitation
    | ChooseReminders
    | RecordCheckIn
    | ChooseInterests
    | Announce
    | OpenCase
    | AlertSafeguarding
    | NotUnderstood
    | WarnPrivacy
)


def say(key: str, **values: Value) -> Say:
    """A text by key: `say("faq.contact")`."""
    return Say(key, tuple(sorted(values.items())))


def say_safety(key: str, **values: Value) -> Say:
    """A text that no rule but an open window may hold back: for people at risk, and to confirm an opting-out."""
    return Say(key, tuple(sorted(values.items())), "safety")
