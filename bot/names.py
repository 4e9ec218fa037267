"""How we call people: by their first name, taken from a list in one way everywhere. Pure."""

from __future__ import annotations


def first_name(name: str) -> str:
    """The first word of a whole name; empty where there is none."""
    return name.partition(" ")[0]
