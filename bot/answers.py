"""Reads a short answer to a question we asked, so that 'haan', '2️⃣' and a thumbs-up need no model."""

from __future__ import annotations

import regex

from bot.safety.lexicon import Lexicon
from bot.safety.normalise import normalise, squeezed

_LONGEST = 40  # characters; whatever is longer says more than yes, no or a number
_DRESSING = regex.compile(r"[\s\p{Cf}\uFE0F\U0001F3FB-\U0001F3FF]+")  # what an emoji wears: joiners, skin tones


def read_answer(text: str, lexicon: Lexicon) -> str:
    """'yes', 'no', 'call', 'here', or '1' to '9' when the whole message is such an answer and nothing more; otherwise ''."""
    if len(text) > _LONGEST:
        return ""
    by_sign = _by_sign(text, lexicon)
    words = normalise(text).split()
    if not words:
        return by_sign
    by_word = _by_word(words, lexicon)
    return "" if by_sign and by_sign != by_word and by_word in ("yes", "no") else by_word


def _by_word(words: list[str], lexicon: Lexicon) -> str:
    whole = lexicon.answers.get(squeezed(words))
    if whole:
        return whole
    bare = lexicon.bare(words)
    if len(bare) > 1 and bare[0] in lexicon.before_number:
        number = lexicon.answers.get(squeezed(bare[1:]), "")
        return number if number.isdigit() else ""
    return lexicon.answers.get(squeezed(bare), "")


def _by_sign(text: str, lexicon: Lexicon) -> str:
    """What the emoji say, when all that say anything say the same."""
    said = {lexicon.answers[sign] for sign in _DRESSING.sub("", text) if not sign.isalnum() and sign in lexicon.answers}
    return said.pop() if len(said) == 1 else ""
