"""What to do about each of Twilio's error codes: read from errors.yml, so that the table is seen as one (section 4.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

import yaml

Remedying = Literal[
    "retry",  # it failed for certain: send again after each of the waits, then give up
    "unknown",  # it may have gone out: look it up, never repeat it blindly
    "unreachable",  # this recipient gets nothing until they write to us; no withdrawal of consent
    "opted_out",  # Twilio itself holds an opt-out: all consent is withdrawn, source "twilio"
    "template",  # the window is shut: once more by template, and counted as a defect of ours
    "withdraw_marketing",  # the recipient wants no marketing
    "marketing_only",  # this marketing is dropped and nothing else changes
    "our_bug",  # this message is wrong: logged, and a case for the office
    "stop",  # account, sender or password is wrong: the queue stops, people are alerted, the message stays
    "template_gone",  # this template may not be used until somebody has looked at it
    "drop",  # permanent for this message, and logged
]
KINDS: tuple[Remedying, ...] = get_args(Remedying)
TABLE = Path(__file__).with_name("errors.yml")
UNITS = {"s": "seconds", "min": "minutes", "h": "hours"}
WAIT = re.compile(r"([1-9][0-9]*) (s|min|h)")


class BadTable(ValueError):
    """errors.yml does not hold what it must; says where."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do. `waits` are the pauses before each new try, none but for `retry`; `means` is for people who look."""

    kind: Remedying
    waits: tuple[timedelta, ...] = ()
    means: str = field(default="", compare=False)


UNKNOWN_CODE = Remedy("drop", means="Twilio gave no code, or one that is not in our table.")


def remedy(code: int | None) -> Remedy:
    """What to do about a message that failed with this code; `drop` for a code that nobody has thought of yet."""
    return UNKNOWN_CODE if code is None else table().get(code, UNKNOWN_CODE)


@cache
def table() -> Mapping[int, Remedy]:
    """Every code of errors.yml; read once."""
    return MappingProxyType(read_table(TABLE.read_text(encoding="utf-8")))


def read_table(text: str) -> dict[int, Remedy]:
    """The table in this YAML: kind, then code, then what it means; of a retry `waits` and `means`. Raises BadTable."""
    found: dict[int, Remedy] = {}
    for kind, codes in yaml.safe_load(text).items():
        for code, row in codes.items():
            if code in found:
                raise BadTable(f"{code} stands in the table twice")
            found[code] = _remedy(kind, code, row)
    return found


def _remedy(kind: Remedying, code: int, row: object) -> Remedy:
    waits, means = (row.get("waits"), row.get("means")) if isinstance(row, dict) else ([], row)
    if kind not in KINDS or not isinstance(code, int) or not isinstance(means, str) or not means:
        raise BadTable(f"{code} under {kind} needs a known kind, a number and its meaning")
    if not isinstance(waits, list) or (kind == "retry") != bool(waits):
        raise BadTable(f"{code}: a retry has waits, and nothing else has")
    return Remedy(kind, tuple(_wait(code, one) for one in waits), means)


def _wait(code: int, text: object) -> timedelta:
    match = WAIT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise BadTable(f"a wait of {code} must look like 10 min")
    return timedelta(**{UNITS[match[2]]: int(match[1])})
