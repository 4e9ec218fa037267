"""Showing a text with its values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.texts import TextError, Texts, load_texts

TEXTS = Texts(
    {
        "en": {
            "a.hello": "Hello {name}.",
            "a.when": "{at}",
            "a.lines": "{title}\nWhere: {place}\nBye",
            "a.choice": "1 {x:labels}",
        },
        "pl": {"a.hello": "Witaj {name}.", "a.when": "{at}", "labels.stop": "Zatrzymaj"},
    }
)


def test_a_text_shows_the_values_it_names() -> None:
    assert TEXTS.render("en", "a.hello", {"name": "Amina"}) == "Hello Amina."
    assert TEXTS.render("en", "a.hello", (("name", "Amina"), ("unused", 1))) == "Hello Amina."


def test_a_text_is_shown_in_the_readers_language_or_in_english() -> None:
    assert TEXTS.render("pl", "a.hello", {"name": "Zofia"}) == "Witaj Zofia."
    assert TEXTS.render("pl-PL", "a.hello", {"name": "Zofia"}) == "Witaj Zofia."
    assert TEXTS.render("cy", "a.hello", {"name": "Sam"}) == "Hello Sam."


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (datetime(2027, 1, 12, 10, 0, tzinfo=UTC), "Tue 12 Jan, 10:00"),
        (datetime(2027, 3, 28, 0, 59, tzinfo=UTC), "Sun 28 Mar, 00:59"),
        (datetime(2027, 3, 28, 1, 0, tzinfo=UTC), "Sun 28 Mar, 02:00"),
        (datetime(2026, 6, 30, 23, 30, tzinfo=UTC), "Wed 1 Jul, 00:30"),
        (date(2027, 1, 12), "Tue 12 Jan"),
    ],
)
def test_a_time_is_shown_in_london(at: date, shown: str) -> None:
    assert TEXTS.render("en", "a.when", {"at": at}) == shown


def test_a_time_is_shown_in_the_language_of_the_text() -> None:
    assert TEXTS.render("pl", "a.when", {"at": date(2027, 1, 12)}) == "wt. 12 sty"


def test_a_line_with_nothing_to_show_is_left_out() -> None:
    assert TEXTS.render("en", "a.lines", {"title": "Pricing", "place": ""}) == "Pricing\nBye"


def test_a_choice_is_shown_by_its_label_in_the_same_language_where_there_is_one() -> None:
    both = Texts({"en": {"a.choice": "1 {x:labels}", "labels.stop": "Stop"}, "pl": {"a.choice": "1 {x:labels}"}})
    assert both.render("pl", "a.choice", {"x": "stop"}) == "1 Stop"
    with pytest.raises(TextError, match=r"labels\.unheard"):
        both.render("en", "a.choice", {"x": "unheard"})


def test_a_missing_text_or_value_is_named() -> None:
    with pytest.raises(TextError, match=r"a\.none"):
        TEXTS.render("en", "a.none")
    with pytest.raises(TextError, match=r"a\.hello.*name"):
        TEXTS.render("en", "a.hello")


@given(st.text(max_size=50))
def test_a_value_is_shown_as_it_is_whatever_it_holds(value: str) -> None:
    assert TEXTS.render("en", "a.hello", {"name": value}) == f"Hello {value}.".strip() or not value


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"pl.yml": "a:\n  b: c\n"}, "no en.yml"),
        ({"en.yml": "- a\n"}, "holds no texts"),
        ({"en.yml": "a: b\n"}, "no family"),
        ({"en.yml": "a:\n  b: 3\n"}, "a.b is not a text"),
        ({"en.yml": "a:\n  b: '{c'\n"}, "a.b"),
    ],
)
def test_a_malformed_file_is_named_at_start(tmp_path: Path, files: dict[str, str], reason: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(TextError, match=reason):
        load_texts(tmp_path)


def test_a_language_says_whether_a_native_speaker_has_read_it(tmp_path: Path) -> None:
    (tmp_path / "en.yml").write_text("a:\n  b: c\n", encoding="utf-8")
    (tmp_path / "pl.yml").write_text("reviewed: false\na:\n  b: d\n", encoding="utf-8")
    assert load_texts(tmp_path).unreviewed == {"pl"}


def test_production_says_only_what_a_native_speaker_has_read() -> None:
    texts = load_texts()
    assert texts.unreviewed
    assert texts.reviewed().render("pl", "consent.opted_out") == texts.render("en", "consent.opted_out")
