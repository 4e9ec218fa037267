"""Is it up, is it ready, how is it doing; and never a name, a number or a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import func, select, text, update

from actions import HANDLERS
from bot import clock, outbox
from bot.database import Database, open_database
from bot.health import figures, make_blueprint
from bot.inbox import Screened, record
from bot.models import (
    Alert,
    Base,
    ConsentEvent,
    ContactPoint,
    Heartbeat,
    Inbound,
    OfficeCase,
    Outbound,
    PersonRow,
    Stop,
    TemplateRow,
)
from bot.people import point_of
from bot.settings import ROOT
from bot.whatsapp import Incoming, Outcome
from tests.bot.rooms import AMINA, TERMS, a_learner, owe
from tests.payloads.post import PUBLIC

NAME, PHONE, TEXT, ANSWER = "Amina Begum", "+447700900123", "my secret worry", "a secret answer"
HERE, AWAY = timedelta(), timedelta(seconds=21)
SECOND = timedelta(seconds=1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HOSTILE = 'Amina" 447700900123'  # what somebody outside might have us print


def asks(db: Database, model: bool = True) -> FlaskClient:
    app = Flask("tests")
    app.register_blueprint(make_blueprint(db, lambda: model, frozenset(HANDLERS)))
    return app.test_client()


def beats(db: Database, ago: timedelta) -> None:
    with db.write() as session:
        session.add(Heartbeat(name="worker", at=clock.now() - ago))


def waits(db: Database, since: datetime) -> None:
    """A message that nobody has taken yet."""
    with db.write() as session:
        record(session, Incoming("SM1", PHONE, "", "text", TEXT), Screened(TEXT, (), urgent=False), since)


def owes(db: Database, since: datetime, **more: Any) -> None:
    """An answer that nobody has sent yet, or whatever else `more` says of it."""
    with db.write() as session:
        point = point_of(session, PHONE, "", since)
        known = {"purpose": "reply", "priority": 1, "body": ANSWER, "created_at": since, "due_at": since} | more
        key = f"k{session.scalar(select(func.count()).select_from(Outbound))}"
        session.add(Outbound(key=key, person_id=point.person_id, contact_point_id=point.id, **known))


def keeps(db: Database, *rows: Base) -> None:
    with db.write() as session:
        session.add_all(rows)


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
    parts = dict.fromkeys(("database", "schema", "model", "worker", "queues", "sending"), True)
    everything = {**parts, "ages_s": ages}
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
    nothing = dict.fromkeys(("database", "schema", "worker", "queues", "sending"), False) | {"ages_s": {}}
    assert (answer.status_code, answer.json) == (503, {"ready": False, "model": True} | nothing)


def test_it_is_not_ready_while_sending_is_stopped_and_says_why_and_since_when(db: Database) -> None:
    beats(db, HERE)
    since = clock.now() - HOUR
    keeps(db, a_stop(since))
    answer = asks(db).get("/readyz")
    assert (answer.status_code, answer.json["ready"], answer.json["sending"]) == (503, False, False)
    assert answer.json["stopped"] == {"error_code": 20003, "since": since.isoformat()}


@pytest.mark.parametrize("at", ["0001", "9999"])
def test_it_is_not_ready_on_a_schema_that_is_not_its_own(db: Database, at: str) -> None:
    beats(db, HERE)
    client = asks(db)
    ours = client.get("/readyz").json["schema"]
    with db.write() as session:
        expected = session.scalar(text("SELECT version_num FROM alembic_version"))
        session.execute(text("UPDATE alembic_version SET version_num = :at"), {"at": at})
    try:
        answer = client.get("/readyz")
    finally:
        with db.write() as session:
            session.execute(text("UPDATE alembic_version SET version_num = :at"), {"at": expected})
    assert ours is True
    assert (answer.status_code, answer.json["database"], answer.json["schema"]) == (503, True, False)
    assert (answer.json["schema_at"], answer.json["schema_expected"]) == (at, expected)


def test_it_is_not_ready_on_an_empty_database(tmp_path: Path) -> None:
    empty = open_database(f"sqlite:///{tmp_path}/empty.db")
    answer = asks(empty).get("/readyz")
    assert (answer.status_code, answer.json["database"], answer.json["schema"]) == (503, True, False)
    assert asks(empty).get("/metrics").status_code == 503
    empty.engine.dispose()


def test_what_is_held_back_until_later_does_not_wait(lite: Database) -> None:
    beats(lite, HERE)
    owes(lite, clock.now() - DAY, due_at=clock.now() + HOUR, reason="QUIET_HOURS", purpose="service")
    assert asks(lite).get("/readyz").status_code == 200


def test_an_answer_that_is_tried_again_and_again_without_a_word_waits_since_it_was_owed(lite: Database) -> None:
    beats(lite, HERE)
    owes(lite, clock.now() - 20 * MINUTE, due_at=clock.now() + 10 * MINUTE, attempts=5)
    answer = asks(lite).get("/readyz")
    assert (answer.status_code, answer.json["queues"]) == (503, False)
    assert answer.json["ages_s"]["outbound"] >= 1200


def test_one_recipient_who_may_have_no_more_just_now_is_no_trouble_of_the_service(lite: Database) -> None:
    beats(lite, HERE)
    owes(lite, clock.now() - 20 * MINUTE, due_at=clock.now() + 10 * MINUTE, attempts=2, error_code=63018)
    assert asks(lite).get("/readyz").status_code == 200


def test_what_twilio_has_no_room_for_hour_after_hour_is_trouble_though_it_gives_a_code(lite: Database) -> None:
    beats(lite, HERE)
    owes(lite, clock.now() - 20 * MINUTE, due_at=clock.now() + 10 * MINUTE, attempts=2, error_code=20429)
    assert asks(lite).get("/readyz").status_code == 503


@pytest.mark.parametrize(("attempts", "answer"), [(4, 200), (5, 503)])
def test_a_notice_that_was_tried_for_minutes_is_trouble_too_and_one_planned_long_ago_is_not(
    lite: Database, attempts: int, answer: int
) -> None:
    beats(lite, HERE)
    later = clock.now() + 10 * MINUTE
    owes(lite, clock.now() - 2000 * MINUTE, due_at=later, attempts=attempts, purpose="service")
    assert asks(lite).get("/readyz").status_code == answer


def test_figures_are_not_made_up_when_the_database_is_away(away: Database) -> None:
    assert asks(away).get("/metrics").status_code == 503


def test_the_figures_count_messages_by_how_they_stand(db: Database) -> None:
    owes(db, clock.now())
    owes(db, clock.now())
    owes(db, clock.now(), state="withheld", reason="OPTED_OUT")
    waits(db, clock.now())
    assert figures_of(db, "inbound", "outbound", "withheld_week", "outbound_day") == {
        ("inbound", "received"): 1,
        ("outbound", "queued"): 2,
        ("outbound", "withheld"): 1,
        ("withheld_week", "OPTED_OUT"): 1,
        ("outbound_day", "reply"): 3,
    }


def test_what_was_due_long_ago_is_in_no_figure_of_a_week(lite: Database) -> None:
    owes(lite, clock.now() - 8 * DAY, state="withheld", reason="STALE")
    owes(lite, clock.now() - 8 * DAY, state="failed", error_code=63016)
    assert figures_of(lite, "withheld_week", "error_week", "outside_window_week", "outbound_day") == {
        ("outside_window_week",): 0
    }


def test_what_is_held_back_and_what_is_planned_are_told_apart(db: Database) -> None:
    owes(db, clock.now() + HOUR, reason="QUIET_HOURS", purpose="service")
    owes(db, clock.now() + HOUR, purpose="service")
    owes(db, clock.now() + 2 * DAY, purpose="service")
    assert figures_of(db, "held", "planned_day") == {("held", "QUIET_HOURS"): 1, ("planned_day",): 2}


def test_errors_are_counted_by_code_and_a_shut_window_is_a_defect(db: Database) -> None:
    owes(db, clock.now(), state="failed", error_code=63016)
    owes(db, clock.now(), state="failed", error_code=63003)
    owes(db, clock.now(), state="failed", error_code=99999999)
    assert figures_of(db, "error_week", "outside_window_week") == {
        ("error_week", "63003"): 1,
        ("error_week", "63016"): 1,
        ("error_week", "other"): 1,
        ("outside_window_week",): 1,
    }


def test_a_fate_that_nobody_knows_has_an_age(lite: Database) -> None:
    owes(lite, clock.now() - HOUR, state="unknown")
    assert 3600 <= figures_of(lite, "unknown_age_seconds")["unknown_age_seconds",] < 3660


def test_a_stop_shows_in_the_figures(lite: Database) -> None:
    assert figures_of(lite, "sending_stopped") == {("sending_stopped",): 0}
    keeps(lite, a_stop(clock.now() - HOUR))
    shown = figures_of(lite, "sending_stopped", "sending_stopped_seconds")
    assert shown["sending_stopped",] == 1
    assert 3600 <= shown["sending_stopped_seconds",] < 3660


def test_people_who_opted_out_are_counted_once_by_how_they_said_it(db: Database) -> None:
    now = clock.now()
    with db.write() as session:
        one, two = (point_of(session, phone, "", now).person_id for phone in (PHONE, "+447700900124"))
        said = [
            *((one, purpose, "withdraw", "chat", now) for purpose in ("service", "marketing")),
            (two, "service", "withdraw", HOSTILE, now),
            (two, "service", "withdraw", "phone", now - 8 * DAY),
            (two, "service", "give", "declaration", now),
        ]
        session.add_all(
            ConsentEvent(person_id=who, purpose=purpose, action=action, source=source, at=at, recorded_at=at)
            for who, purpose, action, source, at in said
        )
    assert figures_of(db, "opted_out_week") == {("opted_out_week", "chat"): 1, ("opted_out_week", "other"): 1}


def test_an_opting_out_that_twilio_holds_has_a_word_of_its_own(db: Database) -> None:
    now = clock.now()
    a_learner(db, now=now)
    owe(db, AMINA, now, purpose="reply")
    sending = outbox.claim(db, TERMS, now)
    assert sending is not None
    outbox.record(db, TERMS, sending.outbound_id, Outcome("refused", error_code=21610), now)
    assert figures_of(db, "opted_out_week") == {("opted_out_week", "twilio"): 1}


def test_addresses_that_cannot_be_reached_are_counted(lite: Database) -> None:
    with lite.write() as session:
        point_of(session, PHONE, "", clock.now())
        session.execute(update(ContactPoint).values(unreachable_at=clock.now(), unreachable_code=63003))
    assert figures_of(lite, "unreachable") == {("unreachable",): 1}


def test_how_much_was_not_understood_is_of_the_last_day(db: Database) -> None:
    now = clock.now()
    with db.write() as session:
        for place, (decided_by, ago) in enumerate(
            [("fallback", HOUR), ("model", HOUR), ("exact", HOUR), ("fallback", 2 * DAY)]
        ):
            incoming = Incoming(f"SM{place}", PHONE, "", "text", TEXT)
            record(session, incoming, Screened(TEXT, (), urgent=False), now - ago)
            session.execute(update(Inbound).where(Inbound.sid == f"SM{place}").values(decided_by=decided_by))
    assert figures_of(db, "heard_day", "fallback_day_ratio") == {
        ("heard_day", "exact"): 1,
        ("heard_day", "fallback"): 1,
        ("heard_day", "model"): 1,
        ("fallback_day_ratio",): 0.3333,
    }


def test_alerts_say_how_long_they_took(db: Database) -> None:
    now = clock.now()
    keeps(db, OfficeCase(person_id=None, kind="our_bug", opened_at=now))
    took = [(2, now), (8, now), (90, now - 2 * DAY)]
    keeps(
        db,
        *(
            Alert(
                key=f"a{s}",
                case_id=1,
                channel="email",
                address="x",
                state="sent",
                due_at=at,
                created_at=at,
                sent_at=at + s * SECOND,
            )
            for s, at in took
        ),
    )
    assert figures_of(db, "alerts", "alert_longest_seconds", "alert_mean_seconds") == {
        ("alerts", "sent"): 3,
        ("alert_longest_seconds",): 8,
        ("alert_mean_seconds",): 5,
    }


def test_cases_are_counted_by_kind_and_restricted_ones_only_counted(db: Database) -> None:
    now = clock.now()
    kinds = ("complaint", "complaint", "sending_stopped", HOSTILE)
    keeps(db, *(OfficeCase(person_id=None, kind=kind, opened_at=now) for kind in kinds))
    keeps(db, OfficeCase(person_id=None, kind="complaint", opened_at=now, state="closed"))
    keeps(db, OfficeCase(person_id=None, kind="safeguarding_disclosure", restricted=True, opened_at=now))
    assert figures_of(db, "cases_open", "cases_open_restricted") == {
        ("cases_open", "complaint"): 2,
        ("cases_open", "other"): 1,
        ("cases_open", "sending_stopped"): 1,
        ("cases_open_restricted",): 1,
    }


def test_a_word_from_outside_becomes_no_label(lite: Database) -> None:
    now = clock.now()
    template = {"language": "en", "version": "1", "category": "utility", "checked_at": now}
    keeps(lite, TemplateRow(name="a", content_sid="HX1", status="approved", **template))
    keeps(lite, TemplateRow(name="b", content_sid="HX2", status=HOSTILE, **template))
    owes(lite, now, state=HOSTILE, reason=HOSTILE, purpose=HOSTILE)
    owes(lite, now, state="withheld", reason=HOSTILE, purpose=HOSTILE)
    waits(lite, now)
    with lite.write() as session:
        session.execute(update(Inbound).values(decided_by=HOSTILE, state=HOSTILE))
    assert figures_of(lite, "templates") == {("templates", "approved"): 1, ("templates", "other"): 1}
    assert "447700900123" not in asks(lite).get("/metrics").text


def test_every_reason_and_every_kind_of_case_in_the_code_is_a_label(lite: Database) -> None:
    reasons, kinds = written_in_the_code()
    assert {"OPTED_OUT", "RETRIES_SPENT"} <= reasons
    assert {"sending_stopped", "undelivered", "nlu_away"} <= kinds
    assert reasons <= set(figures.REASONS)
    assert kinds <= {*figures.CASES, *HANDLERS, "safeguarding_disclosure"}


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


def figures_of(db: Database, *names: str) -> dict[tuple[str, ...], float]:
    """The figures of these names, each by its name and its label if it has one."""
    answer = asks(db).get("/metrics")
    assert answer.status_code == 200
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    shown = {(one.name.removeprefix("e4a_"), *one.labels.values()): one.value for one in samples}
    return {key: value for key, value in shown.items() if key[0] in names}


def a_stop(since: datetime) -> Stop:
    return Stop(name="sending", since=since, until=since + MINUTE, error_code=20003, tries=1)


def written_in_the_code() -> tuple[set[str], set[str]]:
    """Every reason and every kind of case that stands as a word in the service's own code."""
    reasons, kinds = set[str](), set[str]()
    for path in [*(ROOT / "bot").rglob("*.py"), *(ROOT / "actions").rglob("*.py")]:
        source = path.read_text(encoding="utf-8")
        reasons |= set(re.findall(r'reason(?: = |=)"([A-Z_]+)"', source))
        reasons |= set(re.findall(r'cancel_planned\([^)]*"([A-Z_]+)"\)', source))
        if path.name == "status.py":
            reasons |= set(re.findall(r'^([A-Z_]+) = "\1"', source, re.MULTILINE))
        reasons |= set(re.findall(r'^REASON = "([A-Z_]+)"', source, re.MULTILINE))
        kinds |= set(re.findall(r'OpenCase\("([a-z_]+)"|', source)) - {""}
        kinds |= set(re.findall(r'open_case\([^)]*?"([a-z_]+)"', source))
        kinds |= set(re.findall(r'OfficeCase\([^)]*kind="([a-z_]+)"', source))
        kinds |= set(re.findall(r'^(?:CASE|UNDELIVERED|NOT_FILLABLE) = "([a-z_]+)"', source, re.MULTILINE))
    return reasons, kinds
