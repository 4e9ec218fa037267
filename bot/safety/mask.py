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
_ROUNDS = 5  # what one mark lays bare, the next round finds; two have always been enough
_FINDERS = (*NUMBERS, *SECRETS)


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without personal details, and the kinds that were taken out, each once, in the order of the text."""

    text: str
    kinds: tuple[str, ...]


def mask(text: str) -> Masked:
    """`text` with every personal detail replaced by a mark. Masking twice changes nothing; time grows with length only."""
    kinds: list[str] = []
    for _ in range(_ROUNDS):
        found = _find(text)
        if not found:
            break
        kinds += [kind for _, _, kind in found]
        text = _replaced(text, found)
    return Masked(text, tuple(dict.fromkeys(kinds)))


def _find(text: str) -> list[tuple[int, int, str]]:
    """Start, end and kind of every personal detail, in the order of the text."""
    found: list[tuple[int, int, str]] = []
    letters, places = plain(text, tuple(_WORDS.values()))
    for kind, find in _FINDERS:
        spans = find(letters)
        found += [(places[start], places[end - 1] + 1, kind) for start, end in spans]
        letters = _hidden(letters, spans)
    return sorted(found)


def _hidden(letters: str, spans: list[tuple[int, int]]) -> str:
    pieces: list[str] = []
    at = 0
    for start, end in sorted(spans):
        pieces += [letters[at:start], HIDDEN * (end - start)]
        at = end
    return "".join([*pieces, letters[at:]])


def _replaced(text: str, found: list[tuple[int, int, str]]) -> str:
    pieces: list[str] = []
    at = 0
    for start, end, kind in found:
        pieces += [text[at:start], _WORDS[kind]]
        at = end
    return "".join([*pieces, text[at:]])
