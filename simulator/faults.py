"""Failing on demand, so that scripts and tests can see what the service does on a bad day."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from simulator.values import NO_FATE, Fate, Json, Refused

CODE_OF_STATUS = {401: 20003, 404: 20404, 429: 20429, 500: 20500, 503: 20503}
WORDS = {429: "Too Many Requests", 500: "Internal server error", 503: "Service unavailable"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What befalls one create call: a refusal (`http`), a late answer (`stalls`), or a failure afterwards (`fate`)."""

    http: int = 0
    code: int = 0
    stalls: bool = False
    fate: Fate = NO_FATE

    def strike(self) -> None:
        """Refuse the call, if that is what this fault does."""
        if self.http:
            raise Refused(self.http, self.code, WORDS.get(self.http, "Made to fail by the simulator"))


class Faults:
    """The faults still to come, one for each create call, first in first out. Gone after a restart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Fault] = deque()

    def add(self, fault: Fault, count: int) -> int:
        """Line up `count` of them; says how many wait now."""
        with self._lock:
            self._waiting.extend([fault] * count)
            return len(self._waiting)

    def take(self) -> Fault:
        """The fault of this call; one that does nothing when none waits."""
        with self._lock:
            return self._waiting.popleft() if self._waiting else Fault()

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._waiting.clear()


def read_fault(wanted: Json) -> Fault:
    """`{status, code}` of a script as a fault. Raises ValueError or TypeError when it makes no sense."""
    status, code = wanted.get("status"), int(wanted.get("code") or 0)
    if status == "timeout":
        return Fault(stalls=True)
    if status in ("failed", "undelivered"):
        if not code:
            raise ValueError("code is missing: which error should the status callback report?")
        return Fault(fate=Fate(str(status), code))
    http = int(status or 0)
    if not 400 <= http <= 599:
        raise ValueError('status must be 400 to 599, "timeout", "failed" or "undelivered"')
    return Fault(http, code or CODE_OF_STATUS.get(http, 20001))
