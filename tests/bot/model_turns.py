"""What each message of the model test must come to, said a second time: for consent, holds and the one open question."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.bot.model_rules import ALL, OFF, Human, Phone

STOP, START, YES, NO, THANKS = "STOP", "START", "YES", "NO", "thanks"
PART, UNSURE, AT_RISK, WRONG, BREAKS = (
    "no more job stuff but keep my lessons",
    "i have had it",
    "i want to kill myself",
    "wrong number",
    "kaput",
)
TEXTS = (STOP, START, YES, NO, THANKS, PART, UNSURE, AT_RISK, WRONG, BREAKS)
NOES = (STOP, WRONG)
SPOKEN_TO = (START, NO, THANKS, PART)  # the others may be a second no, which is met with silence
LASTS = timedelta(hours=24)  # how long a question may be answered, and how long a confirmation is enough


@dataclass(frozen=True, slots=True)
class Said:
    """A message that was stored, and in what order."""

    number: int
    text: str
    at: datetime
    human: Human
    phone: Phone


def taken(said: Said, now: datetime, *, unheard: bool) -> None:
    """A turn was taken. `unheard` when nobody could say what the words mean: Rasa was away for too long."""
    human = said.human
    means = _meaning(said, now, unheard=unheard)
    human.question = ""
    overtaken = any(no > (said.at, said.number) for no in human.noes)
    if overtaken and means in ("start", "grant", "grant marketing", "grant service"):
        means = "go on"
    _does(said, means, now)


def _meaning(said: Said, now: datetime, *, unheard: bool) -> str:
    human = said.human
    by_words = {STOP: "stop", START: "start", PART: "stop part", AT_RISK: "hold", WRONG: "wrong"}
    if said.text in by_words:
        return by_words[said.text]
    if said.text in (YES, NO) and human.question and human.asked_at is not None and now < human.asked_at + LASTS:
        yes = {"stop?": "stop", "on?": "grant", "marketing?": "grant marketing", "left?": "grant service"}
        answer = yes[human.question] if said.text == YES else {"stop?": "go on"}.get(human.question, "")
        return answer if not human.held or answer == "stop" else ""
    return "pause" if said.text == UNSURE and not unheard else ""


def _does(said: Said, means: str, now: datetime) -> None:  # noqa: PLR0911 (one for each meaning)
    human, was = said.human, {purpose: said.human.state(purpose) for purpose in ALL}
    match means:
        case "stop" | "wrong":
            _stops(said, ALL, now)
            if means == "wrong" and human.known and not said.phone.disowned:
                said.phone.disowned = True
            return
        case "stop part":
            _stops(said, ("marketing",), now)
            return
        case "hold":
            human.held = True
            return
        case "pause":
            _pauses(said, was["service"], now)
            return
        case "start":
            _starts(human, was, now)
            if was["service"] in OFF:
                return
        case "go on" if was["service"] != "withdrawn":
            _resumes(human, now)
            return
        case "grant" | "grant service" | "grant marketing" if human.known:
            given = {"grant": ALL[:2], "grant service": ALL[:1], "grant marketing": ALL[2:]}[means]
            human.says(given, "give", now)
            return
    _asks_after_leaving(human, now)


def _stops(said: Said, purposes: tuple[str, ...], now: datetime) -> None:
    said.human.says(purposes, "withdraw", now)
    said.human.noes.append((said.at, said.number))


def _pauses(said: Said, service: str, now: datetime) -> None:
    if service == "withdrawn":
        _stops(said, ALL, now)
        return
    if service != "paused":
        said.human.says(ALL, "pause", now)
    _asks(said.human, "stop?", now)


def _resumes(human: Human, now: datetime) -> None:
    human.says([purpose for purpose in ALL if human.state(purpose) == "paused"], "resume", now)


def _starts(human: Human, was: dict[str, str], now: datetime) -> None:
    """What was given comes back, marketing only from a pause; what was never given is asked for."""
    can = [one for one in ALL[:2] if human.stands(one)[0] in OFF and human.stands(one)[1] == "given"]
    if was["service"] in OFF:
        _resumes(human, now)
        for one in ALL[:2]:
            state, before = human.stands(one)
            if state == "withdrawn":
                human.says([one], "give" if before == "given" else "undo", now)
    if human.held or not human.known:
        return
    if can or was["service"] == "given":
        if was["marketing"] not in ("given", "paused"):
            _asks(human, "marketing?", now)
    else:
        _asks(human, "on?", now)


def _asks(human: Human, question: str, now: datetime) -> None:
    human.question, human.asked_at = question, now


def _asks_after_leaving(human: Human, now: datetime) -> None:
    """Whoever left the group is asked once, with the next answer that changes nothing."""
    stops = sorted(line for line in human.said if line[2] == "service" and line[3] == "withdraw")
    left = bool(stops) and stops[-1][4] == "left_group" and human.state("service") == "withdrawn"
    if left and not human.held and (human.left_asked is None or human.left_asked < human.left_recorded):
        human.left_asked = now
        _asks(human, "left?", now)
