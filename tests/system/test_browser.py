"""The page of phones in a real Chromium, with the whole system behind it: what a newcomer sees after `make run`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.system.whole import Whole

pytestmark = [pytest.mark.rasa, pytest.mark.browser]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_MS = 20_000
PEOPLE = ("+447700900108", "+447700900114", "+447700900201", "+447700900999")  # two learners, a trainer, a stranger


@pytest.fixture
def page(whole: Whole) -> Iterator[Page]:
    """Four phones side by side."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        opened = browser.new_page(viewport={"width": 1500, "height": 900})
        opened.goto(whole.simulator)
        opened.get_by_test_id("how-many").select_option("4")
        for place, phone in enumerate(PEOPLE):
            opened.get_by_test_id(f"who-{place}").select_option(phone)
        yield opened
        browser.close()


def test_four_people_talk_to_the_assistant_side_by_side(page: Page) -> None:
    _says(page, 0, "how do i leave the group?", "Exit Group")
    _says(page, 0, "wot time is my lesson", "Start Your Business")
    _says(page, 1, "plz no more msgs", "You will not get any more WhatsApp messages")
    _says(page, 1, "thanks", "still opted out")
    _says(page, 1, "START", "Welcome back")
    _says(page, 2, "hello", "automated helper")
    _says(page, 3, "when is the next lesson", "01254 693 999")
    page.get_by_test_id("attach-0").press("Enter")
    page.get_by_role("button", name="Picture", exact=False).first.press("Enter")
    last = page.get_by_test_id("phone-0").locator(".bubble-in").last
    expect(last).to_contain_text("passed it to the office", timeout=WAIT_MS)
    expect(page.get_by_test_id("phone-3").locator(".bubble-in").filter(has_text="Start Your Business")).to_have_count(0)
    if picture := os.environ.get("E4A_PICTURE"):  # `make picture` keeps what the README shows
        page.screenshot(path=Path(picture))


def _says(page: Page, place: int, text: str, answer: str) -> None:
    into = page.get_by_test_id(f"phone-{place}").locator(".bubble-in")
    before = into.count()
    page.get_by_test_id(f"input-{place}").fill(text)
    page.get_by_test_id(f"input-{place}").press("Enter")
    expect(into).to_have_count(before + 1, timeout=WAIT_MS)
    expect(into.last).to_contain_text(answer)
