"""Templates: the texts that WhatsApp has to approve before they may go outside the session window. Pure.

The code knows a template's variables by name; WhatsApp knows them by number. What is sent inside the window is the same text
filled in, so that a learner reads the same words either way.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, NoReturn

from bot.turn import Purpose, Use

Category = Literal["UTILITY", "MARKETING"]
ENGLISH = "en"
PLACE = re.compile(r"\{\{([1-9][0-9]?)\}\}")
LONGEST = 1024  # characters, filled in (Twilio error 63021)
LONGEST_VALUE = 250  # Twilio takes more of a variable and advises against it ("Send templates", ContentVariables)


class UnknownTemplate(KeyError):
    """There is no template of this name."""


class BadVariables(ValueError):
    """A template cannot be filled in with these. Names the variable at fault and never its value, which may be a name."""

    def __init__(self, template: str, variable: str, why: str) -> None:
        super().__init__(f"{template}: {variable} {why}")
        self.template, self.variable, self.why = template, variable, why


@dataclass(frozen=True, slots=True)
class QuickReply:
    """A button: what it says, which is also what the person sends by it, and the id that comes with that."""

    title: str
    id: str


@dataclass(frozen=True, slots=True)
class Variable:
    """What `{{1}}`, `{{2}}` ... stand for, in this order, and what WhatsApp is shown as an example."""

    name: str
    sample: str


@dataclass(frozen=True, slots=True)
class Template:
    """One text in one language. `purpose` is what consent is asked for, `use` its one approved use (P02, P12 to P19)."""

    name: str
    purpose: Purpose
    use: Use
    category: Category
    language: str
    body: str
    variables: tuple[Variable, ...] = ()
    replies: tuple[QuickReply, ...] = ()

    @property
    def version(self) -> str:
        """Changes with whatever WhatsApp approves: words, buttons, category, language."""
        approved = [self.body, [[one.title, one.id] for one in self.replies], self.category, self.language]
        return sha256(json.dumps(approved).encode()).hexdigest()[:8]

    @property
    def friendly_name(self) -> str:
        """How Twilio and WhatsApp call this version. A name that was deleted cannot be used again for 30 days."""
        return f"{self.name}_{self.language}_{self.version}"

    @property
    def samples(self) -> dict[str, str]:
        """The example values by number, as the Content API wants them."""
        return {str(place): one.sample for place, one in enumerate(self.variables, 1)}

    def fill(self, variables: Mapping[str, str]) -> str:
        """The text with these values, by name, in it. Raises BadVariables."""
        return filled(self.body, self.numbered(variables))

    def numbered(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The values, cleaned, by number as ContentVariables wants them. Raises BadVariables.

        One may hold no line break, tab or four spaces, and may not be empty (Twilio errors 63013, 21656): whitespace becomes
        one space, and a value of which nothing is left is refused. So is one too long, rather than cut: it may be a link.
        """
        if unknown := sorted(set(variables) - {one.name for one in self.variables}):
            self._refuse(unknown[0], "is none of its variables")
        values = {str(place): self._value(one.name, variables) for place, one in enumerate(self.variables, 1)}
        if len(filled(self.body, values)) > LONGEST:
            longest = max(values, key=lambda number: len(values[number]))
            self._refuse(self.variables[int(longest) - 1].name, f"makes the text longer than {LONGEST} characters")
        return values

    def _value(self, name: str, variables: Mapping[str, str]) -> str:
        if name not in variables:
            self._refuse(name, "is missing")
        value = clean(variables[name])
        if all(unicodedata.category(char)[0] in "CZ" for char in value):  # of invisible marks nothing would show
            self._refuse(name, "is empty")
        if len(value) > LONGEST_VALUE:
            self._refuse(name, f"is longer than {LONGEST_VALUE} characters")
        return value

    def _refuse(self, variable: str, why: str) -> NoReturn:
        raise BadVariables(self.name, variable, why)


@dataclass(frozen=True, slots=True)
class Templates:
    """Every template in every language it is written in: name -> language -> template."""

    by_name: Mapping[str, Mapping[str, Template]]

    def find(self, name: str, language: str) -> Template:
        """The template in this language, or in English where it is not translated. Raises UnknownTemplate."""
        languages = self.by_name.get(name, {})
        for one in (language, language.partition("-")[0], ENGLISH):
            if one in languages:
                return languages[one]
        raise UnknownTemplate(name)

    def __iter__(self) -> Iterator[Template]:
        """Each one, by name and language."""
        for _, languages in sorted(self.by_name.items()):
            yield from (languages[language] for language in sorted(languages))

    def __len__(self) -> int:
        return sum(len(languages) for languages in self.by_name.values())


def gathered(every: Sequence[Template]) -> Templates:
    """These templates, to be found by name and language."""
    by_name: dict[str, dict[str, Template]] = {}
    for one in every:
        by_name.setdefault(one.name, {})[one.language] = one
    return Templates(by_name)


def clean(value: str) -> str:
    """A value as a template takes it: no control characters, and one space wherever there was any whitespace."""
    bare = "".join(" " if char.isspace() else char for char in value)
    return " ".join("".join(char for char in bare if unicodedata.category(char) not in ("Cc", "Cs")).split())


def filled(body: str, values: Mapping[str, str]) -> str:
    """The body with its numbered places filled in, each once: braces inside a value are only text."""
    return PLACE.sub(lambda place: values.get(place[1], place[0]), body)
