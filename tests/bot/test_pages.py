"""The public pages that our first message links to: for everybody, on an old phone, and word for word what was sent."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bot import pages
from bot.documents import PRIVACY, RULES, Document, DocumentError, Edition, load_documents
from tests.bot.rooms import english, texts
from tests.test_texts_complete import EMAIL, sentences

DOCUMENTS = load_documents()
PAGES = sorted(DOCUMENTS)
NUMBERS = {"01254 693 999", "999", "159", "0303 123 1113"}
# A version that learners were sent is never altered: other words are another version, with a line of its own here.
SENT = {
    ("privacy", "1"): "9fa01974e44acaed",
    ("rules", "1"): "ef7ca4ef3535a746",
}
LINES = [
    (name, version, line) for name in PAGES for version, edition in DOCUMENTS[name].editions.items() for line in [edition]
]


def client(documents: dict[str, Document] = DOCUMENTS) -> FlaskClient:
    app = Flask("pages")
    app.register_blueprint(pages.make_blueprint(documents, texts()))
    return app.test_client()


def lines(edition: Edition) -> list[str]:
    """Every line that a person reads."""
    found = [edition.title, edition.summary]
    for section in edition.sections:
        found += [section.heading, *section.text, *section.items, *section.steps, *section.then]
        found += [*section.terms, *section.terms.values()]
    return found


EVERY = [pytest.param(line, id=f"{name} {line[:30]}") for name, _, one in LINES for line in lines(one)]


class Seen(HTMLParser):
    """What a browser would make of a page: its words, its tags and what they point to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words, self.tags, self.points_to = "", [], []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.points_to += [str(value) for name, value in attrs if name in ("href", "src", "action")]

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("name", PAGES)
def test_a_page_holds_every_line_of_its_newest_version_and_says_which_it_is(name: str) -> None:
    document = DOCUMENTS[name]
    seen = Seen(client().get(f"/{name}").text)
    assert [line for line in lines(document.editions[document.newest]) if line not in seen.words] == []
    assert english("pages.version", version=document.newest) in seen.words


@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_nothing_from_anywhere_else(name: str) -> None:
    seen = Seen(client().get(f"/{name}").text)
    assert {"script", "img", "link", "iframe", "form"} & set(seen.tags) == set()
    assert {one for one in seen.points_to if one.startswith("http")} <= {"https://ico.org.uk/make-a-complaint/"}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_made_for_small_screens_and_for_who_listens_to_it(name: str) -> None:
    html = client().get(f"/{name}").text
    assert '<html lang="en-GB">' in html
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in html
    assert html.count("<h1>") == 1
    assert [tag for tag in Seen(html).tags if tag in ("main", "footer")] == ["main", "footer"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_may_load_nothing_sets_no_cookie_and_may_be_kept(name: str) -> None:
    answer = client().get(f"/{name}")
    style = re.search(r"<style>(.*)</style>", answer.text, re.DOTALL)
    assert style is not None
    allowed = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert answer.headers["Content-Security-Policy"].startswith(f"default-src 'none'; style-src 'sha256-{allowed}'; ")
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers


def test_a_page_that_a_phone_has_already_is_not_sent_again() -> None:
    first = client().get("/privacy")
    again = client().get("/privacy", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_number_calls_and_an_address_writes_at_a_touch() -> None:
    seen = Seen(client().get("/rules").text)
    assert {"tel:+441254693999", "tel:999", "tel:159", "mailto:training@enterprise4all.co.uk", "/privacy"} == set(
        seen.points_to
    )


def test_what_a_document_says_is_shown_as_words_and_never_as_html() -> None:
    assert pages.linked("<b>A</b> & 01254 693 999") == (
        '&lt;b&gt;A&lt;/b&gt; &amp; <a href="tel:+441254693999">01254 693 999</a>'
    )


def test_a_part_of_a_longer_number_is_no_link() -> None:
    assert "<a" not in pages.linked("1999, 15900 and 401254 693 9991")


def two_versions() -> dict[str, Document]:
    old = DOCUMENTS[RULES].editions["1"]
    new = old.model_copy(update={"title": "Our new rules", "agreed": True})
    return DOCUMENTS | {RULES: Document(RULES, {"1": old, "2": new})}


def test_the_version_that_somebody_was_sent_stays_readable_and_says_that_there_is_a_newer_one() -> None:
    seen = Seen(client(two_versions()).get("/rules/1").text)
    assert "Our WhatsApp rules" in seen.words
    assert english("pages.older") in seen.words
    assert "/rules/2" in seen.points_to


def test_the_newest_version_is_shown_where_none_is_named_and_says_nothing_of_newer_ones() -> None:
    for address in ("/rules", "/rules/2"):
        words = Seen(client(two_versions()).get(address).text).words
        assert "Our new rules" in words
        assert english("pages.older") not in words


def test_a_message_links_to_the_version_of_its_day() -> None:
    assert two_versions()[RULES].path == "/rules/2"
    assert DOCUMENTS[PRIVACY].path == "/privacy/1"


@pytest.mark.parametrize("address", ["/rules/9", "/privacy/01", "/privacy/1/2"])
def test_a_version_that_never_was_is_not_found(address: str) -> None:
    assert client().get(address).status_code == 404


def test_a_page_that_nobody_has_agreed_to_says_so_until_somebody_has() -> None:
    documents = two_versions()
    assert english("pages.draft") in Seen(client(documents).get("/rules/1").text).words
    assert english("pages.draft") not in Seen(client(documents).get("/rules/2").text).words


@pytest.mark.parametrize(("name", "version"), SENT)
def test_what_learners_were_sent_is_not_altered(name: str, version: str) -> None:
    edition = DOCUMENTS[name].editions[version].model_dump(exclude={"agreed"})
    assert hashlib.sha256(json.dumps(edition, sort_keys=True).encode()).hexdigest()[:16] == SENT[name, version]


def test_every_version_is_kept_from_being_altered() -> None:
    assert set(SENT) == {(name, version) for name in PAGES for version in DOCUMENTS[name].editions}


@pytest.mark.parametrize("line", EVERY)
def test_a_line_is_easy_to_read(line: str) -> None:
    assert max(len(one.split()) for one in sentences(line)) <= 20


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_easy_to_read(name: str) -> None:
    lengths = [
        len(one.split()) for line in lines(DOCUMENTS[name].editions[DOCUMENTS[name].newest]) for one in sentences(line)
    ]
    assert sum(lengths) / len(lengths) <= 9


@pytest.mark.parametrize("line", EVERY)
def test_a_line_has_the_numbers_and_addresses_exactly(line: str) -> None:
    numbers = {one for one in re.findall(r"\d[\d ().\-]*\d", line) if len(re.sub(r"\D", "", one)) > 2}
    assert numbers <= NUMBERS
    assert set(re.findall(r"[\w.+-]+@[\w-]+(?:\.\w+)*", line)) <= {EMAIL}


def test_the_notice_says_what_the_law_wants_to_be_said() -> None:
    said = " ".join(lines(DOCUMENTS[PRIVACY].editions["1"]))
    for needed in (
        "automated helper",
        "Twilio",
        "Meta",
        "safeguarding team",
        "STOP",
        "Your rights",
        "one month",
        "ico.org.uk",
    ):
        assert needed in said, needed


def test_the_way_out_of_a_group_is_the_one_of_the_policy() -> None:
    (out,) = [one for one in DOCUMENTS[RULES].editions["1"].sections if "leave" in one.heading]
    assert out.steps == ["Select the group.", "Tap the group name.", "Scroll down.", "Select 'Exit Group'."]


@pytest.mark.parametrize("content", ["", "{}", "'1': {agreed: false}", "'1': [", "'1': {agreed: false, title: T, body: B}"])
def test_a_malformed_document_stops_the_start(tmp_path: Path, content: str) -> None:
    for name in PAGES:
        (tmp_path / f"{name}.yml").write_text(content)
    with pytest.raises(DocumentError, match=r"privacy\.yml"):
        load_documents(tmp_path)


def test_a_missing_document_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(DocumentError):
        load_documents(tmp_path)
