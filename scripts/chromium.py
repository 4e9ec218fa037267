"""Finds a Chromium for the browser tests, or installs Debian's; says in one sentence what to do where it can't."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL = (["apt-get", "update", "-qq"], ["apt-get", "install", "-qq", "-y", "--no-install-recommends", "chromium"])


def main() -> int:
    """0 when there is a Chromium afterwards."""
    if _found():
        return 0
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get"):
        print("Installing Debian's Chromium for the browser tests ...", flush=True)
        for command in INSTALL:
            subprocess.run([*sudo, *command], check=False, stdout=subprocess.DEVNULL)
    if _found():
        return 0
    print("The browser tests need Chromium: install it (Debian, Ubuntu: sudo apt-get install chromium) and try again.")
    return 1


def _found() -> bool:
    return any(shutil.which(name) for name in NAMES)


if __name__ == "__main__":
    sys.exit(main())
