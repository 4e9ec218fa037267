"""A course as its learner lives it, on the page of phones, with the clock moved on: reminded, told, asked and let go."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Page, expect

from bot.gate import last_day
from tests.system.phones import a_page, says
from tests.system.whole import Whole, a_whole

pytestmark = [pytest.mark.rasa, pytest.mark.browser]
LONDON = ZoneInfo("Europe/London")
LEARNER, TRAINER = "+447700900100", "+447700900200"  # as the page of the demo college knows them: Amina, and a trainer
WEEK = timedelta(weeks=1)
SOON_MS = 30_000
QUIET_FOR_S = 8  # the worker finds within two seconds that the clock has moved
LESSON_ON = datetime.now(LONDON).date() + timedelta(days=4)
ENDS_ON = LESSON_ON + timedelta(days=3)

COLLEGE = {
    "staff.csv": f"code,name,role,phone,email\nT01,Nasreen Akhtar,trainer,{TRAINER},\n",
    "courses.csv": "code,name,cohort,starts_on,ends_on,trainers,group_link\n"
    f"BAKE,Bake and Sell,Cohort 1,{LESSON_ON - 4 * WEEK},{ENDS_ON},T01,\n",
    "lessons.csv": "code,course,starts_at,ends_at,title,place,link\n"
    f"BAKE-1,BAKE,{LESSON_ON}T10:00,{LESSON_ON}T12:00,Pricing a Cake,Room 4,\n",
    "learners.csv": "code,name,phone,course,language,service_consent,checkin_consent,marketing_consent,declared_on,"
    "declaration_version\n"
    f"L001,Amina Yusuf,{LEARNER},BAKE,en,yes,yes,no,2026-09-10,v2\n",
}


@pytest.fixture(scope="module")
def college(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """One learner on one course with one lesson, and every process."""
    one = a_whole(tmp_path_factory.mktemp("course"))
    folder = one.folder / "college"
    folder.mkdir()
    for name, text in COLLEGE.items():
        (folder / name).write_text(text, encoding="utf-8")
    for command in (["migrate"], ["import", str(folder)]):
        done = one.flask(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    try:
        one.start(["simulator", "nlu", "web", "worker"])
        one.wait_until_ready()
        for step in ("push", "status"):
            assert one.flask("templates", step).returncode == 0
        yield one
    finally:
        one.stop_all()


@pytest.fixture
def page(college: Whole) -> Iterator[Page]:
    """The learner's phone and the trainer's."""
    yield from a_page(college, (LEARNER, TRAINER))


def move_to(college: Whole, day: date, at: str) -> None:
    """The clock of the whole demo moves on to this moment in London."""
    answer = httpx.post(f"{college.simulator}/simulator/clock", json={"to": f"{day}T{at}"}, timeout=10)
    assert answer.status_code == httpx.codes.OK, answer.text


def comes(page: Page, place: int, words: str) -> None:
    """These words come to a phone by themselves."""
    bubbles = page.get_by_test_id(f"phone-{place}").locator(".bubble-in")
    expect(bubbles.filter(has_text=words).last).to_be_visible(timeout=SOON_MS)


def test_a_course_is_reminded_delayed_over_asked_about_and_let_go(college: Whole, page: Page) -> None:
    move_to(college, LESSON_ON - timedelta(days=1), "09:30")
    comes(page, 0, "I am an automated helper")
    assert not any("Reminder" in text for text in college.heard(LEARNER))
    page.get_by_test_id("clock-hour").click()
    comes(page, 0, "Pricing a Cake")

    move_to(college, LESSON_ON, "09:30")
    says(page, 1, "delay 20", "YES or NO")
    says(page, 1, "yes", "1 learner")
    comes(page, 0, "10:20")
    says(page, 0, "when is my lesson", "10:20")

    answers = ("1", "2", "3", "it is going really well, lots of orders")
    for week, answer in zip((2, 8, 16, 24), answers, strict=True):
        move_to(college, ENDS_ON + week * WEEK, "10:31")
        assert soon(partial(was_asked, college, answers.index(answer) + 1)), week
        says(page, 0, answer, "")
    move_to(college, last_day(ENDS_ON) - timedelta(days=1), "12:00")
    comes(page, 0, "This is our last message to you")

    told = len(college.heard(LEARNER))
    for days in (1, 2, 30, 200):
        move_to(college, last_day(ENDS_ON) + timedelta(days=days), "12:00")
        time.sleep(QUIET_FOR_S)
    assert len(college.heard(LEARNER)) == told
    assert len(asked(college)) == len(answers)


def asked(college: Whole) -> list[str]:
    """The check-ins that reached the learner."""
    return [text for text in college.heard(LEARNER) if "How are things going" in text]


def was_asked(college: Whole, times: int) -> bool:
    """Has that many check-ins reached the learner?"""
    return len(asked(college)) == times


def soon(so: Callable[[], bool]) -> bool:
    """Does it become so within half a minute?"""
    end = time.monotonic() + SOON_MS / 1000
    while time.monotonic() < end:
        if so():
            return True
        time.sleep(0.2)
    return False
