"""Twilio's Messages and Media endpoints, as far as the official library and our service use them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from simulator import auth
from simulator.faults import Fault
from simulator.files import read_link, sign_link
from simulator.messages import Filter
from simulator.resources import file_json, message_json, page_json
from simulator.rules import Sender, check
from simulator.simulation import simulation
from simulator.values import Draft, Fate, File, Json, Message, Refused, new_sid

PREFIX = "/2010-04-01/Accounts/<account>"
PAGE_TOKEN = re.compile(r"PA(\d{1,15})")
FILTERS = ("To", "From", "DateSent", "DateSent>", "DateSent<")

api = Blueprint("api", __name__)
auth.guard(api)
files = Blueprint("files", __name__)  # no password: whoever has the signed address has the file


@api.before_request
def befall() -> str | None:
    """Every call but creating a message may be made to go wrong here."""
    if request.endpoint == "api.create_message":
        return None
    return _befall(simulation().faults.take("records"))


@api.post(f"{PREFIX}/Messages.json")
def create_message() -> tuple[Json | str, int]:
    """Take a message for sending; what becomes of it comes by status callback."""
    here = simulation()
    here.outside.wait(here.pace.call)
    fault = here.faults.take()
    sid = _accept(check(request.form, Sender(here.account.sender, here.contents.get)), fault.fate) if fault.taken else ""
    garbled = _befall(fault)
    return (garbled if garbled is not None else _shown(_message(sid))), 201


def _befall(fault: Fault) -> str | None:
    """Let it happen: an answer that is no JSON, or None where the caller is to have the right one. Raises Refused."""
    if fault.stalls:
        simulation().outside.wait(simulation().pace.stall)
    fault.strike()
    return "<html>Twilio is being mended.</html>" if fault.garbled else None


def _accept(draft: Draft, fate: Fate) -> str:
    here = simulation()
    sid = new_sid("MM" if draft.media_url else "SM")
    fated = replace(draft, fate=fate) if fate.status else draft
    here.messages.add_outbound(sid, here.address_of(draft.to), here.account.sender, fated)
    here.delivery.begin(sid)
    return sid


@api.get(f"{PREFIX}/Messages.json")
def list_messages() -> Json:
    """The newest first, filtered, a page at a time."""
    here, query = simulation(), request.args
    size = auth.page_size(query.get("PageSize"), 1000)
    rows = here.messages.page(_filter(), size + 1, _before(query.get("PageToken", "")))
    asked = {name: query[name] for name in (*FILTERS, "Page", "PageToken") if name in query} | {"PageSize": str(size)}
    asked["Page"] = asked.get("Page", "0") if asked.get("Page", "0").isdecimal() else "0"
    following = f"PA{rows[size - 1].seq}" if len(rows) > size else None
    return page_json(request.path, asked, {"messages": [_shown(row) for row in rows[:size]]}, following)


def _before(token: str) -> int | None:
    match = PAGE_TOKEN.fullmatch(token)
    if token and not match:
        raise Refused(400, 20006, "Invalid PageToken")
    return int(match[1]) if match else None


def _filter() -> Filter:
    query = request.args
    since, until = query.get("DateSent>"), query.get("DateSent<")
    if "DateSent" in query:
        since = until = query["DateSent"][:10]
    return Filter(query.get("To", ""), query.get("From", ""), _moment(since, time.min), _moment(until, time.max))


def _moment(text: str | None, edge: time) -> datetime | None:
    """A date (its first or last moment) or a second (likewise) in UTC."""
    if not text:
        return None
    try:
        if len(text) == len("2026-11-23"):
            return datetime.combine(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC), edge, UTC)
        second = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Refused(400, 20001, "Dates look like 2026-11-23 or 2026-11-23T10:00:00Z") from None
    return second + timedelta(microseconds=edge.microsecond)


@api.get(f"{PREFIX}/Messages/<sid>.json")
def fetch_message(sid: str) -> Json:
    """One message."""
    return _shown(_message(sid))


@api.post(f"{PREFIX}/Messages/<sid>.json")
def redact_message(sid: str) -> Json:
    """Blank the text; nothing else of a message can be changed."""
    message = _message(sid)
    if request.form.get("Body") != "":
        raise Refused(400, 20001, "Only Body can be updated, to an empty text")
    _refuse_unfinished(message)
    simulation().messages.redact(sid)
    return _shown(_message(sid))


@api.delete(f"{PREFIX}/Messages/<sid>.json")
def delete_message(sid: str) -> tuple[str, int]:
    """Drop Twilio's record of a message and of its files."""
    here = simulation()
    _refuse_unfinished(_message(sid))
    for file in here.files.of_message(sid):
        here.files.delete(file.sid)
    here.messages.delete(sid)
    return "", 204


def _refuse_unfinished(message: Message) -> None:
    if message.status == "queued":
        raise Refused(409, 20009, "Cannot change or delete this message because delivery has not been completed.")


@api.get(f"{PREFIX}/Messages/<sid>/Media.json")
def list_files(sid: str) -> Json:
    """The files of a message; WhatsApp has one at most, so there is one page."""
    here = simulation()
    found = [file for file in here.files.of_message(_message(sid).sid) if not file.deleted]
    query = {"PageSize": str(auth.page_size(request.args.get("PageSize"), 1000))}
    return page_json(request.path, query, {"media_list": [file_json(here.account, file) for file in found]}, None)


@api.get(f"{PREFIX}/Messages/<sid>/Media/<file_sid>.json")
def fetch_file(sid: str, file_sid: str) -> Json:
    """What is known of a file."""
    return file_json(simulation().account, _file(sid, file_sid))


@api.get(f"{PREFIX}/Messages/<sid>/Media/<file_sid>")
def download_file(sid: str, file_sid: str) -> BaseResponse:
    """Where the file is for the next minutes, without a password."""
    here = simulation()
    token = sign_link(here.account, _file(sid, file_sid).sid)
    return redirect(f"{here.account.api_url}/mms/{token}", 307)


@api.delete(f"{PREFIX}/Messages/<sid>/Media/<file_sid>.json")
def delete_file(sid: str, file_sid: str) -> tuple[str, int]:
    """Drop Twilio's copy of a file."""
    simulation().files.delete(_file(sid, file_sid).sid)
    return "", 204


@files.get("/mms/<token>")
def give_file(token: str) -> Response:
    """The file itself, as mms.twiliocdn.com gives it; 400 to a caller who lets the account's password leak to here."""
    here = simulation()
    if request.authorization is not None:
        return Response("Only one way to authorise is allowed", 400, content_type="text/plain")
    file_sid = read_link(here.account, token, here.pace.link)
    file = here.files.get(file_sid) if file_sid else None
    if file is None or file.deleted:
        return Response("Access denied", 403, content_type="text/plain")
    return Response(file.data, content_type=file.content_type)


def _message(sid: str) -> Message:
    message = simulation().messages.get(sid)
    if message is None:
        raise auth.not_found()
    return message


def _file(message_sid: str, sid: str) -> File:
    file = simulation().files.get(sid)
    if file is None or file.deleted or file.message_sid != message_sid:
        raise auth.not_found()
    return file


def _shown(message: Message) -> Json:
    here = simulation()
    return message_json(here.account, message, here.files.of_message(message.sid))
