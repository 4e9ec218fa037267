"""One spelling for many: D02's first layer, so that a word is found however it was dressed up."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import regex

BREAK = "|"  # stands where a sentence ends, so that no phrase is read across it

_CYRILLIC = dict(zip("АВЕЅІЈКМНОРСТУХаеѕіјорсухһԁкмт", "ABESIJKMHOPCTYXaesijopcyxhdkmt", strict=True))
_GREEK = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαεικνορτυχ", "ABEZHIKMNOPTYXaeikvoptux", strict=True))
_LOOK_ALIKE = str.maketrans(_CYRILLIC | _GREEK | {"ı": "i"})
_BLOCK_LETTERS = str.maketrans({chr(0x1F170 + n): chr(65 + n) for n in range(26)})  # the emoji with A, B, O, P on it
_OTHER_KEYBOARD = str.maketrans({"ł": "l", "đ": "d", "ø": "o"} | dict(zip("كيىهةۃ", "کییہہہ", strict=True)))

_APOSTROPHE = regex.compile(r"(?<=\p{L})['’‘`´ʼ](?=\p{L})")
_INVISIBLE = regex.compile(r"[\p{Cf}\p{Me}\uFE00-\uFE0F\u034F\u115F\u1160\u3164]")
_LATIN_MARK = regex.compile(r"(?<=[\p{Latin}])\p{Mn}+")
_ARABIC_MARK = regex.compile(r"[\u064B-\u065F\u0670\u0640]")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_SPELT_OUT = regex.compile(  # four letters with spaces between, or three with dots: fewer are words ("u r a")
    r"(?<![\p{L}\p{N}])\p{L}(?:(?:[ ._*-]{1,3}\p{L}){3,}|(?:[._*-]\p{L}){2,})(?![\p{L}\p{M}\p{N}])"
)
_REPEATED = regex.compile(r"(\p{L})\1{2,}")
_DOUBLED = regex.compile(r"(\p{L})\1+")
_ZERO_FOR_O = regex.compile(r"(?<=[a-z])0(?=[a-z])")
_FOREIGN_DIGIT = regex.compile(r"[\p{Nd}--[0-9]]", regex.V1)
_SENTENCE_END = regex.compile(r"(?<!\.)\.(?=\s|$)|[!?;:\n।۔؟]+")
_NOT_WORD = regex.compile(r"[^\p{L}\p{M}\p{N}|]+")


def normalise(text: str) -> str:
    """The words of `text` in plain lower case, one space apart: no emoji, no punctuation, no accents on Latin letters."""
    return " ".join(word for word in _words(text) if word != BREAK)


def sentences(text: str) -> str:
    """As `normalise`, each word after one space, with a BREAK at both ends and wherever a sentence ended."""
    words: list[str] = [BREAK]
    for word in (*_words(text), BREAK):
        if word != BREAK or words[-1] != BREAK:
            words.append(word)
    return "".join(f" {word}" for word in words)


def squeezed(words: Iterable[str]) -> str:
    """Words as one string without spaces or doubled letters: equal for 'opt out', 'OPTOUT' and 'oppt-out'."""
    return _DOUBLED.sub(r"\1", "".join(words))


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text.replace(BREAK, " ").translate(_BLOCK_LETTERS))
    plain = _INVISIBLE.sub("", plain)
    plain = _APOSTROPHE.sub("", _SPELT_OUT.sub(_join_letters, plain))
    plain = _WORD.sub(_in_latin, plain).casefold()
    plain = _without_accents(plain)
    plain = _ZERO_FOR_O.sub("o", _REPEATED.sub(r"\1", plain))
    plain = _FOREIGN_DIGIT.sub(lambda found: str(unicodedata.digit(found[0], found[0])), plain)
    plain = _SENTENCE_END.sub(f" {BREAK} ", plain)
    return _NOT_WORD.sub(" ", plain).split()


def _join_letters(match: regex.Match[str]) -> str:
    return "".join(letter for letter in match[0] if letter.isalpha())


def _in_latin(match: regex.Match[str]) -> str:
    """The word in Latin letters if it only looks Latin: wholly made of look-alikes, or mixed with Latin letters."""
    word = match[0]
    if word.isascii():
        return word
    latin = word.translate(_LOOK_ALIKE)
    return latin if latin.isascii() else word


def _without_accents(text: str) -> str:
    # Only on Latin letters and for Arabic's optional vowels: in Indic scripts the marks are the vowels.
    split = _ARABIC_MARK.sub("", unicodedata.normalize("NFD", text).translate(_OTHER_KEYBOARD))
    return unicodedata.normalize("NFC", _LATIN_MARK.sub("", split))
