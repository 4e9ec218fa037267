"""Runs one step of the setup so that one sees it going on, and says in one sentence what to do when it fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

CURES = (
    (re.compile(r"No space left on device|ENOSPC", re.IGNORECASE), "The disk is full: free about 3 GB and run this again."),
    (
        re.compile(
            r"name resolution|name or service not known|network is unreachable|connection refused|max ?retries|timed? ?out"
            r"|dns error|error sending request|failed to fetch|failed to download|could not connect|no route to host",
            re.IGNORECASE,
        ),
        "The package index cannot be reached: go online (or set PIP_INDEX_URL to a mirror) and run this again.",
    ),
    (
        re.compile(r"hashes? (?:do not|mismatch)|DO NOT MATCH THE HASHES", re.IGNORECASE),
        "A package is not the one we locked: do not use it; tell us.",
    ),
    (
        re.compile(r"ensurepip is not available|No module named '?(?:venv|ensurepip)", re.IGNORECASE),
        "Python lacks venv: apt install python3-venv",
    ),
)
EVERY = 10  # seconds between signs of life where no terminal is watching


class Failed(Exception):
    """A step could not be done; says in one sentence why, and what to do about it."""


def cure(output: str) -> str:
    """The sentence that fits what a failed command wrote; empty when we know of none."""
    return next((sentence for pattern, sentence in CURES if pattern.search(output)), "")


def run(title: str, command: Sequence[str | Path], log: Path, extra: Mapping[str, str] | None = None) -> None:
    """Run a command to its end, showing the title and the seconds; its output goes to the log. Raises Failed."""
    began = time.monotonic()
    with log.open("a+", encoding="utf-8", errors="replace") as output:
        start = output.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            [str(part) for part in command], stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            close_fds=False,  # the lock of `setup.alone` goes along
            env={**os.environ, **(extra or {})},
        )  # fmt: skip
        try:
            status = watch(title, process, began)
        finally:
            end(process)
        if status == 0:
            show(f"{title}: done in {time.monotonic() - began:.0f} s", last=True)
            return
        output.seek(start)
        written = output.read()
    show(f"{title}: failed after {time.monotonic() - began:.0f} s", last=True)
    tail = "\n".join("    " + line for line in written.splitlines()[-12:])
    raise Failed(cure(written) or f"It ended with status {status}; the last it said (all of it is in {log.name}):\n{tail}")


def watch(title: str, process: subprocess.Popen[bytes], began: float) -> int:
    """Wait for the process, showing that it goes on; its exit status."""
    shown = -EVERY if not sys.stdout.isatty() else 0
    while True:
        seconds = int(time.monotonic() - began)
        if sys.stdout.isatty() or seconds - shown >= EVERY:
            show(f"{title}: {seconds} s")
            shown = seconds
        try:
            return process.wait(timeout=0.25)
        except subprocess.TimeoutExpired:
            continue


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that is still running, kindly first."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def show(line: str, *, last: bool = False) -> None:
    """Print a line: over the one before on a terminal, on its own elsewhere."""
    if not sys.stdout.isatty():
        print(line, flush=True)
        return
    print(f"\r\033[K{line}", end="\n" if last else "", flush=True)
