"""How a text is spelt out before features are taken from it."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.settings import ROOT


def load() -> ModuleType:
    """The module as it is: its folder is on Rasa's path, not on ours."""
    spec = importlib.util.spec_from_file_location("wording", ROOT / "nlu" / "components" / "wording.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


wording = load()


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("Plz STOP   the msgs", "please stop the messages"),
        ("pleeeeease", "pleease"),
        ("ｈｅｌｌｏ", "hello"),
        ("I don’t know", "i don't know"),
        ("u r gr8!!!!", "you are great!!"),
        ("yh", "yes"),
        ("upload", "upload"),
        ("", ""),
    ],
)
def test_a_text_is_read_as_it_was_meant(typed: str, read: str) -> None:
    assert wording.spelt_out(typed) == read


@given(st.text(max_size=3_000))
def test_no_text_is_too_odd_or_becomes_too_long(text: str) -> None:
    assert len(wording.plain(text)) <= wording.LONGEST
    assert isinstance(wording.spelt_out(text), str)


def test_shorthand_is_words_in_lower_case() -> None:
    for short, meant in wording.shorthand().items():
        assert isinstance(short, str), short
        assert isinstance(meant, str), short
        assert (short, meant) == (short.casefold(), meant.casefold())
