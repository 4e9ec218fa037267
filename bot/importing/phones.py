"""Reads a phone number in any usual spelling. Takes what is possible: the drama numbers are possible, never valid."""

from __future__ import annotations

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

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
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        raise ValueError(reason)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
