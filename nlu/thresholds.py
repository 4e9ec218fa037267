"""Reads how sure the model must be from nlu/thresholds.yml, where each number stands beside its reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Chances from 0 to 1: to answer at all, to opt out at once, to pause and ask, and to treat someone as at risk."""

    accept: float
    opt_out_sure: float
    opt_out_unsure: float
    safeguarding: float

    def __post_init__(self) -> None:
        chances = (self.accept, self.opt_out_sure, self.opt_out_unsure, self.safeguarding)
        if not all(0 < chance < 1 for chance in chances):
            raise ValueError("each threshold is a chance between 0 and 1")
        if self.opt_out_unsure > self.opt_out_sure:
            raise ValueError("opt_out_unsure must not be above opt_out_sure: doubt comes before certainty")


def load_thresholds(path: Path) -> Thresholds:
    """The thresholds of a file. Raises ValueError (KeyError for a missing one) when they make no sense."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    names = ("accept", "opt_out_sure", "opt_out_unsure", "safeguarding")
    return Thresholds(*(float(entries[name]["value"]) for name in names))
