"""Finds numbers that give a person away: cards, bank details, National Insurance, passport and tax numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import phonenumbers
import regex
from stdnum import iban, isbn, luhn

from bot.safety.plain import HIDDEN

Finder = Callable[[str], list[tuple[int, int]]]

_NOT_BEFORE = rf"(?<![a-z0-9{HIDDEN}])"
_NOT_AFTER = rf"(?![a-z0-9{HIDDEN}])"
_NEAR = 45  # characters before a number in which a word says what it is

_RUN = regex.compile(rf"(?<![0-9{HIDDEN}])[0-9]++(?:[ -]{{1,2}}+[0-9]++)*+(?![0-9{HIDDEN}])")
_GROUP = regex.compile(r"[0-9]+")
_APART = r"[ \r\n]{0,3}[-./,_:;|*+\n][ \r\n]{0,3}"  # the same sign each time, so that a list of prices is seldom a card
_GROUPED = regex.compile(
    rf"(?<![0-9{HIDDEN}])(?:(?:[4-6][0-9]|3[0-9]|2[2-7])[0-9]{{2}}(?P<apart>{_APART})[0-9]{{4}}(?P=apart)[0-9]{{4}}(?P=apart)"
    rf"[0-9]{{4}}(?:(?P=apart)[0-9]{{1,3}})?|3[47][0-9]{{2}}(?P<apart>{_APART})[0-9]{{6}}(?P=apart)[0-9]{{5}})(?![0-9{HIDDEN}])"
)
_ON_THE_BACK = regex.compile(
    r"\b(?:cvv2?|cvc2?|cv2|csc|security (?:code|number|digits)|(?:three|3) digits on the back)"
    rf"(?: (?:code|number|num|no|is|its|was|are)){{0,3}}[ :=#-]{{0,3}}(?P<value>[0-9]{{3,4}})(?![0-9{HIDDEN}])"
)
_CARD_WORD = regex.compile(r"\b(?:card|visa|mastercard|debit|credit|amex|maestro|cvv|expir\w*)\b")
_ORDER_WORD = regex.compile(
    r"\b(?:order|ref|reference|tracking|track|parcel|isbn|imei|barcode|invoice|booking|delivery|receipt|ticket|serial|ean|meeting"
    r"|sku|phone|tel|mobile|whatsapp|call|ring)\b[^0-9\n\ue000]{0,25}$"
)
_IBAN = regex.compile(rf"{_NOT_BEFORE}[a-z]{{2}}[0-9]{{2}}(?: ?[a-z0-9]{{1,4}}){{3,8}}+")
_NI = regex.compile(
    rf"{_NOT_BEFORE}[a-z][ .-]{{0,2}}[a-z](?:[ .-]{{0,3}}[0-9]){{6}}"
    rf"(?:[ .-]{{0,3}}(?P<suffix>[a-d]){_NOT_AFTER}|(?![ .-]{{0,3}}[0-9]){_NOT_AFTER})"
)
_NI_SLASHED = regex.compile(
    rf"{_NOT_BEFORE}[a-z]{{2}} ?[/,_|:] ?[0-9]{{2}}(?: ?[/,_|:]? ?[0-9]{{2}}){{2}} ?[/,_|:] ?[a-d]{_NOT_AFTER}"
)
_NI_WORD = regex.compile(r"\b(?:ni|nino|n\.i\.?|national ins\w*|insurance)\b[^0-9\n\ue000]{0,30}$")
_REFERENCE = regex.compile(
    r"\b(?:order|ref|reference|tracking|parcel|booking|invoice|receipt|ticket|serial|voucher|learner|course|cert\w*)\b[^0-9\n\ue000]{0,20}$"
)
_COMMON = regex.compile(  # two-letter words that may stand before six digits
    r"am|an|as|at|be|by|do|eu|gb|go|he|hi|id|if|in|is|it|me|my|no|of|ok|on|or|pm|so|to|tv|uk|up|us|we|wk"
)
_SORT = r"[0-9]{2}[ -][0-9]{2}[ -][0-9]{2}"
_BETWEEN = rf"[^0-9{HIDDEN}]{{1,40}}"
_BANK = regex.compile(
    rf"(?<![0-9{HIDDEN}-])(?:{_SORT}(?P<between>{_BETWEEN})[0-9]{{4}} ?[0-9]{{4}}|[0-9]{{6}}{_BETWEEN}[0-9]{{8}}"
    rf"|[0-9]{{8}}(?P<between>{_BETWEEN}){_SORT})(?![0-9{HIDDEN}-])"
)
_BANK_WORD = regex.compile(
    r"\b(?:sort|s/c|acc|acct|account|a/c|bank|iban|barclays|lloyds|natwest|hsbc|santander|monzo|starling|halifax|pay)\b"
)
_SORT_ALONE = regex.compile(
    rf"\bsort ?code(?: (?:is|its|number|no))?[ :=-]{{0,3}}(?P<value>{_SORT}|[0-9]{{6}})(?![0-9{HIDDEN}])"
    r"|\b(?:account|acc|acct|a/c) (?:number|no|num)\.?(?: is| its)?[ :=-]{0,3}"
    rf"(?P<value>[0-9]{{8}}|[0-9]{{4}} [0-9]{{4}})(?![0-9{HIDDEN}])"
)
_PASSPORT = regex.compile(
    r"\bpassport(?:'s)?(?:[ :=#.-]{0,3}\b(?:number|num|no|nr|is|its|it is|my|the|uk|british|id|details|are)\b){0,4}"
    rf"[ :=#.-]{{0,3}}(?P<value>[a-z]{{0,2}} ?[0-9](?:[ -]?[0-9]){{6,8}}){_NOT_AFTER}"
)
_UTR = regex.compile(
    r"\b(?:utr|unique tax(?:payer)?(?:'?s)? ref(?:erence)?|tax ref(?:erence)?|tax(?:payer)? number"
    r"|self assessment (?:number|ref(?:erence)?))(?:[ :=#.-]{0,3}\b(?:number|num|no|is|its|it is|my|code)\b){0,3}"
    rf"[ :=#.-]{{0,3}}(?P<value>[0-9](?:[ -]?[0-9]){{9}}k?){_NOT_AFTER}"
)


def cards(text: str) -> list[tuple[int, int]]:
    """Card numbers: 13 to 19 digits with spaces, dashes or other signs, Luhn; no ISBN, order number or telephone."""
    found = [
        span
        for run in _RUN.finditer(text)
        if run.end() - run.start() >= 13
        for span in _cards_in(text, run.start(), run.end())
    ]
    grouped = (run.span() for run in _GROUPED.finditer(text) if not _all_round(run[0]))
    return _with_others(found, [span for span in grouped if _is_card(text, *span, whole=True)])


def _all_round(run: str) -> bool:
    """True for a list of round prices, each ending in nought, as the groups of a card hardly ever all do."""
    return all(group.endswith("0") for group in _GROUP.findall(run))


def security_codes(text: str) -> list[tuple[int, int]]:
    """The three or four figures on the back of a card, where they are called so."""
    return _values(_ON_THE_BACK, text)


def _with_others(found: list[tuple[int, int]], others: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """`found` and those of `others` that share nothing with it; both in the order of the text, looked through once."""
    kept: list[tuple[int, int]] = []
    at = 0
    for start, end in others:
        while at < len(found) and found[at][1] <= start:
            at += 1
        if at == len(found) or found[at][0] >= end:
            kept.append((start, end))
    return sorted([*found, *kept])


def _cards_in(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    groups = [found.span() for found in _GROUP.finditer(text, start, end)]
    if _is_card(text, start, end, whole=True):
        yield start, end
        return
    at = 0
    while at < len(groups):
        last = _phone_from(text, groups, at)
        if last is None:
            last = _card_from(text, groups, at)
            if last is not None:
                yield groups[at][0], groups[last][1]
        at = at + 1 if last is None else last + 1


def _card_from(text: str, groups: list[tuple[int, int]], at: int) -> int | None:
    """The last group of a card that starts with group `at`, when one does."""
    if text[groups[at][0]] not in "23456":
        return None
    return next(
        (last for last in _ending(groups, at, 13, 19) if _is_card(text, groups[at][0], groups[last][1], whole=False)), None
    )


def _phone_from(text: str, groups: list[tuple[int, int]], at: int) -> int | None:
    start = groups[at][0]
    if text[start] != "0":
        return None
    for last in _ending(groups, at, 10, 11):
        number = phonenumbers.parse(text[start : groups[last][1]], "GB")
        if phonenumbers.is_possible_number(number):
            return last
    return None


def _ending(groups: list[tuple[int, int]], at: int, least: int, most: int) -> Iterator[int]:
    """Groups with which a number of `least` to `most` digits that starts with group `at` may end."""
    digits = 0
    for last in range(at, min(at + most, len(groups))):
        digits += groups[last][1] - groups[last][0]
        if digits > most:
            return
        if digits >= least:
            yield last


def _is_card(text: str, start: int, end: int, *, whole: bool) -> bool:
    digits = "".join(_GROUP.findall(text, start, end))
    if not 13 <= len(digits) <= 19 or not digits.strip("0") or not luhn.is_valid(digits):
        return False
    before = _before(text, start)
    if _CARD_WORD.search(before):
        return True
    if isbn.is_valid(digits) or before.endswith("+") or _ORDER_WORD.search(before):
        return False
    return not whole or digits[0] in "23456" or len(text[start:end]) > len(digits)


def _before(text: str, start: int) -> str:
    """The words shortly before `start`, none of them beyond something hidden."""
    return text[max(0, start - _NEAR) : start].rpartition(HIDDEN)[2]


def ibans(text: str) -> list[tuple[int, int]]:
    """International bank account numbers, checked by country and check digits."""
    found = []
    for match in _IBAN.finditer(text):
        ends = [match.end(), *(place for place in range(match.end() - 1, match.start() + 14, -1) if text[place] == " ")]
        end = next((end for end in ends if iban.is_valid(text[match.start() : end])), None)
        if end:
            found.append((match.start(), end))
    return found


def national_insurance(text: str) -> list[tuple[int, int]]:
    """National Insurance numbers, leniently: any two letters, six digits, perhaps A to D, however they are spaced."""
    found = [match.span() for match in _NI.finditer(text) if _is_ni(text, match)]
    return _with_others(found, [match.span() for match in _NI_SLASHED.finditer(text)])


def _is_ni(text: str, match: regex.Match[str]) -> bool:
    before = _before(text, match.start())
    if _NI_WORD.search(before):
        return True
    prefix = "".join(letter for letter in match[0][:4] if letter.isalpha())[:2]
    if _COMMON.fullmatch(prefix):  # "at 10 30 45", "by 01 12 26": words, unless written as one
        return match["suffix"] is not None and match[0].isalnum()
    return match["suffix"] is not None or not _REFERENCE.search(before)


def bank_details(text: str) -> list[tuple[int, int]]:
    """A sort code and an account number together; either alone only where it is called so."""
    found = [match.span() for match in _BANK.finditer(text) if _is_bank(text, match)]
    return found + [span for span in _values(_SORT_ALONE, text) if not any(a < span[1] and span[0] < b for a, b in found)]


def _is_bank(text: str, match: regex.Match[str]) -> bool:
    if _BANK_WORD.search(text, max(0, match.start() - _NEAR), match.end()):
        return True
    return match["between"] is not None and not any(letter.isalnum() for letter in match["between"])


def _values(pattern: regex.Pattern[str], text: str) -> list[tuple[int, int]]:
    return [match.span("value") for match in pattern.finditer(text)]


FINDERS: tuple[tuple[str, Finder], ...] = (
    ("bank", ibans),
    ("passport", lambda text: _values(_PASSPORT, text)),
    ("tax", lambda text: _values(_UTR, text)),
    ("bank", bank_details),
    ("card", cards),
    ("card", security_codes),
    ("national_insurance", national_insurance),
)
