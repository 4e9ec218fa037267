"""Keys made of contents, so that what is already built is not built again, and what has changed always is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

TRAINED_FROM = ("data/nlu", "nlu/components", "config.yml", "nlu/requirements.txt", "nlu/train.py")


def content_key(root: Path, names: Iterable[str]) -> str:
    """Sixteen hexadecimal digits that depend on the names and contents of these files and folders below the root."""
    digest = hashlib.sha256()
    for path in sorted(file for name in names for file in files_of(root / name)):
        body = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(body)}\0".encode() + body)
    return digest.hexdigest()[:16]


def files_of(path: Path) -> list[Path]:
    """The file itself, or every file of the folder but what Python writes by itself."""
    if path.is_file():
        return [path]
    return [file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts]


def model_key(root: Path) -> str:
    """The key of the model that these examples, this pipeline and this Rasa would make."""
    return content_key(root, TRAINED_FROM)


def environment_key(lock: Path, python: str) -> str:
    """The key of an environment; `python` is what `pythons.version` says of its interpreter."""
    return f"{python} {content_key(lock.parent, [lock.name])}"
