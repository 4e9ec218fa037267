"""Twilio's Content endpoints: templates are made here, handed to WhatsApp and looked up."""

from __future__ import annotations

from flask import Blueprint, request

from simulator import auth
from simulator.resources import approval_json, content_json, content_page_json
from simulator.simulation import simulation
from simulator.templates import judge, read_types
from simulator.values import Content, Json, Refused

content_api = Blueprint("content_api", __name__, url_prefix="/v1")
auth.guard(content_api)


@content_api.post("/Content")
def create_content() -> tuple[Json, int]:
    """Make a Content resource out of JSON."""
    here, given = simulation(), _json()
    name, language, variables = given.get("friendly_name") or "", given.get("language"), given.get("variables") or {}
    if not isinstance(language, str) or not language:
        raise Refused(400, 20001, "language is missing")
    if not isinstance(name, str) or not isinstance(variables, dict):
        raise Refused(400, 20001, "friendly_name is a text and variables an object")
    samples = {str(key): str(value) for key, value in variables.items()}
    content = here.contents.add(name, language, read_types(given.get("types")), samples)
    return content_json(here.account, content), 201


@content_api.get("/Content")
def list_contents() -> Json:
    """All resources, a page at a time."""
    return _page(with_approval=False)


@content_api.get("/ContentAndApprovals")
def list_contents_and_approvals() -> Json:
    """All resources with WhatsApp's word on each."""
    return _page(with_approval=True)


def _page(*, with_approval: bool) -> Json:
    here = simulation()
    size, token = auth.page_size(request.args.get("PageSize"), 500), request.args.get("PageToken", "0")
    after = int(token) if token.isdecimal() else 0
    found = here.contents.page(size + 1, after)
    shown = [
        content_json(here.account, one) | ({"approval_requests": approval_json(one)} if with_approval else {})
        for one in found
    ]
    following = found[size - 1].seq if len(found) > size else None
    return content_page_json(request.path, size, after, shown[:size], following)


@content_api.get("/Content/<sid>")
def fetch_content(sid: str) -> Json:
    """One resource."""
    return content_json(simulation().account, _content(sid))


@content_api.delete("/Content/<sid>")
def delete_content(sid: str) -> tuple[str, int]:
    """Drop a resource."""
    if not simulation().contents.delete(sid):
        raise auth.not_found()
    return "", 204


@content_api.post("/Content/<sid>/ApprovalRequests/whatsapp")
def request_approval(sid: str) -> tuple[Json, int]:
    """Hand a resource to WhatsApp. The answer says `received`; the next look says `approved` or `rejected`."""
    content, given = _content(sid), _json()
    approval = judge(content, str(given.get("name") or ""), str(given.get("category") or ""))
    if not simulation().contents.submit(sid, approval):
        raise Refused(400, 92009, "This template was submitted before")
    return approval_json(_content(sid)) | {"status": "received", "rejection_reason": ""}, 201


@content_api.get("/Content/<sid>/ApprovalRequests")
def fetch_approval(sid: str) -> Json:
    """WhatsApp's word on one resource."""
    shown = content_json(simulation().account, _content(sid))
    url = f"{shown['url']}/ApprovalRequests"
    return {"sid": sid, "account_sid": shown["account_sid"], "url": url, "whatsapp": approval_json(_content(sid))}


def _content(sid: str) -> Content:
    content = simulation().contents.get(sid)
    if content is None:
        raise auth.not_found()
    return content


def _json() -> Json:
    given = request.get_json(silent=True)
    if not isinstance(given, dict):
        raise Refused(400, 20001, "A JSON object is needed")
    return given
