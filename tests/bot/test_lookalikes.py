"""Rules about words are asked of what a reader takes the text for: hidden signs, odd letters and joints hide nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.lookalikes import as_read, has_hidden, mixed


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("ｌｅｓｓｏｎ", "lesson"),
        ("lesso\u0301n", "lesson"),
        ("les\u00adson", "lesson"),
        ("pass-word", "pass word"),
        ("send pin_number", "send pin number"),
        ("your P.I.N.", "your PIN"),
        ("sort\u00a0code", "sort code"),
        ("today’s lesson", "today's lesson"),
        ("pın", "pin"),
        ("a job a week", "a job a week"),
        ("Café, 3 lessons: £5", "Cafe, 3 lessons: £5"),
    ],
)
def test_a_text_is_read_in_plain_letters(text: str, read: str) -> None:
    assert as_read(text) == read


@pytest.mark.parametrize("sign", ["\u200b", "\u200d", "\u00ad", "\u202e", "\u2066", "\ufeff", "\u034f", "\u3164", "\u2800"])
def test_signs_that_nobody_sees_are_found(sign: str) -> None:
    assert has_hidden(f"a job{sign} in Blackburn")


@pytest.mark.parametrize("text", ["a job for £12", "Café Zoë", "مرحبا", "робота", "5 o’clock ✓", "a job 🎉️"])
def test_ordinary_words_of_any_one_alphabet_have_nothing_hidden_and_nothing_mixed(text: str) -> None:
    assert (has_hidden(text), list(mixed(text))) == (False, [])


@pytest.mark.parametrize(("text", "word"), [("a lеsson", "lеsson"), ("your bаnk", "bаnk"), ("an οffer", "οffer")])
def test_a_word_of_two_alphabets_is_found(text: str, word: str) -> None:
    assert list(mixed(text)) == [word]


@given(st.text())
def test_reading_what_was_read_changes_nothing_that_matters(text: str) -> None:
    read = as_read(text)
    assert as_read(read).split() == read.split()
    assert not has_hidden(read) or any(char in read for char in "\u115f\u1160\u2800\u3164\uffa0")
