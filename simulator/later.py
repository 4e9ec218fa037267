"""Things to do in a moment, in the background: a clock thread that hands work to a small pool."""

from __future__ import annotations

import contextlib
import logging
import sched
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

log = logging.getLogger(__name__)
WORKERS = 8


class Later:
    """Runs jobs after a wait. A job that raises is logged and harms nothing else."""

    def __init__(self) -> None:
        self._wake = threading.Event()
        self._over = False
        self._times = sched.scheduler(time.monotonic)
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="simulator")
        threading.Thread(target=self._tick, name="simulator-clock", daemon=True).start()

    def after(self, seconds: float, job: Callable[[], None]) -> None:
        """Run `job` in the pool once `seconds` have passed."""
        self._times.enter(seconds, 0, self._start, (job,))
        self._wake.set()

    def close(self) -> None:
        """Drop what waits, and let what runs end."""
        self._over = True
        self._wake.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _tick(self) -> None:
        while not self._over:
            wait = self._times.run(blocking=False)
            self._wake.wait(wait)
            self._wake.clear()

    def _start(self, job: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the pool is closing: what waited is dropped
            self._pool.submit(_run, job)


def _run(job: Callable[[], None]) -> None:
    try:
        job()
    except Exception:
        log.exception("a step in the background failed")
