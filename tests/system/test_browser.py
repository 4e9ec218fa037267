"""The page of phones in a real Chromium, with the whole system behind it: what a newcomer sees after `make run`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.system.phones import WAIT_MS, a_page, says
from tests.system.whole import Whole

pytestmark = [pytest.mark.rasa, pytest.mark.browser]
PEOPLE = ("+447700900108", "+447700900114", "+447700900201", "+447700900999")  # two learners, a trainer, a stranger


@pytest.fixture
def page(whole: Whole) -> Iterator[Page]:
    """Four phones side by side."""
    yield from a_page(whole, PEOPLE)


def test_four_people_talk_to_the_assistant_side_by_side(page: Page) -> None:
    says(page, 0, "how do i leave the group?", "Exit Group")
    says(page, 0, "wot time is my lesson", "Start Your Business")
    says(page, 1, "plz no more msgs", "You will not get any more WhatsApp messages")
    says(page, 1, "thanks", "still opted out")
    says(page, 1, "START", "Welcome back")
    says(page, 2, "hello", "automated helper")
    says(page, 3, "when is the next lesson", "01254 693 999")
    page.get_by_test_id("attach-0").press("Enter")
    page.get_by_role("button", name="Picture", exact=False).first.press("Enter")
    last = page.get_by_test_id("phone-0").locator(".bubble-in").last
    expect(last).to_contain_text("passed it to the office", timeout=WAIT_MS)
    expect(page.get_by_test_id("phone-3").locator(".bubble-in").filter(has_text="Start Your Business")).to_have_count(0)
    if picture := os.environ.get("E4A_PICTURE"):  # `make picture` keeps what the README shows
        page.screenshot(path=Path(picture))
