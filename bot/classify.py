"""Reads a text as one message alone would be taken from an enrolled learner with every consent and nothing pending."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.compose import Composed
from bot.conversation import Mind, decide, effect_names, hear
from bot.routing import SHOWN_AS, Choice
from bot.safety import mask, may_mean_all, read_wish, screen
from bot.turn import CONSENTABLE, DecidedBy, Enrolment, Lesson, Message, Person, Turn


@dataclass(frozen=True, slots=True)
class Reading:
    """What was heard in a text: names as people write them (`faq/leave_group`), and the effects it would have."""

    text: str
    intent: str
    confidence: float
    decided_by: DecidedBy
    also: tuple[str, ...]
    offered: tuple[str, ...]
    effects: tuple[str, ...]


def classify(text: str, mind: Mind, now: datetime) -> Reading:
    """Read one text. Raises NluAway where Rasa is needed and does not answer."""
    masked = mask(text)
    turn = _turn(masked.text, masked.kinds, mind, now)
    choice, composed = decide(replace(turn, parse=hear(turn, mind)), mind)
    also = tuple(shown(SHOWN_AS.get(name, name)) for name in choice.handlers[1:])
    return Reading(
        text=masked.text,
        intent=shown(choice.intent),
        confidence=round(choice.confidence, 4),
        decided_by=choice.decided_by,
        also=also,
        offered=_offered(choice, composed),
        effects=tuple(effect_names(composed)),
    )


def _offered(choice: Choice, composed: Composed) -> tuple[str, ...]:
    """The guesses among the numbered choices; the person, who is always one of them, is not a guess."""
    if choice.handlers != ("unsure",) or composed.ask is None:
        return ()
    return tuple(shown(name) for name in composed.ask.options.values() if name != "request_human")


def shown(intent: str) -> str:
    """An intent as people write it: `faq_leave_group` is `faq/leave_group`."""
    return intent.replace("faq_", "faq/", 1) if intent.startswith("faq_") else intent


def _turn(text: str, masked: tuple[str, ...], mind: Mind, now: datetime) -> Turn:
    message = Message(sid="", kind="text" if text.strip() else "empty", text=text.strip(), received_at=now, masked=masked)
    course = Enrolment("COURSE", "the course", "cohort", now.date(), None)
    lesson = Lesson("LESSON", "the course", "the lesson", now + timedelta(days=1), now + timedelta(days=1, hours=2))
    return Turn(
        message=message,
        person=Person(0, known=True),
        now=now,
        heard=screen(message.text, mind.lexicon),
        says_all=may_mean_all(message.text, mind.lexicon),
        wish=read_wish(message.text, mind.lexicon, now),
        enrolments=(course,),
        lessons=(lesson,),
        consent=dict.fromkeys(CONSENTABLE, "given"),
    )
