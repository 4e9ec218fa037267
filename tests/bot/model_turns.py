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
    if overtaken and means in ("start", "go on", "grant", "grant marketing", "grant service", "grant checkin"):
        means = "too late"
    _does(said, means, now)


def _meaning(said: Said, now: datetime, *, unheard: bool) -> str:
    human = said.human
    by_words = {STOP: "stop", START: "start", PART: "stop part", AT_RISK: "hold", WRONG: "wrong"}
    if said.text in by_words:
        return by_words[said.text]
    if said.text in (YES, NO) and human.question and human.asked_at is not None and now < human.asked_at + LASTS:
        yes = {"stop?": "stop", "on?": "grant", "marketing?": "grant marketing", "left?": "grant service"}
        yes["checkin?"] = "grant checkin"
        noes = {"stop?": "go on", "checkin?": "no check-ins"}
        answer = yes[human.question] if said.text == YES else noes.get(human.question, "")
        return answer if not human.held or answer == "stop" else ""
    return "pause" if said.text == UNSURE and not unheard else ""


def _does(said: Said, means: str, now: datetime) -> None:  # noqa: C901, PLR0911, PLR0912 (one for each meaning)
    human, was = said.human, {purpose: said.human.state(purpose) for purpose in ALL}
    match means:
        case "stop" | "wrong":
            _stops(said, ALL, now)
            if means == "wrong" and human.known and not said.phone.disowned:
                said.phone.disowned_at = now
            return
        case "stop part":
            _stops(said, ("marketing",), now)
            if was["service"] == "paused" and not human.held:
                _asks(human, "stop?", now)
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
        case "too late" if was["service"] == "paused":
            if not human.held:
                _asks(human, "stop?", now)
            return
        case "no check-ins" if human.known and was["marketing"] != "given":
            _asks(human, "marketing?", now)
            return
        case "grant" | "grant service" | "grant marketing" | "grant checkin" if human.known:
            _grants(human, means, now)
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
        said.human.noes.append((said.at, said.number))
    _asks(said.human, "stop?", now)


def _resumes(human: Human, now: datetime) -> None:
    human.says([purpose for purpose in ALL if human.state(purpose) == "paused"], "resume", now)


def _starts(human: Human, was: dict[str, str], now: datetime) -> None:
    """What the stop took comes back, marketing only from a pause; what was never given is asked for, one at a time."""
    if was["service"] in OFF:
        back = [one for one in ALL[:2] if human.gives_back(one) and human.state(one) == "withdrawn"]
        _resumes(human, now)
        for one in back:
            human.says([one], "give" if human.stands(one)[1] == "given" else "undo", now)
    if human.held or not human.known:
        return
    if human.state("service") != "given":
        _asks(human, "on?", now)
    elif human.state("checkin") != "given":
        _asks(human, "checkin?", now)
    elif human.state("marketing") != "given":
        _asks(human, "marketing?", now)


def _grants(human: Human, means: str, now: datetime) -> None:
    given = {"grant": ALL[:2], "grant service": ALL[:1], "grant marketing": ALL[2:], "grant checkin": ALL[1:2]}[means]
    human.says(given, "give", now)
    if means == "grant checkin" and human.state("marketing") != "given":
        _asks(human, "marketing?", now)


def _asks(human: Human, question: str, now: datetime) -> None:
    human.question, human.asked_at = question, now


def _asks_after_leaving(human: Human, now: datetime) -> None:
    """Whoever left the group is asked once, with the next answer that changes nothing."""
    stops = sorted(line for line in human.said if line[2] == "service" and line[3] == "withdraw")
    left = bool(stops) and stops[-1][4] == "left_group" and human.state("service") == "withdrawn"
    if left and not human.held and (human.left_asked is None or human.left_asked < human.left_recorded):
        human.left_asked = now
        _asks(human, "left?", now)
