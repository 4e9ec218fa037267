"""The public documents that messages link to: each version that was ever linked stays readable (P20, L04)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from bot.texts import FAST_AND_SAFE, FOLDER

PRIVACY, RULES = "privacy", "rules"


class DocumentError(Exception):
    """A document is missing or malformed; says which and where."""


class Section(BaseModel):
    """A heading with its paragraphs, then a list, numbered steps or terms with their meaning, then more paragraphs."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    heading: str
    text: list[str] = []
    items: list[str] = []
    steps: list[str] = []
    terms: dict[str, str] = {}
    then: list[str] = []


class Edition(BaseModel):
    """One version of a document. `agreed`: Enterprise4all has signed its words off."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    agreed: bool
    title: str
    summary: str
    sections: list[Section]


EDITIONS = TypeAdapter(dict[str, Edition])


@dataclass(frozen=True, slots=True)
class Document:
    """A document by its name in addresses; its editions by version, newest last."""

    name: str
    editions: Mapping[str, Edition]

    @property
    def newest(self) -> str:
        """The version that is linked to from now on."""
        return list(self.editions)[-1]

    @property
    def path(self) -> str:
        """Where its newest version is read, and will be for ever: what a message links to."""
        return f"/{self.name}/{self.newest}"


def load_documents(folder: Path = FOLDER / "pages") -> dict[str, Document]:
    """Both documents. Raises DocumentError."""
    return {name: _read(folder / f"{name}.yml") for name in (PRIVACY, RULES)}


def _read(path: Path) -> Document:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=FAST_AND_SAFE)  # noqa: S506 (a safe loader)
        editions = EDITIONS.validate_python(content)
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise DocumentError(f"{path.name}: {error}") from None
    if not editions:
        raise DocumentError(f"{path.name} holds no version")
    return Document(path.stem, editions)
