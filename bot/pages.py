"""The public pages that our first message links to: how we use data, and the rules (F01, L04, P20)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping

from flask import Blueprint, Response, abort, render_template, request
from markupsafe import Markup, escape

from bot.documents import PRIVACY, RULES, Document
from bot.texts import ENGLISH, Texts

KEPT_FOR_S = 3600  # by a phone or a cache: a correction is seen within the hour
STYLE = (
    "body{margin:0;font:1.125rem/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff}"
    "main,footer{max-width:40rem;margin:0 auto;padding:0 1rem;overflow-wrap:break-word}"
    "h1{font-size:1.75rem;line-height:1.25}h2{font-size:1.3rem;line-height:1.3;margin:2rem 0 .5rem}"
    "p,ul,ol,dl{margin:.75rem 0}ul,ol{padding-left:1.5rem}li{margin:.4rem 0}"
    "dt{font-weight:bold;margin-top:.75rem}dd{margin:0}a{color:#0b4f9e}"
    ".note{border-left:.3rem solid #b35900;padding:.25rem .75rem;background:#fff6e5}"
    "footer{border-top:1px solid #767676;margin-top:2rem}"
)
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": f"public, max-age={KEPT_FOR_S}",
}
LINKS = {  # what a phone can call, write to or open, exactly as the documents spell it
    "01254 693 999": "tel:+441254693999",
    "999": "tel:999",
    "159": "tel:159",
    "0303 123 1113": "tel:+443031231113",
    "training@enterprise4all.co.uk": "mailto:training@enterprise4all.co.uk",
    "ico.org.uk": "https://ico.org.uk/make-a-complaint/",
}
LINKABLE = re.compile("|".join(rf"(?<![\w@.]){re.escape(one)}(?!\w)" for one in sorted(LINKS, key=len, reverse=True)))


def make_blueprint(documents: Mapping[str, Document], texts: Texts) -> Blueprint:
    """`/privacy` and `/rules` show the newest version, `/rules/1` the one that somebody was sent. Nothing is personal."""
    blueprint = Blueprint("pages", __name__, template_folder="html")
    blueprint.add_app_template_filter(linked)

    def show(name: str, version: str = "") -> Response:
        document = documents[name]
        shown = version or document.newest
        if shown not in document.editions:
            abort(404)
        other = documents[RULES if name == PRIVACY else PRIVACY]
        return _answer(_render(document, shown, other, texts))

    for name in (PRIVACY, RULES):
        for rule in (f"/{name}", f"/{name}/<version>"):
            blueprint.add_url_rule(rule, name, show, defaults={"name": name})
    return blueprint


def linked(line: str) -> Markup:
    """A line of a document with its numbers and addresses as links: an old phone calls at a touch."""
    found = LINKABLE.sub(lambda one: f'<a href="{LINKS[one[0]]}">{one[0]}</a>', str(escape(line)))
    return Markup(found)  # noqa: S704 (escaped in the line above)


def _render(document: Document, shown: str, other: Document, texts: Texts) -> str:
    words = {
        "draft": texts.render(ENGLISH, "pages.draft"),
        "older": texts.render(ENGLISH, "pages.older"),
        "newest": texts.render(ENGLISH, "pages.newest"),
        "version": texts.render(ENGLISH, "pages.version", {"version": shown}),
    }
    return render_template(
        "page.html",
        page=document.editions[shown],
        words=words,
        style=STYLE,
        newer="" if shown == document.newest else document.path,
        other={"href": f"/{other.name}", "title": other.editions[other.newest].title},
    )


def _answer(html: str) -> Response:
    response = Response(html, content_type="text/html; charset=utf-8", headers=HEADERS)
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value]  # it hands back the response it was given
