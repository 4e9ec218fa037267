"""The page of phones in a real Chromium: who holds which phone, writing on one, and the answer that comes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence

from playwright.sync_api import Page, expect, sync_playwright

from tests.system.whole import Whole

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


def a_page(whole: Whole, people: Sequence[str]) -> Iterator[Page]:
    """As many phones side by side as there are people."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        opened = browser.new_page(viewport={"width": 1500, "height": 900})
        opened.goto(whole.simulator)
        opened.get_by_test_id("how-many").select_option(str(len(people)))
        for place, phone in enumerate(people):
            opened.get_by_test_id(f"who-{place}").select_option(phone)
        yield opened
        browser.close()


def says(page: Page, place: int, text: str, answer: str) -> None:
    """Somebody writes on their phone, and one answer comes that holds these words."""
    into = page.get_by_test_id(f"phone-{place}").locator(".bubble-in")
    before = into.count()
    page.get_by_test_id(f"input-{place}").fill(text)
    page.get_by_test_id(f"input-{place}").press("Enter")
    expect(into).to_have_count(before + 1, timeout=WAIT_MS)
    expect(into.last).to_contain_text(answer)
