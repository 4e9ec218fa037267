"""What a text of an opportunity must not say it does not say in disguise either, nor in its link (P18, L12, L18)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from bot import opportunities
from bot.database import Database
from bot.models import Course, LessonRow
from bot.opportunities import Refused
from bot.timetable.adverts import wrong_words
from tests.bot.offers import DAY, HOUR, a_course, an_offer, staff, the_offer
from tests.bot.rooms import TERMS


@pytest.fixture(autouse=True)
def college(db: Database, now: datetime) -> None:
    staff(db, now)
    a_course(db, "SYB12", now)
    with db.write() as session:
        start, course_id = now + DAY, session.scalars(select(Course.id)).one()
        lesson = {"title": "Pricing Your Products", "place": "St. Mary's Hall", "starts_at": start, "ends_at": start + HOUR}
        session.add(LessonRow(code="L1", course_id=course_id, **lesson))


def write(db: Database, now: datetime, **given: Any) -> None:
    opportunities.add(db, TERMS, an_offer(now, **given), now)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("your ｌｅｓｓｏｎ tomorrow", "speaks of 'your lesson'"),
        ("your lesso\u0301n tomorrow", "speaks of 'your lesson'"),
        ("your_lesson moved; a job too", "speaks of 'your lesson'"),
        ("your-next-class; a job too", "speaks of 'your next class'"),
        ("your lеsson tomorrow", "two alphabets in 'lеsson'"),
        ("send your bаnk details", "two alphabets in 'bаnk'"),
        ("your les\u00adson moved", "nobody sees"),
        ("your l\u200besson moved", "nobody sees"),
        ("a job \u202egnitekram", "nobody sees"),
        ("your\u3164lesson", "nobody sees"),
        ("a job \x1b[31m red", "nobody sees"),
        ("send us your ＰＩＮ", "names 'PIN'"),
        ("send us your P.I.N.", "names 'PIN'"),
        ("send us your pın", "names 'pin'"),
        ("send your pass-word", "names 'pass word'"),
        ("send your sort-code", "names 'sort code'"),
        ("send pin_number", "names 'pin'"),
        ("CVV2 please", "names 'CVV2'"),
        ("a fair at st marys hall; no: St Mary’s Hall", "names 'St. Mary's Hall'"),
        ("a fair after PRICING-YOUR-PRODUCTS", "names 'Pricing Your Products'"),
    ],
)
def test_a_disguise_is_seen_through(db: Database, now: datetime, what: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        write(db, now, what=what)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("https://example.org/your-lesson-moved-to-room-4", "--more speaks of 'your lesson'"),
        ("https://example.org/#your+lesson", "--more speaks of 'your lesson'"),
        ("https://example.org/send-your-PIN-and-details", "--more names 'PIN'"),
        ("https://example.org/?p=1&%70in=2", "--more names 'pin'"),
        ("https://your-lesson.example.org", "--more speaks of 'your lesson'"),
        ("password@example.org", "--more names 'password'"),
        ("https://example.org/pricing-your-products", "--more names 'Pricing Your Products'"),
        ("https://exаmple.org", "two alphabets in 'exаmple'"),
        ("https://пример.example", "--more is not a link"),
        ("https://[::1].x", "--more is not a link"),
        ("https://127.0.0.1/", "--more is not a link"),
        ("https://example.org:99999999/", "--more is not a link"),
        ("https://example.org:0/", "--more is not a link"),
        ("https://example.org:port/", "--more is not a link"),
        ("https://e4a.example.org\\@evil.example.org/", "--more is not a link"),
        ("https://e4a.example.org\\evil", "--more is not a link"),
        ("https://-a.example.org", "--more is not a link"),
        ("jobs@exämple.org", "--more is not a link"),
        ("https://e.x/\u200b", "nobody sees"),
        ("https://example.org/a\x1b[31m", "nobody sees"),
    ],
)
def test_a_link_is_plain_and_says_nothing_else(db: Database, now: datetime, more: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        write(db, now, more=more)


def test_what_begins_in_the_one_does_not_end_in_the_other(db: Database, now: datetime) -> None:
    with pytest.raises(Refused, match="--what with --more speaks of 'your lesson'"):
        write(db, now, what="a job, and your", more="lesson@example.org")


@pytest.mark.parametrize(
    "more",
    [
        "https://www.example.org:8443/jobs/2026-12/bakery_blackburn?from=e4a#apply",
        "https://xn--e1afmkfd.example/",
        "HTTPS://Example.ORG/A%20b",
        "jobs.blackburn+e4a@example.co.uk",
        "01254 693 999",
    ],
)
def test_ordinary_links_pass(db: Database, now: datetime, more: str) -> None:
    write(db, now, more=more)
    assert the_offer(db).more == more


@pytest.mark.parametrize("words", ["send your p-i-n", "pass\u200bword please", "your bаnk", "ｊｏｂｓ here"])
def test_the_words_of_a_problem_with_a_lesson_are_read_in_the_same_way(words: str) -> None:
    assert wrong_words(words)
