"""What the assistant does not do by itself goes to people: a case for the office, and words that say so truthfully."""

from __future__ import annotations

from bot.effects import Effect, OpenCase, say
from bot.turn import Turn

# Rights, complaints and a way to a person are owed to anybody; the rest needs somebody we know (P01, L05, L07, L17).
ANYONE_MAY_ASK = frozenset(
    {
        "accessibility_request",
        "change_number",
        "complaint",
        "data_access_request",
        "data_correction",
        "data_erasure_request",
    }
)


def pass_on(turn: Turn, kind: str, text: str = "office.passed_on") -> list[Effect]:
    """Open a case of this kind and say so. A stranger is told nothing but how to reach the office (P01)."""
    if turn.person.known:
        return [OpenCase(kind), say(text)]
    if kind in ANYONE_MAY_ASK:
        return [OpenCase(kind), say("office.passed_on_stranger")]
    return [say("office.not_on_list")]


def ask_admin(turn: Turn) -> list[Effect]:
    """Fees, certificates, letters, enrolment: the office answers, never the assistant."""
    return pass_on(turn, "ask_admin")


def request_human(turn: Turn) -> list[Effect]:
    """A person on request, in one step and for anybody (D16, L17). It does not promise to stay silent meanwhile."""
    text = "office.human" if turn.person.known else "office.human_stranger"
    return [OpenCase("request_human"), say(text)]


def complaint(turn: Turn) -> list[Effect]:
    """A complaint, formal or not, is a case from the first word (L07)."""
    return pass_on(turn, "complaint", "office.complaint")
