"""A year of the service on a clock of the test's own: it goes from one due moment to the next, and things happen between.

Each thing that happens is told to the service as it would be in life, and to the test's own picture of the college.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select

from bot import consents, outbox, wishes
from bot.conversation import take_next
from bot.database import Database
from bot.effects import ChooseReminders
from bot.models import Inbound, LessonRow, Opportunity, Outbound, PersonRow
from bot.opportunities.approval import approve, mark_of, recall
from bot.opportunities.preview import read
from bot.opportunities.values import Written
from bot.opportunities.writing import add
from bot.planning import Links, plan
from bot.timetable import change, notices
from bot.whatsapp import Outcome, SentRecord, StatusUpdate
from tests.bot.rooms import TERMS, Archive, Clock, Stage, an_incoming, receive
from tests.bot.year_college import (
    CLOCKS_CHANGE,
    DAY,
    HOUR,
    MINUTE,
    PURPOSES,
    ROOMS,
    STARTS,
    Learner,
    Lesson,
    News,
    made,
    stored,
)
from tests.bot.year_rules import Book, Offered, Sent

LINKS = Links("https://e4a.example.org/privacy", "https://e4a.example.org/rules")
A_DAY_HAS = 3  # things that happen, on average
BLOCKED = 63024
Event = Callable[[], object]


class Year:
    """The service, the college, and the agenda of what is to happen."""

    def __init__(self, db: Database, seed: int, learners: int) -> None:
        self.db, self.chance, self.clock = db, random.Random(seed), Clock(STARTS)
        self.college = made(self.chance, learners)
        stored(db, self.college)
        self.book, self.records = Book(self.college), Archive()
        self.phones = {one.phone: one for one in self.college.learners.values()}
        self.room = replace(Stage(db, self.clock).room, terms=TERMS)
        self.agenda: list[tuple[datetime, int, Event]] = []
        self.numbers = itertools.count(1)
        self.away_until = STARTS

    # The clock

    def lives(self, days: int) -> None:
        """So many days go by."""
        until = STARTS + days * DAY
        for day in range(days):
            self._draw(STARTS + day * DAY)
        while self.clock() < until:
            self._works()
            self._goes_on(until)

    def ends(self) -> None:
        """Whom the caps kept from news until it was stale: their rows say so, and the call sheet names them."""
        kept = (Outbound.notice_id.is_not(None), Outbound.state == "withheld", Outbound.reason == "STALE")
        with self.db.read() as session:
            rows = session.execute(select(Outbound.person_id, Outbound.notice_id).where(*kept))
            self.book.phoned = {(person, notice) for person, notice in rows if notice is not None}

    def _goes_on(self, until: datetime) -> None:
        """On to the next moment at which anything is due or happens."""
        self.clock.now = min(until, *self._moments())
        while self.agenda and self.agenda[0][0] <= self.clock():
            heapq.heappop(self.agenda)[2]()

    def _moments(self) -> Iterator[datetime]:
        now = self.clock()
        yield now + 6 * HOUR
        yield max(now, self.agenda[0][0]) if self.agenda else now + DAY
        queued = (Outbound.state == "queued", Outbound.due_at > now)
        in_hand = (Outbound.state == "sending", Outbound.leased_until > now)
        unknown = (Outbound.state == "unknown", Outbound.reason.is_(None))
        with self.db.read() as session:
            found = [session.scalar(select(func.min(Outbound.due_at)).where(*queued))]
            found.append(session.scalar(select(func.min(PersonRow.plan_at)).where(PersonRow.plan_at > now)))
            found.append(session.scalar(select(func.min(Opportunity.plan_at)).where(Opportunity.plan_at > now)))
            found.append(session.scalar(select(func.min(Outbound.leased_until)).where(*in_hand)))
            left = session.scalar(select(PersonRow.id).where(PersonRow.plan_at <= now).limit(1))
            lost = session.scalar(select(Outbound.id).where(*unknown).limit(1))
        yield from (at for at in found if at is not None)
        if left is not None or lost is not None:
            yield now + 2 * MINUTE

    # The service at work

    def _works(self) -> None:
        """Everything that is due now, as a worker does it; it may die at any step."""
        now = self.clock()
        outbox.mark_unknown(self.db, now)
        if self.clock() >= self.away_until:
            outbox.reconcile(self.db, TERMS, self.records, now)
        for _ in range(self.chance.choice((1, 1, 1, 1, 2))):  # two workers, or one that crashed and began again
            plan(self.db, TERMS, LINKS, self.clock())
        while True:
            claimed = outbox.claim_some(self.db, TERMS, self.clock(), 8)
            for sending in claimed.sendings:
                self._sends(sending)
            if not claimed.sendings and claimed.again_at is None:
                return
            self.clock.now = claimed.again_at or self.clock()

    def _sends(self, sending: outbox.Sending) -> None:
        learner = self.phones[sending.to]
        with self.db.read() as session:
            row = session.get_one(Outbound, sending.outbound_id)
            session.expunge_all()
        dies = self.chance.random()
        if dies < 0.006:
            self.book.uncertain.add(_root(row.key))
            learner.note(self.clock())
        if dies < 0.003:
            return
        outcome = self._asks(row, learner)
        if dies < 0.006:
            return
        outbox.record(self.db, TERMS, row.id, outcome, self.clock())
        if learner.blocked and outcome.result == "accepted":
            with self.db.write() as session:
                outbox.advance(session, TERMS, row.id, StatusUpdate(outcome.sid, "undelivered", BLOCKED), self.clock())
        learner.known_blocked |= learner.blocked and outcome.result != "retry"

    def _asks(self, row: Outbound, learner: Learner) -> Outcome:
        """Twilio, with what it knows of the phone."""
        now, sid = self.clock(), f"SM{next(self.numbers):032x}"
        if now < self.away_until:
            return Outcome("retry")
        if learner.blocked and self.chance.random() < 0.5:
            return Outcome("refused", error_code=BLOCKED)
        self.book.write(self._letter(row, learner, now))
        status = "undelivered" if learner.blocked else "delivered"
        self.records.sent.append((learner.phone, SentRecord(sid, row.body, status, None, now)))
        if row.plan == "check_in" and learner.answers and not learner.blocked:
            self._later(now + self.chance.randint(1, 60) * HOUR, lambda: self._writes(learner, "thanks"))
        return Outcome("accepted", sid)

    def _letter(self, row: Outbound, learner: Learner, now: datetime) -> Sent:
        lesson = self.college.lessons[self.college.lesson_codes[row.lesson_id]] if row.lesson_id else None
        with self.db.read() as session:
            offer = session.get_one(Opportunity, row.opportunity_id).code if row.opportunity_id else ""
        assert learner.id == row.person_id
        return Sent(
            at=now,
            who=learner.id,
            key=_root(row.key),
            purpose=row.purpose,
            use=row.use,
            plan=row.plan,
            urgent=row.urgent or (row.urgent_from is not None and row.urgent_from <= now),
            lesson=lesson.code if lesson else "",
            moves=lesson.moves if lesson else 0,
            notice=row.notice_id or 0,
            opportunity=offer,
            variables=dict(row.variables or {}),
            template=row.template or "",
        )

    # What happens

    def _later(self, at: datetime, event: Event) -> None:
        heapq.heappush(self.agenda, (at, next(self.numbers), event))

    def _draw(self, day: datetime) -> None:
        """What this day brings."""
        steps = [self._a_lesson_changes] * 3 + [self._somebody_acts] * 20 + [self._trouble]
        for _ in range(self.chance.randint(0, 2 * A_DAY_HAS)):
            self._later(day + self.chance.randint(0, 15 * 60) * MINUTE, self.chance.choice(steps))
        if day.weekday() == 0 and self.chance.random() < 0.4:
            self._later(day + 3 * HOUR, self._an_opportunity)

    def _trouble(self) -> None:
        """The machine is off for a while, or Twilio does not answer."""
        now = self.clock()
        if any(now.date() <= day <= now.date() + 5 * DAY for day in CLOCKS_CHANGE):
            return
        how_long = self.chance.choice((HOUR, 3 * HOUR, 11 * HOUR, 30 * HOUR, 60 * HOUR))
        if self.chance.random() < 0.3:
            self.away_until = max(self.away_until, now + min(how_long, 3 * HOUR))
            self.book.off.append((now, self.away_until + HOUR))
        elif self.chance.random() < 0.3:
            self.book.off.append((now, now + how_long + HOUR))
            self.clock.wait(how_long)

    def _a_lesson_changes(self) -> None:
        now = self.clock()
        soon = self.chance.choice((3 * DAY, 3 * DAY, 9 * DAY))  # mostly where its reminders are planned already
        coming = [one for one in self.college.lessons.values() if not one.cancelled and now < one.ends_at < now + soon]
        coming = [one for one in coming if one.starts_at.date() not in CLOCKS_CHANGE]
        if self.chance.random() < 0.15 or not coming:
            self._another_lesson()
            return
        lesson = self.chance.choice(coming)
        kind = self.chance.choice(("late", "late", "moved", "moved", "moved", "cancelled", "place", "problem"))
        try:
            self._change(lesson, kind)
        except change.LessonError:
            return  # it is on, over, or there already: the command would say so

    def _change(self, lesson: Lesson, kind: str) -> None:
        now, was = self.clock(), lesson.starts_at
        with self.db.write() as session:
            row = change.find(session, lesson.code, now, lock=True)
            news = self._news(row, kind)
            told = notices.tell(notices.Desk(session, TERMS, "A1", now), row, news)
        lesson.starts_at, lesson.ends_at, lesson.place = news.slot.starts_at, news.slot.ends_at, news.slot.place
        lesson.moves += lesson.starts_at != was
        lesson.version += kind != "problem"
        lesson.cancelled = kind == "cancelled"
        if kind != "problem":
            lesson.changed.append(now)
        urgent_from = min(was, lesson.starts_at) - 12 * HOUR
        waited = [one.urgent_from for one in self.college.news.values() if one.lesson == lesson and one.urgent_from > now]
        until, soonest = max(lesson.ends_at, now + 15 * MINUTE), min(urgent_from, *waited, urgent_from)
        self.college.news[told.notice_id] = News(lesson, kind, now, lesson.version, urgent_from <= now, until, soonest)

    def _news(self, row: LessonRow, kind: str) -> change.News:
        now = self.clock()
        match kind:
            case "late":
                return change.delay(row, self.chance.choice((10, 20, 45, 120)), now)
            case "moved":
                by = self.chance.choice((-26 * HOUR, -2 * HOUR, HOUR, 5 * HOUR, DAY, 2 * DAY, 6 * DAY))
                return change.move(row, row.starts_at + by, row.ends_at + by, now, everybody=self.chance.random() < 0.3)
            case "cancelled":
                return change.cancel(row)
            case "place":
                return change.place(row, self.chance.choice(ROOMS), None)
            case _:
                return change.problem(row, "The heating is off. Please wear a coat.")

    def _another_lesson(self) -> None:
        now, code = self.clock(), f"MORE-{next(self.numbers)}"
        running = [course for course, end in self.college.ends.items() if end > now.date()]
        if not running:
            return
        on = self.chance.choice(running)
        starts_at = now.replace(minute=0, second=0, microsecond=0) + self.chance.choice((5 * HOUR, 30 * HOUR, 7 * DAY))
        slot = change.Slot(starts_at, starts_at + HOUR, "Extra", ROOMS[1])
        with self.db.write() as session:
            row = change.add(session, change.NewLesson(code, on, slot), now)
        self.college.lesson_codes[row.id] = code
        self.college.lessons[code] = Lesson(code, on, slot.starts_at, slot.ends_at, slot.place, now)

    def _an_opportunity(self) -> None:
        """One administrator writes it, mostly another approves it, and sometimes it is called back."""
        now, code = self.clock(), f"OPP-{next(self.numbers)}"
        courses = self.chance.choice(((), (), tuple(self.chance.sample(sorted(self.college.ends), 2))))
        best_before = now + self.chance.choice((2, 4, 9)) * DAY
        what = "a stall at the market in Blackburn"
        add(self.db, TERMS, Written(code, what, "https://www.example.org/market", "A1", best_before, courses), now)
        self.book.offered[code] = Offered(code, courses, None, best_before)
        if self.chance.random() < 0.8:
            self._later(now + self.chance.choice((MINUTE, HOUR, 30 * HOUR)), lambda: self._approve(code))
        if self.chance.random() < 0.5:
            self._later(
                now + self.chance.choice((5 * MINUTE, 80 * MINUTE, 100 * MINUTE, 6 * HOUR)), lambda: self._recall(code)
            )

    def _approve(self, code: str) -> None:
        offer = self.book.offered[code]
        if not offer.recalled and offer.best_before > self.clock() + HOUR:
            approve(self.db, code, "A2", self.clock(), seen=mark_of(read(self.db, code)))
            offer.goes_from = self.clock() + 15 * MINUTE

    def _recall(self, code: str) -> None:
        recall(self.db, code, "A1", self.clock())
        self.book.offered[code].recalled = True

    def _somebody_acts(self) -> None:
        learner = self.chance.choice(list(self.college.learners.values()))
        acts = [self._writes] * 8 + [self._stops] * 2 + [self._starts] * 3 + [self._office_records] * 3
        acts += [self._wishes, self._blocks]
        self.chance.choice(acts)(learner)
        learner.note(self.clock())

    def _writes(self, learner: Learner, text: str = "thanks") -> None:
        """A message of theirs, taken at once. Whoever had blocked us has us back."""
        if learner.blocked:
            learner.blocked = learner.known_blocked = False
            learner.note(self.clock())
        now = self.clock()
        receive(self.db, an_incoming(learner.phone, text), now)
        learner.wrote_at = now
        while take_next(self.room, self.clock):
            pass
        with self.db.read() as session:
            assert session.scalar(select(Inbound.id).where(Inbound.state == "received")) is None

    def _stops(self, learner: Learner) -> None:
        self._writes(learner, "STOP")
        taken = {purpose: says for purpose, says in learner.says.items() if says != "no"}
        learner.before = learner.before | taken
        learner.says = dict.fromkeys(PURPOSES, "no")

    def _starts(self, learner: Learner) -> None:
        """Lessons and check-ins are back as they stood; opportunities need a yes of their own."""
        self._writes(learner, "START")
        for purpose in PURPOSES[:2]:
            if learner.says[purpose] == "no":
                learner.says[purpose] = learner.before.pop(purpose, "no")
        learner.before.clear()

    def _office_records(self, learner: Learner) -> None:
        what = self.chance.choice(("give", "give", "withdraw", "jobs", "left_group"))
        keyed, now = TERMS.keyed, self.clock()
        if what == "give":
            consents.give(self.db, keyed, consents.Told(learner.code, PURPOSES, "phone", "A1"), now)  # type: ignore[arg-type]
            learner.says = dict.fromkeys(PURPOSES, "yes")
            learner.before.clear()
            return
        purposes = ("marketing",) if what == "jobs" else PURPOSES
        source = "left_group" if what == "left_group" else "phone"
        consents.withdraw(self.db, keyed, consents.Told(learner.code, purposes, source, "A1"), now)  # type: ignore[arg-type]
        for purpose in purposes:
            if learner.says[purpose] != "no" and what != "jobs":
                learner.before[purpose] = "maybe"  # what START makes of it the model test knows
            learner.says[purpose] = "no"

    def _wishes(self, learner: Learner) -> None:
        which = self.chance.choice(("day", "both", "hour", "none", ""))
        until = None if which else self.clock() + self.chance.choice((2 * DAY, 7 * DAY))
        with self.db.write() as session:
            person = session.scalars(select(PersonRow).where(PersonRow.id == learner.id).with_for_update()).one()
            wishes.choose_reminders(session, person, ChooseReminders(which, until), TERMS, self.clock())  # type: ignore[arg-type]
        learner.wish, learner.quiet_until = which or learner.wish, until

    def _blocks(self, learner: Learner) -> None:
        learner.blocked = True


def _root(key: str) -> str:
    """The key of what was first owed: sent again, it is the same message."""
    return key.partition("~")[0]
