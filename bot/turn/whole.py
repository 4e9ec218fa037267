"""A turn: everything that may be known about one message and its writer, loaded before anything is decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.turn.values import Agreement, Coming, Enrolment, Heard, Lesson, Message, Order, Parse, Pending, Person, Phone, Wish
from bot.turn.words import TAKEN_BACK, Consentable, ConsentState, ReminderChoice


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything a handler may know about one message and the person who sent it."""

    message: Message
    person: Person
    now: datetime
    parse: Parse | None = None
    heard: tuple[Heard, ...] = ()
    says_all: bool = False  # the words say no to lessons, or to all but jobs, whatever part of it the model hears
    wish: Wish | None = None  # what the words ask of our own messages
    enrolments: tuple[Enrolment, ...] = ()
    in_company: bool = False  # within six months of a course of theirs: the gate would let an opportunity through (P03)
    lessons: tuple[Lesson, ...] = ()
    quoted: Lesson | None = None  # of which the message of ours speaks that they reply to: a reminder's LATE and ABSENT
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
    reminders: ReminderChoice = ""  # their own choice of lesson reminders
    quiet_until: datetime | None = None  # no lesson reminders before this
    coming: tuple[Coming, ...] = ()  # what is planned for them and may go, soonest first; read where they ask for it
    checked_in: bool = False  # a check-in of ours waits for their answer
    orders: tuple[Order, ...] = ()  # what a trainer's message orders, one for each lesson that it may mean
    nlu_away: bool = False  # Rasa has been away for a minute: a person takes over

    @property
    def opted_out(self) -> bool:
        """True when the person has said no to everything (D04): answered, never written to first."""
        return self.consent.get("service") in TAKEN_BACK
