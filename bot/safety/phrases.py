"""Phrases as people write them in data/safety, read at the start and compiled when first needed.

The little syntax is explained in data/safety/README.md. Gaps and alternatives are bounded: searching is linear.
A start that reads every phrase but compiles none stays short, and a mistake still stops it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from bot.safety.normalise import BREAK, normalise

_PIECE = re.compile(r"\.{2,4}(?=[\s()|]|$)|[()|?^$]|[^\s()|?^$]+")
_GAPS = {  # how many words may stand there; only the longest crosses the end of a sentence
    "..": rf"(?: [^ {BREAK}]+){{0,2}}?",
    "...": rf"(?: [^ {BREAK}]+){{0,4}}?",
    "....": r"(?: [^ ]+){0,12}?",
}
_SIGNS = ("(", ")", "|", "?", "^", "$", *_GAPS)
_KEY = 3  # letters: a phrase that begins with a word cut short is filed under so many of them
_SET = re.compile(r"<([^<>]+)>")  # not \w, which leaves out the vowels of Indic scripts

Spelling = Callable[[str], str]


class BadPhrase(ValueError):
    """A phrase that cannot be read; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where a phrase was found: offsets into the text searched."""

    start: int
    end: int

    def overlaps(self, other: Span) -> bool:
        """True when the two share a character."""
        return self.start < other.end and other.start < self.end

    def covers(self, other: Span) -> bool:
        """True when `other` lies wholly inside."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True)
class Phrase:
    """One phrase as a regular expression, compiled the first time a message has a word that it begins with."""

    source: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The compiled expression."""
        return re.compile(self.source)


Index = Mapping[str, tuple[Phrase, ...]]


@dataclass(frozen=True, slots=True)
class Phrases:
    """Many phrases, filed by the word they begin with, or by its first letters where it is cut short."""

    words: Index
    stems: Index

    @classmethod
    def joined(cls, many: Iterable[Phrases]) -> Phrases:
        """All the phrases of `many` as one."""
        every = list(many)
        return cls(_joined(one.words for one in every), _joined(one.stems for one in every))

    def find(self, text: str) -> Iterator[Span]:
        """Every place in `text` (as `sentences` returns it) where one of the phrases stands, left to right."""
        start = text.find(" ")
        while start >= 0:
            after = text.find(" ", start + 1)
            word = text[start + 1 : after if after >= 0 else len(text)]
            for phrase in (*self.words.get(word, ()), *self.stems.get(word[:_KEY], ())):
                found = phrase.pattern.match(text, start)
                if found:
                    yield Span(start, found.end())
            start = after

    def found_in(self, text: str) -> bool:
        """True when at least one of the phrases stands in `text`."""
        return next(self.find(text), None) is not None


def compile_phrases(phrases: Iterable[str], sets: Mapping[str, tuple[str, ...]], spelling: Spelling) -> Phrases:
    """Read phrases; `spelling` puts their words as the words of messages are put. Raises BadPhrase."""
    words: dict[str, tuple[Phrase, ...]] = {}
    stems: dict[str, tuple[Phrase, ...]] = {}
    spelt = cache(spelling)  # the same few sets stand in many phrases
    for written in phrases:
        part = _read(written, sets, spelt)
        phrase = Phrase(part.source + "(?= |$)")
        for key in part.keys:
            index, name = (stems, key[:_KEY]) if key.endswith("*") else (words, key)
            if phrase not in index.get(name, ()):
                index[name] = (*index.get(name, ()), phrase)
    return Phrases(words, stems)


def _joined(indexes: Iterable[Index]) -> Index:
    joined: dict[str, tuple[Phrase, ...]] = {}
    for index in indexes:
        for key, phrases in index.items():
            joined[key] = joined.get(key, ()) + phrases
    return joined


def _read(phrase: str, sets: Mapping[str, tuple[str, ...]], spelling: Spelling) -> _Part:
    try:
        return _Reader(_PIECE.findall(_with_sets(phrase, sets)), spelling).read()
    except BadPhrase as error:
        raise BadPhrase(f"{phrase!r}: {error}") from None


def _with_sets(phrase: str, sets: Mapping[str, tuple[str, ...]]) -> str:
    def spelt_out(match: re.Match[str]) -> str:
        if match[1] not in sets:
            raise BadPhrase(f"{phrase!r}: there is no set named {match[1]!r}")
        return f"({'|'.join(sets[match[1]])})"

    return _SET.sub(spelt_out, phrase)


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a phrase: what to match, how it may begin, and whether it may match nothing."""

    source: str
    keys: frozenset[str] = frozenset()
    empty: bool = True


_EDGES = {  # where a sentence begins and ends
    "^": _Part(rf" \{BREAK}", frozenset({BREAK}), empty=False),
    "$": _Part(rf"(?= \{BREAK})", frozenset({BREAK})),
}


def _sequence(parts: list[_Part]) -> _Part:
    keys: frozenset[str] = frozenset()
    for part in parts:
        keys |= part.keys
        if not part.empty:
            break
    return _Part("".join(part.source for part in parts), keys, all(part.empty for part in parts))


class _Reader:
    """Reads one phrase from left to right."""

    def __init__(self, pieces: list[str], spelling: Spelling) -> None:
        self._pieces = pieces
        self._spelling = spelling
        self._at = 0

    def read(self) -> _Part:
        part = self._alternatives()
        if self._at < len(self._pieces):
            raise BadPhrase("there is a ) too many")
        if part.empty or not part.keys:
            raise BadPhrase("one word at least has to be there")
        if any(len(key) == 0 for key in part.keys):
            raise BadPhrase("it must not begin with a gap")
        return part

    def _next(self) -> str:
        return self._pieces[self._at] if self._at < len(self._pieces) else ""

    def _alternatives(self) -> _Part:
        found = [self._one_sequence()]
        while self._next() == "|":
            self._at += 1
            found.append(self._one_sequence())
        if len(found) == 1:
            return found[0]
        source = "|".join(part.source for part in sorted(found, key=lambda part: len(part.source), reverse=True))
        return _Part(f"(?:{source})", frozenset().union(*(part.keys for part in found)), any(part.empty for part in found))

    def _one_sequence(self) -> _Part:
        parts: list[_Part] = []
        while self._next() not in ("", "|", ")"):
            parts.extend(self._item())
        if not parts:
            raise BadPhrase("a choice is empty")
        return _sequence(parts)

    def _item(self) -> list[_Part]:
        piece = self._next()
        if piece in _GAPS:
            self._at += 1
            return [_Part(_GAPS[piece], frozenset({""}))]
        if piece in _EDGES:
            self._at += 1
            return [_EDGES[piece]]
        if piece == "(":
            return [self._maybe(self._group())]
        return self._words()

    def _group(self) -> _Part:
        self._at += 1
        part = self._alternatives()
        if self._next() != ")":
            raise BadPhrase("a ) is missing")
        self._at += 1
        return part

    def _words(self) -> list[_Part]:
        """The plain words from here on; a question mark makes the last one optional."""
        run: list[str] = []
        while self._next() not in ("", *_SIGNS):
            run.append(self._next())
            self._at += 1
        if not run:
            raise BadPhrase(f"{self._next()!r} has nothing before it")
        if self._next() != "?" or len(run) == 1:
            return [self._maybe(self._spelt(run))]
        return [self._spelt(run[:-1]), self._maybe(self._spelt(run[-1:]))]

    def _maybe(self, part: _Part) -> _Part:
        if self._next() != "?":
            return part
        self._at += 1
        return _Part(f"(?:{part.source})?", part.keys)

    def _spelt(self, run: list[str]) -> _Part:
        plain = run[:-1] if run[-1].endswith("*") else run
        words = self._spelling(" ".join(plain)).split() if plain else []
        if plain is not run:
            words.append(f"{normalise(run[-1])}*")
        if not words or words[0] == "*" or "*" in "".join(words[:-1]):
            raise BadPhrase(f"{' '.join(run)!r} is not made of words")
        return _sequence([_word(word) for word in words])


def _word(word: str) -> _Part:
    stem = word.removesuffix("*")
    if stem != word and len(stem) < _KEY:
        raise BadPhrase(f"{word!r} needs at least {_KEY} letters before its star")
    rest = "[^ ]*" if stem != word else "(?= |$)"
    return _Part(f" {re.escape(stem)}{rest}", frozenset({word}), empty=False)
