"""Reads data/templates.yml, so that a template that breaks a rule stops the start and not a learner's message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot.settings import ROOT
from bot.template_lint import problems
from bot.templates import ENGLISH, Category, QuickReply, Template, Templates, Variable, gathered
from bot.turn import Purpose, Use

FILE = ROOT / "data" / "templates.yml"


class TemplateError(ValueError):
    """A template that must not be used, or a file that holds none; names the template and every reason, one a line."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Variable(_Entry):
    name: str
    sample: str


class _Reply(_Entry):
    title: str
    id: str


class _Text(_Entry):
    body: str
    replies: list[_Reply] = []


class _Template(_Entry):
    purpose: Purpose
    use: Use
    category: Category
    variables: list[_Variable] = []
    languages: dict[str, _Text] = Field(min_length=1)


_ALL = TypeAdapter(dict[str, _Template])


class _Loader(yaml.SafeLoader):
    """Refuses a name that stands twice: the second one would silently replace the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        """The mapping. Raises ConstructorError where a key comes twice."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise yaml.constructor.ConstructorError(None, None, f"{twice[0]} stands twice", node.start_mark)
        return dict(super().construct_mapping(node, deep=deep))


def load_templates(path: Path = FILE) -> Templates:
    """Every template of the file, each checked. Raises TemplateError."""
    every = [one for name, entry in _read(path).items() for one in _templates(name, entry)]
    wrong = [f"{_where(path, one)} {reason}" for one in every for reason in problems(one)]
    wrong += [f"{path.name}: {name} has no English text" for name in _without_english(every)]
    wrong += [f"{_where(path, one)} says the same as {other.name}: WhatsApp rejects it" for one, other in _alike(every)]
    if wrong:
        raise TemplateError("\n".join(wrong))
    return gathered(every)


def _read(path: Path) -> Mapping[str, _Template]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (a safe loader's child)
        return _ALL.validate_python(content)
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise TemplateError(f"{path.name}: cannot be read: {error}") from None
    except ValidationError as error:
        lines = [f"{path.name}: {'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors()]
        raise TemplateError("\n".join(lines)) from None


def _templates(name: str, entry: _Template) -> Iterator[Template]:
    variables = tuple(Variable(one.name, one.sample) for one in entry.variables)
    for language, text in entry.languages.items():
        replies = tuple(QuickReply(one.title, one.id) for one in text.replies)
        yield Template(name, entry.purpose, entry.use, entry.category, language, text.body, variables, replies)


def _where(path: Path, template: Template) -> str:
    return f"{path.name}: {template.name} ({template.language})"


def _without_english(every: list[Template]) -> list[str]:
    """What has no text to fall back to."""
    return sorted({one.name for one in every} - {one.name for one in every if one.language == ENGLISH})


def _alike(every: list[Template]) -> Iterator[tuple[Template, Template]]:
    """Templates of one language with the same body ("Message template approvals": identical content)."""
    first: dict[tuple[str, str], Template] = {}
    for one in every:
        other = first.setdefault((one.language, one.body), one)
        if other is not one:
            yield one, other
