"""Loads what the gate must know of one message and its recipient, from the rows as they stand at this moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import Session

from bot import goodbyes, pacing
from bot.database import insert_new
from bot.gate import AFTER_COURSES, ANSWERS, Facts, counts_for_cap
from bot.models import ContactPoint, Course, EnrolmentRow, LessonRow, Opportunity, Outbound, Pace, PersonRow
from bot.queries import standing_of
from bot.reminders import CHOSEN
from bot.status import MAY_HAVE_GONE
from bot.template_store import ready_sid
from bot.templates import BadVariables, Template, UnknownTemplate
from bot.terms import Terms

WINDOW = timedelta(hours=23, minutes=50)  # Twilio's 24 hours with a margin (twilio-whatsapp.md section 4)
CLOCKS_DIFFER = timedelta(days=1)  # what went later than that went in a rehearsal, and nobody waits for it
CAP_LOOKS_BACK = timedelta(days=8)  # seven days of London's calendar, whatever the hour and the season
REACH_DAY = timedelta(hours=24)
SENDER = "sender"


@dataclass(frozen=True, slots=True)
class Approved:
    """A template that may go now: by which SID, with which variables (by number), and how it then reads."""

    content_sid: str
    variables: Mapping[str, str]
    body: str


def load(session: Session, row: Outbound, pair: Pace, terms: Terms, now: datetime) -> Facts:
    """The facts of one row. The person is locked by the caller, so that nothing of them changes before the commit."""
    point = session.get_one(ContactPoint, row.contact_point_id)
    person = session.get_one(PersonRow, row.person_id)
    template = _named(row, person, terms)
    purpose, use = (template.purpose, template.use) if template else (row.purpose, row.use)  # a text is what it is (L12)
    is_open, asked = window_open(point, now), purpose in ANSWERS  # an answer needs no consent and no company
    standing = {} if asked else standing_of(session, person.id)
    return Facts(
        purpose=purpose,  # type: ignore[arg-type]  # written by `outbox.add` alone
        use=use,  # type: ignore[arg-type]
        urgent=row.urgent,
        urgent_from=row.urgent_from,
        now=now,
        window_open=is_open,
        wrong_number=point.disowned_at is not None,
        not_theirs=point.person_id != row.person_id or (point.disowned_at or row.created_at) > row.created_at,
        on_hold=person.held_at is not None,
        confirms_opt_out=row.confirms_opt_out,
        best_before=row.best_before,
        consent={purpose: one.state for purpose, one in standing.items()},
        course_ends=() if asked else _course_ends(session, person.id),
        said_goodbye=purpose in AFTER_COURSES and person.id in goodbyes.said(session, [person.id]),
        unreachable=point.unreachable_at is not None,
        unanswered=_unanswered(session, row),
        unwanted=_unwanted(person, row, now),
        superseded=_superseded(session, row),
        recalled=_recalled(session, row),
        hours=terms.hours,
        sent=_sent_lately(session, row, now),
        has_template=not is_open and approved(session, row, terms) is not None,
        template_waits=not is_open and template is not None and _fits(template, row),
        reach_free_at=None if is_open or asked else _reach_free_at(session, point, most_people(purpose, terms), now),
        pair_free_at=pacing.free_at(pacing.RECIPIENT, pair.full_until, now),
    )


def _named(row: Outbound, person: PersonRow, terms: Terms) -> Template | None:
    """The template that the row names; None where it names none, or one that there is no more."""
    try:
        return terms.templates.find(row.template, person.language) if row.template else None
    except UnknownTemplate:
        return None


def _fits(template: Template, row: Outbound) -> bool:
    """Can it be filled in? What was planned under an older text may lack a variable: withheld, and the row says so."""
    try:
        template.numbered(row.variables or {})
    except BadVariables:
        return False
    return True


def window_open(point: ContactPoint, now: datetime) -> bool:
    """Did they write within the last 24 hours, and has Twilio not said since that the window is shut? (D14, 63016)"""
    if point.last_inbound_at is None or now >= point.last_inbound_at + WINDOW:
        return False
    return point.window_shut_at is None or point.window_shut_at < point.last_inbound_at


def recipient(row: Outbound) -> str:
    """The name of the recipient's pacing bucket."""
    return f"to:{row.contact_point_id}"


def pace(session: Session, name: str, now: datetime) -> Pace:
    """A pacing bucket, locked until the commit: two workers never take the same token."""
    locked = select(Pace).where(Pace.name == name).with_for_update()
    found = session.scalar(locked)
    if found is None:
        insert_new(session, Pace, name=name, full_until=now)
        found = session.scalars(locked).one()
    return found


def _course_ends(session: Session, person_id: int) -> tuple[date | None, ...]:
    mine = select(EnrolmentRow.course_id).where(EnrolmentRow.person_id == person_id)
    return tuple(session.scalars(select(Course.ends_on).where(Course.id.in_(mine))))


def _unanswered(session: Session, row: Outbound) -> int:
    """Check-ins that went since the person last wrote, from whichever number (P19)."""
    if row.purpose != "checkin":
        return 0
    theirs = [Outbound.person_id == row.person_id, Outbound.purpose == "checkin", Outbound.state.in_(MAY_HAVE_GONE)]
    wrote = session.scalar(select(func.max(ContactPoint.last_inbound_at)).where(ContactPoint.person_id == row.person_id))
    if wrote is not None:
        theirs.append(Outbound.tried_at > wrote)
    return session.scalar(select(func.count()).select_from(Outbound).where(*theirs)) or 0


def _unwanted(person: PersonRow, row: Outbound, now: datetime) -> bool:
    """Does their own choice leave this reminder out? What the course asks for is decided when it is planned (P12)."""
    if row.use != "lesson_reminder":
        return False
    return row.plan not in CHOSEN.get(person.reminders, (row.plan,)) or (person.quiet_until or now) > now


def _superseded(session: Session, row: Outbound) -> bool:
    """Has the lesson that it speaks of changed since? Also what is sent again after a failure must not be old news."""
    if row.lesson_id is None or row.lesson_version is None:
        return False
    return session.get_one(LessonRow, row.lesson_id).version != row.lesson_version


def _recalled(session: Session, row: Outbound) -> bool:
    return row.opportunity_id is not None and session.get_one(Opportunity, row.opportunity_id).recalled_at is not None


def _sent_lately(session: Session, row: Outbound, now: datetime) -> tuple[datetime, ...]:
    if not counts_for_cap(row.purpose, row.use, urgent=row.urgent):  # type: ignore[arg-type]
        return ()
    return tuple(sent_lately(session, (row.person_id,), now)[row.person_id])


def sent_lately(session: Session, people: Sequence[int], now: datetime) -> defaultdict[int, list[datetime]]:
    """When the messages of the last week went that count for the frequency cap, by person (P25)."""
    lately = (Outbound.tried_at > now - CAP_LOOKS_BACK, Outbound.tried_at < now + CLOCKS_DIFFER)
    theirs = (Outbound.person_id.in_(people), Outbound.state.in_(MAY_HAVE_GONE), *lately)
    became = func.coalesce(Outbound.tried_at >= Outbound.urgent_from, false())  # it waited until it was urgent
    urgent = or_(Outbound.urgent, became)
    columns = select(Outbound.person_id, Outbound.tried_at, Outbound.purpose, Outbound.use, urgent)
    found: defaultdict[int, list[datetime]] = defaultdict(list)
    for who, at, purpose, use, pressing in session.execute(columns.where(*theirs)):
        if at and counts_for_cap(purpose, use, urgent=pressing):  # type: ignore[arg-type]
            found[who].append(at)
    return found


def approved(session: Session, row: Outbound, terms: Terms) -> Approved | None:
    """The template by which the row may go outside the window, filled in. None: none, not approved, or changed since."""
    template = _named(row, session.get_one(PersonRow, row.person_id), terms)
    if template is None or not _fits(template, row):
        return None
    sid = _ready(session, template)
    variables = row.variables or {}
    return Approved(sid, template.numbered(variables), template.fill(variables)) if sid else None


def _ready(session: Session, template: Template) -> str | None:
    """Its ContentSid, asked for once in a transaction however many messages go by it."""
    known: dict[tuple[str, str], str | None] = session.info.setdefault("ready", {})
    key = (template.name, template.language)
    if key not in known:
        known[key] = ready_sid(session, template)
    return known[key]


def reached_lately(now: datetime) -> ColumnElement[bool]:
    """What was written outside the window in the last 24 hours: the people the platform counts."""
    lately = (Outbound.tried_at > now - REACH_DAY, Outbound.tried_at < now + CLOCKS_DIFFER)
    return and_(Outbound.by_template, *lately, Outbound.state.in_(MAY_HAVE_GONE))


def most_people(purpose: str, terms: Terms) -> int:
    """How many people of a day it may bring the count to: opportunities leave the reserve to lesson news."""
    return terms.marketing_reach if purpose == "marketing" else terms.reach_limit


def _reach_free_at(session: Session, point: ContactPoint, most: int, now: datetime) -> datetime | None:
    """When one more person may be written to outside the window: the platform counts people in any 24 hours."""
    if not _may_be_full(session, most, now):
        return None
    session.flush()  # what goes in this same commit counts
    went = reached_lately(now)
    last = select(func.max(Outbound.tried_at)).where(went).group_by(Outbound.contact_point_id)
    if session.scalar(select(Outbound.id).where(went, Outbound.contact_point_id == point.id).limit(1)) is not None:
        return None  # they are one of today's already
    latest = session.scalars(last.order_by(func.max(Outbound.tried_at).desc()).limit(most)).all()
    return latest[-1] + REACH_DAY if len(latest) >= most and latest[-1] else None


def _may_be_full(session: Session, most: int, now: datetime) -> bool:
    """Did so many messages go outside the window today that so many people may have been reached? Far cheaper than people.

    Counted once in a transaction, and from there on as if each message that was asked about went to somebody else.
    """
    went: dict[int, int] = session.info.setdefault("went", {})
    if most not in went:
        lately = (Outbound.by_template, Outbound.tried_at > now - REACH_DAY, Outbound.tried_at < now + CLOCKS_DIFFER)
        few = select(Outbound.id).where(*lately).limit(most).subquery()
        went[most] = session.scalar(select(func.count()).select_from(few)) or 0
    for limit in went:
        went[limit] += 1
    return went[most] > most
