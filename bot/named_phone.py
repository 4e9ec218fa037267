"""Finds the one phone number that a message names, in any usual spelling: somebody tells us of their new one (D10)."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
from phonenumbers import Leniency, PhoneNumber, PhoneNumberFormat, PhoneNumberMatcher

from bot.phones import HOME, can_be_called, e164

FEWEST_DIGITS = 7
LONGEST = 1000  # characters; who tells us of a number does it in fewer
FEW_WORDS = 4


@dataclass(frozen=True, slots=True)
class Named:
    """A phone in E.164, and as people write it. `alone` when the message says hardly anything else."""

    value: str
    shown: str
    alone: bool


def phone_named(text: str) -> Named | None:
    """The number that `text` names; None where it names none, or more than one."""
    text = text[:LONGEST]
    if sum(char.isdigit() for char in text) < FEWEST_DIGITS:
        return None
    found = [one for one in PhoneNumberMatcher(text, HOME, Leniency.POSSIBLE) if can_be_called(one.number)]
    if len({e164(one.number) for one in found}) != 1:
        return None
    number, rest = found[0].number, text
    for one in found:
        rest = rest.replace(one.raw_string, " ")
    words = [word for word in rest.split() if any(char.isalnum() for char in word)]
    return Named(e164(number), _as_written(number), len(words) <= FEW_WORDS)


def as_shown(phone: str) -> str:
    """A phone in E.164 as people write it. Raises phonenumbers' NumberParseException for what is none."""
    return _as_written(phonenumbers.parse(phone))


def _as_written(number: PhoneNumber) -> str:
    at_home = phonenumbers.country_code_for_region(HOME) == number.country_code
    return phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL if at_home else PhoneNumberFormat.INTERNATIONAL)
