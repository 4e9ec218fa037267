"""Watches the service for the model test: each change of each message is compared with what the model says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Row, select

from bot import outbox
from bot.database import Database
from bot.models import CaseMessage, OfficeCase, Outbound, Stop
from bot.queries import standing_of
from bot.whatsapp import Letter
from tests.bot.model_rules import ALL, NO_ASKING, REACH, Human, Owed, Phone, Went, verdict
from tests.bot.model_turns import NOES, SPOKEN_TO, Said
from tests.bot.model_twilio import Message
from tests.bot.rooms import TERMS, english

OURS = replace(TERMS, reach_limit=REACH)
LEASE = timedelta(seconds=60)
FORWARD = {
    "queued": {"sending", "withheld"},
    "sending": {"queued", "unknown", "accepted", "sent", "failed", "delivered", "read"},
    "unknown": {"accepted", "sent", "failed", "delivered", "read"},
    "accepted": {"sent", "failed", "delivered", "read"},
    "sent": {"failed", "delivered", "read"},
    "failed": {"delivered", "read"},
    "delivered": {"read"},
}
GUESSES = {  # what we only took for lost, or for superfluous, and Twilio says otherwise
    ("failed", "SENT_AGAIN"): FORWARD["unknown"] | {"unknown"},
    ("failed", "NOT_FOUND"): FORWARD["unknown"] | {"unknown"},
    ("withheld", "ARRIVED_AFTER_ALL"): {"queued"},
}
WENT = {"sending", "unknown", "accepted", "sent", "delivered", "read"}
NO_NUMBER, SHUT, OUT, NO_MARKETING = (21211, 63024), (63016,), (21610,), (63033,)
GOES_AGAIN = (63018, 63029, 63016, 63007)  # after these Twilio surely did not deliver
COLUMNS = (
    Outbound.id,
    Outbound.key,
    Outbound.person_id,
    Outbound.contact_point_id,
    Outbound.inbound_id,
    Outbound.purpose,
    Outbound.confirms_opt_out,
    Outbound.best_before,
    Outbound.created_at,
    Outbound.state,
    Outbound.reason,
    Outbound.due_at,
    Outbound.error_code,
    Outbound.body,
)
Seen = Row[tuple[object, ...]]


def root(key: str) -> str:
    """The key of what was first owed: sent again, it is the same message."""
    return key.partition("~")[0]


class Watch:
    """The model's picture of the world, and the comparisons."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        self.db, self.clock = db, clock
        self.humans: dict[int, Human] = {}
        self.phones: dict[str, Phone] = {}
        self.points: dict[int, Phone] = {}
        self.owed: dict[str, Owed] = {}
        self.went: dict[int, Went] = {}
        self.rows: dict[int, Seen] = {}
        self.waiting: dict[int, Said] = {}
        self.messages: list[Message] = []
        self.approved: set[str] = set()
        self.content: dict[str, str] = {}
        self.stopped_until: datetime | None = None
        self.refused_at: dict[int, datetime] = {}
        self.doubtful: set[int] = set()  # what was unknown, or taken for failed, at some time

    def knows(self, human: Human, phone: Phone) -> None:
        """A person and a number of theirs."""
        self.humans[human.id] = human
        self.phones[phone.value] = self.points[phone.point] = phone
        human.phones.append(phone)

    def wrote(self, value: str, person_id: int, now: datetime) -> Phone:
        """A message was stored. Who writes from a disowned number is somebody else from then on."""
        phone = self.phones[value]
        if person_id != phone.owner.id:
            assert phone.disowned
            assert person_id not in self.humans
            phone.owner.phones.remove(phone)
            phone.owner = self.humans[person_id] = Human(person_id, known=False, modelled=False, phones=[phone])
        assert not (phone.disowned and phone.owner.known)
        phone.wrote, phone.dead = now, False
        return phone

    def before_leasing(self) -> None:
        """Is sending stopped, and until when?"""
        with self.db.read() as session:
            self.stopped_until = session.scalar(select(Stop.until))

    def look(self, sending: outbox.Sending | None = None) -> None:
        """What changed among the messages we owe? `sending` was leased just now, after the gate looked at others."""
        with self.db.read() as session:
            found = session.execute(select(*COLUMNS).order_by(Outbound.id)).all()
        changed = [row for row in found if self.rows.get(row.id) != row]
        leased = sending.outbound_id if sending else None
        for row in sorted(changed, key=lambda one: (one.id == leased, one.state != "failed")):  # what is cancelled after it
            self._changed(row, self.rows.get(row.id))
            self.rows[row.id] = row
        if sending is not None:
            self._may_leave(sending)

    def _changed(self, row: Seen, old: Seen | None) -> None:
        was = old.state if old is not None else "queued"
        guessed = GUESSES.get((was, old.reason), set()) if old is not None else set()
        assert row.state in {was} | FORWARD.get(was, set()) | guessed, (row, was)
        if old is not None:
            assert row.body == old.body or row.state == was == "queued", (row, old)
        owed = self._owed(row)
        if row.reason is not None and (row.state, row.reason) != (was, old.reason if old is not None else None):
            self._refused(row, owed)
        if row.state == "sending" and was != "sending":
            self._says(owed, None, None)
            self.went[row.id] = Went(owed, self.clock(), by_template=not owed.phone.is_open(self.clock()))
            owed.phone.takes(self.clock())
        if (was, row.state) == ("sending", "queued"):
            assert self.refused_at.get(row.id) == self.clock(), row  # Twilio said just now that it has it not
        if row.state in ("unknown", "failed"):
            self.doubtful.add(row.id)
        if row.id in self.went:
            self.went[row.id].gone = row.state in WENT
        news = was != "failed" or (old is not None and row.error_code != old.error_code)
        if row.state == "failed" and news and row.reason != "RETRIES_SPENT":
            self._failed(row, owed)

    def _refused(self, row: Seen, owed: Owed) -> None:
        """A reason was written down: the model has the same one, and holds it back for as long."""
        if row.reason in ("RETRIES_SPENT", "SENT_AGAIN", "ARRIVED_AFTER_ALL", "NOT_FOUND", "AMBIGUOUS"):
            return
        if row.state == "queued":
            self._says(owed, row.reason, row.due_at)
        elif (said := self._verdict(owed)) != (row.reason, None):
            assert row.reason in ("OPTED_OUT", "WRONG_NUMBER"), (said, row, owed)  # cancelled in the turn itself
            found_wrong = row.reason == "WRONG_NUMBER" and owed.phone.disowned_at == self.clock()  # whatever waits for it
            assert found_wrong or owed.human.state(owed.purpose) in ("withdrawn", "paused"), row

    def _says(self, owed: Owed, reason: str | None, until: datetime | None) -> None:
        if owed.human.modelled or owed.purpose in NO_ASKING:
            model = self._verdict(owed)
            assert model == (reason, until), (model, (reason, until), self.clock(), owed)
        else:
            assert reason is not None, owed

    def _verdict(self, owed: Owed) -> tuple[str | None, datetime | None]:
        return verdict(owed, self.clock(), list(self.went.values()), self.approved)

    def _owed(self, row: Seen) -> Owed:
        """What the planner meant it to be; of an answer, what its row says."""
        key = root(row.key)
        if key not in self.owed:
            assert row.purpose in NO_ASKING
            who, phone = self.humans[row.person_id], self.points[row.contact_point_id]
            alarm = row.purpose == "staff"  # of somebody at risk: it does not wait for the morning
            times = (row.best_before, row.created_at)
            answer = Owed(key, who, phone, row.purpose, *times, urgent=alarm, confirms=row.confirms_opt_out)
            self.owed[key] = answer
            if row.inbound_id is not None and row.purpose != "staff":
                assert who is phone.owner or phone.disowned
        assert row.contact_point_id == self.owed[key].phone.point, (
            row
        )  # nobody moves in this world: it goes where it was owed
        return replace(self.owed[key], written=row.created_at)

    def _may_leave(self, sending: outbox.Sending) -> None:
        """By the right means, in the right words, to the right number; and nothing first to who is saying no just now."""
        row, now = self.rows[sending.outbound_id], self.clock()
        owed = self.owed[root(row.key)]
        assert (row.state, sending.to) == ("sending", owed.phone.value)
        if owed.phone.is_open(now):
            assert sending.content_sid == ""
            assert sending.body == row.body != ""
        else:
            assert self.content[sending.content_sid] == owed.template
            assert sending.body == ""
            assert f"News of {owed.key}." in sending.variables.values()
        if owed.purpose not in NO_ASKING:
            assert not [said for said in self.waiting.values() if said.human is owed.human and said.text in NOES]
        assert self.stopped_until is None or now >= self.stopped_until or owed.purpose in ("safety", "staff")

    def asked(self, outbound_id: int, letter: Letter) -> None:
        """Twilio is asked: only by who leased it, and while the lease lasts."""
        row = self.rows[outbound_id]
        assert self.clock() < self.went[outbound_id].at + LEASE
        assert letter.to == self.owed[root(row.key)].phone.value

    def taken(self, message: Message) -> None:
        """Twilio takes it: never twice, but where the first one failed, of something that passes.

        What somebody at risk must read may go once more where Twilio could not say whether it has it.
        """
        mine = root(self.rows[message.outbound_id].key)
        before = [one for one in self.messages if root(self.rows[one.outbound_id].key) == mine]
        assert self.owed[mine].purpose == "safety" or all(one.code in GOES_AGAIN for one in before), (message, before)
        assert len([one for one in before if one.code is None]) <= 1
        self.messages.append(message)

    def _failed(self, row: Seen, owed: Owed) -> None:
        """What a failure tells of the person or of their number."""
        now, wrote = self.clock(), owed.phone.wrote
        if row.error_code in NO_NUMBER and not (wrote is not None and wrote > self.went[row.id].at):
            owed.phone.dead = True
        if row.error_code in SHUT:
            tried = self.went[row.id].at  # it was shut then; what they wrote since has opened it
            owed.phone.shut = max(tried, owed.phone.shut or tried)
        if row.error_code in (*OUT, *NO_MARKETING):
            owed.human.says(ALL if row.error_code in OUT else ALL[2:], "withdraw", now, "whatsapp")
            owed.human.noes.append((now, 0))

    def answered(self, said: Said, state: str, *, unheard: bool) -> None:
        """Nobody is left without a word, but who says STOP again, is held, or knows that nobody can read it now."""
        here = (Outbound.contact_point_id == said.phone.point, Outbound.state == "queued")
        with self.db.read() as session:
            bodies = session.scalars(select(Outbound.body).where(Outbound.inbound_id == said.number)).all()
            others = session.scalars(select(Outbound.body).where(*here)).all()  # it may have been put into one of them
        if state == "failed":
            assert any(english("office.apology") in body for body in (*bodies, *others))
        elif said.text in SPOKEN_TO and not unheard and not said.human.held:
            assert bodies or others, said

    def compare_consent(self, people: Iterable[Human]) -> None:
        """The ledger says what they said."""
        with self.db.read() as session:
            for human in people:
                if human.modelled:
                    stands = {purpose: one.state for purpose, one in standing_of(session, human.id).items()}
                    assert stands == {purpose: human.state(purpose) for purpose in ALL}, human

    def all_settled(self) -> None:
        """Nothing is lost: each message is through, or its row says why not, or people can see it."""
        now = self.clock()
        assert {root(row.key) for row in self.rows.values()} >= set(self.owed)
        with self.db.read() as session:
            shown = select(CaseMessage.inbound_id).join(OfficeCase).where(OfficeCase.kind == "undelivered")
            cases = set(session.scalars(shown))
        for row in self.rows.values():
            match row.state:
                case "queued":
                    assert row.due_at > now
                case "withheld":
                    assert row.reason
                case "failed":
                    assert row.reason or row.error_code
                    assert row.inbound_id is None or row.reason == "SENT_AGAIN" or row.inbound_id in cases
                case "unknown":
                    assert row.reason == "AMBIGUOUS"
                    assert row.inbound_id is None or row.inbound_id in cases
                case _:
                    assert row.state in ("accepted", "sent", "delivered", "read")
        self._confirmed_once()

    def _confirmed_once(self) -> None:
        """An opting-out is confirmed once in 24 hours, unless they came back in between."""
        last: dict[int, Seen] = {}
        for row in self.rows.values():
            if row.body != english("consent.opted_out") or row.state not in ("accepted", "sent", "delivered", "read"):
                continue
            before, last[row.person_id] = last.get(row.person_id), row
            if before is None or "~" in row.key or row.created_at - before.created_at >= timedelta(days=1):
                continue
            if before.id in self.doubtful:  # nobody knew whether they had read it
                continue
            came_back = {"give", "resume", "undo"}
            lines = self.humans[row.person_id].said
            assert any(line[3] in came_back and line[0] >= before.created_at for line in lines), row
