"""Takes a turn: what was heard, who handles it, what comes of it, in one commit (design sections 3 and 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from bot import inbox, moving
from bot.answers import read_answer
from bot.apply import Scene, Staffroom, apply
from bot.compose import Composed, compose
from bot.database import Database
from bot.effects import Effect, OpenCase, Withdraw, say
from bot.models import Inbound, PersonRow
from bot.queries import load_turn, with_coming
from bot.routing import AT_RISK, Choice, Limits, answered, choose, second_opinion, without_model
from bot.safety import Lexicon, may_mean_all, read_wish, screen
from bot.terms import Terms
from bot.texts import Texts
from bot.timetable.asked import with_orders
from bot.turn import CONSENTABLE, NluAway, Parse, Turn
from bot.wordings import Asked

MOST_ATTEMPTS = 3
NLU_WAIT = timedelta(minutes=1)  # then the learner is told that a person will see the message
NLU_RETRY = timedelta(seconds=2)
BACK_OFF = timedelta(seconds=2)
log = structlog.get_logger(__name__)

Handler = Callable[[Turn], Sequence[Effect]]


@dataclass(frozen=True, slots=True)
class Mind:
    """What decisions are made with. `parse` asks Rasa and raises NluAway when it does not answer."""

    handlers: Mapping[str, Handler]
    parse: Callable[[str], Parse]
    limits: Limits
    lexicon: Lexicon


@dataclass(frozen=True, slots=True)
class Room:
    """What a turn is written with."""

    db: Database
    mind: Mind
    texts: Texts
    staffroom: Staffroom
    terms: Terms
    rules_url: str = ""  # where the group rules are read

    @property
    def alerted(self) -> tuple[str, ...]:
        """The phones of the safeguarding contacts, E.164: no learner's, whoever claims one."""
        return tuple(one.phone for one in self.staffroom.contacts)


def decide(turn: Turn, mind: Mind) -> tuple[Choice, Composed]:
    """What a turn comes to. Pure: what Rasa heard is in the turn already. The caller has asked if it was needed."""
    choice = choose(turn, mind.limits)
    return choice, compose(turn, [mind.handlers[name](turn) for name in choice.handlers])


def listen(turn: Turn, mind: Mind) -> Turn:
    """The turn with what the message answers. Rules come from `heard`, so nothing here is waited for."""
    return replace(turn, answer=answered(turn, read_answer(turn.message.text, mind.lexicon)))


def take_next(room: Room, clock: Callable[[], datetime]) -> bool:
    """Take the next message that waits. False when none does."""
    claimed = inbox.claim(room.db, clock())
    if claimed is None:
        return False
    try:
        _try(room, claimed, clock)
    except inbox.Conflict:
        inbox.postpone(room.db, claimed, clock(), timedelta(0), counts=False)  # if still ours: it is for another person
        log.info("turn.lost", inbound=claimed.inbound_id)
    return True


def _try(room: Room, claimed: inbox.Claim, clock: Callable[[], datetime]) -> None:
    """Take the turn, or keep the message for later. Raises Conflict when somebody else has it by now."""
    try:
        _take(room, claimed, clock)
    except inbox.Conflict:
        raise
    except NluAway:
        log.warning("turn.waits_for_nlu", inbound=claimed.inbound_id)
        inbox.postpone(room.db, claimed, clock(), NLU_RETRY, counts=False)
    except Exception as error:  # the one edge where a handler may fail: the message is kept and tried again
        log.exception("turn.failed", inbound=claimed.inbound_id, attempt=claimed.attempt, error=type(error).__name__)
        _after_failure(room, claimed, clock())


def _take(room: Room, claimed: inbox.Claim, clock: Callable[[], datetime]) -> None:
    if claimed.attempt > MOST_ATTEMPTS:  # whoever had it died each time
        _give_up(room, claimed, clock())
        return
    parse, away = _parse_if_needed(room, claimed, clock())
    now = clock()
    with room.db.write() as session:
        row = inbox.held(session, claimed, now)
        moving.arrive(session, row, room.terms.keyed, now, room.alerted)
        turn = _load(room, session, row, now)
        choice, composed = decide(replace(turn, parse=parse, nlu_away=away), room.mind)
        person = session.get_one(PersonRow, row.person_id)
        pending = (person.pending or {}) if turn.answer else {}
        pending = pending if turn.pending and pending.get("question") == turn.pending.question else {}
        asked = Asked(pending["question"], pending["text"]) if "text" in pending else None
        led = pending.get("inbound_id")
        scene = Scene(session, row, person, room.texts, room.staffroom, room.terms, now, led, asked)
        apply(scene, composed)
        _note(row, choice, composed, now)
    log.info("turn.taken", inbound=claimed.inbound_id, intents=choice.handlers, decided_by=choice.decided_by)


def _parse_if_needed(room: Room, claimed: inbox.Claim, now: datetime) -> tuple[Parse | None, bool]:
    """What Rasa heard, where the message needs it; or that it has been away for too long. No transaction is open."""
    with room.db.read() as session:
        row = session.get_one(Inbound, claimed.inbound_id)
        turn = _load(room, session, row, now)
    try:
        return hear(turn, room.mind), False
    except NluAway:
        if now - claimed.received_at < NLU_WAIT:
            raise
        return None, True


def _load(room: Room, session: Session, row: Inbound, now: datetime) -> Turn:
    """Everything that may be known of a stored message but for what Rasa hears in it."""
    turn = load_turn(session, row, screen(row.text, room.mind.lexicon), now)
    named = moving.with_phones(session, turn, room.alerted)
    says_all = may_mean_all(row.text, room.mind.lexicon)
    wish = read_wish(row.text, room.mind.lexicon, row.received_at)
    whole = replace(named, rules_url=room.rules_url, says_all=says_all, wish=wish)
    return with_orders(session, listen(with_coming(session, whole, room.terms.hours), room.mind), room.terms, now)


def hear(turn: Turn, mind: Mind) -> Parse | None:
    """What the model hears, where it is needed or may know more than the rules. Raises NluAway only where it is needed."""
    choice = without_model(turn)
    if choice is None:
        return mind.parse(turn.message.text)
    if not second_opinion(turn, choice):
        return None
    try:
        return mind.parse(turn.message.text)
    except NluAway:
        return None  # the rules have decided already, and nobody who opts out waits for Rasa


def _note(row: Inbound, choice: Choice, composed: Composed, now: datetime) -> None:
    row.intents, row.decided_by, row.confidence = list(choice.handlers), choice.decided_by, choice.confidence
    row.effects = effect_names(composed)
    inbox.finish(row, "done", now)


def effect_names(composed: Composed) -> list[str]:
    """The names of what a turn does and says, in order."""
    names = [type(effect).__name__ for effect in composed.effects]
    return names + (["Say"] if composed.messages else []) + (["Ask"] if composed.ask else [])


def _after_failure(room: Room, claimed: inbox.Claim, now: datetime) -> None:
    if claimed.attempt >= MOST_ATTEMPTS:
        _give_up(room, claimed, now)
        return
    inbox.postpone(room.db, claimed, now, BACK_OFF * claimed.attempt, counts=True)


def _give_up(room: Room, claimed: inbox.Claim, now: datetime) -> None:
    """Three failures: one apology with the office's phone and email, and staff are told (design section 3).

    What the rules hear is obeyed all the same: an opting-out counts, and a disclosure is for safeguarding.
    """
    with room.db.write() as session:
        row = inbox.held(session, claimed, now)
        person = session.get_one(PersonRow, row.person_id)
        heard = {one.intent for one in screen(row.text, room.mind.lexicon)}
        case = OpenCase(AT_RISK if AT_RISK in heard else "failed_turn", urgent=True)
        stop = (Withdraw(CONSENTABLE, "chat"),) if "opt_out" in heard else ()
        apology = Composed(((say("office.apology"),),), None, (*stop, case))
        apply(Scene(session, row, person, room.texts, room.staffroom, room.terms, now), apology)
        inbox.finish(row, "failed", now)
    log.error("turn.given_up", inbound=claimed.inbound_id)
