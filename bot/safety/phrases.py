"""Phrases as people write them in data/safety, compiled once so that a message is searched in microseconds.

The little syntax is explained in data/safety/README.md. Gaps and alternatives are bounded: searching is linear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.safety.normalise import BREAK, normalise

_PIECE = re.compile(r"\.{2,3}(?=[\s()|]|$)|[()|?^$]|[^\s()|?^$]+")
_GAPS = {"..": 2, "...": 4}  # how many words may stand there
_SIGNS = ("(", ")", "|", "?", "^", "$", *_GAPS)
_KEY = 3  # a phrase is filed under the first letters of its first word
_SET = re.compile(r"<(\w+)>")

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


@dataclass(frozen=True, slots=True)
class Phrases:
    """Many compiled phrases, filed by how they begin."""

    index: Mapping[str, tuple[re.Pattern[str], ...]]

    @classmethod
    def joined(cls, many: Iterable[Phrases]) -> Phrases:
        """All the phrases of `many` as one."""
        index: dict[str, tuple[re.Pattern[str], ...]] = {}
        for phrases in many:
            for key, patterns in phrases.index.items():
                index[key] = index.get(key, ()) + patterns
        return cls(index)

    def find(self, text: str) -> Iterator[Span]:
        """Every place in `text` (as `sentences` returns it) where one of the phrases stands, left to right."""
        start = text.find(" ")
        while start >= 0:
            after = text.find(" ", start + 1)
            word = text[start + 1 : after if after >= 0 else len(text)]
            for pattern in self.index.get(word[:_KEY], ()):
                found = pattern.match(text, start)
                if found:
                    yield Span(start, found.end())
            start = after

    def found_in(self, text: str) -> bool:
        """True when at least one of the phrases stands in `text`."""
        return next(self.find(text), None) is not None


def compile_phrases(phrases: Iterable[str], sets: Mapping[str, tuple[str, ...]], spelling: Spelling) -> Phrases:
    """Compile phrases; `spelling` puts their words as the words of messages are put. Raises BadPhrase."""
    index: dict[str, list[re.Pattern[str]]] = {}
    for phrase in phrases:
        try:
            part = _Reader(_PIECE.findall(_with_sets(phrase, sets)), spelling).read()
        except BadPhrase as error:
            raise BadPhrase(f"{phrase!r}: {error}") from None
        pattern = re.compile(part.source + "(?= |$)")
        for key in part.keys:
            index.setdefault(key, []).append(pattern)
    return Phrases({key: tuple(patterns) for key, patterns in index.items()})


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
            return [_Part(rf"(?: [^ {BREAK}]+){{0,{_GAPS[piece]}}}?", frozenset({""}))]
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
    return _Part(f" {re.escape(stem)}{rest}", frozenset({stem[:_KEY]}), empty=False)
