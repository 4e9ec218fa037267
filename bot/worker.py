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
from bot.watch import AWAY, POLL_S, watch
from bot.whatsapp import Letter, Sends

SENDERS = 8  # a call to Twilio takes about 150 ms: eight at once is fifty a second
BEAT_EVERY_S = 5
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

    def send_due(self, pool: ThreadPoolExecutor) -> list[Future[None]]:
        """Begin to send everything due, as many at a time as there are senders; the calls may still be under way."""
        calls: list[Future[None]] = []
        while not self.stop.is_set() and self.free.acquire(timeout=POLL_S):
            sending = self._claimed()
            if sending is None:
                break
            calls.append(pool.submit(self._safely, partial(self._send, sending)))
        return calls

    def once(self) -> int:
        """Everything that is due now, until nothing is; how many messages were taken or sent."""
        done = 0
        self.mark_lost()
        for chore in self.chores:
            self._do(chore)
        with ThreadPoolExecutor(SENDERS) as pool:
            while True:
                step = self.turns()
                self.tell_admins()
                step += alerts.deliver(self.db, self.post.mail, self.clock)
                calls = self.send_due(pool)
                wait(calls)
                done += step + len(calls)
                if not step and not calls:
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
        jobs = BackgroundScheduler(timezone="UTC")
        jobs.add_job(self._safely, "interval", [self.beat], seconds=BEAT_EVERY_S, next_run_time=self.clock())
        for chore in self.chores:
            seconds = chore.every.total_seconds()
            jobs.add_job(self._do, "interval", [chore], seconds=seconds, next_run_time=self.clock(), **ONCE_IF_LATE)
        jobs.start()
        with ThreadPoolExecutor(SENDERS) as pool:
            # Mail is apart from the rest: its server may keep us waiting, and nobody's answer waits for that.
            mail = partial(alerts.deliver, self.db, self.post.mail, self.clock)
            loops = (self.turns, partial(self.send_due, pool), mail)
            threads = [threading.Thread(target=self._loop, args=[work]) for work in loops]
            for thread in threads:
                thread.start()
            log.info("worker.started")
            self.stop.wait()
            for thread in threads:
                thread.join()
        jobs.shutdown(wait=True)
        log.info("worker.stopped")

    def _claimed(self) -> outbox.Sending | None:
        """The next message to send. The sender taken for it is given back when there is none."""
        sending = None
        try:
            sending = outbox.claim(self.db, self.room.terms, self.clock())
        finally:
            if sending is None:
                self.free.release()
        return sending

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
