"""Rights over one's own data, and changes that make the assistant usable: each is a case from the first word (D19)."""

from __future__ import annotations

from actions.office import pass_on
from bot.effects import Effect
from bot.turn import Turn


def data_access_request(turn: Turn) -> list[Effect]:
    """A copy of one's data, asked in any form (L05)."""
    return pass_on(turn, "data_access_request", "rights.access")


def data_erasure_request(turn: Turn) -> list[Effect]:
    """Delete my data (L06)."""
    return pass_on(turn, "data_erasure_request", "rights.erasure")


def data_correction(turn: Turn) -> list[Effect]:
    """A name, an address or a date that is wrong (L06)."""
    return pass_on(turn, "data_correction", "rights.correction")


def accessibility_request(turn: Turn) -> list[Effect]:
    """Another language, easier words, a call in place of text (L29)."""
    return pass_on(turn, "accessibility_request", "rights.access_needs")
