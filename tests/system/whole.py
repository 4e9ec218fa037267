"""The whole system as its own processes, started from the Procfiles as an operator would, on free ports."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from honcho.environ import parse_procfile

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 120
ANSWER_WITHIN_S = 20  # a message that waits for Rasa is tried again every 2 s


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass(slots=True)
class Whole:
    """Every process, and the two addresses a test needs."""

    folder: Path
    env: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def web(self) -> str:
        """Where the webhook listens."""
        return f"http://127.0.0.1:{self.env['WEB_PORT']}"

    @property
    def simulator(self) -> str:
        """Where the phones are."""
        return f"http://127.0.0.1:{self.env['SIMULATOR_PORT']}"

    def start(self, names: Iterable[str]) -> None:
        """Start these lines of the Procfiles, each in a session of its own so that a kill takes its children too."""
        lines = parse_procfile("\n".join((ROOT / name).read_text() for name in ("Procfile", "Procfile.demo"))).processes
        for name in names:
            with (self.folder / f"{name}.log").open("ab") as log:
                self.running[name] = subprocess.Popen(
                    ["bash", "-c", lines[name]], cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
                )

    def stop(self, name: str, number: int = signal.SIGTERM) -> None:
        """End one process and its children."""
        process = self.running.pop(name)
        os.killpg(process.pid, number)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def stop_all(self) -> None:
        """End everything."""
        for name in list(self.running):
            self.stop(name)

    def flask(self, *args: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """One command of the service, as staff would type it."""
        return subprocess.run(
            [str(ROOT / ".venv/bin/flask"), "--app", "app", *args],
            cwd=ROOT,
            env=self.env,
            input=given,
            text=True,
            capture_output=True,
            timeout=120,
            check=False,
        )

    def wait_until_ready(self) -> None:
        """Return when `/readyz` says yes; fail with the end of every log when it does not."""
        end = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < end:
            if self.is_ready():
                return
            time.sleep(0.2)
        logs = "\n".join(f"== {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in self.folder.glob("*.log"))
        raise AssertionError(f"not ready after {READY_WITHIN_S} s\n{logs}")

    def is_ready(self) -> bool:
        """What `/readyz` says now."""
        try:
            return httpx.get(f"{self.web}/readyz", timeout=5).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def says(self, phone: str, text: str = "", **more: object) -> None:
        """Somebody sends a message from their phone; it must be taken."""
        answer = httpx.post(f"{self.simulator}/simulator/inbound", json={"from": phone, "text": text, **more}, timeout=20)
        assert answer.json()["status"] == httpx.codes.OK, answer.text

    def heard(self, phone: str) -> list[str]:
        """Every text that reached this phone from us, oldest first."""
        rows = httpx.get(f"{self.simulator}/simulator/messages", params={"phone": phone}, timeout=5).json()["messages"]
        return [row["text"] for row in rows if row["on_phone"] and not row["mine"]]

    def ask(self, phone: str, text: str = "", **more: object) -> str:
        """Send a message and wait for the answer."""
        before = len(self.heard(phone))
        self.says(phone, text, **more)
        end = time.monotonic() + ANSWER_WITHIN_S
        while time.monotonic() < end:
            if len(self.heard(phone)) > before:
                return "\n".join(self.heard(phone)[before:])
            time.sleep(0.1)
        raise AssertionError("no answer")

    def waits_for(self, phone: str, words: str) -> bool:
        """Do these words reach this phone soon?"""
        end = time.monotonic() + ANSWER_WITHIN_S
        while time.monotonic() < end:
            if any(words in text for text in self.heard(phone)):
                return True
            time.sleep(0.1)
        return False


def a_whole(folder: Path, **more: str) -> Whole:
    """A system that is not started yet, with its files in `folder`."""
    ports = {name: str(free_port()) for name in ("WEB_PORT", "NLU_PORT", "SIMULATOR_PORT")}
    own = {
        "APP_ENV": "demo",
        "DATABASE_URL": f"sqlite:///{folder / 'e4a.db'}",
        "MEDIA_URL": str(folder / "media"),
        "SIMULATOR_DB": str(folder / "simulator.db"),
        "DEMO_CLOCK": str(folder / "clock"),
        **ports,
        **more,
    }
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return Whole(folder, {**kept, **own})
