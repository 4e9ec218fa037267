"""The real Rasa with the trained model, started once for all tests that ask for it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from honcho.environ import parse_procfile

from bot.settings import ROOT

TOKEN = "token-of-the-tests"
STARTS_WITHIN_S = 120  # a busy machine; about 10 when it is quiet


@dataclass(frozen=True)
class RasaServer:
    """Where the server is, what it wants to hear, and its process group."""

    url: str
    token: str
    group: int


@pytest.fixture(scope="session")
def rasa_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RasaServer]:
    """Rasa as the Procfile starts it, on a free port."""
    if not list(ROOT.glob("models/e4a-*.tar.gz")):
        pytest.fail("there is no trained model: run `make setup` first")
    line = parse_procfile((ROOT / "Procfile").read_text()).processes["nlu"]
    port = free_port()
    log = tmp_path_factory.mktemp("rasa") / "rasa.log"
    env = {**os.environ, "NLU_PORT": str(port), "NLU_TOKEN": TOKEN}
    with log.open("w") as output:
        process = subprocess.Popen(
            ["sh", "-c", line], cwd=ROOT, env=env, stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_until_up(f"http://127.0.0.1:{port}", process, log)
        yield RasaServer(f"http://127.0.0.1:{port}", TOKEN, process.pid)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers with its model loaded; fail with its log when it ends or takes too long."""
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        try:
            answer = httpx.get(f"{url}/status", params={"token": TOKEN})
            if answer.is_success and answer.json()["model_file"]:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"Rasa did not start:\n{log.read_text()[-3000:]}")
