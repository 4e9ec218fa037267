"""Asks Rasa what a message means, over its own HTTP API (`POST /model/parse`), and says plainly when it is away."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import httpx

from bot.turn import NluAway, Parse

TIMEOUT = httpx.Timeout(2.0, connect=0.5)
LONGEST = 1_600  # WhatsApp's own limit: what is longer was not typed by a person


@dataclass(frozen=True, slots=True)
class RasaClient:
    """The Rasa servers at `urls`, taken in turn; one that does not answer is passed over for the next."""

    urls: tuple[str, ...]
    token: str
    http: httpx.Client
    turns: itertools.cycle[int]

    def parse(self, text: str) -> Parse:
        """The intent of a text and how sure Rasa is. Raises NluAway when no server answers as it should."""
        start = next(self.turns)
        for step in range(len(self.urls)):
            url = self.urls[(start + step) % len(self.urls)]
            try:
                return self._ask(url, text[:LONGEST])
            except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError):
                continue  # an answer that is no answer: the next server may know
        raise NluAway

    def ready(self) -> bool:
        """True when a server is up with its model loaded."""
        return any(self._status(url) for url in self.urls)

    def _ask(self, url: str, text: str) -> Parse:
        answer = self.http.post(f"{url}/model/parse", params={"token": self.token}, json={"text": text})
        heard = answer.raise_for_status().json()["intent_ranking"]
        ranking = tuple((str(one["name"]), float(one["confidence"])) for one in heard)
        if not ranking:
            raise ValueError("Rasa answered without any intent")
        return Parse(ranking[0][0], ranking[0][1], ranking)

    def _status(self, url: str) -> bool:
        try:
            answer = self.http.get(f"{url}/status", params={"token": self.token})
            return answer.status_code == httpx.codes.OK and bool(answer.json().get("model_file"))
        except (httpx.HTTPError, ValueError, AttributeError):
            return False  # an answer that is no answer: another server may be ready


def rasa_client(urls: tuple[str, ...], token: str) -> RasaClient:
    """A client that keeps its connections, for one process."""
    return RasaClient(urls, token, httpx.Client(timeout=TIMEOUT), itertools.cycle(range(len(urls))))
