"""Carries out what a turn decided: the only writer of what we know of people. It never commits (one turn, one commit)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from sqlalchemy.orm import Session

from bot import alerts, consent, invitations, ledger, moving, outbox, wishes, wordings
from bot.cases import open_case
from bot.compose import AFTER_LEAVING, Composed
from bot.database import insert_new
from bot.effects import (
    AlertSafeguarding,
    Announce,
    Ask,
    ChooseInterests,
    ChooseReminders,
    DeclineInvitation,
    Disown,
    Effect,
    Grant,
    Invite,
    MoveNumber,
    NotUnderstood,
    OpenCase,
    Pause,
    RecordCheckIn,
    Restore,
    Resume,
    Say,
    TellMoved,
    Value,
    WarnPrivacy,
    Withdraw,
    say,
)
from bot.models import CaseMessage, Inbound, OfficeCase, PersonRow
from bot.people import disown, point_of
from bot.queries import standing_of
from bot.routing import AT_RISK
from bot.settings import Contact
from bot.terms import Terms
from bot.texts import Texts
from bot.timetable import asked
from bot.turn import CONSENTABLE, Consentable

WITHHELD_AS = {"wrong_number": "WRONG_NUMBER"}  # by the source of a withdrawal
ALARM = "safeguarding_alert"  # data/templates.yml


@dataclass(frozen=True, slots=True)
class Staffroom:
    """Whom to tell: the safeguarding contacts in their order, and whether email reaches anybody."""

    contacts: tuple[Contact, ...]
    has_mail: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a turn is written: its transaction, the message it answers, and the words it may use."""

    session: Session
    inbound: Inbound
    person: PersonRow
    texts: Texts
    staffroom: Staffroom
    terms: Terms
    now: datetime
    answers: int | None = None  # the message that led to the question which this one answers
    asked: wordings.Asked | None = None  # that question, as they read it


def apply(scene: Scene, composed: Composed) -> None:
    """Write everything the turn changes and everything it says."""
    person, effects = scene.person, composed.effects
    person.misses = person.misses + 1 if any(isinstance(e, NotUnderstood) for e in effects) else 0
    person.pending = _pending(scene, composed.ask)
    if composed.ask and composed.ask.question == AFTER_LEAVING.question:
        person.left_group_asked_at = scene.now
    for effect in effects:
        _do(scene, effect)
    confirms = any(isinstance(e, Withdraw) for e in effects)
    for place, says in enumerate(composed.messages):
        draft = replace(_draft(scene, str(place), says), confirms_opt_out=confirms)
        if not outbox.gather(scene.session, draft, scene.now):
            outbox.add(scene.session, draft, scene.now)


def _do(scene: Scene, effect: Effect) -> None:  # noqa: C901, PLR0912 (one arm for each effect, and no more)
    match effect:
        case Withdraw() | Pause() | Resume() | Restore() | Grant():
            _of_consent(scene, effect)
        case Disown():
            wrong = disown(scene.session, scene.inbound.contact_point_id, scene.now)
            ledger.shut(scene.session, wrong, scene.terms.keyed, scene.now)
            moving.found_wrong(scene.session, scene.person.id, scene.now)
        case MoveNumber(value):
            told = _render(scene, [say("consent.number_moved")])
            moving.move(scene.session, moving.Move(scene.person.id, value, told), scene.terms.keyed, scene.now)
        case TellMoved():
            moving.told(scene.session, scene.person.id, scene.now)
        case Invite(courses):
            invitations.accept(scene.session, scene.person.id, courses, scene.now)
        case DeclineInvitation():
            invitations.decline(scene.session, scene.person.id, scene.now)
        case ChooseReminders():
            wishes.choose_reminders(scene.session, scene.person, effect, scene.terms, scene.now)
        case ChooseInterests(topics):
            wishes.choose_interests(scene.session, scene.person.id, topics)
        case RecordCheckIn(outcome):
            wishes.record_check_in(scene.session, scene.inbound, outcome, scene.now)
        case Announce(order):
            asked.carry_out(scene.session, scene.terms, order, scene.person.id, scene.now)
        case OpenCase(kind, urgent):
            _open_case(scene, kind, urgent=urgent)
        case AlertSafeguarding():
            _alert(scene, effect)
        case WarnPrivacy():
            scene.person.warned_at = scene.now
        case NotUnderstood() | Say() | Ask():
            pass  # counted and said by `apply`
        case _:
            assert_never(effect)


def _of_consent(scene: Scene, effect: Withdraw | Pause | Resume | Restore | Grant) -> None:
    match effect:
        case Withdraw(purposes, source):
            _record(scene, purposes, "withdraw", source)
            outbox.cancel_planned(scene.session, scene.person.id, purposes, WITHHELD_AS.get(source, "OPTED_OUT"))
        case Pause():  # what is planned stays so, and the gate holds it back: a NO must find it there
            _record(scene, CONSENTABLE, "pause", "unsure")
        case Resume():
            _resume(scene, "no")
        case Restore(purposes, source):
            _resume(scene, source)
            standing = standing_of(scene.session, scene.person.id)
            _record(scene, consent.restorable(standing, purposes), "give", source)
            _record(scene, consent.undoable(standing, purposes), "undo", source)
        case Grant(purposes, source):
            _record(scene, purposes, "give", source, wording=_wording(scene, purposes))
        case _:
            assert_never(effect)


def _record(scene: Scene, purposes: Iterable[Consentable], action: consent.Action, source: str, wording: str = "") -> None:
    who, by = scene.person.id, "learner"
    entry = ledger.Entry(who, tuple(purposes), action, source, scene.now, scene.now, by, wording, scene.inbound.id)
    ledger.record(scene.session, entry, scene.terms.keyed)


def _wording(scene: Scene, purposes: tuple[Consentable, ...]) -> str:
    """The words they said yes to, kept for good (P11). Nothing where they gave it without being asked."""
    return wordings.of_question(scene.session, scene.asked, purposes, scene.now) if scene.asked else ""


def _resume(scene: Scene, source: str) -> None:
    standing = standing_of(scene.session, scene.person.id)
    _record(scene, [purpose for purpose, one in standing.items() if one.state == "paused"], "resume", source)


def _open_case(scene: Scene, kind: str, *, urgent: bool) -> None:
    """One open case of a kind is enough: what comes next joins it. Of a disclosure its own people hear, each time."""
    restricted = kind == AT_RISK
    number = open_case(scene.session, scene.person.id, kind, scene.now, urgent=urgent, restricted=restricted)
    case = scene.session.get_one(OfficeCase, number)
    _join(scene, case)
    for contact in scene.staffroom.contacts if restricted else ():
        alerts.add_email(scene.session, _alarm(scene, case, contact.email), scene.now)


def _join(scene: Scene, case: OfficeCase) -> None:
    """The message goes into the case, and with it the one that led to the question it answers: "2" alone says nothing."""
    for inbound_id in (scene.inbound.id, scene.answers):
        if inbound_id is not None:
            insert_new(scene.session, CaseMessage, case_id=case.id, inbound_id=inbound_id)


def _alert(scene: Scene, effect: AlertSafeguarding) -> None:
    """A restricted case, a hold, an alert to each contact, and the reply that waits to say only what is true (D06, D07)."""
    case = OfficeCase(kind=AT_RISK, urgent=True, restricted=True, flags=sorted(effect.flags))
    case.person_id, case.opened_at = scene.person.id, scene.now
    scene.session.add(case)
    scene.session.flush()  # its number goes into the alerts
    _join(scene, case)
    if effect.holds:
        scene.person.held_at = scene.person.held_at or scene.now
        scene.person.watched = scene.person.watched or "watched" in effect.flags
    waits = replace(
        _draft(scene, "safeguarding", effect.if_not_told),
        body_if_told=_render(scene, effect.if_told),
        alert_case_id=case.id,
        due_at=scene.now + alerts.REPLY_WAITS,
    )
    outbox.add(scene.session, waits, scene.now)
    for contact in scene.staffroom.contacts:
        alerts.add_email(scene.session, _alarm(scene, case, contact.email), scene.now)
        _alert_by_whatsapp(scene, case, contact)


def _alert_by_whatsapp(scene: Scene, case: OfficeCase, contact: Contact) -> None:
    alarm = _alarm(scene, case, contact.phone)
    point = point_of(scene.session, contact.phone, "", scene.now)
    told = f"{alarm.subject}\n\n{alarm.body}"
    draft = outbox.Draft(alarm.key, point.person_id, point.id, "staff", told, scene.now, use="staff", urgent=True)
    draft = replace(draft, template=ALARM, variables={"case": str(case.id)})  # a contact need not have written to us lately
    alerts.add_whatsapp(scene.session, alarm, outbox.add(scene.session, draft, scene.now), scene.now)


def _alarm(scene: Scene, case: OfficeCase, address: str) -> alerts.Alarm:
    values: dict[str, Value] = {"case": case.id, "flags": ", ".join(case.flags or ["none"])}
    subject = scene.texts.render("en", "alerts.safeguarding_subject", values)
    body = scene.texts.render("en", "alerts.safeguarding_body", values)
    return alerts.Alarm(f"case:{case.id}:{scene.inbound.id}:{address}", case.id, address, subject, body)


def _draft(scene: Scene, key: str, says: Sequence[Say]) -> outbox.Draft:
    """An answer to the message of this turn, due now, and welcome for 23 hours; to somebody at risk at any time."""
    at_risk = any(one.purpose == "safety" for one in says)
    return outbox.Draft(
        key=f"in:{scene.inbound.id}:{key}",
        person_id=scene.person.id,
        contact_point_id=scene.inbound.contact_point_id,
        purpose="safety" if at_risk else "reply",
        body=_render(scene, says),
        due_at=scene.now,
        inbound_id=scene.inbound.id,
        best_before=None if at_risk else scene.inbound.received_at + outbox.REPLY_LASTS,
    )


def _render(scene: Scene, says: Sequence[Say]) -> str:
    return "\n\n".join(scene.texts.render(scene.person.language, one.key, dict(one.values)) for one in says)


def _pending(scene: Scene, ask: Ask | None) -> dict[str, object] | None:
    if ask is None:  # a menu stays on the screen, and its other numbers with it
        was = scene.person.pending
        return was if was is not None and scene.answers is not None and was["question"] == "menu" else None
    led = scene.answers or scene.inbound.id
    text = _render(scene, [ask.say])  # what a yes is a yes to
    asked_at, about = scene.now.isoformat(), {"about": ask.about} if ask.about else {}
    question = {"question": ask.question, "options": dict(ask.options), "text": text}
    return {**question, "asked_at": asked_at, "inbound_id": led, **about}
