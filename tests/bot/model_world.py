"""The world of the model test: the real service on a real database, a Twilio in memory, and what each step does to both.

The model learns of every step, and `Watch` compares.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update

from bot import alerts, cases, consents, inbox, ledger, outbox
from bot.clock import london_day_starts
from bot.conversation import _try as finish_turn
from bot.conversation import take_next
from bot.database import Database
from bot.models import ConsentEvent, Course, EnrolmentRow, Inbound, OfficeCase, PersonRow, StaffRole, TemplateRow
from bot.people import point_of
from bot.templates import filled
from bot.turn import NluAway, Parse
from bot.whatsapp import Letter, ProviderAway
from tests.bot.model_rules import ALL, LONDON, NEWS_KEEPS, Human, Owed, Phone
from tests.bot.model_turns import BREAKS, UNSURE, Said, taken
from tests.bot.model_twilio import Message, Twilio
from tests.bot.model_watch import LEASE, OURS, Watch
from tests.bot.rooms import AMINA, BILAL, CARLA, FARAH, OWEN, Clock, Stage, StubNlu, an_incoming, receive

DORA, AMINAS_OTHER = "+447700900104", "+447700900105"
STARTS = (  # when it begins, and when the course ended that is over: each six months before a day close by
    (datetime(2026, 11, 24, 10, tzinfo=UTC), date(2026, 5, 26)),
    (datetime(2026, 10, 24, 17, tzinfo=UTC), date(2026, 4, 26)),  # London puts its clocks back in the night
    (datetime(2027, 3, 26, 15, tzinfo=UTC), date(2026, 9, 28)),  # and forward
    (datetime(2027, 2, 26, 18, tzinfo=UTC), date(2026, 8, 31)),  # no 31st of February
)
TEMPLATES = {  # what each is for, and what stands in it beside the news
    "lesson_reminder": ("service", "lesson_reminder", "lesson", ("starts_at", "place")),
    "lesson_late": ("service", "technical_or_delay", "lesson", ("planned_for", "starts_at")),
    "answer_waits": ("service", "question", "trainer", ()),
    "opportunity": ("marketing", "opportunity", "what", ("first_name", "more")),
    "check_in": ("checkin", "keeping_in_touch", "course", ("first_name",)),
}
UNDER_REVIEW = "answer_waits"
CALM = timedelta(minutes=2), timedelta(minutes=12), timedelta(hours=26), timedelta(days=4)


class World:
    """One made-up college from `start` on."""

    def __init__(self, db: Database, start: datetime, over: date) -> None:
        self.db, self.clock, self.rasa_away = db, Clock(start), False
        self.watch = Watch(db, self.clock)
        self.twilio = Twilio(self.clock, self._text, self.watch.asked, self.watch.taken)
        self.stage = Stage(db, self.clock, StubNlu(answer=self._hears), handlers=Stage(db, self.clock).handlers)
        self.room = replace(self.stage.room, terms=OURS)
        self.hands: list[tuple[outbox.Sending, datetime]] = []
        self.turns_in_hand: list[inbox.Claim] = []
        self.learners: list[Human] = []
        self.whose: dict[str, Human] = {}
        self.plans = 0
        self._begin(start, over)

    def _text(self, letter: Letter) -> str:
        if not letter.content_sid:
            return letter.body
        return filled(OURS.templates.find(self.watch.content[letter.content_sid], "en").body, letter.variables)

    def _hears(self, text: str) -> Parse:
        if self.rasa_away:
            raise NluAway
        if text == BREAKS:
            raise RuntimeError("a handler's own fault")
        return Parse("opt_out", 0.5) if text == UNSURE else Parse("thanks", 0.95, (("thanks", 0.95),))

    def _begin(self, now: datetime, over: date) -> None:
        courses = {"RUN": None, "OVER": over, "SOON": now.date() + timedelta(days=5)}
        with self.db.write() as session:
            for code, ends_on in courses.items():
                session.add(Course(code=code, name=code, starts_on=over - timedelta(days=90), ends_on=ends_on))
            for place, one in enumerate(t for t in OURS.templates if t.name in TEMPLATES):
                named = {"name": one.name, "language": one.language, "version": one.version, "category": one.category}
                status = "pending" if one.name == UNDER_REVIEW else "approved"
                session.add(TemplateRow(**named, content_sid=f"HX{place}", status=status, checked_at=now))
                self.watch.content[f"HX{place}"] = one.name
        self.approves(approved=True)
        self._person(AMINA, now, ("RUN",), courses, ALL)
        self._person(BILAL, None, ("OVER",), courses, ALL)
        self._person(CARLA, now - timedelta(hours=20), ("OVER", "SOON"), courses, ALL[:2])
        self._person(DORA, None, (), courses, ())
        for contact in (FARAH, OWEN):
            self._person(contact.phone, now if contact is OWEN else None, (), courses, ()).modelled = False
        self._another_phone(self.learners[0], AMINAS_OTHER)
        self._staff()
        self.whose = {value: phone.owner for value, phone in self.watch.phones.items()}

    def _person(
        self, phone: str, wrote: datetime | None, on: tuple[str, ...], ends: dict[str, date | None], yes: tuple[str, ...]
    ) -> Human:
        now = self.clock()
        with self.db.write() as session:
            point = point_of(session, phone, "", now)
            point.last_inbound_at = wrote
            human = Human(point.person_id, tuple(ends[code] for code in on), known=bool(on))
            if on:
                session.get_one(PersonRow, human.id).learner_code = f"L{phone[-3:]}"
                self.learners.append(human)
            for course in session.scalars(select(Course).where(Course.code.in_(on))):
                session.add(EnrolmentRow(person_id=human.id, course_id=course.id, created_at=now))
            at = now - timedelta(days=30)
            for purpose in ALL if on else ():
                said = {"purpose": purpose, "action": "give" if purpose in yes else "refuse", "source": "declaration"}
                session.execute(insert(ConsentEvent).values(person_id=human.id, at=at, recorded_at=at, **said))
                human.says([purpose], said["action"], at, "before")
            self.watch.knows(human, Phone(phone, point.id, human, wrote))
        return human

    def _another_phone(self, human: Human, value: str) -> None:
        with self.db.write() as session:
            point = point_of(session, value, "", self.clock())
            stray, point.person_id = point.person_id, human.id
            self.watch.knows(human, Phone(value, point.id, human))
            session.flush()
            session.delete(session.get_one(PersonRow, stray))

    def _staff(self) -> None:
        with self.db.write() as session:
            for code, role in (("A1", "admin"), ("S1", "safeguarding")):
                person = PersonRow(name=code, created_at=self.clock())
                session.add(person)
                session.flush()
                session.add(StaffRole(code=code, person_id=person.id, role=role, email=f"{code}@example.org"))

    # What happens

    def hears(self, value: str, text: str, *, twice: bool = False) -> None:
        """A message comes in, from the webhook on."""
        incoming, now = an_incoming(value, text), self.clock()
        assert receive(self.db, incoming, now)
        if twice:
            assert not receive(self.db, incoming, now)
        with self.db.read() as session:
            row = session.execute(select(Inbound.id, Inbound.person_id).where(Inbound.sid == incoming.sid)).one()
        phone = self.watch.wrote(value, row.person_id, now)
        self.watch.waiting[row.id] = Said(row.id, text, now, phone.owner, phone)

    def plans_one(self, value: str, lasts: timedelta | None, due_in: timedelta, given: dict[str, Any]) -> None:
        """Something is planned that we write first, to whoever the number belonged to when the college began."""
        phone, human = self.watch.phones[value], self.whose[value]
        self.plans += 1
        key, now, template = f"plan:{self.plans}", self.clock(), given.get("template")
        due, news, values = now + due_in, f"News of plan:{self.plans}.", None
        if template:
            purpose, use, slot, rest = TEMPLATES[template]
            given, values = given | {"purpose": purpose, "use": use}, {slot: news, **dict.fromkeys(rest, "then")}
        owed = Owed(key, human, phone, best_before=due + (lasts or NEWS_KEEPS), written=now, **given)
        body = OURS.templates.find(template, "en").fill(values) if template and values else news
        draft = outbox.Draft(key, human.id, phone.point, body=body, due_at=due, variables=values, **given)
        for _ in range(2):  # whoever plans may crash, and plan again
            with self.db.write() as session:
                outbox.add(session, replace(draft, best_before=due + lasts if lasts else None), now)
        self.watch.owed[key] = owed
        self.watch.look()

    def works_on_turns(self) -> bool:
        """One turn is taken."""
        took = take_next(self.room, self.clock)
        self._after_turn()
        return took

    def takes_a_turn_in_hand(self) -> None:
        """A worker leases a turn, and does not come to it yet."""
        claimed = inbox.claim(self.db, self.clock())
        self.turns_in_hand += [claimed] if claimed else []

    def comes_to_the_turn(self) -> None:
        """The slow worker goes on with its turn: it may have lost it by now."""
        try:
            finish_turn(self.room, self.turns_in_hand.pop(0), self.clock)
        except inbox.Conflict:
            return
        finally:
            self._after_turn()
            self.watch.compare_consent(self.learners)

    def _after_turn(self) -> None:
        with self.db.read() as session:
            columns = select(Inbound.id, Inbound.state, Inbound.intents, Inbound.attempts)
            rows = session.execute(columns.where(Inbound.id.in_(self.watch.waiting), Inbound.state != "received")).all()
        assert len(rows) <= 1
        for row in rows:
            said = self.watch.waiting.pop(row.id)
            unheard = row.state == "done" and "nlu_away" in row.intents
            if row.state == "done":
                assert self.rasa_away or not unheard
                taken(said, self.clock(), unheard=unheard)
            else:
                assert row.attempts >= 3
                said.human.question = ""
            self.watch.answered(said, row.state, unheard=unheard)
            self.watch.compare_consent([said.human])
        self.watch.look()

    def leases(self) -> bool:
        """A worker leases the next message to send."""
        self.watch.before_leasing()
        sending = outbox.claim(self.db, OURS, self.clock())
        self.watch.look(sending)
        if sending is not None:
            self.hands.append((sending, self.clock()))
        return sending is not None

    def sends(self, place: int = -1, *, dies: bool = False) -> None:
        """It asks Twilio, and writes down what came of it unless it dies before."""
        sending, _ = self.hands.pop(place)
        url = f"https://e4a.example.org/whatsapp/status/{sending.outbound_id}"
        outcome = self.twilio.send(Letter(sending.to, sending.body, url, sending.content_sid, sending.variables))
        if outcome.result == "retry":
            self.watch.refused_at[sending.outbound_id] = self.clock()
        if not dies:
            outbox.record(self.db, OURS, sending.outbound_id, outcome, self.clock())
        self.watch.look()

    def works(self) -> None:
        """A worker does all that is due, one thing after the other, and its chores."""
        self.chores()
        for _ in range(500):
            took = bool(self.watch.waiting) and self.works_on_turns()
            alerts.deliver(self.db, self.stage.mail, self.clock)
            self.watch.look()
            if self.leases():
                self.sends()
            elif not took:
                return
        raise AssertionError("the worker finds no end")

    def chores(self) -> None:
        """What a worker does now and then."""
        now, records = self.clock(), self.twilio.records
        outbox.mark_unknown(self.db, now)
        outbox.tell_of_unknown(self.db, now)
        with suppress(ProviderAway):
            self.watch.look()
            outbox.reconcile(self.db, OURS, records, now)
            outbox.ask_after_silent(self.db, OURS, records, now)
        self.watch.look()

    def tells(self, message: Message, place: int, *, again: bool) -> None:
        """Twilio's callback comes, in any order, and perhaps twice."""
        news = message.news[place % len(message.news)]
        if not again:
            message.news.remove(news)
        message.told.append(news)
        with self.db.write() as session:
            assert outbox.advance(session, OURS, message.outbound_id, news, self.clock())
        self.watch.look()

    def waits(self, how_long: timedelta) -> None:
        """Time passes; who held a lease for longer than it lasts is dead."""
        now = self.clock.wait(how_long)
        self.hands = [(one, at) for one, at in self.hands if now < at + LEASE]

    def declares(self, human: Human, days_ago: int, yes: tuple[str, ...]) -> None:
        """A declaration signed some days ago is imported; once is enough."""
        now, action = self.clock(), {True: "give", False: "refuse"}
        at = london_day_starts(now.astimezone(LONDON).date() - timedelta(days=days_ago))
        last = {line[2]: line[3] for line in sorted(human.said) if line[0] == at and line[4] == "declaration"}
        for agreed in (True, False):
            new = tuple(p for p in ALL if (p in yes) == agreed and last.get(p) != action[agreed])
            entry = ledger.Entry(human.id, new, action[agreed], "declaration", at, now, "import", "v2")  # type: ignore[arg-type]
            with self.db.write() as session:
                ledger.record(session, entry, OURS.keyed)
            human.says(new, action[agreed], at, "declaration")
        self.watch.compare_consent([human])

    def staff_record(self, human: Human, action: str, purposes: tuple[str, ...], source: str, days_ago: int | None) -> None:
        """Somebody of the office writes down what a learner told them."""
        now, today = self.clock(), self.clock().astimezone(LONDON).date()
        on = None if days_ago is None else today - timedelta(days=days_ago)
        record = consents.give if action == "give" else consents.withdraw
        with self.db.read() as session:
            code = session.get_one(PersonRow, human.id).learner_code
        record(self.db, OURS.keyed, consents.Told(code or "", purposes, source, "A1", on), now)  # type: ignore[arg-type]
        new = [p for p in purposes if action == "withdraw" or human.state(p) != "given"]  # each no counts anew
        at = now
        if on is not None:
            ends = london_day_starts(on + timedelta(days=1)) - timedelta(microseconds=1)
            at = london_day_starts(on) if action == "give" else min(now, ends)
        human.says(new, action, at, source)
        if action == "withdraw" and new:
            human.noes.append((at, 0))
            if source == "left_group" and "service" in new:
                human.left_recorded = now
        self.watch.look()
        self.watch.compare_consent([human])

    def releases(self, human: Human) -> None:
        """The safeguarding lead has been: every open disclosure of theirs is closed."""
        here = (OfficeCase.person_id == human.id, OfficeCase.restricted, OfficeCase.state == "open")
        with self.db.read() as session:
            found = session.scalars(select(OfficeCase.id).where(*here)).all()
        for case_id in found:
            cases.close_case(self.db, case_id, "S1", self.clock())
        human.held = human.held and not found

    def approves(self, *, approved: bool) -> None:
        """WhatsApp pauses our templates, or takes them back."""
        ours = TemplateRow.name != UNDER_REVIEW
        with self.db.write() as session:
            session.execute(update(TemplateRow).where(ours).values(status="approved" if approved else "paused"))
        self.watch.approved = set(TEMPLATES) - {UNDER_REVIEW} if approved else set()

    def ends(self) -> None:
        """Everything is well again, the news has come, days pass: what is left must be settled."""
        self.twilio.weather.clear()
        self.twilio.records.away = False
        self.rasa_away, self.stage.mail.up, self.hands, self.turns_in_hand = False, True, [], []
        for _ in range(4 * len(self.watch.waiting)):  # each is tried three times, one after the other
            self.waits(timedelta(seconds=20))
            self.works()
        for pause in CALM:
            for message in list(self.twilio.messages):
                while message.news:
                    self.tells(message, 0, again=False)
            self.waits(pause)
            self.works()
        assert not self.watch.waiting
        self.watch.compare_consent(self.learners)
        self.watch.all_settled()
