"""Makes what `make run` needs: the service's environment, Rasa's, and a trained model; only what is not there yet.

Run it with any Python from 3.11 on; it uses the standard library alone. What the commands write goes to var/setup.log.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import keys
import pythons
import steps
from steps import Failed

ROOT = Path(__file__).resolve().parent.parent
SERVICE, RASA = ROOT / ".venv", ROOT / ".venv-nlu"
LOG = ROOT / "var" / "setup.log"
STAMP = "e4a-stamp"  # inside an environment, written last: what it was made from
ROOM = 3 * 1024**3  # bytes that both environments and their downloads take
NEEDS = (3, 11)
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


def main() -> int:
    """Make what is missing. Exit status 0 when all is there, 1 when something could not be made, 130 when stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dev", action="store_true", help="also install what the tests and checks need")
    parser.add_argument("--service-only", action="store_true", help="neither Rasa's environment nor the model")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with alone():
            service_environment(dev=arguments.dev)
            if not arguments.service_only:
                rasa_environment()
                model()
    except Failed as failure:
        print(f"\nSetup stopped: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nSetup was stopped; run it again and it goes on.", file=sys.stderr)
        return 130
    return 0


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait until no other setup works in this folder, and keep others waiting."""
    check_python()
    LOG.parent.mkdir(exist_ok=True)
    with (LOG.parent / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another setup is at work here; waiting for it.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        os.set_inheritable(lock.fileno(), True)  # a command that outlives a killed setup keeps the next one waiting
        LOG.write_text("", encoding="utf-8")
        yield


def check_python() -> None:
    """Raises Failed when this Python cannot carry the service."""
    if sys.version_info < NEEDS:
        raise Failed(
            f"this is Python {sys.version.split()[0]}, and 3.11 or newer is needed: apt install python3, or use pyenv."
        )
    if not pythons.version(Path(sys.executable)):
        raise Failed("this Python cannot make environments: apt install python3-venv (or run this with another Python).")


def check_room() -> None:
    """Raises Failed when the disk has too little room for what is about to be installed."""
    free = shutil.disk_usage(ROOT).free
    if free < ROOM:
        raise Failed(f"the disk has {free / 1024**3:.1f} GB free, and about 3 GB are needed: free some and run this again.")


def service_environment(*, dev: bool) -> None:
    """.venv from requirements.txt, or with what the tests need; one that has more than was asked for is left as it is."""
    ours = pythons.version(SERVICE / "bin" / "python")
    plain, full = (keys.environment_key(ROOT / name, ours) for name in ("requirements.txt", "requirements-dev.txt"))
    found = stamp_of(SERVICE)
    if found == full or (found == plain and not dev):
        return print("service's environment (.venv): there already", flush=True)
    check_room()
    if found != plain:
        make(SERVICE, Path(sys.executable))
        install_uv()
    lock = ROOT / ("requirements-dev.txt" if dev else "requirements.txt")
    install("service's packages (.venv)", SERVICE, lock)
    stamp(SERVICE, lock)
    return None


def rasa_environment() -> None:
    """.venv-nlu from nlu/requirements.txt, on a Python 3.10 that is found or fetched."""
    lock = ROOT / "nlu" / "requirements.txt"
    ours = pythons.version(RASA / "bin" / "python")
    if ours and stamp_of(RASA) == keys.environment_key(lock, ours):
        return print("Rasa's environment (.venv-nlu): there already", flush=True)
    check_room()
    python = pythons.find(os.environ, Path.home()) or fetch_python()
    make(RASA, python)
    install("Rasa's packages (.venv-nlu), about 1 GB", RASA, lock, "--no-deps")
    stamp(RASA, lock)
    return None


def model() -> None:
    """The model in models/, trained again when what it is made of has changed; only the newest is kept."""
    wanted = ROOT / "models" / f"e4a-{keys.model_key(ROOT)}.tar.gz"
    if wanted.exists():
        return print(f"model ({wanted.name}): there already", flush=True)
    wanted.parent.mkdir(exist_ok=True)
    for left_over in wanted.parent.glob("training-*"):
        shutil.rmtree(left_over)
    name = wanted.name.removesuffix(".tar.gz")
    train: list[str | Path] = [RASA / "bin" / "python", "-m", "nlu.train", "--output", wanted.parent, "--name", name]
    steps.run("training the model, a minute or two", train, LOG, ONE_THREAD)
    for older in wanted.parent.glob("*.tar.gz"):
        if older != wanted:
            older.unlink()
    return None


def stamp_of(environment: Path) -> str:
    """What the environment was made from; empty when it is not there, half made, or its Python is gone."""
    stamp = environment / STAMP
    return stamp.read_text(encoding="utf-8") if stamp.exists() and pythons.version(environment / "bin" / "python") else ""


def stamp(environment: Path, lock: Path) -> None:
    """Say that the environment is complete, and from what it was made."""
    key = keys.environment_key(lock, pythons.version(environment / "bin" / "python"))
    (environment / STAMP).write_text(key, encoding="utf-8")


def make(environment: Path, python: Path) -> None:
    """A new, empty environment, whatever stood there before."""
    steps.run(f"new environment {environment.name}", [python, "-m", "venv", "--clear", environment], LOG)


def install_uv() -> None:
    """uv beside the service's packages, for speed and to fetch Pythons; pip does what it can where uv cannot be had."""
    command: list[str | Path] = [*pip(SERVICE), "--require-hashes", "-r", ROOT / "scripts" / "uv.txt"]
    with contextlib.suppress(Failed):
        steps.run("uv, the installer", command, LOG)


def install(title: str, environment: Path, lock: Path, *options: str) -> None:
    """Install a lock, with uv if it is there, else (or if uv fails) with pip. Raises Failed."""
    (environment / STAMP).unlink(missing_ok=True)
    rest: list[str | Path] = ["--require-hashes", *options, "-r", lock]
    if uv().exists():
        fast: list[str | Path] = [
            *uv_command(),
            "pip",
            "install",
            "--no-progress",
            "--python",
            environment / "bin" / "python",
            *rest,
        ]
        with contextlib.suppress(Failed):
            return steps.run(title, fast, LOG)
        print("uv could not; trying pip", flush=True)
    return steps.run(title, [*pip(environment), *rest], LOG)


def fetch_python() -> Path:
    """A Python 3.10 that uv downloads. Raises Failed with all ways there are when it cannot."""
    cure = "install Python 3.10 (pyenv install 3.10, or your system's python3.10 with python3.10-venv) and run this again."
    if not uv().exists():
        raise Failed(f"no Python 3.10 was found, and there is no uv to fetch one: {cure}")
    try:
        steps.run("Python 3.10, fetched by uv", [*uv_command(), "python", "install", "--no-progress", pythons.WANTED], LOG)
    except Failed as failure:
        raise Failed(f"no Python 3.10 was found, and uv could not fetch one: {cure}") from failure
    find: list[str | Path] = [uv(), "python", "find", "--managed-python", "--no-project", pythons.WANTED]
    return Path(subprocess.run(find, capture_output=True, text=True, check=True).stdout.strip())


def uv() -> Path:
    """Where uv is, if it is there."""
    return SERVICE / "bin" / "uv"


def uv_command() -> list[str | Path]:
    """uv, trusting whom the system trusts, as pip does."""
    return [uv(), "--system-certs"]


def pip(environment: Path) -> list[str | Path]:
    """The environment's own pip, about to install something."""
    quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    return [environment / "bin" / "python", "-m", "pip", "install", *quiet]


if __name__ == "__main__":
    sys.exit(main())
