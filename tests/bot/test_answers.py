"""A short answer is read as one; anything longer is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answers import read_answer
from tests.words import lexicon

LEXICON = lexicon()


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "YES!",
        "yes please",
        "yeah ta",
        "yep",
        "ok",
        "haan",
        "haan ji",
        "tak",
        "da",
        "ਹਾਂ",
        "نعم",
        "👍",
        "👍🏽",
        "👍👍",
        "ok 👍",
        "✅",
    ],
)
def test_a_yes_is_read(text: str) -> None:
    assert read_answer(text, LEXICON) == "yes"


@pytest.mark.parametrize(
    "text", ["no", "No.", "no thanks", "nope", "nah", "nahi", "nie", "nu", "না", "لا", "👎", "👎🏿", "no 👎"]
)
def test_a_no_is_read(text: str) -> None:
    assert read_answer(text, LEXICON) == "no"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1", "1"),
        ("1.", "1"),
        ("(2)", "2"),
        ("1️⃣", "1"),
        ("one", "1"),
        ("number 2", "2"),
        ("option 3 please", "3"),
        ("2 pls", "2"),
        ("٣", "3"),
        ("9", "9"),
        ("two", "2"),
        ("the first one", "1"),
    ],
)
def test_a_number_is_read(text: str, answer: str) -> None:
    assert read_answer(text, LEXICON) == answer


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "yes but not on mondays",
        "no idea",
        "12",
        "11",
        "10",
        "0",
        "1 2",
        "1️⃣2️⃣",
        "one of them",
        "thanks",
        "please",
        "yes 👎",
        "👍👎",
        "🙂",
        "stop",
        "number",
        "yes no",
        "to",
    ],
)
def test_what_says_more_or_less_is_no_answer(text: str) -> None:
    assert read_answer(text, LEXICON) == ""


@given(st.text())
def test_any_text_reads_as_one_of_the_answers_or_none(text: str) -> None:
    assert read_answer(text, LEXICON) in {"", "yes", "no", "call", "here", *"123456789"}
