"""What a person agrees to now, read from everything they ever said (design section 6). Pure: the ledger is the argument."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.turn import CONSENTABLE, TAKEN_BACK, Consentable, ConsentState

No = tuple[Consentable, datetime]  # to what, since when
Action = Literal["give", "refuse", "withdraw", "pause", "resume", "undo"]
STATES: dict[str, ConsentState] = {"give": "given", "refuse": "refused", "withdraw": "withdrawn", "pause": "paused"}
NOS: tuple[Action, ...] = ("withdraw", "pause")
UNDOES: dict[str, ConsentState] = {"resume": "paused", "undo": "withdrawn"}  # the end of a pause; START after STOP


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the ledger. `at` is when it took effect, aware UTC; `order` is the order of recording."""

    purpose: str
    action: str
    at: datetime
    order: int


@dataclass(frozen=True, slots=True)
class Standing:
    """One purpose now: its state, since when, and how it stood before it was last taken back."""

    state: ConsentState
    since: datetime | None = None
    before: ConsentState = "never_asked"


def standing(events: Iterable[Event]) -> dict[Consentable, Standing]:
    """Where each purpose stands. An older declaration recorded later changes nothing that came after it was signed."""
    now: dict[Consentable, Standing] = {purpose: Standing("never_asked") for purpose in CONSENTABLE}
    for event in sorted(events, key=lambda one: (one.at, one.order)):
        for purpose in CONSENTABLE:
            if purpose == event.purpose:
                now[purpose] = _after(now[purpose], event)
    return now


def restorable(now: dict[Consentable, Standing], purposes: tuple[Consentable, ...]) -> tuple[Consentable, ...]:
    """Those of `purposes` that were given before they were withdrawn or paused: what START gives back."""
    return tuple(p for p in purposes if now[p].state in TAKEN_BACK and now[p].before == "given")


def unheard(events: Iterable[Event], nos: Iterable[No]) -> tuple[No, ...]:
    """Of the `nos` of somebody's number, those that their ledger does not hold (L06)."""
    heard = {(event.purpose, event.at) for event in events if event.action in NOS}
    return tuple(no for no in dict.fromkeys(nos) if no not in heard)


def suppressed(now: dict[Consentable, Standing]) -> dict[Consentable, datetime | None]:
    """Since when each purpose is to be suppressed on the person's numbers; None: not. What nobody spoke of is left out."""
    spoken_of = {purpose: one for purpose, one in now.items() if one.since is not None}
    return {purpose: one.since if one.state in TAKEN_BACK else None for purpose, one in spoken_of.items()}


def _after(old: Standing, event: Event) -> Standing:
    if event.action == "pause" and old.state == "withdrawn":
        return old  # what is off stays off: a NO to our question must not give it back
    if event.action in UNDOES:  # it stands as it stood
        return Standing(old.before, event.at) if old.state == UNDOES[event.action] else old
    before = old.before if old.state in TAKEN_BACK else old.state
    return Standing(STATES[event.action], event.at, before)
