"""Is it up, is it ready, how is it doing: for whoever runs it. Never a name, a number or a text (D20)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from flask import Blueprint, Response, jsonify
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot import clock
from bot.database import Database
from bot.models import Heartbeat, Inbound, OfficeCase, Outbound

BEAT_LASTS = timedelta(seconds=20)
TOO_OLD = timedelta(minutes=5)  # a message that waits longer than this means that nobody takes turns


def make_blueprint(db: Database, nlu_ready: Callable[[], bool]) -> Blueprint:
    """`/healthz`, `/readyz` and `/metrics`; the last two are kept private in production."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="up")

    @blueprint.get("/readyz")
    def readyz() -> tuple[Response, int]:
        found = {**_database(db, clock.now()), "model": nlu_ready()}
        ready = all(found[part] for part in ("database", "model", "worker", "queues"))
        return jsonify(ready=ready, **found), 200 if ready else 503

    @blueprint.get("/metrics")
    def metrics() -> Response:
        registry = CollectorRegistry()
        registry.register(_FromDatabase(db))
        try:
            return Response(generate_latest(registry), content_type="text/plain; version=0.0.4")
        except SQLAlchemyError:
            return Response("The database is away.", 503, content_type="text/plain")

    return blueprint


class _FromDatabase:
    """Figures that several processes share are counted where they are kept."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def collect(self) -> Iterator[Metric]:
        with self._db.read() as session:
            yield _counted(session, "e4a_inbound", "Messages in, by state", Inbound.state)
            yield _counted(session, "e4a_outbound", "Messages out, by state", Outbound.state)
            yield _counted(session, "e4a_withheld", "Messages withheld, by reason", Outbound.reason)
            yield _counted(session, "e4a_cases", "Cases, by state", OfficeCase.state)
            for queue, age in _ages(session, clock.now()).items():
                yield GaugeMetricFamily(f"e4a_{queue}_age_seconds", f"Age of the oldest {queue} message that waits", age)


def _database(db: Database, now: datetime) -> dict[str, object]:
    """What only the database can say; all of it False where it does not answer."""
    try:
        with db.read() as session:
            beat = session.scalar(select(Heartbeat.at).where(Heartbeat.name == "worker"))
            ages = _ages(session, now)
    except SQLAlchemyError:
        return {"database": False, "worker": False, "queues": False, "ages_s": {}}
    alive = beat is not None and now - beat < BEAT_LASTS
    stuck = any(age > TOO_OLD.total_seconds() for age in ages.values())
    return {"database": True, "worker": alive, "queues": not stuck, "ages_s": ages}


def _ages(session: Session, now: datetime) -> dict[str, float]:
    waiting = session.scalar(select(func.min(Inbound.received_at)).where(Inbound.state == "received"))
    due = session.scalar(select(func.min(Outbound.due_at)).where(Outbound.state == "queued", Outbound.due_at <= now))
    since = {"inbound": waiting, "outbound": due}
    return {queue: round((now - at).total_seconds(), 1) if at else 0.0 for queue, at in since.items()}


def _counted(session: Session, name: str, what: str, column: object) -> Metric:
    family = GaugeMetricFamily(name, what, labels=[str(column).rpartition(".")[2]])
    rows = session.execute(select(column, func.count()).where(column.is_not(None)).group_by(column))  # type: ignore[call-overload, attr-defined]
    for value, count in rows:
        family.add_metric([str(value)], count)
    return family
