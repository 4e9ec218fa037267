"""The real safety words, read once for all the tests."""

from __future__ import annotations

from functools import cache

from bot.lexicons import load_lexicon
from bot.safety import Lexicon
from bot.settings import ROOT


@cache
def lexicon() -> Lexicon:
    """What `data/safety` holds."""
    return load_lexicon(ROOT / "data" / "safety")
