"""Real processes and servers for the tests of crashes: workers to kill, and stand-ins for Twilio, Rasa and the mail."""

from __future__ import annotations

import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

from bot.settings import ROOT

PATIENCE_S = 60.0  # a busy machine starts a worker slowly; nothing waits longer than it must


class Served:
    """A server in a thread, for as long as the `with` lasts."""

    server: socketserver.BaseServer

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])  # type: ignore[arg-type]


class Postbox(Served):
    """A mail server that keeps what it is given; with `refuses` it knows nobody."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuses = False
        self.server = _server(socketserver.ThreadingTCPServer, lambda *given: _Smtp(self, *given))

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


class _Smtp(socketserver.StreamRequestHandler):
    def __init__(self, postbox: Postbox, *given: Any) -> None:
        self.postbox = postbox
        super().__init__(*given)

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline():
            command = line[:4].strip().upper()
            if command == b"QUIT":
                return self._say("221 bye")
            if command == b"DATA":
                self._data()
            elif command == b"RCPT" and self.postbox.refuses:
                self._say("550 nobody of that name")
            else:
                self._say("250 fine")
        return None

    def _data(self) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.postbox.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))  # type: ignore[arg-type]
        self._say("250 taken")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class Outside(Served):
    """Twilio and Rasa in one: takes messages and counts them, and hears thanks in every text."""

    def __init__(self, slowness_s: float = 0.02) -> None:
        self.slowness_s = slowness_s
        self.asked: list[dict[str, str]] = []
        self.news = threading.Condition()
        self.server = _server(ThreadingHTTPServer, lambda *given: _Api(self, *given))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, path: str, body: bytes) -> tuple[int, object]:
        if path.startswith("/model/parse"):
            return 200, {"intent_ranking": [{"name": "thanks", "confidence": 0.97}]}
        if path.startswith("/status"):
            return 200, {"model_file": "models/stub.tar.gz"}
        if not path.endswith("/Messages.json"):
            return 503, {"code": 20503, "status": 503}  # it keeps no records and no templates: chores must bear that
        return 201, self._take({name: values[0] for name, values in parse_qs(body.decode()).items()})

    def wait_for(self, messages: int) -> None:
        """Until Twilio was asked to send so many in all."""
        with self.news:
            assert self.news.wait_for(lambda: len(self.asked) >= messages, PATIENCE_S), "the worker does not send"

    def _take(self, form: dict[str, str]) -> dict[str, str]:
        with self.news:
            self.asked.append(form)
            number = len(self.asked)
            self.news.notify_all()
        time.sleep(self.slowness_s)  # it is the network that is slow: now a worker may be killed in the middle
        return {"sid": f"SM{number:032x}", "status": "queued"}


class _Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, outside: Outside, *given: Any) -> None:
        self.outside = outside
        super().__init__(*given)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        given = self.rfile.read(length)
        if len(given) < length:  # whoever was sending it was killed in the middle: nobody takes half a message
            self.close_connection = True
            return
        status, answer = self.outside.answer(self.path, given)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815 (the library's name)

    def log_message(self, format: str, *given: object) -> None:  # noqa: A002 (the library's name)
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            return  # the worker at the other end was killed: that is the point


@dataclass(slots=True)
class Workers:
    """Worker processes of the real application, each to be killed at any moment."""

    database_url: str
    outside: Outside
    more: Mapping[str, str] = field(default_factory=dict)  # settings beside the demo's own
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """One more `flask --app app work`."""
        environment = {
            "PATH": os.environ["PATH"],
            "APP_ENV": "demo",
            "DEMO_CLOCK": os.devnull + "/none",  # the real time, wherever the demo of this folder stands
            "DATABASE_URL": self.database_url,
            "TWILIO_API_URL": self.outside.url,
            "NLU_URL": self.outside.url,
            **self.more,
        }
        command = [sys.executable, "-m", "flask", "--app", "app", "work"]
        output = subprocess.DEVNULL
        self.running.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output))

    def kill(self, which: int = 0) -> None:
        """One of them, the oldest first, is killed as if the power had gone."""
        worker = self.running.pop(which)
        worker.kill()
        worker.wait()

    def stop(self) -> list[int]:
        """All are asked to stop and do; their exit statuses."""
        for worker in self.running:
            worker.terminate()
        return [self.running.pop(0).wait(PATIENCE_S) for _ in list(self.running)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        while self.running:
            self.kill()


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for something that another process brings about."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.05)


def _server(kind: type[socketserver.TCPServer], handler: Callable[..., Any]) -> socketserver.TCPServer:
    made = kind(("127.0.0.1", 0), handler)
    made.daemon_threads = True  # type: ignore[attr-defined]
    return made
