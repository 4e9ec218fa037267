"""Is it up, is it ready, how is it doing: for whoever runs it. Never a name, a number or a text (D20)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from flask import Blueprint, Response, jsonify
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from sqlalchemy.exc import SQLAlchemyError

from bot import clock
from bot.database import Database
from bot.health import figures
from bot.health.ready import readiness
from bot.schema import newest


def make_blueprint(db: Database, nlu_ready: Callable[[], bool], intents: frozenset[str] = frozenset()) -> Blueprint:
    """`/healthz`, `/readyz` and `/metrics`; the last two are kept private in production.

    `intents` are the names that a case may have as its kind, besides those of `figures.CASES`.
    """
    blueprint = Blueprint("health", __name__)
    expected = newest()

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="up")

    @blueprint.get("/readyz")
    def readyz() -> tuple[Response, int]:
        ready, found = readiness(db, clock.now(), expected=expected, model=nlu_ready())
        return jsonify(ready=ready, **found), 200 if ready else 503

    @blueprint.get("/metrics")
    def metrics() -> Response:
        registry = CollectorRegistry()
        registry.register(_FromDatabase(partial(_figures, db, intents)))
        try:
            return Response(generate_latest(registry), content_type="text/plain; version=0.0.4")
        except SQLAlchemyError:
            return Response("The database is away, or not at the schema of this program.", 503, content_type="text/plain")

    return blueprint


class _FromDatabase:
    """Figures that several processes share are counted where they are kept."""

    def __init__(self, collect: Callable[[], Iterator[Metric]]) -> None:
        self.collect = collect


def _figures(db: Database, intents: frozenset[str]) -> Iterator[Metric]:
    with db.read() as session:
        yield from figures.collect(session, clock.now(), intents)
