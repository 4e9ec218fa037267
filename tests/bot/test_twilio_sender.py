"""Asking Twilio to send, through its own library over real HTTP: what each answer lets us know."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from bot.whatsapp import Letter, Outcome, TwilioSender
from bot.whatsapp.send import TIMEOUT_S
from tests.payloads.servers import Server, a_closed_port, running

ACCOUNT, TOKEN = "AC" + "de30" * 8, "a-token-of-the-tests"
SENDER = "whatsapp:+441254693999"
SID = "SM" + "a" * 32
LETTER = Letter(
    "+447700900123", "Your next lesson: Tue 1 Dec, 10:00.\n\nça va? & 1+1=2 😀", "https://bot.example/whatsapp/status/7"
)
QUEUED = {"sid": SID, "status": "queued", "num_media": "0", "error_code": None, "body": "x", "date_created": None}
NO_MESSAGE = ["<html>OK</html>", "", "null", "[]", "3", '"x"', "{}", '{"sid": null}', '{"sid": 3}', '{"sid": ""}']


@pytest.fixture
def twilio() -> Iterator[Server]:
    with running() as server:
        server.answers(201, QUEUED)
        yield server


def sender(url: str, timeout_s: float = 5) -> TwilioSender:
    """Like the real one, with less patience."""
    return TwilioSender(ACCOUNT, TOKEN, SENDER, url, timeout_s)


def refusal(status: int, code: int | None = None) -> dict[str, object]:
    return {"code": code, "message": "No.", "more_info": "https://www.twilio.com/docs/errors", "status": status}


def problem(status: int, code: int) -> dict[str, object]:
    """Twilio's newer way to refuse (RFC 9457)."""
    return {"type": "https://www.twilio.com/docs/api/errors", "title": "No", "status": status, "code": code}


def test_what_twilio_takes_is_accepted_under_its_sid(twilio: Server) -> None:
    assert sender(twilio.url).send(LETTER) == Outcome("accepted", SID)


def test_twilio_is_asked_for_exactly_this_message(twilio: Server) -> None:
    sender(twilio.url).send(LETTER)
    (asked,) = twilio.requests
    assert (asked.method, asked.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    assert asked.headers["Authorization"] == "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    assert _form(asked.get_data()) == {
        "To": ["whatsapp:+447700900123"],
        "From": [SENDER],
        "Body": [LETTER.body],
        "StatusCallback": ["https://bot.example/whatsapp/status/7"],
    }


def test_a_template_goes_by_its_sid_with_its_values_as_a_json_string_and_never_with_a_body_or_a_file(twilio: Server) -> None:
    template = Letter(
        LETTER.to,
        LETTER.body,
        LETTER.status_url,
        "HX" + "b" * 32,
        {"1": "Aïsha", "2": 'a "b" \\ c'},
        "https://e4a.example/map.png",
    )
    sender(twilio.url).send(template)
    form = _form(twilio.requests[0].get_data())
    assert json.loads(form.pop("ContentVariables")[0]) == {"1": "Aïsha", "2": 'a "b" \\ c'}
    assert form == {
        "To": ["whatsapp:+447700900123"],
        "From": [SENDER],
        "ContentSid": ["HX" + "b" * 32],
        "StatusCallback": [LETTER.status_url],
    }


def test_a_template_without_variables_goes_without_values(twilio: Server) -> None:
    sender(twilio.url).send(Letter(LETTER.to, LETTER.body, LETTER.status_url, "HX" + "b" * 32))
    assert _form(twilio.requests[0].get_data()).keys() == {"To", "From", "ContentSid", "StatusCallback"}


def test_values_without_a_template_stay_at_home(twilio: Server) -> None:
    sender(twilio.url).send(Letter(LETTER.to, LETTER.body, LETTER.status_url, variables={"1": "x"}))
    assert _form(twilio.requests[0].get_data()).keys() == {"To", "From", "Body", "StatusCallback"}


def test_one_file_goes_with_a_text_or_alone(twilio: Server) -> None:
    made = sender(twilio.url)
    for body in ("Here is the map.", ""):
        made.send(Letter(LETTER.to, body, LETTER.status_url, media_url="https://e4a.example/map.png"))
    with_text, alone = [_form(one.get_data()) for one in twilio.requests]
    assert with_text["Body"] == ["Here is the map."]
    assert "Body" not in alone
    assert with_text["MediaUrl"] == alone["MediaUrl"] == ["https://e4a.example/map.png"]


@pytest.mark.parametrize(
    ("given", "wait"), [("7", timedelta(seconds=7)), ("86400", timedelta(hours=1)), ("soon", None), ("-1", None), ("", None)]
)
def test_how_long_twilio_asks_us_to_wait_comes_with_a_429(twilio: Server, given: str, wait: timedelta | None) -> None:
    twilio.answers(429, refusal(429, 20429))
    twilio.headers["Retry-After"] = given
    assert sender(twilio.url).send(LETTER) == Outcome("retry", error_code=20429, retry_after=wait)


def test_a_wait_that_was_asked_for_once_is_not_asked_for_again(twilio: Server) -> None:
    made = sender(twilio.url)
    twilio.answers(429, refusal(429, 20429))
    twilio.headers["Retry-After"] = "7"
    assert made.send(LETTER).retry_after == timedelta(seconds=7)
    del twilio.headers["Retry-After"]
    assert made.send(LETTER).retry_after is None


def test_a_scoped_id_is_written_to_without_a_plus(twilio: Server) -> None:
    sender(twilio.url).send(Letter("GB.1234567890ABCDEF", "hi", "https://bot.example/whatsapp/status/7"))
    assert _form(twilio.requests[0].get_data())["To"] == ["whatsapp:GB.1234567890ABCDEF"]


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (400, refusal(400, 21211), Outcome("refused", error_code=21211)),
        (400, refusal(400, 21610), Outcome("refused", error_code=21610)),
        (400, refusal(400, 63016), Outcome("refused", error_code=63016)),
        (400, refusal(400, 21655), Outcome("refused", error_code=21655)),
        (400, refusal(400, 99999), Outcome("refused", error_code=99999)),
        (400, refusal(400, 21611), Outcome("retry", error_code=21611)),
        (429, refusal(429, 63038), Outcome("retry", error_code=63038)),
        (400, refusal(400, 30410), Outcome("unknown", error_code=30410)),
        # No fault of this message's: it is kept until the account, the sender or the password is mended.
        (401, refusal(401, 20003), Outcome("retry", error_code=20003)),
        (404, refusal(404, 20404), Outcome("retry", error_code=20404)),
        (400, refusal(400, 21606), Outcome("retry", error_code=21606)),
        (400, refusal(400, 63007), Outcome("retry", error_code=63007)),
        (404, "<html>Not here</html>", Outcome("retry", error_code=404)),
        (500, refusal(500, 63007), Outcome("unknown", error_code=63007)),
        (429, refusal(429, 20429), Outcome("retry", error_code=20429)),
        (500, refusal(500, 20500), Outcome("unknown", error_code=20500)),
        (503, refusal(503, None), Outcome("unknown")),
        (400, refusal(400, None), Outcome("refused")),
        (400, problem(400, 21211), Outcome("refused", error_code=21211)),
        (429, problem(429, 20429), Outcome("retry", error_code=20429)),
        (503, problem(503, 20503), Outcome("unknown", error_code=20503)),
        (400, problem(400, 21211) | {"status": "400"}, Outcome("unknown", error_code=21211)),
    ],
)
def test_a_refusal_says_what_may_be_done_about_it(twilio: Server, status: int, body: object, outcome: Outcome) -> None:
    twilio.answers(status, body)
    assert sender(twilio.url).send(LETTER) == outcome


@pytest.mark.parametrize(("status", "result"), [(400, "refused"), (429, "retry"), (500, "unknown"), (502, "unknown")])
@pytest.mark.parametrize("page", ["<html>Oops</html>", "", "null", "[]", "3", '{"code": "x", "message": 3}'])
def test_an_error_that_is_no_json_is_judged_by_its_number(twilio: Server, status: int, result: str, page: str) -> None:
    twilio.answers(status, page, "text/html")
    assert sender(twilio.url).send(LETTER).result == result


@pytest.mark.parametrize("page", NO_MESSAGE)
def test_a_success_that_names_no_message_may_have_gone_out(twilio: Server, page: str) -> None:
    twilio.answers(201, page)
    assert sender(twilio.url).send(LETTER) == Outcome("unknown")


def test_an_answer_that_never_comes_may_have_gone_out_and_is_asked_for_once(twilio: Server) -> None:
    twilio.hangs = True
    assert sender(twilio.url, 0.2).send(LETTER) == Outcome("unknown")
    assert len(twilio.requests) == 1


def test_a_redirect_is_not_followed(twilio: Server) -> None:
    twilio.answers(307, "")
    assert sender(twilio.url).send(LETTER).result == "refused"
    assert len(twilio.requests) == 1


def test_where_nobody_listens_nothing_was_sent_and_it_may_be_tried_again() -> None:
    assert sender(a_closed_port()).send(LETTER) == Outcome("retry")


def test_a_name_that_leads_nowhere_may_be_tried_again() -> None:
    assert sender("http://nowhere.invalid").send(LETTER) == Outcome("retry")


def test_the_real_sender_waits_ten_seconds_at_most() -> None:
    made = TwilioSender(ACCOUNT, TOKEN, SENDER, "http://127.0.0.1:1")
    assert made._client.http_client.timeout == TIMEOUT_S == 10.0


def _form(body: bytes) -> dict[str, list[str]]:
    return parse_qs(body.decode(), keep_blank_values=True, strict_parsing=True)
