"""The word lists of data/safety as one frozen value, handed to the rules so that they need no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.safety.normalise import BREAK, sentences
from bot.safety.phrases import Phrases, Span

_LONG = 7  # letters: a shorter word with one letter wrong is too often another word


@dataclass(frozen=True, slots=True)
class Spellings:
    """Which spellings count as which: `same` maps one or two words to another; `close` are long words often misspelt."""

    same: Mapping[str, str] = field(default_factory=dict)
    close: tuple[str, ...] = ()

    def respell(self, text: str) -> str:
        """`text`, each word after one space, with every known spelling put in its usual form."""
        words = text.split()
        spelt: list[str] = []
        at = 0
        while at < len(words):
            pair = self.same.get(" ".join(words[at : at + 2])) if at + 1 < len(words) else None
            spelt.append(pair or self._one(words[at]))
            at += 2 if pair else 1
        return "".join(f" {word}" for word in spelt)

    def _one(self, word: str) -> str:
        known = self.same.get(word)
        if known or len(word) < _LONG or word in self.close:
            return known or word
        best = process.extractOne(word, self.close, scorer=OSA.distance, score_cutoff=1)
        return self.same.get(best[0], best[0]) if best else word


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing to listen for. `flagged` phrases also say so by themselves and add their flag; `cues` only add a flag."""

    phrases: Phrases
    guards: Phrases
    unsure: Phrases
    flagged: Mapping[str, Phrases]
    cues: Mapping[str, Phrases]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Everything the safety rules know of language, from every file of the folder at once (people mix languages)."""

    keywords: Mapping[str, str]  # squeezed whole message -> intent
    keywords_alone: Mapping[str, str]  # the same, but nothing polite may stand around them
    around: frozenset[str]
    negations: frozenset[str]
    fillers: frozenset[str]  # words that may stand between a negation and what it negates
    spellings: Spellings
    topics: Mapping[str, Topic]
    answers: Mapping[str, str]  # squeezed whole message, or one emoji -> 'yes', 'no', '1' to '9'
    before_number: frozenset[str]  # 'number', 'option'
    unreviewed: tuple[str, ...]  # languages whose file no native speaker has read yet

    def written(self, text: str) -> str:
        """`text` as phrases are matched against: normalised, respelt, a space before each word, breaks kept."""
        return self.spellings.respell(sentences(text))

    def bare(self, words: list[str]) -> list[str]:
        """`words` without courtesies at either end and said once if repeated; unchanged if nothing would be left."""
        start, end = 0, len(words)
        while start < end and words[start] in self.around:
            start += 1
        while end > start and words[end - 1] in self.around:
            end -= 1
        bare = words[start:end] or words
        return bare[:1] if len(set(bare)) == 1 else bare

    def negated(self, text: str, span: Span) -> bool:
        """True when a negation stands before `span` in its sentence, with nothing but a few filler words between."""
        if text.startswith(f" {BREAK}", span.start):
            return False
        before = text[max(0, span.start - 80) : span.start].split()
        for word in reversed(before[-8:]):
            if word in self.negations:
                return True
            if word not in self.fillers:
                return False
        return False
