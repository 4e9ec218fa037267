"""A light stand-in for Twilio's Messages API: takes as long over a call as the real one, and next to no processor time.

`python -m benchmarks.slow_twilio PORT DELAY_S`. It knows nothing of templates or windows (the simulator does): it takes
whatever it is asked to send. `GET /asked` lists the calls, each as [moment in Unix time, To, whether it was a template].
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from urllib.parse import parse_qs

AWAY = b'{"code": 20503, "status": 503}'  # it keeps no records and no templates: the worker's chores must bear that
REASONS = {200: "OK", 201: "Created", 503: "Service Unavailable"}


class Slow:
    """Takes every message, after a while."""

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s
        self.asked: list[tuple[float, str, bool]] = []
        self.numbers = itertools.count(1)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, kept open as Twilio keeps it."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, length = head.split(b"\r\n", 1)[0].decode(), _length(head)
                status, body = await self._answer(line, await reader.readexactly(length))
                writer.write(_head(status, len(body)) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, line: str, body: bytes) -> tuple[int, bytes]:
        method, path, _ = line.split(" ")
        if path == "/asked":
            return 200, json.dumps(self.asked).encode()
        if method != "POST" or not path.endswith("/Messages.json"):
            return 503, AWAY
        form = parse_qs(body.decode())
        self.asked.append((time.time(), form["To"][0], "ContentSid" in form))
        await asyncio.sleep(self.delay_s)
        return 201, json.dumps({"sid": f"SM{next(self.numbers):032x}", "status": "queued"}).encode()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def _head(status: int, length: int) -> bytes:
    fields = f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    return f"HTTP/1.1 {status} {REASONS[status]}\r\n{fields}".encode()


async def main(port: int, delay_s: float) -> None:
    """Serve until killed."""
    server = await asyncio.start_server(Slow(delay_s).serve, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
