"""Makes one reply of what several handlers want to say: at most one question, and safety silences the rest. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.effects import AlertSafeguarding, Ask, Effect, Grant, Pause, Restore, Resume, Say, WarnPrivacy, Withdraw, say
from bot.turn import Turn

WARN_AGAIN_AFTER = timedelta(minutes=10)  # D15
SAFETY_FAMILY = "safety."


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
    if _still_opted_out(turn, texts, doing):
        texts.append(say("consent.still_opted_out"))
    if _warn(turn):
        texts.insert(0, say("privacy.hidden"))
        doing = (*doing, WarnPrivacy())
    return Composed((tuple(texts),) if texts else (), ask, doing)


def _still_opted_out(turn: Turn, texts: list[Say], doing: tuple[Effect, ...]) -> bool:
    """D04: whoever opted out and writes is answered, and reminded of how to come back."""
    changes = any(isinstance(e, Withdraw | Pause | Resume | Restore | Grant) for e in doing)
    return turn.opted_out and bool(texts) and not changes and not turn.on_hold


def _warn(turn: Turn) -> bool:
    lately = turn.warned_at is not None and turn.now - turn.warned_at < WARN_AGAIN_AFTER
    return bool(turn.message.masked) and not lately
