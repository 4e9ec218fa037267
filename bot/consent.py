"""What a person agrees to now, read from everything they ever said (design section 6). Pure: the ledger is the argument."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Literal

from bot.turn import CONSENTABLE, TAKEN_BACK, Consentable, ConsentState

No = tuple[Consentable, datetime]  # to what, since when
Action = Literal["give", "refuse", "withdraw", "pause", "resume", "undo"]
STATES: dict[str, ConsentState] = {"give": "given", "refuse": "refused", "withdraw": "withdrawn", "pause": "paused"}
NOS: tuple[Action, ...] = ("withdraw", "pause")
UNDOES: dict[str, ConsentState] = {"resume": "paused", "undo": "withdrawn"}  # the end of a pause; START after STOP


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the ledger. `at` is when it took effect, aware UTC; `order` is the order of recording.

    `inbound_id` is the message that said it; what one message says at one moment, or staff for one moment, is one act.
    """

    purpose: str
    action: str
    at: datetime
    order: int
    inbound_id: int | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """By what a purpose was taken back: its place in the ledger, and whether it took the lessons (`service`) with it."""

    place: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """One purpose now: its state, since when, and how it stood before it was last taken back, and by what it was."""

    state: ConsentState
    since: datetime | None = None
    before: ConsentState = "never_asked"
    taken_by: Act | None = None


def standing(events: Iterable[Event]) -> dict[Consentable, Standing]:
    """Where each purpose stands. An older declaration recorded later changes nothing that came after it was signed."""
    now: dict[Consentable, Standing] = {purpose: Standing("never_asked") for purpose in CONSENTABLE}
    acts = groupby(sorted(events, key=lambda one: (one.at, one.order)), key=lambda one: (one.at, one.inbound_id, one.action))
    for place, (_, lines) in enumerate(acts):
        said = list(lines)
        act = Act(place, whole=any(event.purpose == "service" for event in said))
        for event in said:
            for purpose in CONSENTABLE:
                if purpose == event.purpose:
                    now[purpose] = _after(now[purpose], event, act)
    return now


def restorable(now: dict[Consentable, Standing], purposes: tuple[Consentable, ...]) -> tuple[Consentable, ...]:
    """Those of `purposes` that START gives back: given before they were paused, or stopped with all the rest.

    What was stopped by its own name, before everything was or after it, stays off until a yes of its own.
    """
    given = [p for p in purposes if now[p].state in TAKEN_BACK and now[p].before == "given"]
    return tuple(p for p in given if now[p].state == "paused" or _stopped_with_the_rest(now, p))


def undoable(now: dict[Consentable, Standing], purposes: tuple[Consentable, ...]) -> tuple[Consentable, ...]:
    """Those of `purposes` that had not been given when everything was stopped: after START they are as little given."""
    off = [p for p in purposes if now[p].state == "withdrawn" and now[p].before != "given"]
    return tuple(p for p in off if _stopped_with_the_rest(now, p))


def unheard(events: Iterable[Event], nos: Iterable[No]) -> tuple[No, ...]:
    """Of the `nos` of somebody's number, those that their ledger does not hold (L06)."""
    heard = {(event.purpose, event.at) for event in events if event.action in NOS}
    return tuple(no for no in dict.fromkeys(nos) if no not in heard)


def suppressed(now: dict[Consentable, Standing]) -> dict[Consentable, datetime | None]:
    """Since when each purpose is to be suppressed on the person's numbers; None: not. What nobody spoke of is left out."""
    spoken_of = {purpose: one for purpose, one in now.items() if one.since is not None}
    return {purpose: one.since if one.state in TAKEN_BACK else None for purpose, one in spoken_of.items()}


def _stopped_with_the_rest(now: dict[Consentable, Standing], purpose: Consentable) -> bool:
    """Did the stop that took the lessons, or a later one of everything, take this too? (design section 6)"""
    mine, lessons = now[purpose].taken_by, now["service"].taken_by
    return mine is not None and lessons is not None and mine.whole and mine.place >= lessons.place


def _after(old: Standing, event: Event, act: Act) -> Standing:
    if event.action == "pause" and old.state == "withdrawn":
        return old  # what is off stays off: a NO to our question must not give it back
    if event.action in UNDOES:  # it stands as it stood
        return Standing(old.before, event.at) if old.state == UNDOES[event.action] else old
    if event.action not in NOS:
        return Standing(STATES[event.action], event.at, old.before if old.state in TAKEN_BACK else old.state)
    if old.state not in TAKEN_BACK:
        return Standing(STATES[event.action], event.at, old.state, act)
    return Standing(STATES[event.action], event.at, old.before, old.taken_by if act.whole else act)  # its own name counts
