"""The page with the phones, and the simulator's own interface for it and for scripts (README.md)."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response, jsonify, request

from simulator import clock, inbound
from simulator.asked import kind_of_file, read_address, read_failing, read_inbound, read_judging, read_upload
from simulator.simulation import simulation
from simulator.values import BadRequest, Json
from simulator.views import message_view

ON_THE_PAGE = ("image/jpeg", "image/png", "image/webp", "audio/ogg", "audio/mpeg", "audio/mp4", "audio/aac", "video/mp4")
page = Blueprint("page", __name__, static_folder="static", static_url_path="/static")


@page.get("/")
def phones() -> Response:
    """The phones."""
    return page.send_static_file("index.html")


@page.get("/healthz")
def healthz() -> Json:
    """The process is up."""
    return {"status": "ok"}


@page.get("/simulator/people")
def people() -> Json:
    """Who a phone can be, and the number they write to."""
    here = simulation()
    return {"sender": here.account.sender.removeprefix("whatsapp:"), "people": [asdict(one) for one in here.people()]}


@page.get("/simulator/messages")
def messages() -> Json:
    """One phone's messages, or those that changed after `since`; `open=1` says that somebody is looking at it."""
    here, address = simulation(), read_address(request.args.get("phone", ""))
    if request.args.get("open") == "1":
        here.delivery.open_phone(address)
    version = here.messages.version()  # before the rows: a change in between is told again, never lost
    rows = here.messages.of_phone(address, request.args.get("since", 0, type=int))
    return {"version": version, "messages": [message_view(row, here.files.of_message(row.sid)) for row in rows]}


@page.post("/simulator/inbound")
def write() -> Json:
    """A phone writes to us; answers when the assistant has answered."""
    here = simulation()
    names = {person.address: person.name for person in here.people()}
    chosen = request.files.get("file")
    given: Json = dict(request.form) if chosen else _json()
    upload = read_upload(chosen.mimetype, chosen.read()) if chosen else None
    if upload:
        given = given | {"kind": kind_of_file(upload.content_type)}
    event, carried = read_inbound(given, names)
    sid, status = inbound.write(here, event, upload or carried)
    return {"sid": sid, "status": status}


@page.post("/simulator/heard")
def heard() -> Json:
    """A phone wrote to the service without us: it is on the phone, and its window is open."""
    here = simulation()
    event, _ = read_inbound(_json(), {person.address: person.name for person in here.people()})
    return {"sid": inbound.heard(here, event, 200)}


@page.post("/simulator/fail")
def fail() -> Json:
    """Make the next create calls go wrong."""
    fault, count = read_failing(_json())
    return {"waiting": simulation().faults.add(fault, count)}


@page.delete("/simulator/fail")
def forgive() -> Json:
    """Let everything go well again."""
    simulation().faults.clear()
    return {"waiting": 0}


@page.post("/simulator/template")
def judge_again() -> Json | tuple[Json, int]:
    """WhatsApp changes its mind about a template: pauses it, or puts it into another category."""
    wanted = read_judging(_json())
    told = simulation().contents.judge_again(wanted.name, wanted.status, wanted.category, wanted.reason)
    return {"changed": told} if told else ({"error": "no template of this name was handed in"}, 404)


@page.get("/simulator/clock")
def tell_time() -> Json:
    """What time it is in the demo."""
    return clock.shown()


@page.post("/simulator/clock")
def move_clock() -> Json:
    """The clock of the whole demo moves on."""
    file = simulation().outside.clock_file
    if file is None:
        raise BadRequest("this clock is in other hands")
    clock.move(file, _json())
    return clock.shown()


@page.get("/simulator/files/<sid>")
def show_file(sid: str) -> Response | tuple[Response, int]:
    """A file as the phone keeps it. What a browser might run is only offered for saving."""
    file = simulation().files.get(sid)
    if file is None:
        return jsonify(error="there is no such file"), 404
    answer = Response(file.data, content_type=file.content_type)
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    if file.content_type not in ON_THE_PAGE:
        answer.headers["Content-Disposition"] = "attachment"
    return answer


@page.errorhandler(BadRequest)
def bad_request(error: BadRequest) -> tuple[Response, int]:
    """What was wrong with a request of a script."""
    return jsonify(error=str(error)), 400


def _json() -> Json:
    given = request.get_json(silent=True)
    if not isinstance(given, dict):
        raise BadRequest("a JSON object is needed, with Content-Type: application/json")
    return given
