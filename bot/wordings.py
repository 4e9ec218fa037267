"""The exact words that somebody said yes or no to, kept under a version and never altered (P11, L02)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.database import insert_new
from bot.models import Wording
from bot.turn import CONSENTABLE, Consentable

Boxes = Mapping[Consentable, str]  # a purpose -> the words of its box
CHAT = "chat"
HASH_LENGTH = 8


class BadWordings(Exception):
    """The file of wordings is not as it must be; says where."""


class WordingChanged(Exception):
    """A version says other words now than those that people agreed to; says which."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of ours by its name, and its text as the person read it. It names nobody: it outlives them."""

    question: str
    text: str


def load_wordings(path: Path) -> Mapping[str, Boxes]:
    """Every version of the declaration, with the words of each of its boxes. Raises BadWordings."""
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(loaded, dict):
        raise BadWordings(f"{path.name}: no versions in it")
    return {str(version): _boxes(f"{path.name}, version {version}", boxes) for version, boxes in loaded.items()}


def keep(session: Session, wordings: Mapping[str, Boxes], now: datetime) -> None:
    """Record the words of every version that is not on file. Raises WordingChanged where one is, in other words."""
    there = on_file(session, wordings)
    for version, purpose, text in [(version, *box) for version, boxes in wordings.items() for box in boxes.items()]:
        if there.get((version, purpose), text) != text:
            why = f"the words of version {version} for {purpose} are not those on file"
            raise WordingChanged(f"{why}: give the new words a new version")
        if (version, purpose) not in there:
            insert_new(session, Wording, version=version, purpose=purpose, text=text, recorded_at=now)


def of_question(session: Session, asked: Asked, purposes: Iterable[Consentable], now: datetime) -> str:
    """The version of a question put in chat, its words on file for each of `purposes`: other words, another version."""
    digest = hashlib.sha256(asked.text.encode()).hexdigest()[:HASH_LENGTH]
    version = f"{CHAT}:{asked.question}:{digest}"
    for purpose in purposes:
        insert_new(session, Wording, version=version, purpose=purpose, text=asked.text, recorded_at=now)
    return version


def on_file(session: Session, versions: Iterable[str]) -> dict[tuple[str, str], str]:
    """The words on file of these versions, by version and purpose."""
    wanted = set(versions)
    rows = session.scalars(select(Wording).where(Wording.version.in_(wanted)))
    return {(row.version, row.purpose): row.text for row in rows}


def _boxes(where: str, boxes: object) -> Boxes:
    if not isinstance(boxes, dict) or set(boxes) != set(CONSENTABLE):
        raise BadWordings(f"{where}: must have the words for each of {', '.join(CONSENTABLE)}, and no others")
    texts = {purpose: boxes[purpose] for purpose in CONSENTABLE}
    for purpose, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise BadWordings(f"{where}: no words for {purpose}")
    return {purpose: " ".join(text.split()) for purpose, text in texts.items()}
