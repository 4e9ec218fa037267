"""Asking Rasa over real HTTP: what it answers, and every way in which it may not."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

import httpx
import pytest

from bot.turn import NluAway, Parse
from nlu.client import LONGEST, RasaClient, rasa_client
from tests.payloads.servers import Server, a_closed_port, running

RANKING = [{"name": "faq_contact", "confidence": 0.75}, {"name": "greet", "confidence": 0.25}]
ANSWER = {"text": "who do i ring", "intent": RANKING[0], "intent_ranking": RANKING, "entities": []}
HEARD = Parse("faq_contact", 0.75, (("faq_contact", 0.75), ("greet", 0.25)))
READY = {"fingerprint": "x", "model_file": "models/e4a.tar.gz", "num_active_training_jobs": 0}
NONSENSE = ["", "<html>Oops</html>", "null", "[]", "3", '"text"', "{}", '{"intent_ranking": null}', '{"intent_ranking": []}']
MORE_NONSENSE = ['{"intent_ranking": [3]}', '{"intent_ranking": [{"name": "greet"}]}', '{"intent_ranking": {"name": "x"}}']
BAD_CHANCE = '{"intent_ranking": [{"name": "greet", "confidence": "high"}]}'


@pytest.fixture
def rasa() -> Iterator[Server]:
    with running() as server:
        server.answers(200, ANSWER)
        yield server


def client(*urls: str) -> RasaClient:
    """Like the real one, with less patience."""
    http = httpx.Client(timeout=httpx.Timeout(0.2), trust_env=False)
    return RasaClient(urls, "a-token", http, itertools.cycle(range(len(urls))))


def test_what_rasa_hears_comes_back_with_its_runners_up(rasa: Server) -> None:
    assert rasa_client((rasa.url,), "a-token").parse("who do i ring") == HEARD


def test_rasa_is_asked_with_the_token_and_the_text(rasa: Server) -> None:
    client(rasa.url).parse("ça va? & 1+1=2\n😀")
    (asked,) = rasa.requests
    assert (asked.method, asked.path, asked.args["token"]) == ("POST", "/model/parse", "a-token")
    assert json.loads(asked.get_data()) == {"text": "ça va? & 1+1=2\n😀"}


def test_no_more_is_sent_than_whatsapp_carries(rasa: Server) -> None:
    client(rasa.url).parse("x" * (LONGEST + 1))
    assert json.loads(rasa.requests[0].get_data()) == {"text": "x" * LONGEST}


@pytest.mark.parametrize("status", [401, 404, 500, 503, 301])
def test_rasa_is_away_when_it_answers_with_an_error(rasa: Server, status: int) -> None:
    rasa.answers(status, ANSWER)
    with pytest.raises(NluAway):
        client(rasa.url).parse("hello")


@pytest.mark.parametrize("body", [*NONSENSE, *MORE_NONSENSE, BAD_CHANCE])
def test_rasa_is_away_when_its_answer_is_no_answer(rasa: Server, body: str) -> None:
    rasa.answers(200, body)
    with pytest.raises(NluAway):
        client(rasa.url).parse("hello")


def test_rasa_is_away_when_it_takes_too_long(rasa: Server) -> None:
    rasa.hangs = True
    with pytest.raises(NluAway):
        client(rasa.url).parse("hello")


def test_rasa_is_away_when_nobody_listens() -> None:
    with pytest.raises(NluAway):
        client(a_closed_port()).parse("hello")


def test_the_real_client_waits_two_seconds_at_most() -> None:
    timeout = rasa_client(("http://127.0.0.1:1",), "x").http.timeout
    assert (timeout.connect, timeout.read, timeout.write, timeout.pool) == (0.5, 2.0, 2.0, 2.0)


def test_several_servers_are_taken_in_turn(rasa: Server) -> None:
    with running() as second:
        second.answers(200, ANSWER)
        both = client(rasa.url, second.url)
        for _ in range(4):
            both.parse("hello")
        assert (len(rasa.requests), len(second.requests)) == (2, 2)


def test_a_server_that_is_away_is_passed_over(rasa: Server) -> None:
    both = client(a_closed_port(), rasa.url)
    assert [both.parse("hello") for _ in range(4)] == [HEARD] * 4
    with running() as broken:
        broken.answers(200, "nonsense")
        assert client(broken.url, rasa.url).parse("hello") == HEARD


def test_rasa_is_ready_when_a_model_is_loaded(rasa: Server) -> None:
    rasa.answers(200, READY)
    assert client(rasa.url).ready()
    (asked,) = rasa.requests
    assert (asked.method, asked.path, asked.args["token"]) == ("GET", "/status", "a-token")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"model_file": ""}),
        (200, {"model_file": None}),
        (200, {}),
        (200, "nonsense"),
        (200, "[]"),
        (200, "null"),
        (401, READY),
        (409, READY),
        (500, "Oops"),
    ],
)
def test_rasa_is_not_ready_without_a_model_or_a_proper_answer(rasa: Server, status: int, body: object) -> None:
    rasa.answers(status, body)
    assert not client(rasa.url).ready()


def test_one_server_that_is_ready_is_enough(rasa: Server) -> None:
    rasa.answers(200, READY)
    assert client(a_closed_port(), rasa.url).ready()
    assert not client(a_closed_port()).ready()


def test_rasa_is_not_ready_when_it_hangs(rasa: Server) -> None:
    rasa.hangs = True
    assert not client(rasa.url).ready()
