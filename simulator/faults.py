"""Failing on demand, so that scripts and tests can see what the service does on a bad day."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Literal

from simulator.values import NO_FATE, Fate, Refused

CODE_OF_STATUS = {401: 20003, 404: 20404, 429: 20429, 500: 20500, 503: 20503}
On = Literal["create", "records"]
WORDS = {429: "Too Many Requests", 500: "Internal server error", 503: "Service unavailable"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What befalls one call: a refusal (`http`), a late answer (`stalls`) or one that is no JSON (`garbled`).

    Of a create call, `taken` says whether the message is taken all the same, and `fate` how it ends then. `on` is the kind
    of call: `create`, or `records` for all the others on messages and their files.
    """

    http: int = 0
    code: int = 0
    stalls: bool = False
    garbled: bool = False
    taken: bool = True
    fate: Fate = NO_FATE
    retry_after: int = 0
    on: On = "create"

    def strike(self) -> None:
        """Refuse the call, if that is what this fault does."""
        if self.http:
            words = WORDS.get(self.http, "Made to fail by the simulator")
            raise Refused(self.http, self.code, words, self.retry_after)


class Faults:
    """The faults still to come, one for each call of their kind, first in first out. Gone after a restart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[On, deque[Fault]] = {"create": deque(), "records": deque()}

    def add(self, fault: Fault, count: int) -> int:
        """Line up `count` of them; says how many wait now for this kind of call."""
        with self._lock:
            self._waiting[fault.on].extend([fault] * count)
            return len(self._waiting[fault.on])

    def take(self, on: On = "create") -> Fault:
        """The fault of this call; one that does nothing when none waits."""
        with self._lock:
            return self._waiting[on].popleft() if self._waiting[on] else Fault()

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            for waiting in self._waiting.values():
                waiting.clear()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a script asks for, as it wrote it; `taken` is None where it does not say. See README.md."""

    status: int | str
    code: int = 0
    taken: bool | None = None
    ends: str = ""
    ends_code: int = 0
    retry_after: int = 0
    on: On = "create"


def read_fault(wish: Wish) -> Fault:
    """The fault wished for. Raises ValueError when it makes no sense."""
    if wish.on == "records" and (wish.taken is not None or wish.ends or wish.status in ("failed", "undelivered")):
        raise ValueError('on "records" there is nothing to take or to deliver')
    if wish.status in ("failed", "undelivered"):
        return _fated(wish)
    return _unanswered(wish) if isinstance(wish.status, str) else _refusing(wish, wish.status)


def _fated(wish: Wish) -> Fault:
    if not wish.code:
        raise ValueError("code is missing: which error should the status callback report?")
    if wish.taken is False or wish.ends:
        raise ValueError(f"{wish.status} is how a message ends that was taken")
    return Fault(fate=Fate(str(wish.status), wish.code))


def _unanswered(wish: Wish) -> Fault:
    taken = wish.taken is not False
    late = wish.status == "timeout"
    http = 503 if late and not (taken and wish.on == "create") else 0  # nobody waits any more for what is said then
    return Fault(http, CODE_OF_STATUS[503], late, not late, taken, _end(wish, taken), on=wish.on)


def _refusing(wish: Wish, http: int) -> Fault:
    if not 400 <= http <= 599:
        raise ValueError('status must be 400 to 599, "timeout", "garbled", "failed" or "undelivered"')
    taken = bool(wish.taken)
    code = wish.code or CODE_OF_STATUS.get(http, 20001)
    return Fault(http, code, taken=taken, fate=_end(wish, taken), retry_after=wish.retry_after, on=wish.on)


def _end(wish: Wish, taken: bool) -> Fate:
    if not wish.ends:
        return NO_FATE
    if not taken or not wish.ends_code:
        raise ValueError("ends needs ends_code, and a message that was taken")
    return Fate(wish.ends, wish.ends_code)
