"""Every kind of message reaches the service as a signed webhook with all that a real one carries."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from simulator.people import external_id
from simulator.webhooks import NO_ANSWER, Webhooks
from tests.simulator.world import ACCOUNT, AMINA, PNG, SENDER, World, metadata

ALWAYS = {
    "AccountSid",
    "ApiVersion",
    "Body",
    "ChannelMetadata",
    "ExternalUserId",
    "Forwarded",
    "FrequentlyForwarded",
    "From",
    "MessageSid",
    "MessageType",
    "NumMedia",
    "NumSegments",
    "ProfileName",
    "ReferralNumMedia",
    "SmsMessageSid",
    "SmsSid",
    "SmsStatus",
    "To",
}


def form_of(world: World, **wanted: str) -> dict[str, str]:
    answer = world.say(**wanted)
    call = [one for one in world.service.calls if one.path == "/whatsapp/inbound"][-1]
    assert (answer["status"], call.signed) == (200, True)
    assert call.form["MessageSid"] == call.form["SmsSid"] == call.form["SmsMessageSid"] == answer["sid"]
    return call.form


def test_a_text_carries_everything_a_real_webhook_does(shared: World) -> None:
    text = 'a&b=c + "d"\nمرحبا 🎓'
    form = form_of(shared, text=text, name="Amina \u202e🌟")
    assert set(form) == ALWAYS | {"WaId"}
    assert form["MessageSid"].startswith("SM")
    assert len(form["MessageSid"]) == 34
    fixed = {
        name: form[name] for name in ("AccountSid", "ApiVersion", "NumMedia", "NumSegments", "ReferralNumMedia", "SmsStatus")
    }
    assert fixed == {
        "AccountSid": ACCOUNT.sid,
        "ApiVersion": "2010-04-01",
        "NumMedia": "0",
        "NumSegments": "1",
        "ReferralNumMedia": "0",
        "SmsStatus": "received",
    }
    assert (form["From"], form["To"], form["WaId"]) == (f"whatsapp:{AMINA}", SENDER, AMINA[1:])
    assert (form["Body"], form["ProfileName"], form["MessageType"]) == (text, "Amina \u202e🌟", "text")
    assert form["ExternalUserId"] == f"whatsapp:{external_id(AMINA)}"
    context = {"ProfileName": "Amina \u202e🌟", "WaId": AMINA[1:], "Forwarded": "false", "FrequentlyForwarded": "false"}
    assert metadata(form) == context


KINDS: list[tuple[dict[str, str], dict[str, str]]] = [
    ({"kind": "picture"}, {"MessageType": "image", "Body": "words", "NumMedia": "1", "MediaContentType0": "image/jpeg"}),
    ({"kind": "document"}, {"MessageType": "document", "Body": "words", "MediaContentType0": "application/pdf"}),
    ({"kind": "video"}, {"MessageType": "video", "MediaContentType0": "video/mp4"}),
    ({"kind": "voice"}, {"MessageType": "audio", "Body": "", "MediaContentType0": "audio/ogg"}),
    ({"kind": "sticker"}, {"MessageType": "sticker", "Body": "", "MediaContentType0": "image/webp"}),
    ({"kind": "contact"}, {"MessageType": "contacts", "Body": "", "MediaContentType0": "text/vcard"}),
    ({"kind": "location"}, {"MessageType": "location", "Body": "", "Latitude": "53.7480", "Longitude": "-2.4820"}),
    ({"kind": "location", "label": "Here"}, {"Label": "Here", "Address": "King William Street, Blackburn"}),
    (
        {"kind": "button", "choice": "Yes", "choice_id": "optin:yes"},
        {"ButtonText": "Yes", "ButtonPayload": "optin:yes", "Body": "Yes"},
    ),
    ({"kind": "button"}, {"MessageType": "interactive", "ButtonText": "words"}),
    (
        {"kind": "list", "choice": "Task 2", "choice_id": "t2"},
        {"MessageType": "interactive", "ListTitle": "Task 2", "ListId": "t2"},
    ),
    ({"forwarded": "once"}, {"Forwarded": "true", "FrequentlyForwarded": "false", "Body": "words"}),
    ({"forwarded": "often"}, {"Forwarded": "true", "FrequentlyForwarded": "true"}),
    ({"kind": "advert"}, {"ReferralSourceType": "ad", "ReferralNumMedia": "0", "Body": "words", "MessageType": "text"}),
    ({"kind": "unsupported"}, {"MessageType": "unsupported", "Body": "", "NumMedia": "0"}),
    ({"kind": "empty"}, {"MessageType": "text", "Body": "", "NumMedia": "0"}),
]


@pytest.mark.parametrize(("wanted", "expected"), KINDS)
def test_every_kind_of_message_is_told_as_twilio_tells_it(
    shared: World, wanted: dict[str, str], expected: dict[str, str]
) -> None:
    form = form_of(shared, text="words", **wanted)
    assert set(form) >= ALWAYS
    assert {name: form[name] for name in expected} == expected
    assert form["MessageSid"][:2] == ("MM" if form["NumMedia"] == "1" else "SM")


def test_a_quoted_reply_names_what_it_answers(world: World) -> None:
    world.say()
    sid = world.send("a question").sid
    form = form_of(world, text="an answer", quoted=sid)
    assert (form["OriginalRepliedMessageSid"], form["OriginalRepliedMessageSender"]) == (sid, SENDER)


def test_a_sender_without_a_phone_is_known_by_the_id_alone(shared: World) -> None:
    form = form_of(shared, sender="whatsapp:GB.7361940258136047")
    assert form["From"] == form["ExternalUserId"] == "whatsapp:GB.7361940258136047"
    assert "WaId" not in form
    assert "WaId" not in metadata(form)


def test_a_chosen_file_is_sent_as_it_is(world: World) -> None:
    fields = {"from": AMINA, "text": "mine"}
    answer = world.http.post("/simulator/inbound", data=fields, files={"file": ("x.png", PNG, "image/png")})
    form = world.service.calls[-1].form
    got = world.http.get(form["MediaUrl0"], auth=(ACCOUNT.sid, ACCOUNT.token), follow_redirects=False)
    assert (answer.status_code, form["MessageType"], form["MediaContentType0"]) == (200, "image", "image/png")
    assert world.http.get(got.headers["Location"]).content == PNG


def test_a_script_may_send_a_file_as_base64(shared: World) -> None:
    more = {"kind": "document", "content_type": "application/msword", "media_base64": base64.b64encode(b"text").decode()}
    assert form_of(shared, **more)["MediaContentType0"] == "application/msword"


@pytest.mark.parametrize("answer", [403, 503])
def test_what_the_service_answered_is_kept(world: World, answer: int) -> None:
    world.service.answer = answer
    assert world.say()["status"] == answer
    assert [one["answer"] for one in world.phone()] == [answer]
    assert len(world.service.calls) == 1  # Twilio tries again only when it could not connect


def failing(error: type[httpx.TransportError], tries: list[str]) -> Webhooks:
    def refuse(request: httpx.Request) -> httpx.Response:
        tries.append(request.method)
        raise error("away")

    return Webhooks("token", httpx.MockTransport(refuse))


@pytest.mark.parametrize(("error", "times"), [(httpx.ConnectError, 2), (httpx.ConnectTimeout, 2), (httpx.ReadTimeout, 1)])
def test_only_a_connection_that_fails_is_tried_once_more(error: type[httpx.TransportError], times: int) -> None:
    tries: list[str] = []
    webhooks = failing(error, tries)
    assert webhooks.post("http://127.0.0.1:9/whatsapp/inbound", {"Body": "hi"}) == NO_ANSWER
    assert len(tries) == times
    webhooks.close()


WRONG: list[dict[str, Any]] = [
    {"text": "who is it from?"},
    {"from": "nobody"},
    {"from": AMINA, "kind": "telepathy"},
    {"from": AMINA, "colour": "blue"},
    {"from": AMINA, "kind": "picture", "media_base64": "%%%", "content_type": "image/png"},
    {"from": AMINA, "kind": "picture", "media_base64": "aaaa", "content_type": "picture"},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_request_that_makes_no_sense_is_refused_and_sends_nothing(shared: World, wrong: dict[str, Any]) -> None:
    before = len(shared.service.calls)
    answer = shared.ask("inbound", wrong)
    assert (answer["http"], len(shared.service.calls) - before) == (400, 0)
    assert answer["error"]
