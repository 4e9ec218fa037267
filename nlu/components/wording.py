"""How a message is spelt out before any feature is taken from it, so that "plzzz" and "please" start from the same place."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

import yaml

LONGEST = 1_000  # characters; a longer message has said what it wants by then
REPEATED = re.compile(r"(.)\1{2,}", re.DOTALL)
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
SHORTHAND = Path(__file__).with_name("shorthand.yml")


@lru_cache(maxsize=1)
def shorthand() -> dict[str, str]:
    """Texting shorthand and the words it stands for, all in lower case."""
    words: dict[str, str] = yaml.safe_load(SHORTHAND.read_text(encoding="utf-8"))
    return words


def plain(text: str) -> str:
    """The text in lower case and one form of Unicode, stretched letters cut to two, at most LONGEST characters."""
    folded = unicodedata.normalize("NFKC", text[:LONGEST]).casefold().replace("’", "'")
    return REPEATED.sub(r"\1\1", " ".join(folded.split()))[:LONGEST]


def spelt_out(text: str) -> str:
    """The plain text with texting shorthand written as words."""
    words = shorthand()
    return WORD.sub(lambda word: words.get(word[0], word[0]), plain(text))
