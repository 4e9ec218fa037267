"""The way to Twilio: time-outs, our own address for all its hosts, waits that were asked for, threads, and silent logs."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
import requests
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.response import Response
from twilio.rest import Client

from bot.whatsapp import Letter, ProviderAway, TwilioSender
from bot.whatsapp.client import HttpClient, ask, read_retry_after
from tests.payloads.servers import Server, running
from tests.simulator.world import ACCOUNT, SENDER, World

URLS = [
    "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json?PageSize=2",
    "https://content.twilio.com/v1/Content?PageSize=2",
    "https://messaging.twilio.com/v2/Indicators/Typing.json?PageSize=2",
]
DATE = "Mon, 23 Nov 2026 10:00:00 GMT"
LEARNER = "+447700900123"


@pytest.fixture
def twilio() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("url", URLS)
def test_every_host_of_twilios_is_at_our_address_where_we_have_one(twilio: Server, url: str) -> None:
    HttpClient(twilio.url).request("GET", url)
    HttpClient(twilio.url + "/twilio/").request("GET", url)
    path = url.partition("twilio.com")[2]
    assert [one.full_path for one in twilio.requests] == [path, "/twilio" + path]


@pytest.mark.parametrize("url", URLS)
def test_twilios_hosts_are_left_alone_where_the_address_is_twilios_own(url: str) -> None:
    assert HttpClient("https://api.twilio.com")._routed(url) == url


def test_a_call_ends_when_its_time_is_up(twilio: Server) -> None:
    twilio.hangs = True
    with pytest.raises(requests.exceptions.ReadTimeout):
        HttpClient(twilio.url, timeout_s=0.1).request("GET", URLS[0])


def test_a_client_without_a_time_out_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="0"):
        HttpClient("http://127.0.0.1:1", timeout_s=0)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ({"Retry-After": "2"}, timedelta(seconds=2)),
        ({"Retry-After": "0"}, timedelta(0)),
        ({"Retry-After": "9" * 30}, timedelta(hours=1)),
        ({"Retry-After": "Mon, 23 Nov 2026 10:00:30 GMT", "Date": DATE}, timedelta(seconds=30)),
        ({"Retry-After": "Mon, 23 Nov 2026 09:00:00 GMT", "Date": DATE}, timedelta(0)),
        ({"Retry-After": "Tue, 24 Nov 2026 10:00:00 GMT", "Date": DATE}, timedelta(hours=1)),
        ({"Retry-After": "Mon, 23 Nov 2026 10:00:30 -0000", "Date": DATE}, None),
        ({"Retry-After": "Mon, 23 Nov 2026 10:00:30 GMT"}, None),
        ({"Retry-After": "²"}, None),
        ({"Retry-After": "1.5"}, None),
        ({}, None),
    ],
)
def test_a_wait_is_read_as_seconds_or_as_a_date_and_is_an_hour_at_most(
    header: dict[str, str], wait: timedelta | None
) -> None:
    assert read_retry_after(header) == wait


def test_a_wait_belongs_to_the_thread_it_was_asked_of(twilio: Server) -> None:
    client, together = HttpClient(twilio.url), Barrier(2)
    twilio.headers["Retry-After"] = "7"
    client.request("GET", URLS[0])
    mine = client._mine.client

    def other() -> timedelta | None:
        before = client.retry_after()
        del twilio.headers["Retry-After"]
        client.request("GET", URLS[0])
        assert client._mine.client is not mine  # a connection of its own, too
        together.wait(5)
        return before

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(other)
        together.wait(5)
        assert asked.result() is None
    assert client.retry_after() == timedelta(seconds=7)


def test_of_many_who_send_at_once_each_gets_the_sid_of_its_own_message(world: World) -> None:
    made, often = TwilioSender(ACCOUNT.sid, ACCOUNT.token, SENDER, world.served.url), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns so often that what they share would get mixed up
    try:
        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(lambda n: made.send(Letter(f"+4477009{n:05}", f"words {n}", "")), range(64)))
    finally:
        sys.setswitchinterval(often)
    kept = {one.sid: (one.body, one.to) for one in world.twilio.messages.list()}
    assert [kept[one.sid] for one in outcomes] == [(f"words {n}", f"whatsapp:+4477009{n:05}") for n in range(64)]


def test_no_number_gets_into_a_log_of_the_librarys(world: World, caplog: pytest.LogCaptureFixture) -> None:
    client = Client(ACCOUNT.sid, ACCOUNT.token, http_client=HttpClient(world.served.url))
    with caplog.at_level(logging.INFO):
        client.messages.list(to=f"whatsapp:{LEARNER}", date_sent_after=datetime(2026, 11, 1, tzinfo=UTC))
    ours = [record.getMessage() for record in caplog.records if record.name != "werkzeug"]  # that is the simulator's own
    assert not [line for line in ours if LEARNER[3:] in line]


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (TwilioRestException(503, "/x", f"to {LEARNER}", 20503), 503, 20503),
        (TwilioRestException(401, "/x", "", 20003), 401, 20003),
        (TwilioServiceException("about:blank", f"to {LEARNER}", 429, 20429), 429, 20429),
        (TwilioServiceException("about:blank", "", "429", "20429"), 0, None),
        (TwilioException("Unable to fetch page", Response(503, f'{{"code": 20503, "message": "{LEARNER}"}}')), 503, 20503),
        (TwilioException("Unable to fetch page", Response(502, f"<html>{LEARNER}")), 502, 502),
        (TwilioException("Unable to fetch page", Response(502, "[]")), 502, 502),
        (TwilioException("Page Records can not be deserialized"), 0, None),
        (requests.exceptions.ConnectionError(f"/Messages.json?To={LEARNER}"), 0, None),
        (requests.exceptions.ReadTimeout(), 0, None),
        (ValueError("no JSON"), 0, None),
        (KeyError("sid"), 0, None),
    ],
)
def test_whatever_goes_wrong_is_one_exception_with_a_code_and_no_words(
    raised: Exception, status: int, code: int | None
) -> None:
    def call() -> None:
        raise raised

    with pytest.raises(ProviderAway) as caught:
        ask(call)
    assert (caught.value.status, caught.value.code) == (status, code)
    assert caught.value.__context__ is None  # a traceback would print what it came from
    assert LEARNER not in str(caught.value)


def test_a_mistake_of_our_own_is_not_taken_for_twilios() -> None:
    def call() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask(call)
