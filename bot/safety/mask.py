"""Hides personal details before anything is stored, so that no database, log, trainer or model ever holds them (D15)."""

from __future__ import annotations

from dataclasses import dataclass

from bot.safety.numbers import FINDERS as NUMBERS
from bot.safety.plain import HIDDEN, plain
from bot.safety.secrets import FINDERS as SECRETS

_WORDS = {
    "card": "[card number hidden]",
    "national_insurance": "[National Insurance number hidden]",
    "bank": "[bank details hidden]",
    "password": "[password hidden]",
    "code": "[code hidden]",
    "passport": "[passport number hidden]",
    "tax": "[tax number hidden]",
}
# Bank details first: a card may not swallow the two numbers that belong together. Codes last: they are the vaguest.
_FINDERS = (*NUMBERS, *SECRETS)


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without personal details, and the kinds that were taken out, each once, in the order of the text."""

    text: str
    kinds: tuple[str, ...]


def mask(text: str) -> Masked:
    """`text` with every personal detail replaced by a mark. Masking twice changes nothing; time grows with length only."""
    found: list[tuple[int, int, str]] = []
    letters, places = plain(text, tuple(_WORDS.values()))
    for kind, find in _FINDERS:
        for start, end in find(letters):
            found.append((places[start], places[end - 1] + 1, kind))
            letters = letters[:start] + HIDDEN * (end - start) + letters[end:]
    return _replaced(text, sorted(found))


def _replaced(text: str, found: list[tuple[int, int, str]]) -> Masked:
    pieces: list[str] = []
    at = 0
    for start, end, kind in found:
        pieces += [text[at:start], _WORDS[kind]]
        at = end
    return Masked("".join([*pieces, text[at:]]), tuple(dict.fromkeys(kind for _, _, kind in found)))
