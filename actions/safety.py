"""People at risk, abuse and scams: fixed words first, people told at once, no advice of our own (D06, P28 to P33)."""

from __future__ import annotations

import re

from bot.effects import AlertSafeguarding, Effect, OpenCase, Say, say, say_safety
from bot.turn import Turn

LIKELIER_THAN_NOT = 0.5
GAP = r"[\s().\-]*"
# Every gap is followed by a digit that must be there, so that a long run of spaces costs no time.
OUR_NUMBER = re.compile(rf"(?<!\d)(?:(?:(?:\+|00)?44{GAP})(?:0{GAP})?|0{GAP})?{GAP.join('1254693999')}(?!\d)")
A_PHONE = re.compile(rf"(?:\d{GAP}){{10,}}")


def safeguarding_disclosure(turn: Turn) -> list[Effect]:
    """The fixed reply of F17 and an alert. Where the phone may be watched: one neutral line and nothing else (D08)."""
    flags = _flags(turn)
    if turn.watched or "watched" in flags:
        neutral = (say_safety("safety.neutral"),)
        return [AlertSafeguarding(flags | {"watched"}, _sure(turn), neutral, neutral)]
    after = tuple(say_safety(f"safety.{flag}") for flag in ("domestic", "secrecy") if flag in flags)
    alert = AlertSafeguarding(flags, _sure(turn), (_if_told(flags), *after), (_if_not_told(flags), *after))
    first = [say_safety("safety.call_999_now")] if "immediate" in flags else []
    return [*first, alert]


def on_hold(turn: Turn) -> list[Effect]:
    """After a disclosure, until the safeguarding lead has been: no menu and no small talk, a person answers (D07, F17).

    What they write goes to the same case. That a person will read it is said only where a person was told (ADR 5).
    """
    if turn.held_lately:
        return [OpenCase("safeguarding_disclosure", urgent=True)]
    told = "safety.on_hold" if turn.alerted else "safety.on_hold_not_told"
    return [OpenCase("safeguarding_disclosure", urgent=True), say_safety("safety.neutral" if turn.watched else told)]


def report_abuse(turn: Turn) -> list[Effect]:
    """Bad behaviour of a person: do not engage, the office is told, how to block (P23, P31, P33)."""
    ours = names_our_number(turn.message.text)
    return [OpenCase("report_abuse"), say("reports.abuse_ours" if ours else "reports.abuse")]


def report_suspicious(turn: Turn) -> list[Effect]:
    """A doubtful message: "Do not reply, click or pay" comes first (P31). Our own number is never to be blocked (P33)."""
    ours = names_our_number(turn.message.text)
    return [OpenCase("report_suspicious"), say("reports.suspicious_ours" if ours else "reports.suspicious")]


def verify_message(turn: Turn) -> list[Effect]:
    """Is it really you? What is surely ours, what we never ask for, and the office checks the rest (P29, P30)."""
    ours = names_our_number(turn.message.text) and not _names_another_number(turn.message.text)
    return [OpenCase("verify_message"), say("reports.verify_ours" if ours else "reports.verify")]


def _sure(turn: Turn) -> bool:
    """Rules heard it, or the model finds it likelier than not. A mere suspicion alerts staff but holds nothing back."""
    by_rule = any(heard.intent == "safeguarding_disclosure" for heard in turn.heard)
    scores = dict(turn.parse.ranking) if turn.parse else {}
    return by_rule or scores.get("safeguarding_disclosure", 0.0) >= LIKELIER_THAN_NOT


def names_our_number(text: str) -> bool:
    """True where 01254 693 999 is named in any usual spelling; one digit off is not ours (P29)."""
    return OUR_NUMBER.search(text) is not None


def _names_another_number(text: str) -> bool:
    return A_PHONE.search(OUR_NUMBER.sub(" and ", text)) is not None


def _flags(turn: Turn) -> frozenset[str]:
    return frozenset(flag for heard in turn.heard if heard.intent == "safeguarding_disclosure" for flag in heard.flags)


def _if_told(flags: frozenset[str]) -> Say:
    other = "_other" if "about_other" in flags else ""
    staff = "_staff" if "about_staff" in flags else ""
    return say_safety(f"safety.told{other}{staff}")


def _if_not_told(flags: frozenset[str]) -> Say:
    return say_safety("safety.not_told_other" if "about_other" in flags else "safety.not_told")
