"""A text too long for one message is cut where a reader would pause, and nothing of it is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.outbox.split import LONGEST, split

WORDS = st.text(st.sampled_from("abc .!?\n😀ب"), max_size=400)


def without_space(text: str) -> str:
    return "".join(text.split())


def test_a_text_that_fits_stays_whole() -> None:
    assert split("a" * LONGEST) == ["a" * LONGEST]
    assert split("") == [""]


def test_paragraphs_stay_together_before_sentences_do() -> None:
    assert split("One two. Three.\n\nFour five. Six.", 20) == ["One two. Three.", "Four five. Six."]


def test_sentences_stay_together_before_words_do() -> None:
    assert split("Come at ten. Bring your cake.", 16) == ["Come at ten.", "Bring your cake."]


def test_a_word_longer_than_a_message_is_cut_and_not_lost() -> None:
    assert split("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]


def test_characters_are_counted_as_twilio_counts_them_and_never_cut_in_two() -> None:
    assert split("😀" * 5, 2) == ["😀😀", "😀😀", "😀"]


@given(WORDS, st.integers(4, 60))
def test_every_part_fits_and_every_word_is_there(text: str, longest: int) -> None:
    parts = split(text, longest)
    assert all(len(part) <= longest for part in parts)
    assert without_space("".join(parts)) == without_space(text)


@given(WORDS, st.integers(4, 60))
def test_no_part_of_a_text_that_shows_something_shows_nothing(text: str, longest: int) -> None:
    assert all(part.strip() for part in split(text, longest)) or not text.strip()
