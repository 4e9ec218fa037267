"""The worker: loops that take turns, send what is due and mail staff, woken by the database; APScheduler does the rest."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import SQLAlchemyError

from bot import alerts, outbox
from bot.conversation import Room, take_next
from bot.database import Database, insert_new
from bot.mail import SendsMail
from bot.models import Heartbeat
from bot.watch import AWAY, POLL_S, Drift, watch
from bot.whatsapp import Letter, Sends

SENDERS = 32  # a call to Twilio takes 150 ms: twelve do for the 80 a second that it takes of us, and all where it is slow
AT_ONCE = 8  # messages claimed in one commit: more would keep SQLite's one writer longer than an answer may wait
TOKENS_S = 0.05  # our pace is spent: by then four may go, and are claimed together
BEAT_EVERY_S = 5
LOOK_AT_CLOCK_S = 1
JUMP = timedelta(seconds=30)  # a clock that is only put right moves by less
AFTER_ERROR_S = 1.0
ONCE_IF_LATE: dict[str, Any] = {"coalesce": True, "misfire_grace_time": None}  # never skipped because we were busy
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Post:
    """How messages leave: by Twilio, by mail, and where Twilio reports back to."""

    whatsapp: Sends
    mail: SendsMail
    public_url: str


@dataclass(frozen=True, slots=True)
class Chore:
    """Something that any worker does now and then, and that is harmless however many do it at once."""

    name: str
    every: timedelta
    do: Callable[[datetime], object]


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker process. `clock` gives aware UTC."""

    room: Room
    post: Post
    clock: Callable[[], datetime]
    chores: tuple[Chore, ...] = ()
    stop: threading.Event = field(default_factory=threading.Event)
    free: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(SENDERS))

    @property
    def db(self) -> Database:
        """The database that the turns are written to."""
        return self.room.db

    def turns(self) -> int:
        """Take every message that waits; how many there were."""
        taken = 0
        while not self.stop.is_set() and take_next(self.room, self.clock):
            taken += 1
        return taken

    def send_due(self, pool: ThreadPoolExecutor, *, waits: bool = False) -> list[Future[None]]:
        """Begin to send everything due, as many at a time as there are senders; the calls may still be under way.

        `waits`: also what is held up by our one sender's pace alone, a moment later.
        """
        calls: list[Future[None]] = []
        while not self.stop.is_set() and (senders := self._free_senders()):
            claimed = self._claimed(senders)
            calls += [pool.submit(self._safely, partial(self._send, one)) for one in claimed.sendings]
            if waits and claimed.again_at is not None:
                self.stop.wait(TOKENS_S)
            elif not claimed.sendings:
                break
        return calls

    def once(self) -> int:
        """Everything that is due now, until nothing is; how many messages were taken or sent."""
        done, step = 0, 1
        self.mark_lost()
        with ThreadPoolExecutor(SENDERS) as pool:
            while step:
                for chore in self.chores:  # again after every round: a turn may have made something due
                    self._do(chore)
                step = self._until_quiet(pool)
                done += step
        return done

    def beat(self) -> None:
        """Say that this worker lives, and mark what a dead one left half sent."""
        now = self.clock()
        with self.db.write() as session:
            insert_new(session, Heartbeat, name="worker", at=now)
            session.get_one(Heartbeat, "worker").at = now
        self.mark_lost()
        self.tell_admins()

    def mark_lost(self) -> None:
        """What was being sent when its worker died is `unknown` from now on."""
        if lost := outbox.mark_unknown(self.db, self.clock()):
            log.error("outbox.unknown", messages=lost)
        outbox.tell_of_unknown(self.db, self.clock())

    def tell_admins(self) -> None:
        """Mail the admins of every new case, wherever it was opened."""
        if self.room.staffroom.has_mail:
            alerts.tell_admins(self.db, self.room.texts, self.clock())

    def run(self) -> None:
        """Work until told to stop (SIGTERM or Ctrl-C)."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop.set())
        jobs = BackgroundScheduler(timezone="UTC")  # by the real time, also where ours was moved on
        jobs.add_job(self._safely, "interval", [self.beat], seconds=BEAT_EVERY_S)
        for chore in self.chores:
            jobs.add_job(self._do, "interval", [chore], seconds=chore.every.total_seconds(), **ONCE_IF_LATE)
        look = partial(self._look_at_clock, jobs, Drift(self.clock))
        jobs.add_job(self._safely, "interval", [look], seconds=LOOK_AT_CLOCK_S, **ONCE_IF_LATE)
        self._all_at_once(jobs)
        jobs.start()
        with ThreadPoolExecutor(SENDERS) as pool:
            # Mail is apart from the rest: its server may keep us waiting, and nobody's answer waits for that.
            mail = partial(alerts.deliver, self.db, self.post.mail, self.clock)
            loops = (self.turns, partial(self.send_due, pool, waits=True), mail)
            threads = [threading.Thread(target=self._loop, args=[work]) for work in loops]
            for thread in threads:
                thread.start()
            log.info("worker.started")
            self.stop.wait()
            for thread in threads:
                thread.join()
        jobs.shutdown(wait=True)
        log.info("worker.stopped")

    def _until_quiet(self, pool: ThreadPoolExecutor) -> int:
        """Take turns, mail and send until there is nothing left of either; how many messages that was."""
        done = 0
        while True:
            step = self.turns()
            self.tell_admins()
            step += alerts.deliver(self.db, self.post.mail, self.clock)
            calls = self.send_due(pool)
            wait(calls)
            done += step + len(calls)
            if not step and not calls:
                return done

    def _look_at_clock(self, jobs: BackgroundScheduler, drift: Drift) -> None:
        """Was the clock moved, or did the machine sleep? Then what is due by now is not what was due a moment ago."""
        moved = drift.since_asked()
        if abs(moved) > JUMP:
            log.warning("worker.clock_moved", seconds=round(moved.total_seconds()))
            self._all_at_once(jobs)

    def _all_at_once(self, jobs: BackgroundScheduler) -> None:
        """Every chore now and beside each other, whatever is under way: they are harmless however many do them."""
        jobs.add_job(self._safely, args=[self.beat], **ONCE_IF_LATE)
        for chore in self.chores:
            jobs.add_job(self._do, args=[chore], **ONCE_IF_LATE)

    def _free_senders(self) -> int:
        """Wait until a sender is free, and take it and a few more; how many, which is none where all stay busy."""
        taken = int(self.free.acquire(timeout=POLL_S))
        while 0 < taken < AT_ONCE and self.free.acquire(blocking=False):
            taken += 1
        return taken

    def _claimed(self, senders: int) -> outbox.Claimed:
        """The next messages to send, one for each sender. A sender for whom there is none is given back."""
        claimed = outbox.Claimed()
        try:
            claimed = outbox.claim_some(self.db, self.room.terms, self.clock(), senders)
        finally:
            if spare := senders - len(claimed.sendings):
                self.free.release(spare)
        return claimed

    def _send(self, sending: outbox.Sending) -> None:
        try:
            url = f"{self.post.public_url.rstrip('/')}/whatsapp/status/{sending.outbound_id}"
            letter = Letter(sending.to, sending.body, url, sending.content_sid, sending.variables, sending.media_url)
            outcome = self.post.whatsapp.send(letter)
            outbox.record(self.db, self.room.terms, sending.outbound_id, outcome, self.clock())
            log.info("outbox.sent", outbound=sending.outbound_id, result=outcome.result, error=outcome.error_code)
        finally:
            self.free.release()

    def _do(self, chore: Chore) -> None:
        """One chore, with a line in the log where it did anything."""

        def work() -> None:
            if done := chore.do(self.clock()):
                log.info("worker.chore", chore=chore.name, done=done)

        self._safely(work)

    def _loop(self, work: Callable[[], object]) -> None:
        with closing(watch(self.db)) as change:
            while not self.stop.is_set():
                self._safely(work)
                self._safely(partial(change.wait, self.stop))

    def _safely(self, work: Callable[[], object]) -> None:
        """The edge where the database may be away, or a step fail: say so, wait a little, go on. A loop must not end."""
        try:
            work()
        except (SQLAlchemyError, *AWAY) as error:
            log.error("worker.database_away", error=type(error).__name__)
            self.stop.wait(AFTER_ERROR_S)
        except Exception as error:
            log.exception("worker.step_failed", error=type(error).__name__)
            self.stop.wait(AFTER_ERROR_S)
