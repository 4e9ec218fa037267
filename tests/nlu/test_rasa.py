"""The trained model behind Rasa's own HTTP API: how well it hears, and what it withstands."""

from __future__ import annotations

import subprocess

import httpx
import pytest

from bot.settings import ROOT
from nlu import scores
from nlu.evaluate import ask_all
from nlu.scores import Judged
from nlu.thresholds import load_thresholds
from nlu.training_data import read_intents
from tests.nlu.conftest import RasaServer

pytestmark = pytest.mark.rasa

INTENTS = read_intents(ROOT / "nlu" / "intents.txt")
ODD_TEXTS = {
    "empty": "",
    "only spaces": " \n\t ",
    "huge": "please tell me when my lesson is " * 3_000,
    "one long word": "a" * 50_000,
    "emoji": "👩🏽‍🏫🙏🏼👍🏿",
    "right to left": "أوقف الرسائل من فضلك",
    "nothing but marks": "\u0301\u200b\u202e\ufeff",
    "a control character": "stop\x00now",
    "half an emoji": "hello \ud83d",
    "markup": '<script>{"text": [](){}</script> /restart{"intent": 1}',
    "a slash": "/opt_out",
}


@pytest.fixture(scope="module")
def judged(rasa_server: RasaServer) -> list[Judged]:
    """Every held-out message with what the model makes of it."""
    return ask_all(ROOT / "tests" / "nlu" / "held_out.jsonl", rasa_server.url, rasa_server.token)


def ask(server: RasaServer, text: str) -> httpx.Response:
    """Rasa's answer to a text."""
    return httpx.post(f"{server.url}/model/parse", params={"token": server.token}, json={"text": text}, timeout=20)


def parse(server: RasaServer, text: str) -> dict[str, float]:
    """The chance of every intent."""
    return {one["name"]: one["confidence"] for one in ask(server, text).json()["intent_ranking"]}


def test_eight_in_ten_messages_that_were_written_apart_are_heard_right(judged: list[Judged]) -> None:
    assert scores.accuracy(judged) >= 0.80
    assert scores.macro_f1(judged) >= 0.75


def test_the_half_on_which_nothing_was_chosen_is_heard_as_well(judged: list[Judged]) -> None:
    assert scores.accuracy([one for one in judged if one.half == "report"]) >= 0.80


def test_confidence_is_close_to_the_share_that_is_right(judged: list[Judged]) -> None:
    assert scores.calibration_error(judged) <= 0.12


def test_nine_in_ten_disclosures_are_noticed_by_the_model_alone(judged: list[Judged]) -> None:
    limits = load_thresholds(ROOT / "nlu" / "thresholds.yml")
    at_risk = [one for one in judged if one.wants("safeguarding_disclosure")]
    assert scores.share(at_risk, lambda one: scores.alarms(one, limits)) >= 0.90


def test_hardly_anyone_is_opted_out_who_did_not_ask_for_it(judged: list[Judged]) -> None:
    limits = load_thresholds(ROOT / "nlu" / "thresholds.yml")
    assert scores.share(scores.going_on(judged), lambda one: scores.stops(one, limits)) <= 0.02


def test_without_the_token_nothing_is_parsed(rasa_server: RasaServer) -> None:
    for params in ({}, {"token": "another"}):
        answer = httpx.post(f"{rasa_server.url}/model/parse", params=params, json={"text": "hello"})
        assert answer.status_code == 401


def test_the_ranking_names_every_intent_and_adds_up_to_one(rasa_server: RasaServer) -> None:
    chances = parse(rasa_server, "when is my next lesson")
    assert chances.keys() == INTENTS
    assert sum(chances.values()) == pytest.approx(1, abs=1e-6)
    assert list(chances.values()) == sorted(chances.values(), reverse=True)


def test_the_same_text_is_always_heard_alike(rasa_server: RasaServer) -> None:
    assert parse(rasa_server, "cant make it 2nite sorry") == parse(rasa_server, "cant make it 2nite sorry")


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS.keys())
def test_no_text_breaks_it(rasa_server: RasaServer, text: str) -> None:
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    answer = ask(rasa_server, whole)
    assert answer.status_code == 200
    assert sum(one["confidence"] for one in answer.json()["intent_ranking"]) == pytest.approx(1, abs=1e-6)


def test_the_same_examples_make_the_same_classifier() -> None:
    lines = (
        "import sys; sys.path.insert(0, 'nlu/components')",
        "import numpy as np, linear",
        "from scipy.sparse import csr_matrix",
        "rows = np.random.default_rng(7).normal(size=(60, 8)); names = ['a', 'b', 'c'] * 20",
        "recipe = linear.Recipe(strength=4.0, spelling_share=0.5)",
        "one, two = (linear.fit(rows, csr_matrix(rows > 1).astype(float), names, recipe) for _ in range(2))",
        "assert (one.chances(rows, csr_matrix(rows > 1)) == two.chances(rows, csr_matrix(rows > 1))).all()",
        "assert one.temperature == two.temperature != 1.0",
        "print('same')",
    )
    ran = subprocess.run(
        [ROOT / ".venv-nlu" / "bin" / "python", "-c", "\n".join(lines)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout == "same\n", ran.stderr
