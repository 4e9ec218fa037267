"""How long from the start of every process to `/readyz` saying yes, and from a learner's message to our answer.

Run with `.venv/bin/python -m benchmarks.start` from the project's root on a quiet machine, after `make setup`. The
stand-in for Twilio takes 150 ms for each call, as the real one does; that is part of what is measured.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.system.whole import Whole, a_whole

STARTS, MESSAGES = 3, 12
AMINA = "+447700900100"
QUESTIONS = ("how do i leave the group", "wot time is my lesson", "what number do you message from", "who can read this")


def main() -> None:
    """Print the table."""
    table = Table("figure", "median", "worst", title=f"{STARTS} starts, {MESSAGES} messages one after another")
    starts, answers, webhooks = [], [], []
    for _ in track(range(STARTS), "Starting"):
        with tempfile.TemporaryDirectory() as folder:
            whole = a_whole(Path(folder))
            began = time.perf_counter()
            for command in (["migrate"], ["import", "data/demo"]):
                whole.flask(*command)
            try:
                whole.start(["simulator", "nlu", "web", "worker"])
                whole.wait_until_ready()
                starts.append(time.perf_counter() - began)
                answers, webhooks = _talk(whole)
            finally:
                whole.stop_all()
    for figure, values in (
        ("start to ready, schema and import included", starts),
        ("message sent to answer on the phone", answers),
        ("message sent to webhook's 200, seen from the simulator", webhooks),
    ):
        table.add_row(figure, f"{statistics.median(values):.2f} s", f"{max(values):.2f} s")
    Console().print(table)


def _talk(whole: Whole) -> tuple[list[float], list[float]]:
    answers, webhooks = [], []
    for number in track(range(MESSAGES), "Talking"):
        before, began = len(whole.heard(AMINA)), time.perf_counter()
        body = {"from": AMINA, "text": QUESTIONS[number % len(QUESTIONS)]}
        httpx.post(f"{whole.simulator}/simulator/inbound", json=body, timeout=20)
        webhooks.append(time.perf_counter() - began)
        while len(whole.heard(AMINA)) == before:
            time.sleep(0.01)
        answers.append(time.perf_counter() - began)
        time.sleep(6)  # one answer in six seconds is what one recipient may get (pacing); we measure the way, not the wait
    return answers, webhooks


if __name__ == "__main__":
    main()
