"""Jobs, markets, grants and courses: asked for, they are an answer; what comes by itself needs a yes of its own (P18)."""

from __future__ import annotations

from collections.abc import Mapping

from actions.consent import WHETHER_MARKETING
from actions.office import pass_on
from bot.effects import Ask, ChooseInterests, Effect, say
from bot.turn import Interest, Turn

TOPICS: Mapping[str, tuple[Interest, ...]] = {
    "1": ("jobs",),
    "2": ("clients",),
    "3": ("grants",),
    "4": ("courses",),
    "5": ("jobs", "clients", "grants", "courses"),
}
WHICH = Ask("interests", say("opportunities.which"), dict.fromkeys(TOPICS, "choose_interests"))


def ask_opportunities(turn: Turn) -> list[Effect]:
    """Asked for, so the office answers it and it is no marketing. Then one question about what may come by itself (P18).

    Nothing is offered that the gate would refuse: to who said no to everything, or half a year after the last course (P03).
    """
    passed = pass_on(turn, "ask_opportunities")
    if not turn.person.known or turn.opted_out or not turn.in_company:
        return passed
    return [*passed, WHICH if turn.consent.get("marketing") == "given" else WHETHER_MARKETING]


def choose_interests(turn: Turn) -> list[Effect]:
    """What they want to hear about, by its number. It is no yes to marketing: that has a question of its own (L12)."""
    if turn.opted_out:
        return [say("consent.stays_off")]
    if turn.consent.get("marketing") != "given":
        return [WHETHER_MARKETING]
    topics = TOPICS.get(turn.answer)
    if topics is None:
        return [WHICH]
    chosen = topics[0] if len(topics) == 1 else "all"
    return [ChooseInterests(topics), say(f"opportunities.{chosen}_chosen")]
