"""When nothing was understood for sure: a menu, two guesses, and then a person (D16)."""

from __future__ import annotations

from actions.smalltalk import menu
from bot.effects import Ask, Effect, NotUnderstood, OpenCase, say
from bot.turn import Turn

# Never offered as a guess: courtesies, and the person who is the third choice anyway.
NEVER_OFFERED = frozenset(
    {
        "greet",
        "thanks",
        "goodbye",
        "affirm",
        "deny",
        "help",
        "bot_challenge",
        "out_of_scope",
        "request_human",
        "nlu_fallback",
    }
)


def not_understood(turn: Turn) -> list[Effect]:
    """First the menu; from the second running on, a person (F27). A stranger is asked whether they want one."""
    if turn.misses < 1:
        return [NotUnderstood(), menu(turn, "fallback.not_understood")]
    if turn.person.known:
        return [NotUnderstood(), OpenCase("not_understood"), say("fallback.not_understood_again")]
    question = say("fallback.not_understood_again_stranger")
    return [NotUnderstood(), Ask("person", question, {"yes": "request_human", "no": "deny"})]


def unsure(turn: Turn) -> list[Effect]:
    """The two likeliest meanings and a person, as numbered choices."""
    offered = _offered(turn)
    if len(offered) < 2:
        return not_understood(turn)
    first, second = offered[:2]
    question = say("fallback.unsure", first=first, second=second)
    return [NotUnderstood(), Ask("unsure", question, {"1": first, "2": second, "3": "request_human"})]


def nlu_away(turn: Turn) -> list[Effect]:
    """Rasa is down: said once in an outage, and a person will see all that was written (F31)."""
    if "nlu_away" in turn.open_cases:
        return [OpenCase("nlu_away")]
    return [OpenCase("nlu_away"), say("fallback.nlu_away")]


def _offered(turn: Turn) -> list[str]:
    if turn.parse is None:
        return []
    heard = dict.fromkeys([turn.parse.intent, *(intent for intent, _ in turn.parse.ranking)])
    return [intent for intent in heard if intent not in NEVER_OFFERED]
