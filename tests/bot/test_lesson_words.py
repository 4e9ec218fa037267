"""What lessons may be called, where they may be, and how a code is typed: adverts are refused, ordinary words are not."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bot.importing.rows import LessonLine
from bot.timetable.adverts import wrong_in_place, wrong_in_title
from tests.bot.timetables import london

LESSONS = [
    "Selling at Markets",
    "Finding New Customers",
    "Pricing Your Products",
    "Free Tools Online",
    "Offers, Deals and Sales",
    "Business Bank Accounts and Cards",
    "Recruiting a Partner",
    "Win-Win Negotiation",
    "Winning Customers",
]
ADVERTS = [
    "Apply now: job offer at ASDA",
    "We are HIRING",
    "Sign  up now!",
    "50% off all stock",
    "A discount for you",
    "Driver vacancy",
    "Please send your password",
    "Reply with your PIN",
    "Аpply nоw for this",
    "Sign\u00a0up now",
    "Job-offer",
]
PLACES = ["Job Centre, Blackburn", "Market Hall", "Free Trade Hall", "Opportunity House", "Bank House", "Passport Office"]
SECRETS = ["Room 4, password 1234", "bring your bank card", "PIN 1234"]


def a_line(**given: str) -> LessonLine:
    """A row of lessons.csv."""
    row = {"code": "L9", "course": "SYB12", "starts_at": "2026-12-01 10:00", "ends_at": "2026-12-01T12:00", "link": ""}
    return LessonLine.model_validate({**row, "title": "Pricing", "place": "Room 4", **given})


@pytest.mark.parametrize("title", LESSONS)
def test_a_title_of_a_business_course_is_fine(title: str) -> None:
    assert wrong_in_title(title) == ""
    assert a_line(title=title).title == title


@pytest.mark.parametrize("title", ADVERTS)
def test_a_title_that_reads_like_an_advert_or_asks_for_a_secret_is_none(title: str) -> None:
    assert wrong_in_title(title)
    with pytest.raises(ValidationError, match="lesson messages would say it"):
        a_line(title=title)


@pytest.mark.parametrize("place", [*PLACES, ""])
def test_an_ordinary_place_is_fine(place: str) -> None:
    assert wrong_in_place(place) == ""
    assert a_line(place=place).place == place


@pytest.mark.parametrize("place", SECRETS)
def test_a_place_that_names_a_secret_is_none(place: str) -> None:
    assert wrong_in_place(place)
    with pytest.raises(ValidationError, match="names a secret"):
        a_line(place=place)


def test_a_time_is_spelt_with_a_space_or_with_a_t() -> None:
    assert (a_line().starts_at, a_line().ends_at) == (london("2026-12-01 10:00"), london("2026-12-01 12:00"))
