"""A text as plain letters, each tied to its place, so that disguised numbers are found and cut from the original."""

from __future__ import annotations

import unicodedata

import regex

HIDDEN = "\ue000"  # stands for what is hidden already: neither a letter nor a space, so nothing is read through it

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－"), "-")
_SPACES = dict.fromkeys(
    map(ord, "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t"), " "
)
_SIGNS = str.maketrans(_DASHES | _SPACES)


def plain(text: str, marks: tuple[str, ...]) -> tuple[str, list[int]]:
    """Lower-case plain letters, digits and signs of `text`, and for each its index in `text`; `marks` become HIDDEN."""
    hidden = regex.compile("|".join(regex.escape(mark) for mark in marks)).sub(lambda found: HIDDEN * len(found[0]), text)
    letters: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(hidden):
        for letter in _plain(sign):
            letters.append(letter)
            places.append(place)
    return "".join(letters), places


def _plain(sign: str) -> str:
    """One sign as it would be typed on a plain keyboard; nothing for an invisible one."""
    if sign.isascii():
        return " " if sign == "\t" else sign.lower()
    if unicodedata.category(sign) in ("Cf", "Me") or "\ufe00" <= sign <= "\ufe0f":
        return ""
    digit = unicodedata.digit(sign, None)
    if digit is not None:
        return str(digit)
    usual = unicodedata.normalize("NFKC", sign.translate(_SIGNS)).lower()
    return usual if len(usual) == 1 else sign
