"""The page: who may see it, and that it shows messages and never runs them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from bot.settings import SettingsError
from simulator.app import create_app
from tests.simulator.world import AMINA, World

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
NASTY = "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\"> \u202eevil\u202c <b>bold</b>"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def test_the_page_runs_nothing_that_is_not_its_own(shared: World) -> None:
    answer = shared.http.get("/")
    assert (answer.status_code, answer.headers["X-Content-Type-Options"]) == (200, "nosniff")
    assert "default-src 'none'; script-src 'self';" in answer.headers["Content-Security-Policy"]


def test_a_file_that_could_run_is_only_offered_for_saving(world: World) -> None:
    fields = {"from": AMINA}
    world.http.post("/simulator/inbound", data=fields, files={"file": ("x.svg", b"<svg onload='x()'/>", "image/svg+xml")})
    answer = world.http.get("/" + world.phone()[0]["file"]["url"])
    assert answer.headers["Content-Disposition"] == "attachment"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.parametrize("headers", [{"Host": "phones.example"}, {"Origin": "https://phones.example"}])
def test_other_names_and_other_pages_are_refused(shared: World, headers: dict[str, str]) -> None:
    answer = shared.http.post("/simulator/inbound", json={"from": AMINA, "text": "in her name"}, headers=headers)
    assert answer.status_code in (400, 403)
    assert shared.phone() == []


def test_healthz_says_that_it_is_up(shared: World) -> None:
    assert shared.http.get("/healthz").json() == {"status": "ok"}


def test_it_does_not_start_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {
        "APP_ENV": "production",
        "PUBLIC_URL": "https://bot.example",
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "t",
        "NLU_TOKEN": "t",
        "SECRET_KEY": "t",
        "SUPPRESSION_KEY": "t",
        "SAFEGUARDING_CONTACTS": "Farah Malik <farah@example.org> +447700900990",
    }
    for name, value in made.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="demo"):
        create_app()


@pytest.fixture
def page(world: World) -> Iterator[Page]:
    """A browser on the page, with two phones: the two strangers (there are no CSV files here)."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        opened = browser.new_page()
        opened.goto(world.served.url)
        yield opened
        browser.close()


@pytest.mark.browser
def test_a_conversation_is_seen_as_on_a_phone_and_markup_stays_text(world: World, page: Page) -> None:
    title = page.title()
    out, into = page.get_by_test_id("phone-0").locator(".bubble-out"), page.get_by_test_id("phone-0").locator(".bubble-in")
    page.get_by_test_id("input-0").fill(NASTY)
    page.get_by_test_id("input-0").press("Enter")
    expect(out.locator(".text")).to_have_text(NASTY)
    expect(out.get_by_role("img", name="Delivered")).to_be_visible()
    world.send(NASTY, to="+447700900999")
    expect(into.locator(".text")).to_have_text(NASTY)
    expect(into.get_by_role("img", name="Read")).to_be_visible()
    expect(page.get_by_test_id("conversation-1").locator(".bubble")).to_have_count(0)
    assert page.title() == title

    world.service.answer = 503
    page.get_by_test_id("attach-0").press("Enter")
    page.get_by_role("button", name="Location").press("Enter")
    expect(out.last).to_contain_text("not delivered to the assistant (HTTP 503)")

    world.service.answer = 200
    into.first.locator(".text").click()
    page.get_by_test_id("input-0").fill("this one")
    page.get_by_test_id("send-0").click()
    expect(out.last.locator("blockquote strong")).to_have_text("Enterprise4all")
    expect(out.last.locator("blockquote span")).to_have_text(NASTY)
    assert world.service.calls[-1].form["OriginalRepliedMessageSid"].startswith("SM")
