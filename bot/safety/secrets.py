"""Finds passwords, PINs and one-time codes where the words around them say that they are."""

from __future__ import annotations

import regex

from bot.safety.numbers import Finder
from bot.safety.plain import HIDDEN

_NAMED = (
    r"\b(?:pass ?words?|passwor|pasword|passwrd|passcode|pass code|pwd|pswd|hasło|haslo|parola|parolă"
    r"|पासवर्ड|پاس ورڈ|পাসওয়ার্ড)\b"
)
_IS = (
    r"(?: (?:is|was|to|hai|este|to jest|for (?:zoom|email|it|that|my \w{1,20}|the \w{1,20}) is))?"
    r" ?(?:[:=]|is|was|hai|este|->)"
)
_SHORT = r"(?<![0-9] ?)\b(?:pw|p/w|pword|passwd)\b"  # not the price by the week, "85 pw"
_SAID = regex.compile(rf"(?:{_NAMED}|{_SHORT}){_IS}[ '\"“]{{0,3}}(?P<value>[^\s{HIDDEN}]++)")
_BARE = regex.compile(
    rf"{_NAMED} (?P<value>(?=[^\s{HIDDEN}]{{0,60}}?[0-9])(?=[^\s{HIDDEN}]{{0,60}}?[a-z@#$%&*!])[^\s{HIDDEN}]++)"
)
_PIN = regex.compile(
    rf"\bpin(?: (?:number|code|no))?(?: (?:is|was|its|it is))?[ :=-]{{0,3}}(?P<value>[0-9]{{4,6}})(?![0-9{HIDDEN}])"
)
_NOT_SECRET = frozenset(  # "my password is wrong"
    (
        "wrong", "not", "incorrect", "expired", "locked", "too", "the", "same", "being", "invalid", "rejected",
        "required", "needed", "case", "important", "a", "an", "my", "what", "still", "always", "to", "on", "in", "for",
        "short", "long", "weak", "gone", "lost", "forgotten", "reset", "changed", "blocked", "broken", "working",
        "hidden", "safe", "saved", "stuck", "it", "correct", "right", "no", "asking", "asked", "given", "ok", "fine",
        "never", "now", "so", "very", "sent", "easy", "hard", "strong", "good", "bad", "missing", "empty", "blank",
        "out", "of", "there", "here", "secret", "private", "protected", "default", "old", "new",
    )
)  # fmt: skip
_OTHER_CODE = (
    r"(?<!\b(?:course|lesson|post|zip|discount|sort|error|class|voucher|promo|product|qr|bar|area|dress|tax|unit|module"
    r"|country|dialling|door|job) ?-?)"
)
_CODE = (
    rf"(?:{_OTHER_CODE}\bcode|\botp|\bone[ -]time (?:code|pass\w*)|\bverification|\b6[ -]digit\w*(?: code)?"
    r"|\bsix[ -]digit\w*(?: code)?)\b"
)
_DIGITS = rf"(?<![0-9{HIDDEN}-])(?P<value>[0-9]{{3}}[ -]?[0-9]{{3}})(?![ -]?[0-9{HIDDEN}])"
_CODE_FIRST = regex.compile(rf"{_CODE}[^0-9\n{HIDDEN}]{{0,60}}{_DIGITS}")
_CODE_LAST = regex.compile(rf"{_DIGITS} (?:is|was|as) (?:my|your|the|ur|ya) (?:[a-z]{{1,20}} ){{0,2}}?(?:code|otp|pin)\b")


def passwords(text: str) -> list[tuple[int, int]]:
    """What is said to be a password, unless the word only says something about it ('my password is wrong')."""
    said = [match.span("value") for match in _SAID.finditer(text) if _is_secret(match["value"])]
    bare = [match.span("value") for pattern in (_BARE, _PIN) for match in pattern.finditer(text)]
    return _apart([*said, *bare])


def codes(text: str) -> list[tuple[int, int]]:
    """Six digits that are called a code."""
    return _apart([match.span("value") for pattern in (_CODE_FIRST, _CODE_LAST) for match in pattern.finditer(text)])


def _is_secret(value: str) -> bool:
    word = value.strip(".,!?'\"”")
    return bool(word) and word not in _NOT_SECRET


def _apart(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, without those that overlap an earlier one."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


FINDERS: tuple[tuple[str, Finder], ...] = (("password", passwords), ("code", codes))
