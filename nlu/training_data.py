"""The training examples with the line each stands on, and what is wrong with them, before anything is trained."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

FEWEST = 10  # examples of an intent; below that it is a name without a meaning
MARKUP = re.compile(r"\[[^\]]*\]\s*[({]")  # Rasa would read an entity into it


@dataclass(frozen=True)
class Example:
    """One line of training data."""

    text: str
    intent: str
    file: str
    line: int

    @property
    def place(self) -> str:
        """Where to find it, as editors understand it."""
        return f"{self.file}:{self.line}"


def read_intents(path: Path) -> frozenset[str]:
    """The names of all intents there are, one on each line."""
    return frozenset(path.read_text(encoding="utf-8").split())


def read_examples(folder: Path) -> list[Example]:
    """All examples of the folder's YAML files. Raises yaml.YAMLError, or ValueError naming a file not in Rasa's form."""
    return [example for path in sorted(folder.glob("*.yml")) for example in _examples_of(path)]


def _examples_of(path: Path) -> Iterator[Example]:
    root = yaml.compose(path.read_text(encoding="utf-8"))
    try:
        for entry in _entries(root)["nlu"].value:
            fields = _entries(entry)
            intent, block = fields["intent"].value, fields["examples"]
            yield from _lines(block, intent, path.name)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path.name} is not Rasa training data (nlu: - intent: ... examples: | ...)") from error


def _entries(node: yaml.Node | None) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise TypeError("not a mapping")
    return {key.value: value for key, value in node.value}


def _lines(block: yaml.Node, intent: str, file: str) -> Iterator[Example]:
    first = block.start_mark.line + 2  # marks count from 0, and the text starts on the line below its "|"
    for offset, line in enumerate(block.value.splitlines()):
        if line.startswith("- "):
            yield Example(line[2:].strip(), intent, file, first + offset)


def problems(examples: Iterable[Example], intents: frozenset[str]) -> list[str]:
    """What must be mended before training, one sentence each; empty when all is well."""
    by_intent: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_intent[example.intent].append(example)
    missing = [f"{name} has no examples" for name in sorted(intents - by_intent.keys())]
    unknown = [f"{by_intent[name][0].place}: {name} is not an intent" for name in sorted(by_intent.keys() - intents)]
    few = [f"{name} has only {len(found)} examples" for name, found in sorted(by_intent.items()) if len(found) < FEWEST]
    everything = [example for found in by_intent.values() for example in found]
    return [*missing, *unknown, *few, *_marked_up(everything), *_contradictions(everything)]


def _marked_up(examples: list[Example]) -> list[str]:
    return [
        f"{one.place}: square brackets before a bracket mean an entity to Rasa"
        for one in examples
        if MARKUP.search(one.text)
    ]


def _contradictions(examples: list[Example]) -> list[str]:
    by_text: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_text[same(example.text)].append(example)
    torn = [found for found in by_text.values() if len({one.intent for one in found}) > 1]
    return [
        f"{found[0].text!r} is several things: " + ", ".join(f"{one.intent} ({one.place})" for one in found)
        for found in torn
    ]


def same(text: str) -> str:
    """What two texts have in common that differ in capitals and spaces only."""
    return " ".join(text.casefold().split())
