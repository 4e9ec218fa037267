"""Is it up, is it ready, how is it doing; and never a name, a number or a text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from bot import clock
from bot.database import Database, open_database
from bot.health import make_blueprint
from bot.inbox import Screened, record
from bot.models import Heartbeat, Inbound, OfficeCase, Outbound, PersonRow
from bot.outbox import Draft, add
from bot.people import point_of
from bot.whatsapp import Incoming
from tests.payloads.post import PUBLIC

NAME, PHONE, TEXT, ANSWER = "Amina Begum", "+447700900123", "my secret worry", "a secret answer"
HERE, AWAY = timedelta(), timedelta(seconds=21)


def asks(db: Database, model: bool = True) -> FlaskClient:
    app = Flask("tests")
    app.register_blueprint(make_blueprint(db, lambda: model))
    return app.test_client()


def beats(db: Database, ago: timedelta) -> None:
    with db.write() as session:
        session.add(Heartbeat(name="worker", at=clock.now() - ago))


def waits(db: Database, since: datetime) -> None:
    """A message that nobody has taken yet."""
    with db.write() as session:
        record(session, Incoming("SM1", PHONE, "", "text", TEXT), Screened(TEXT, (), urgent=False), since)


def owes(db: Database, since: datetime) -> None:
    """An answer that nobody has sent yet."""
    with db.write() as session:
        point = point_of(session, PHONE, "", since)
        add(session, Draft("k", point.person_id, point.id, "reply", ANSWER, since), since)


@pytest.fixture
def lite(sqlite_url: str) -> Iterator[Database]:
    """One database, where which one it is cannot matter."""
    opened = open_database(sqlite_url)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def away() -> Database:
    return open_database("postgresql+psycopg://nobody:nothing@127.0.0.1:1/e4a")


def test_the_process_is_up_whatever_else_is_away(away: Database) -> None:
    answer = asks(away, model=False).get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "up"})


def test_it_is_ready_when_database_model_worker_and_queues_are(db: Database) -> None:
    beats(db, HERE)
    answer = asks(db).get("/readyz")
    ages = {"inbound": 0.0, "outbound": 0.0}
    everything = {"database": True, "model": True, "worker": True, "queues": True, "ages_s": ages}
    assert (answer.status_code, answer.json) == (200, {"ready": True} | everything)


def test_it_is_not_ready_without_a_model(lite: Database) -> None:
    beats(lite, HERE)
    answer = asks(lite, model=False).get("/readyz")
    assert (answer.status_code, answer.json["ready"], answer.json["model"]) == (503, False, False)


@pytest.mark.parametrize("ago", [None, AWAY])
def test_it_is_not_ready_when_the_worker_was_not_heard_of_for_twenty_seconds(lite: Database, ago: timedelta | None) -> None:
    if ago is not None:
        beats(lite, ago)
    answer = asks(lite).get("/readyz")
    assert (answer.status_code, answer.json["ready"], answer.json["worker"]) == (503, False, False)


@pytest.mark.parametrize(("minutes", "ready"), [(1, True), (6, False)])
def test_it_is_not_ready_when_a_message_waits_for_more_than_five_minutes(db: Database, minutes: int, ready: bool) -> None:
    beats(db, HERE)
    waits(db, clock.now() - timedelta(minutes=minutes))
    answer = asks(db).get("/readyz")
    assert (answer.status_code == 200, answer.json["ready"], answer.json["queues"]) == (ready, ready, ready)
    assert answer.json["ages_s"]["inbound"] >= 60 * minutes


def test_it_is_not_ready_when_an_answer_is_not_sent_for_more_than_five_minutes(lite: Database) -> None:
    beats(lite, HERE)
    owes(lite, clock.now() - timedelta(minutes=6))
    answer = asks(lite).get("/readyz")
    assert (answer.status_code, answer.json["queues"]) == (503, False)
    assert answer.json["ages_s"]["outbound"] >= 360


def test_what_is_due_later_does_not_wait(lite: Database) -> None:
    beats(lite, HERE)
    owes(lite, clock.now() + timedelta(hours=1))
    assert asks(lite).get("/readyz").json["ages_s"] == {"inbound": 0.0, "outbound": 0.0}


def test_what_is_done_does_not_wait(lite: Database) -> None:
    beats(lite, HERE)
    waits(lite, clock.now() - timedelta(hours=1))
    with lite.write() as session:
        session.execute(update(Inbound).values(state="done"))
    assert asks(lite).get("/readyz").status_code == 200


def test_it_is_not_ready_when_the_database_is_away(away: Database) -> None:
    answer = asks(away).get("/readyz")
    nothing = {"database": False, "worker": False, "queues": False, "ages_s": {}}
    assert (answer.status_code, answer.json) == (503, {"ready": False, "model": True} | nothing)


def test_figures_are_not_made_up_when_the_database_is_away(away: Database) -> None:
    assert asks(away).get("/metrics").status_code == 503


def test_the_figures_count_messages_and_cases_by_how_they_stand(db: Database) -> None:
    with db.write() as session:
        for place in range(3):
            point = point_of(session, f"+44770090000{place}", "", clock.now())
            add(session, Draft(f"k{place}", point.person_id, point.id, "reply", ANSWER, clock.now()), clock.now())
        session.execute(update(Outbound).where(Outbound.key == "k0").values(state="withheld", reason="OPTED_OUT"))
        session.add(OfficeCase(person_id=point.person_id, kind="complaint", opened_at=clock.now()))
    assert figures(asks(db)) == {
        ("e4a_outbound", "queued"): 2,
        ("e4a_outbound", "withheld"): 1,
        ("e4a_withheld", "OPTED_OUT"): 1,
        ("e4a_cases", "open"): 1,
    }


def test_no_page_holds_a_name_a_number_or_a_text(db: Database) -> None:
    beats(db, HERE)
    waits(db, clock.now())
    owes(db, clock.now())
    with db.write() as session:
        session.execute(update(PersonRow).values(name=NAME, learner_code="L042"))
        session.add(OfficeCase(person_id=1, kind="safeguarding_disclosure", flags=["domestic"], opened_at=clock.now()))
    shown = "".join(asks(db).get(page).text for page in ("/readyz", "/metrics", "/healthz"))
    assert "e4a_inbound" in shown
    for secret in (*NAME.split(), PHONE, PHONE[1:], "7700", TEXT, "secret", "L042", "SM1", "domestic", PUBLIC):
        assert secret not in shown


def figures(client: FlaskClient) -> dict[tuple[str, str], float]:
    """Every figure but the ages, by its name and its one label."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return {(one.name, *one.labels.values()): one.value for one in samples if one.labels}
