"""A real HTTP server in a thread that answers as a test tells it to: a stand-in for Rasa and for Twilio's REST API."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

JSON = "application/json"


@dataclass
class Server:
    """Answers every request alike and remembers each; `hangs` holds the answer back until the server ends."""

    status: int = 200
    body: str = "{}"
    content_type: str = JSON
    hangs: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    ends: threading.Event = field(default_factory=threading.Event)

    def answers(self, status: int, body: object, content_type: str = JSON) -> None:
        """From now on answer so; what is not a string is sent as JSON."""
        self.status, self.content_type = status, content_type
        self.body = body if isinstance(body, str) else json.dumps(body)

    def __call__(self, environ: dict[str, object], start_response: object) -> object:
        request = Request(environ)
        request.get_data(parse_form_data=False)
        self.requests.append(request)
        if self.hangs:
            self.ends.wait(30)
        return Response(self.body, self.status, self.headers, content_type=self.content_type)(environ, start_response)  # type: ignore[arg-type]


@contextmanager
def running() -> Iterator[Server]:
    """A server on a free port, until the block ends."""
    app = Server()
    server = make_server("127.0.0.1", 0, app, threaded=True)  # type: ignore[arg-type]
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    app.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield app
    finally:
        app.ends.set()
        server.shutdown()
        thread.join()
        server.server_close()


def a_closed_port() -> str:
    """An address of this machine at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"
