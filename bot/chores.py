"""What any worker does now and then, and how often: planning, looking after what was sent, catching up, tidying."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

import structlog

from bot import outbox, setback, template_store
from bot.conversation import Room
from bot.planning import Links, Planned, plan
from bot.recovery import Lookout
from bot.tidying import tidy
from bot.timetable.calls import call_sheets
from bot.whatsapp import Contents, ProviderAway, Records
from bot.worker import Chore

LEFT_ALONE = timedelta(seconds=15)  # a Twilio that does not answer: each call to it may take ten seconds
SECONDS, MINUTES, HOURS = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Twilio:
    """Whether Twilio answers: after one chore found that it does not, the others leave it alone for a while."""

    away_until: datetime | None = None

    def unless_away(self, name: str, do: Callable[[datetime], int]) -> Callable[[datetime], int]:
        """The same work, which ends with one warning where Twilio is away: it is done the next time."""

        def work(now: datetime) -> int:
            if self.away_until is not None and now < self.away_until <= now + LEFT_ALONE:  # or the clock went back
                return 0
            try:
                return do(now)
            except ProviderAway as away:
                self.away_until = now + LEFT_ALONE
                log.warning("chores.twilio_away", chore=name, status=away.status, error=away.code)
                return 0

        return work


def chores(room: Room, records: Records, contents: Contents, links: Links) -> tuple[Chore, ...]:
    """Every chore of a worker. What needs Twilio is put off while it does not answer, and nothing else waits for that."""
    db, terms, twilio = room.db, room.terms, Twilio()
    lookout = Lookout(db, room.mind.lexicon, records)

    def of_twilio(name: str, every: timedelta, do: Callable[[datetime], int]) -> Chore:
        return Chore(name, every, twilio.unless_away(name, do))

    return (
        Chore("setback", MINUTES, lambda now: setback.mend(db, now, terms.hours)),
        Chore("planning", MINUTES, lambda now: _planned(plan(db, terms, links, now))),
        Chore("call_sheets", MINUTES, lambda now: call_sheets(db, now)),
        of_twilio("recovery", 5 * MINUTES, lookout.look),
        of_twilio("unknown", 20 * SECONDS, lambda now: outbox.reconcile(db, terms, records, now)),
        of_twilio("silent", 10 * MINUTES, lambda now: outbox.ask_after_silent(db, terms, records, now)),
        of_twilio("templates", HOURS, lambda now: len(template_store.refresh_status(db, contents, terms.templates, now))),
        of_twilio("tidying", MINUTES, lambda now: tidy(db, records, now)),
    )


def _planned(done: Planned) -> int:
    """How much it was, after a line in the log that says of what."""
    if done:
        log.info(
            "planning.planned",
            first_messages=done.first_messages,
            invitations=done.invitations,
            reminders=done.reminders,
            lesson_reminders=done.lesson_reminders,
            check_ins=done.check_ins,
            goodbyes=done.goodbyes,
            opportunities=done.opportunities,
            revived=done.revived,
        )
    return sum(astuple(done))
