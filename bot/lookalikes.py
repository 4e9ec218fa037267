"""What a reader takes a text for, whatever is hidden in it: rules about words are asked of that, not of its code points."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# No rule of Unicode's calls these blanks format signs, and nobody sees them.
BLANKS = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0")
WORD = re.compile(r"[^\W\d_]+")
LETTERS = str.maketrans({"ı": "i", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "’": "'", "‘": "'", "ʼ": "'"})
JOINTS = str.maketrans("_-.", "   ")
SPELT = re.compile(r"(?<=\b\w) (?=\w\b)")  # P.I.N.


def has_hidden(text: str) -> bool:
    """Are there signs that nobody sees: no width, a soft hyphen, another direction of writing?"""
    return any(unicodedata.category(char) == "Cf" or char in BLANKS for char in text)


def mixed(text: str) -> Iterator[str]:
    """Its words that mix Latin letters with those of another alphabet, which look like them."""
    for word in WORD.findall(unicodedata.normalize("NFKC", text)):
        scripts = {unicodedata.name(char, "").partition(" ")[0] for char in word} - {"MODIFIER"}
        if "LATIN" in scripts and len(scripts) > 1:
            yield word


def as_read(text: str) -> str:
    """The text in plain letters: no marks on them, no odd widths, words apart where `_`, `-` or `.` stood, spelt ones whole.

    Upper and lower case stay: whoever matches against it does so whatever the case.
    """
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text))
    bare = "".join(
        char for char in apart if not unicodedata.combining(char) and unicodedata.category(char) not in ("Mn", "Cf")
    )
    return SPELT.sub("", " ".join(bare.translate(LETTERS).translate(JOINTS).split()))
