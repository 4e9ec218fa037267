"""Looks for people in what a machine shows: names, numbers in any spelling, and texts, however they were written down."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_plus

BETWEEN_DIGITS = r"[^0-9A-Za-z]{0,3}"
ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\U([0-9a-fA-F]{8})")
SPACES = re.compile(r"(?:\s|\\[nrt])+")


@dataclass(frozen=True, slots=True)
class Personal:
    """What must not be seen. Phones in E.164; names as they are written; texts whole."""

    names: tuple[str, ...]
    phones: tuple[str, ...]
    texts: tuple[str, ...]

    def seen_in(self, shown: str) -> set[str]:
        """Those of them that can be read in `shown`, whatever it was wrapped in."""
        plain = _unwrapped(shown)
        found = {name for name in self.names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", plain)}
        found |= {phone for phone in self.phones if _number(phone).search(plain)}
        flat = _flat(plain)
        return found | {text for text in self.texts if _flat(text) in flat}


def spellings_of_a_learner(name: str) -> Iterator[str]:
    """The whole name, and each part of it that is a name by itself."""
    yield name
    yield from name.split()


def _number(phone: str) -> re.Pattern[str]:
    """The ten digits that stay the same with +44, 0044 or 0 before them, with anything short between them."""
    return re.compile(rf"(?<![A-Za-z])({BETWEEN_DIGITS.join(phone[-10:])})(?![0-9a-f])")


def _unwrapped(shown: str) -> str:
    """As it was before it went into a URL or into JSON; both spellings are kept, so that nothing is lost."""
    unescaped = ESCAPE.sub(lambda m: chr(int(m[1] or m[2] or m[3], 16)), shown)
    return "\n".join(dict.fromkeys((shown, unescaped, unquote_plus(unescaped), unquote_plus(shown))))


def _flat(text: str) -> str:
    return SPACES.sub(" ", text).casefold()


def sessions(leaders: Iterable[int]) -> list[int]:
    """Every process of the sessions that these processes lead, those included."""
    wanted = set(leaders)
    return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _session(pid) in wanted]  # noqa: PTH208


def command_lines(pids: Iterable[int]) -> str:
    """What any user of the machine reads of these processes in its list: their arguments, and names of threads."""
    shown = []
    for pid in pids:
        files = [Path(f"/proc/{pid}/cmdline"), *Path(f"/proc/{pid}/task").glob("*/comm")]
        shown += [file.read_text(errors="replace").replace("\0", " ") for file in files if file.exists()]
    return "\n".join(shown)


def as_json(text: str) -> str:
    """A text as it stands in a line of JSON in ASCII."""
    return json.dumps(text)


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:  # it ended a moment ago
        return 0
