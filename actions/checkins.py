"""How somebody is doing: said after a check-in of ours it is an outcome; good news is theirs, bad news is for a person."""

from __future__ import annotations

from actions.office import pass_on
from bot.effects import Ask, Effect, OpenCase, RecordCheckIn, say
from bot.turn import Turn

CASE = "checkin_negative"
CALL_OR_HERE = Ask(
    "call_or_here",
    say("checkins.call_or_here"),
    {"call": "checkin_call", "here": "checkin_here", "1": "checkin_call", "2": "checkin_here"},
)


def well(turn: Turn) -> list[Effect]:
    """They chose that it goes well: counted, and whether anybody else hears of it is up to them (P17)."""
    return [RecordCheckIn("well"), say("checkins.good_news")] if turn.person.known else [say("office.not_on_list")]


def ok(turn: Turn) -> list[Effect]:
    """They chose OK: counted, and a word on where help is."""
    return [RecordCheckIn("ok"), say("checkins.ok")] if turn.person.known else [say("office.not_on_list")]


def struggling(turn: Turn) -> list[Effect]:
    """They need help: the office knows before they say how it shall reach them (P19, F19); nobody is judged (L09)."""
    if not turn.person.known:
        return [say("office.not_on_list")]
    return [RecordCheckIn("struggling"), OpenCase(CASE), CALL_OR_HERE]


def call(turn: Turn) -> list[Effect]:
    """They want to be called: the word goes into the case."""
    return pass_on(turn, CASE, "checkins.call")


def here(turn: Turn) -> list[Effect]:
    """They want a message: the word goes into the case."""
    return pass_on(turn, CASE, "checkins.here")


def good_news(turn: Turn) -> list[Effect]:
    """A well done. It is not passed on: whoever wants to share good news does it themselves (P17)."""
    if not turn.person.known:
        return [say("office.not_on_list")]
    counted = [RecordCheckIn("well")] if turn.checked_in else []
    return [*counted, say("checkins.good_news")]


def bad_news(turn: Turn) -> list[Effect]:
    """Things go badly: a person sees it (P19)."""
    return struggling(turn) if turn.checked_in else pass_on(turn, CASE, "checkins.bad_news")
