"""Phrases as people write them in data/safety, compiled once so that a message is searched in microseconds.

The little syntax is explained in data/safety/README.md. Gaps and alternatives are bounded: searching is linear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import regex

from bot.safety.normalise import BREAK

_PART = regex.compile(
    r"\((?P<group>[^()]*)\)(?P<maybe>\?)?|(?P<gap>\.{2,3})(?= |$)|(?P<edge>[\^$])|(?P<word>[^\s()|?]+)(?P<maybe>\?)?"
)
_GAPS = {"..": 2, "...": 4}  # how many words may stand there
_KEY = 3  # a phrase is filed under the first letters of its first word
_SET = regex.compile(r"<(\w+)>")

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

    index: Mapping[str, tuple[regex.Pattern[str], ...]]

    @classmethod
    def joined(cls, many: Iterable[Phrases]) -> Phrases:
        """All the phrases of `many` as one."""
        index: dict[str, tuple[regex.Pattern[str], ...]] = {}
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
    """Compile phrases; `spelling` puts each of their words as messages are put. Raises BadPhrase."""
    index: dict[str, list[regex.Pattern[str]]] = {}
    for phrase in phrases:
        parts = _parse(_with_sets(phrase, sets), phrase, spelling)
        pattern = regex.compile("".join(part.source for part in parts) + "(?= |$)")
        for key in _keys(parts, phrase):
            index.setdefault(key, []).append(pattern)
    return Phrases({key: tuple(patterns) for key, patterns in index.items()})


@dataclass(frozen=True, slots=True)
class _Part:
    source: str
    words: tuple[str, ...]
    optional: bool


def _with_sets(phrase: str, sets: Mapping[str, tuple[str, ...]]) -> str:
    def spelt_out(match: regex.Match[str]) -> str:
        if match[1] not in sets:
            raise BadPhrase(f"{phrase!r}: there is no set named {match[1]!r}")
        words = "|".join(sets[match[1]])
        before = phrase[: match.start()]
        return words if before.count("(") > before.count(")") else f"({words})"

    return _SET.sub(spelt_out, phrase)


def _parse(expanded: str, phrase: str, spelling: Spelling) -> list[_Part]:
    parts: list[_Part] = []
    at = 0
    while at < len(expanded):
        if expanded[at] == " ":
            at += 1
            continue
        match = _PART.match(expanded, at)
        if not match:
            raise BadPhrase(f"{phrase!r}: cannot be read from {expanded[at:]!r}")
        parts.append(_part(match, phrase, spelling))
        at = match.end()
    if not parts:
        raise BadPhrase(f"{phrase!r}: is empty")
    return parts


def _part(match: regex.Match[str], phrase: str, spelling: Spelling) -> _Part:
    if match["gap"]:
        return _Part(rf"(?: [^ {BREAK}]+){{0,{_GAPS[match['gap']]}}}?", (), optional=True)
    if match["edge"] == "^":
        return _Part(rf" \{BREAK}", (BREAK,), optional=False)
    if match["edge"] == "$":
        return _Part(rf"(?= \{BREAK})", (), optional=False)
    choices = (match["group"] if match["group"] is not None else match["word"]).split("|")
    written = [_written(choice, phrase, spelling) for choice in choices]
    source = "|".join(_source(words) for words in sorted(set(written), key=len, reverse=True))
    return _Part(
        f"(?:{source}){match['maybe'] or ''}", tuple(words.split(" ")[0] for words in written), bool(match["maybe"])
    )


def _written(choice: str, phrase: str, spelling: Spelling) -> str:
    stem = choice.strip()
    words = spelling(stem.removesuffix("*"))
    if not words:
        raise BadPhrase(f"{phrase!r}: a choice has no letters")
    return f"{words}*" if stem.endswith("*") else words


def _source(words: str) -> str:
    if words.endswith("*"):
        return " " + regex.escape(words[:-1], literal_spaces=True) + "[^ ]*"
    return " " + regex.escape(words, literal_spaces=True) + "(?= |$)"


def _keys(parts: list[_Part], phrase: str) -> set[str]:
    keys: set[str] = set()
    for part in parts:
        if not part.words:
            break
        short = [word for word in part.words if word.endswith("*") and len(word) <= _KEY]
        if short:
            raise BadPhrase(f"{phrase!r}: {short[0]!r} needs at least {_KEY} letters before its star")
        keys |= {word.rstrip("*")[:_KEY] for word in part.words}
        if not part.optional:
            return keys
    raise BadPhrase(f"{phrase!r}: must begin with a word that has to be there")
