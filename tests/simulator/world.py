"""The simulator over real HTTP, a service for it to call, and Twilio's own library pointed at it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from werkzeug import Request, Response
from werkzeug.serving import make_server

from simulator.app import create_app
from simulator.simulation import Outside, Simulation, build
from simulator.values import Account, Pace
from simulator.webhooks import certificates

SENDER = "whatsapp:+441254693999"
AMINA = "+447700900100"
ACCOUNT = Account("AC" + "ab" * 16, "a-token", SENDER, "", "")
PATIENCE_S = 5
STALL_S = 0.25
QUICK = Pace(sent=0, delivered=0, read=0, stall=STALL_S)
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


class Served:
    """A WSGI app on a free port of this machine."""

    def __init__(self) -> None:
        self.server = make_server("127.0.0.1", 0, _not_yet, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

    def start(self, app: Callable[..., Any]) -> None:
        self.server.app = app
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def _not_yet(environ: Any, start_response: Any) -> Any:
    return Response("not yet", 503)(environ, start_response)


@dataclass
class Call:
    """One webhook that the service got."""

    path: str
    form: dict[str, str]
    signed: bool


@dataclass
class Service:
    """Stands for our own service: keeps every webhook, and answers as it is told to."""

    served: Served = field(default_factory=Served)
    calls: list[Call] = field(default_factory=list)
    answer: int = 200

    def __post_init__(self) -> None:
        self.served.start(self._app)

    def _app(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        if request.method == "GET":
            return Response(PNG, content_type="image/png")(environ, start_response)
        form, url = request.form, self.served.url + request.path
        signed = RequestValidator(ACCOUNT.token).validate(url, form, request.headers.get("X-Twilio-Signature", ""))
        self.calls.append(Call(request.path, form.to_dict(), signed))
        return Response("<Response/>", self.answer, content_type="text/xml")(environ, start_response)

    @property
    def statuses(self) -> list[str]:
        return [call.form["MessageStatus"] for call in self.calls if "MessageStatus" in call.form]


class Loopback(TwilioHttpClient):
    """Twilio's own client, every host mapped to the simulator."""

    def __init__(self, base: str, **given: Any) -> None:
        super().__init__(**given)
        self.base = urlsplit(base)

    def request(self, method: str, url: str, *args: Any, **given: Any) -> Any:
        parts = urlsplit(url)
        mapped = urlunsplit((self.base.scheme, self.base.netloc, parts.path, parts.query, ""))
        return super().request(method, mapped, *args, **given)


class World:
    """Everything running; `moment` is what the simulator takes for now, `waited` how long it would have slept."""

    def __init__(self, folder: Path, pace: Pace = QUICK) -> None:
        self.folder, self.service, self.served = folder, Service(), Served()
        self.moment, self.waited = datetime(2026, 11, 24, 10, 0, tzinfo=UTC), list[float]()
        self.account = replace(ACCOUNT, api_url=self.served.url, public_url=self.service.served.url)
        self.here = self.build(pace)
        self.served.start(create_app(self.here))
        self.http = httpx.Client(base_url=self.served.url, verify=certificates(), trust_env=False)
        self.library = [Loopback(self.served.url, timeout=PATIENCE_S)]
        self.twilio = Client(ACCOUNT.sid, ACCOUNT.token, http_client=self.library[0])

    def build(self, pace: Pace) -> Simulation:
        return build(self.account, self.folder / "simulator.db", self.folder, pace, Outside(lambda: self.moment, self.wait))

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        if seconds == STALL_S:
            time.sleep(seconds)

    def client(self, token: str, timeout: float = PATIENCE_S) -> Client:
        self.library.append(Loopback(self.served.url, timeout=timeout))
        return Client(ACCOUNT.sid, token, http_client=self.library[-1])

    def say(self, text: str = "hello", sender: str = AMINA, **more: str) -> dict[str, Any]:
        return self.ask("inbound", {"from": sender, "text": text, **more})

    def ask(self, what: str, wanted: dict[str, Any]) -> dict[str, Any]:
        answer = self.http.post(f"/simulator/{what}", json=wanted)
        return {"http": answer.status_code, **answer.json()}

    def send(self, body: str = "hi", to: str = AMINA, **more: Any) -> Any:
        given = {"body": body, "from_": SENDER, "to": f"whatsapp:{to}", "status_callback": self.callback, **more}
        return self.twilio.messages.create(**{name: value for name, value in given.items() if value is not None})

    @property
    def callback(self) -> str:
        return f"{self.service.served.url}/whatsapp/status/7#rc=3&rp=5xx,ct,rt"

    def phone(self, address: str = AMINA) -> list[dict[str, Any]]:
        answer = self.http.get("/simulator/messages", params={"phone": address}).json()
        return [one for one in answer["messages"] if one["on_phone"]]

    def until(self, true: Callable[[], bool]) -> None:
        """Wait until it is so; fails after five seconds."""
        end = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < end, f"never came true; statuses: {self.service.statuses}"
            time.sleep(0.005)

    def close(self) -> None:
        self.http.close()
        for client in self.library:
            client.session.close()
        self.served.stop()
        self.here.close()
        self.service.served.stop()


def metadata(form: dict[str, str]) -> dict[str, str]:
    """What ChannelMetadata says of the sender."""
    return dict(json.loads(form["ChannelMetadata"])["data"]["context"])
