"""Makes one reply of what several handlers want to say: at most one question, and safety silences the rest. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.effects import (
    AlertSafeguarding,
    Ask,
    Effect,
    Grant,
    Pause,
    Restore,
    Resume,
    Say,
    TellMoved,
    WarnPrivacy,
    Withdraw,
    say,
)
from bot.turn import Turn

WARN_AGAIN_AFTER = timedelta(minutes=10)  # D15
SAFETY_FAMILY = "safety."
MENU = "menu"
HOW_IT_STANDS = ("opt_out", "opt_in")  # these questions say themselves that messages are off
AFTER_LEAVING = Ask("left_group", say("consent.left_group"), {"yes": "opt_in_after_leaving", "no": "stay_out"})


@dataclass(frozen=True, slots=True)
class Composed:
    """What a turn comes to: messages to send (each of one or more texts), a question left open, things to do."""

    messages: tuple[tuple[Say, ...], ...] = ()
    ask: Ask | None = None
    effects: tuple[Effect, ...] = ()


def compose(turn: Turn, wanted: Sequence[Sequence[Effect]]) -> Composed:
    """One outcome from the effects of each handler, given in order of importance."""
    effects: list[Effect] = []
    for effect in (each for one in wanted for each in one):
        if effect not in effects:
            effects.append(effect)
    doing = tuple(e for e in effects if not isinstance(e, Say | Ask))
    says = [e for e in effects if isinstance(e, Say)]
    if turn.message.answered_by_twilio:
        return Composed(effects=doing)
    if any(isinstance(e, AlertSafeguarding) for e in doing):
        return Composed(tuple((s,) for s in says if s.key.startswith(SAFETY_FAMILY)), None, doing)
    return _one_message(turn, says, next((e for e in effects if isinstance(e, Ask)), None), doing)


def _one_message(turn: Turn, says: list[Say], ask: Ask | None, doing: tuple[Effect, ...]) -> Composed:
    texts = [*says, *([ask.say] if ask else [])]
    if _after_leaving(turn, texts, ask, doing):
        texts.append(AFTER_LEAVING.say)
        ask = replace(AFTER_LEAVING, options={**(ask.options if ask else {}), **AFTER_LEAVING.options})
    elif _still_opted_out(turn, texts, doing) and not (ask and ask.question in HOW_IT_STANDS):
        texts.append(say("consent.still_opted_out"))
    if turn.number_moved and texts and not _changes(doing) and not turn.on_hold:
        texts.insert(0, say("consent.number_moved"))
        doing = (*doing, TellMoved())
    if _warn(turn):
        texts.insert(0, say("privacy.hidden"))
        doing = (*doing, WarnPrivacy())
    return Composed((tuple(texts),) if texts else (), ask, doing)


def _still_opted_out(turn: Turn, texts: list[Say], doing: tuple[Effect, ...]) -> bool:
    """D04: whoever opted out and writes is answered, and reminded of how to come back."""
    return turn.opted_out and bool(texts) and not _changes(doing) and not turn.on_hold


def _after_leaving(turn: Turn, texts: list[Say], ask: Ask | None, doing: tuple[Effect, ...]) -> bool:
    """P09: whoever left the group is asked once whether they still want reminders. The menu's numbers go on counting."""
    free = ask is None or ask.question == MENU
    return turn.left_group and free and _still_opted_out(turn, texts, doing)


def _changes(doing: tuple[Effect, ...]) -> bool:
    return any(isinstance(e, Withdraw | Pause | Resume | Restore | Grant) for e in doing)


def _warn(turn: Turn) -> bool:
    lately = turn.warned_at is not None and turn.now - turn.warned_at < WARN_AGAIN_AFTER
    return bool(turn.message.masked) and not lately
