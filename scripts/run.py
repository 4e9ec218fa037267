"""Starts the demo: schema, demo college, every process and the simulator; says when it is ready and where to look.

Run by `make run` with the service's Python, after `scripts/setup.py`. Ctrl-C stops everything; the data stays.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from honcho.environ import parse_procfile
from honcho.manager import Manager

ROOT = Path(__file__).resolve().parent.parent
PORTS = {"WEB_PORT": "8000", "NLU_PORT": "5005", "SIMULATOR_PORT": "8001"}
READY_WITHIN_S = 120
PARTS = ("database", "schema", "model", "worker", "queues", "sending")  # of /readyz, all of which must be well


def main() -> int:
    """Start everything and wait for Ctrl-C; the exit status of the first process that failed."""
    env = {**os.environ, "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}
    for name, port in PORTS.items():
        env.setdefault(name, port)
        if not env[name].isdigit():
            print(f"{name} is {env[name]!r}: it must be a number, such as {port}")
            return 1
        if _taken(int(env[name])):
            print(f"Port {env[name]} is taken by another program: stop it, or choose another with {name}=... make run")
            return 1
    for command in (["migrate"], ["import", "data/demo"]):
        if subprocess.run(["flask", "--app", "app", *command], cwd=ROOT, env=env, check=False).returncode:
            return 1
    manager = Manager()
    for name, line in _processes().items():
        manager.add_process(name, line, env=env, cwd=str(ROOT))
    threading.Thread(target=_announce, args=[env], daemon=True).start()
    manager.loop()
    return int(manager.returncode or 0)


def _processes() -> dict[str, str]:
    lines = "\n".join((ROOT / name).read_text() for name in ("Procfile", "Procfile.demo"))
    return dict(parse_procfile(lines).processes)


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _announce(env: dict[str, str]) -> None:
    """Say what is still waited for, then where to look."""
    began = time.monotonic()
    while time.monotonic() - began < READY_WITHIN_S:
        waiting_for = _not_ready(f"http://127.0.0.1:{env['WEB_PORT']}/readyz")
        took = time.monotonic() - began
        if not waiting_for:
            address = f"http://127.0.0.1:{env['SIMULATOR_PORT']}/"
            print(f"\nReady after {took:.0f} s. Open {address} (Ctrl-C stops everything)\n", flush=True)
            _hand_in_templates(env)
            return
        print(f"[{took:3.0f} s] waiting for: {', '.join(waiting_for)}", flush=True)
        time.sleep(1)
    print(f"Not ready after {READY_WITHIN_S} s: see the messages above.", flush=True)


def _hand_in_templates(env: dict[str, str]) -> None:
    """So that the first messages go out. Only now: nobody who waits for the demo to be ready waits for this too."""
    for command in ("push", "status"):
        line = ["flask", "--app", "app", "templates", command]
        done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
            print(f"The templates are not approved: `{' '.join(line)}` failed: {said[-1]}", flush=True)
            return
    print(
        "WhatsApp (the simulator) has approved the templates: learners get their first message in group hours.", flush=True
    )


def _not_ready(url: str) -> list[str]:
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310 (our own loopback address)
            found = json.load(answer)
    except urllib.error.HTTPError as error:
        found = json.load(error)
    except OSError:
        return ["web"]
    return [part for part in PARTS if not found.get(part)]


if __name__ == "__main__":
    sys.exit(main())
