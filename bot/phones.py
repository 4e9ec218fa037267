"""Reads a phone number in any usual spelling."""

from __future__ import annotations

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

HOME = "GB"


def to_e164(text: str) -> str:
    """The number as `+447700900123`. Raises ValueError, without the number, where it is none."""
    reason = "not a phone number that can be called from anywhere; write it like +44 and ten digits"
    if any(char.isalpha() for char in text):
        raise ValueError(reason)
    try:
        number = phonenumbers.parse(text, HOME)
    except NumberParseException:
        raise ValueError(reason) from None
    if not can_be_called(number):
        raise ValueError(reason)
    return e164(number)


def can_be_called(number: PhoneNumber) -> bool:
    """Possible is enough: the numbers reserved for drama are possible, and never valid."""
    return phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE


def e164(number: PhoneNumber) -> str:
    """The number as it is stored."""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
