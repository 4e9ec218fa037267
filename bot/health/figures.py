"""The figures of `/metrics`, counted where they are kept. Every label is a word of ours: what is none is called `other`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TypeVar, get_args

from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from bot import status
from bot.gate import Reason
from bot.health.ready import ages
from bot.models import Alert, ConsentEvent, ContactPoint, Inbound, OfficeCase, Outbound, TemplateRow
from bot.outbox import stopping
from bot.turn import DecidedBy, Purpose
from bot.whatsapp.errors import table as error_codes

DAY, WEEK = timedelta(days=1), timedelta(days=7)
NEWEST = 50_000  # messages in looked at for the figures of a day: a window on the newest rows needs no index on time
OUTSIDE_WINDOW = 63016  # we believed the window open and it was not: a defect of ours (D14)

INBOUND = ("received", "done", "failed")
OUTBOUND = (*status.FORWARD, "withheld")
REASONS = (*get_args(Reason), *status.REASONS)
TEMPLATES = ("unsubmitted", "received", "pending", "approved", "rejected", "paused", "disabled", "missing", "shelved")
ALERTS = ("queued", "sent", "failed")
BY_STAFF = ("phone", "email", "in_person", "letter", "left_group")
# How people said no, never in which words.
OPT_OUTS = ("chat", "wrong_number", *BY_STAFF, "twilio", "whatsapp", "declaration", "suppressed", "erased")
IN_TROUBLE = (
    "course_without_end",
    "failed_turn",
    "nlu_away",
    "our_bug",
    "sending_stopped",
    "template",
    "template_gone",
    "template_not_fillable",
    "undelivered",
    "unreachable",
)
CASES = (*IN_TROUBLE, "call_sheet", "identity_conflict", "voice")  # besides the intents, which are kinds too
V = TypeVar("V")


def collect(session: Session, now: datetime, intents: frozenset[str]) -> Iterator[Metric]:
    """All of them. `now` is aware UTC; `intents` are the names that a case may have as its kind."""
    yield from _queues(session, now)
    yield from _sending(session, now)
    yield from _people(session, now)
    yield from _staff(session, now, intents)


def _queues(session: Session, now: datetime) -> Iterator[Metric]:
    yield _gauge("inbound", "Messages in, by state", "state", INBOUND, _by(session, Inbound.state))
    yield _gauge("outbound", "Messages out, by state", "state", OUTBOUND, _by(session, Outbound.state))
    for queue, age in ages(session, now).items():
        yield _one(f"{queue}_age_seconds", f"How long the oldest {queue} message has waited", age)
    lost = session.scalar(select(func.min(Outbound.due_at)).where(Outbound.state == "unknown", Outbound.reason.is_(None)))
    yield _one("unknown_age_seconds", "Age of the oldest message whose fate is unknown", _seconds(lost, now))
    planned = select(func.count()).where(Outbound.state == "queued", Outbound.due_at > now, Outbound.due_at <= now + DAY)
    yield _one("planned_day", "Messages that fall due in the next 24 hours", session.scalar(planned) or 0)


def _sending(session: Session, now: datetime) -> Iterator[Metric]:
    stop = stopping.standing(session)
    yield _one("sending_stopped", "1 while all sending is stopped: a person must act", float(stop is not None))
    yield _one("sending_stopped_seconds", "For how long it has been stopped", _seconds(stop.since if stop else None, now))
    held = (Outbound.state == "queued", Outbound.due_at > now, Outbound.due_at <= now + WEEK, Outbound.reason.is_not(None))
    yield _gauge("held", "Messages held back, by reason", "reason", REASONS, _by(session, Outbound.reason, *held))
    withheld = (Outbound.state == "withheld", Outbound.due_at > now - WEEK)
    why = _by(session, Outbound.reason, *withheld)
    yield _gauge("withheld_week", "Messages due in the last 7 days and not sent, by reason", "reason", REASONS, why)
    day, week = _due(now - DAY, now), _due(now - WEEK, now)
    purposes = _by(session, Outbound.purpose, *day)
    yield _gauge("outbound_day", "Messages due in the last 24 hours, by purpose", "purpose", get_args(Purpose), purposes)
    codes = _by(session, Outbound.error_code, *week, Outbound.error_code.is_not(None))
    yield _gauge("error_week", "Messages of the last 7 days with an error of Twilio's", "code", error_codes(), codes)
    shut = codes.get(OUTSIDE_WINDOW, 0)
    yield _one("outside_window_week", "Of those, 63016: a defect of ours", shut)


def _people(session: Session, now: datetime) -> Iterator[Metric]:
    unreachable = select(func.count()).where(ContactPoint.unreachable_at.is_not(None))
    yield _one("unreachable", "Addresses that Twilio cannot reach", session.scalar(unreachable) or 0)
    out = (ConsentEvent.recorded_at > now - WEEK, ConsentEvent.action == "withdraw")
    people = _by(session, ConsentEvent.source, *out, of=func.count(ConsentEvent.person_id.distinct()))
    yield _gauge("opted_out_week", "People who opted out in the last 7 days, by how", "source", OPT_OUTS, people)
    newest = session.scalar(select(func.max(Inbound.id))) or 0
    heard = _by(
        session,
        Inbound.decided_by,
        Inbound.id > newest - NEWEST,
        Inbound.received_at > now - DAY,
        Inbound.decided_by.is_not(None),
    )
    yield _gauge("heard_day", "Messages of the last 24 hours, by who decided", "decided_by", get_args(DecidedBy), heard)
    everything = sum(heard.values())
    unsure = heard.get("fallback", 0) / everything if everything else 0.0
    yield _one("fallback_day_ratio", "Part of them that was not understood, 0 to 1", round(unsure, 4))


def _staff(session: Session, now: datetime, intents: frozenset[str]) -> Iterator[Metric]:
    yield _gauge("alerts", "Alerts, by state", "state", ALERTS, _by(session, Alert.state))
    took = [_seconds(since, at) for since, at in session.execute(_sent_alerts(now))]
    yield _one("alert_longest_seconds", "The slowest alert of the last 24 hours", max(took, default=0.0))
    yield _one("alert_mean_seconds", "What an alert took on average", sum(took) / len(took) if took else 0.0)
    kinds = _by(session, OfficeCase.kind, OfficeCase.state == "open", OfficeCase.restricted.is_(False))
    yield _gauge("cases_open", "Open cases, by kind", "kind", intents.union(CASES), kinds)
    restricted = select(func.count()).where(OfficeCase.state == "open", OfficeCase.restricted)
    yield _one("cases_open_restricted", "Open cases that only safeguarding may see", session.scalar(restricted) or 0)
    yield _gauge("templates", "Templates, by WhatsApp's word", "status", TEMPLATES, _by(session, TemplateRow.status))


def _sent_alerts(now: datetime) -> Select[datetime, datetime]:
    """When each was owed and when it went. `due_at` of a sent one is about when it went, and there is an index on it."""
    recent = (Alert.state == "sent", Alert.due_at > now - DAY, Alert.sent_at.is_not(None))
    return select(Alert.created_at, Alert.sent_at).where(*recent)  # type: ignore[return-value]  # not None: it says so


def _due(since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    """Due in these times, whatever became of it: every state is named, because the index begins with it."""
    return (Outbound.state.in_(OUTBOUND), Outbound.due_at > since, Outbound.due_at <= until)


def _by(
    session: Session, column: InstrumentedAttribute[V], *where: ColumnElement[bool], of: ColumnElement[int] | None = None
) -> dict[V, int]:
    """How many rows, or how many of `of`, there are of each value."""
    counted = select(column, func.count() if of is None else of).where(*where).group_by(column)
    return dict(session.execute(counted).all())


def _gauge(name: str, what: str, label: str, known: Container[object], counts: Mapping[V, int]) -> Metric:
    """A figure for each value; what is no word of ours is added up as `other`, so that no label comes from outside."""
    found = Counter[str]()
    for value, count in counts.items():
        found[str(value) if value in known else "other"] += count
    family = GaugeMetricFamily(f"e4a_{name}", what, labels=[label])
    for word, count in sorted(found.items()):
        family.add_metric([word], count)
    return family


def _one(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(f"e4a_{name}", what, value)


def _seconds(since: datetime | None, until: datetime) -> float:
    return round((until - since).total_seconds(), 1) if since else 0.0
