"""Every word a person reads, by key and language: loaded once, checked at start, and shown with its values.

A placeholder is `{name}`; a time shows in London's, as `Tue 12 Jan, 10:00`. `{name:labels}` shows the text `labels.<value>`.
A line whose every placeholder is empty is left out, so that a lesson without a link needs no second text.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import yaml
from babel.dates import format_date, format_datetime

from bot.effects import Value
from bot.hours import LONDON

FOLDER = Path(__file__).parent
ENGLISH = "en"
PARSER = string.Formatter()
FAST_AND_SAFE = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where PyYAML has its C part
Values = Mapping[str, Value] | Iterable[tuple[str, Value]]


class TextError(KeyError):
    """A text, or a value that a text names, is missing or malformed; says which."""


@dataclass(frozen=True, slots=True)
class Texts:
    """All texts: language -> key -> text. `unreviewed` are the languages no native speaker has read yet (D17)."""

    by_language: Mapping[str, Mapping[str, str]]
    unreviewed: frozenset[str] = frozenset()

    def render(self, language: str, key: str, values: Values = ()) -> str:
        """The text in this language, or in English where it is not translated. Raises TextError."""
        given = dict(values)
        shown_in, text = self._find(language, key)
        try:
            lines = [self._line(line, shown_in, given) for line in text.split("\n")]
        except KeyError as error:
            raise TextError(f"{key} ({shown_in}): no {error.args[0]}") from None
        return "\n".join(line for line in lines if line is not None).strip()

    def reviewed(self) -> Texts:
        """Only what a native speaker has read: what production says (D17)."""
        return Texts({name: texts for name, texts in self.by_language.items() if name not in self.unreviewed})

    def _find(self, language: str, key: str) -> tuple[str, str]:
        for candidate in (language, language.partition("-")[0], ENGLISH):
            text = self.by_language.get(candidate, {}).get(key)
            if text is not None:
                return candidate, text
        raise TextError(f"no text {key}")

    def _line(self, line: str, language: str, given: Mapping[str, Value]) -> str | None:
        parts: list[str] = []
        shown: list[str] = []
        for literal, name, family, _ in PARSER.parse(line):
            parts.append(literal)
            if name is not None:
                shown.append(self._value(given[name], language, family or ""))
                parts.append(shown[-1])
        return "".join(parts) if any(shown) or not shown else None

    def _value(self, value: Value, language: str, family: str) -> str:
        if family:
            return self._find(language, f"{family}.{value}")[1]
        if isinstance(value, datetime):
            return format_datetime(value, "EEE d MMM, HH:mm", tzinfo=LONDON, locale=language)
        if isinstance(value, date):
            return format_date(value, "EEE d MMM", locale=language)
        return str(value)


def load_texts(folder: Path = FOLDER) -> Texts:
    """Every `<language>.yml` of the folder. Raises TextError where English is missing or a text is malformed."""
    files = {path.stem: _read(path) for path in sorted(folder.glob("*.yml"))}
    if ENGLISH not in files:
        raise TextError(f"no {ENGLISH}.yml in {folder.name}")
    unreviewed = frozenset(language for language, content in files.items() if content.pop("reviewed", True) is False)
    return Texts({language: _flatten(language, content) for language, content in files.items()}, unreviewed)


def placeholders(text: str) -> frozenset[str]:
    """The names of the values that a text wants."""
    return frozenset(name for _, name, _, _ in PARSER.parse(text) if name is not None)


def _read(path: Path) -> dict[str, object]:
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=FAST_AND_SAFE)  # noqa: S506 (a safe loader)
    if not isinstance(content, dict):
        raise TextError(f"{path.name} holds no texts")
    return content


def _flatten(language: str, content: Mapping[str, object]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for family, texts in content.items():
        if not isinstance(texts, dict):
            raise TextError(f"{language}.yml: {family} is no family of texts")
        for name, text in texts.items():
            flat[f"{family}.{name}"] = _checked(f"{language}.yml: {family}.{name}", text)
    return flat


def _checked(where: str, text: object) -> str:
    if not isinstance(text, str) or not text.strip():
        raise TextError(f"{where} is not a text")
    try:
        placeholders(text)
    except ValueError as error:
        raise TextError(f"{where}: {error}") from None
    return text.strip()
