"""What a turn must know of somebody's past words: when they agreed, to what, and which later no stands (P09, P11, D03)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from bot.consent import NOS, Standing
from bot.hours import LONDON
from bot.models import ConsentEvent, ContactPoint, Inbound, NumberChange, Outbound, PersonRow
from bot.status import WENT
from bot.turn import Agreement, Consentable

LEFT_GROUP = "left_group"
ON_ITS_WAY = ("queued", "sending", *WENT)
FORMS: Mapping[str, Literal["declaration", "chat", "staff"]] = {"declaration": "declaration", "chat": "chat"}


def agreed(session: Session, person_id: int, standing: Mapping[Consentable, Standing]) -> tuple[Agreement, ...]:
    """Their yes to each purpose that they ever said yes to: the last one whose words are on file, else the last (P11).

    A START gives back what was given and has no words of its own. The day is London's.
    """
    given = (ConsentEvent.person_id == person_id, ConsentEvent.action == "give")
    last: dict[str, ConsentEvent] = {}
    for event in session.scalars(select(ConsentEvent).where(*given).order_by(ConsentEvent.at, ConsentEvent.id)):
        if event.wording or not (event.purpose in last and last[event.purpose].wording):
            last[event.purpose] = event
    return tuple(_agreement(purpose, last[purpose], one) for purpose, one in standing.items() if purpose in last)


def left_group(session: Session, person: PersonRow, service: Standing) -> bool:
    """Staff stopped their messages because they left the group, and we have not asked them since (P09)."""
    if service.state != "withdrawn":
        return False
    theirs = (ConsentEvent.person_id == person.id, ConsentEvent.purpose == "service", ConsentEvent.action == "withdraw")
    last = session.scalars(
        select(ConsentEvent).where(*theirs).order_by(ConsentEvent.at.desc(), ConsentEvent.id.desc())
    ).first()
    asked = person.left_group_asked_at
    return last is not None and last.source == LEFT_GROUP and (asked is None or asked < last.recorded_at)


def said_stop(session: Session, person_id: int) -> datetime | None:
    """When we last confirmed to them that everything is off: what staff recorded, or what never left, was not confirmed."""
    ours = (Outbound.person_id == person_id, Outbound.confirms_opt_out, Outbound.state.in_(ON_ITS_WAY))
    off = exists().where(ConsentEvent.inbound_id == Outbound.inbound_id, ConsentEvent.purpose == "service")
    stopped = off.where(ConsentEvent.action == "withdraw")
    return session.scalar(select(func.max(Outbound.created_at)).where(*ours, stopped))


def overtaken(session: Session, row: Inbound) -> bool:
    """Did they say no, or what may be one, after this message came?

    Late-found messages have later numbers than what came after them. Where two came at one moment the later number
    counts. What staff recorded counts from when it took effect.
    """
    said = select(ConsentEvent.id).outerjoin(Inbound, Inbound.id == ConsentEvent.inbound_id)
    at = func.coalesce(Inbound.received_at, ConsentEvent.at)
    later = or_(at > row.received_at, and_(Inbound.received_at == row.received_at, Inbound.id > row.id))
    theirs = (ConsentEvent.person_id == row.person_id, ConsentEvent.action.in_(NOS))
    return session.scalar(said.where(*theirs, later).limit(1)) is not None


def number_moved(session: Session, point: ContactPoint) -> bool:
    """They told us of this phone, it is theirs by now, and it has not been told so (D10)."""
    done = (NumberChange.person_id == point.person_id, NumberChange.value == point.value, NumberChange.done_at.is_not(None))
    return session.scalar(select(NumberChange.id).where(*done, NumberChange.told_at.is_(None)).limit(1)) is not None


def _agreement(purpose: Consentable, event: ConsentEvent, now: Standing) -> Agreement:
    day = event.at.astimezone(LONDON).date()
    return Agreement(purpose, day, FORMS.get(event.source, "staff"), event.wording, now.state == "given")
