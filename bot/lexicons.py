"""Reads data/safety into the frozen Lexicon, so that a mistake in a word list stops the start and not a message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from bot.safety.lexicon import Lexicon, Spellings, Topic
from bot.safety.normalise import normalise, squeezed
from bot.safety.phrases import BadPhrase, Phrases, compile_phrases
from bot.texts import FAST_AND_SAFE

_TOPICS = (
    "opt_out",
    "opt_out_marketing",
    "opt_out_checkin",
    "all_or_part",
    "reminder_preferences",
    "reminders_day",
    "reminders_both",
    "reminders_hour",
    "reminders_none",
    "reminders_quiet",
    "reminders_unclear",
    "beside_a_wish",
    "more_than_reminders",
    "what_will_you_send",
    "wrong_number",
    "safeguarding_disclosure",
)
_FLAGS = ("for_other", "immediate", "watched", "domestic", "about_other", "about_staff", "secrecy")

Words = list[str]
Topics = Annotated[str, StringConstraints(pattern=f"^({'|'.join(_TOPICS)})$")]
Flag = Annotated[str, StringConstraints(pattern=f"^({'|'.join(_FLAGS)})$")]
Keyword = Annotated[str, StringConstraints(pattern="^(opt_out|opt_in|help|change_number)$")]
Answer = Annotated[str, StringConstraints(pattern="^(yes|no|call|here|[1-9])$")]


class LexiconError(ValueError):
    """A word list that cannot be used; the message names the file, the key and what is wrong."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _TopicEntry(_Entry):
    phrases: Words = []
    guards: Words = []
    unsure: Words = []
    flagged: dict[Flag, Words] = {}
    cues: dict[Flag, Words] = {}


class _Language(_Entry):
    reviewed: bool
    sets: dict[str, Words] = {}
    spellings: dict[str, Words] = {}
    close: Words = []
    keywords: dict[Keyword, Words] = {}
    keywords_alone: dict[Keyword, Words] = {}
    around: Words = []
    negations: Words = []
    fillers: Words = []
    answers: dict[Answer, Words] = {}
    before_number: Words = []
    topics: dict[Topics, _TopicEntry] = {}


def load_lexicon(folder: Path) -> Lexicon:
    """The lists of every `<language>.yml` in `folder` as one lexicon. Raises LexiconError."""
    languages = {path: _read(path) for path in sorted(folder.glob("*.yml"))}
    if not languages:
        raise LexiconError(f"{folder}: holds no word list")
    spellings = _spellings(languages)
    every = languages.values()
    return Lexicon(
        keywords=_by_whole(languages, "keywords", lambda one: one.keywords),
        keywords_alone=_by_whole(languages, "keywords_alone", lambda one: one.keywords_alone),
        around=_words(one.around for one in every),
        negations=_words(one.negations for one in every),
        fillers=_words(one.fillers for one in every),
        spellings=spellings,
        topics={name: _topic(name, languages, spellings) for name in _TOPICS},
        answers=_by_whole(languages, "answers", lambda one: one.answers),
        before_number=_words(one.before_number for one in every),
        unreviewed=tuple(path.stem for path, one in languages.items() if not one.reviewed),
    )


def _read(path: Path) -> _Language:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=FAST_AND_SAFE)  # noqa: S506 (a safe loader)
        return _Language.model_validate(content)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LexiconError(f"{path}: is not YAML: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors())
        raise LexiconError(f"{path}: {wrong}") from None


def _words(lists: Iterable[Words]) -> frozenset[str]:
    return frozenset(normalise(word) for words in lists for word in words)


def _spellings(languages: Mapping[Path, _Language]) -> Spellings:
    same: dict[str, str] = {}
    for path, one in languages.items():
        for usual, others in one.spellings.items():
            for other in others:
                key = normalise(other)
                if not 1 <= len(key.split()) <= 2:
                    raise LexiconError(f"{path}: spellings.{usual}: {other!r} must be one or two words")
                _put(same, key, normalise(usual), f"{path}: spellings.{usual}: {other!r}")
    return Spellings(same, tuple(normalise(word) for one in languages.values() for word in one.close))


def _by_whole(
    languages: Mapping[Path, _Language], key: str, lists: Callable[[_Language], Mapping[str, Words]]
) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for path, one in languages.items():
        for meaning, wholes in lists(one).items():
            for whole in wholes:
                # An emoji has no words: it is kept as it is.
                _put(found, squeezed(normalise(whole).split()) or whole, meaning, f"{path}: {key}.{meaning}: {whole!r}")
    return found


def _put(found: dict[str, str], key: str, meaning: str, where: str) -> None:
    if found.setdefault(key, meaning) != meaning:
        raise LexiconError(f"{where} already means {found[key]!r}")


def _topic(name: str, languages: Mapping[Path, _Language], spellings: Spellings) -> Topic:
    def joined(key: str, lists: Callable[[_TopicEntry], Words]) -> Phrases:
        entries = ((path, one, lists(one.topics.get(name, _TopicEntry()))) for path, one in languages.items())
        return Phrases.joined(
            [_compile(path, one, f"topics.{name}.{key}", words, spellings) for path, one, words in entries]
        )

    def by_flag(key: str, lists: Callable[[_TopicEntry], Mapping[str, Words]]) -> dict[str, Phrases]:
        return {flag: joined(f"{key}.{flag}", partial(_flagged, lists, flag)) for flag in _FLAGS}

    return Topic(
        phrases=joined("phrases", lambda entry: entry.phrases),
        guards=joined("guards", lambda entry: entry.guards),
        unsure=joined("unsure", lambda entry: entry.unsure),
        flagged=by_flag("flagged", lambda entry: entry.flagged),
        cues=by_flag("cues", lambda entry: entry.cues),
    )


def _flagged(lists: Callable[[_TopicEntry], Mapping[str, Words]], flag: str, entry: _TopicEntry) -> Words:
    return lists(entry).get(flag, [])


def _compile(path: Path, language: _Language, key: str, phrases: Words, spellings: Spellings) -> Phrases:
    sets = {name: tuple(words) for name, words in language.sets.items()}

    def spelling(words: str) -> str:
        return spellings.respell(normalise(words)).strip()

    try:
        return compile_phrases(phrases, sets, spelling)
    except BadPhrase as error:
        raise LexiconError(f"{path}: {key}: {error}") from None
