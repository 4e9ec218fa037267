"""Finds a Python 3.10 that truly runs: Rasa needs one, and a name on the PATH may be a shim that refuses."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

WANTED = "3.10"
PROBE = "import ensurepip, ssl, sys, venv; print('%d.%d.%d' % sys.version_info[:3])"


def version(python: Path) -> str:
    """Its version, like 3.10.13; empty when it does not run or cannot make environments."""
    try:
        probe = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return probe.stdout.strip() if probe.returncode == 0 else ""


def candidates(environment: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Where a Python 3.10 may be: the PATH, pyenv's own folder, what uv has fetched before; newest first in each."""
    folders = [Path(folder) for folder in environment.get("PATH", "").split(os.pathsep) if folder]
    yield from (folder / name for name in (f"python{WANTED}", "python3") for folder in folders)
    pyenv = Path(environment.get("PYENV_ROOT") or home / ".pyenv")
    yield from newest(pyenv.glob(f"versions/{WANTED}*/bin/python{WANTED}"))
    fetched = Path(environment.get("UV_PYTHON_INSTALL_DIR") or home / ".local" / "share" / "uv" / "python")
    yield from newest(fetched.glob(f"cpython-{WANTED}*/bin/python{WANTED}"))


def newest(paths: Iterable[Path]) -> list[Path]:
    """Sorted by the numbers in their names, highest first."""
    return sorted(
        paths,
        key=lambda path: [int(part) for part in path.as_posix().replace("-", ".").split(".") if part.isdigit()],
        reverse=True,
    )


def find(environment: Mapping[str, str], home: Path) -> Path | None:
    """The first of the candidates that runs and is a Python 3.10; None when there is none."""
    for path in candidates(environment, home):
        if path.exists() and version(path).startswith(f"{WANTED}."):
            return path
    return None
