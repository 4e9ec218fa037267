"""The words people agreed to: every version whole, kept once, and never altered."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.database import Database
from bot.models import Wording
from bot.settings import ROOT
from bot.turn import CONSENTABLE
from bot.wordings import Asked, BadWordings, WordingChanged, keep, load_wordings, of_question, on_file
from tests.bot.ledgers import demo_wordings

V1 = {"v1": {"service": "Lessons?", "checkin": "Check-ins?", "marketing": "Jobs?"}}
QUESTION = Asked("opt_in", "Do you want reminders? YES or NO")


def test_every_version_that_the_demo_college_signed_is_there() -> None:
    with (ROOT / "data" / "demo" / "learners.csv").open(encoding="utf-8", newline="") as file:
        signed = {row["declaration_version"] for row in csv.DictReader(file)} - {""}
    assert signed <= set(demo_wordings())


@pytest.mark.parametrize("purpose", CONSENTABLE)
def test_every_box_names_who_writes_and_how_to_take_it_back(purpose: str) -> None:
    for boxes in demo_wordings().values():
        text = boxes[purpose]  # type: ignore[index]
        for needed in (
            "Enterprise4all (E4A)",
            "WhatsApp",
            "STOP",
            "01254 693 999",
            "training@enterprise4all.co.uk",
            "any time",
        ):
            assert needed in text
        assert ("group" in text) == (purpose == "service")
        assert ("jobs" in text) == (purpose == "marketing")
        assert ("six months" in text) == (purpose != "service")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no versions"),
        ("v1: yes", "v1"),
        ("v1: {service: a, checkin: b}", "marketing"),
        ("v1: {service: a, checkin: b, marketing: c, news: d}", "and no others"),
        ("v1: {service: a, checkin: ' ', marketing: c}", "no words for checkin"),
        ("v1: {service: a, checkin: b, marketing: 3}", "no words for marketing"),
    ],
)
def test_a_file_that_is_not_whole_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "wordings.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadWordings, match=why):
        load_wordings(path)


def test_words_are_kept_once_with_the_moment(db: Database, now: datetime) -> None:
    for later in (now, now + timedelta(days=1)):
        with db.write() as session:
            keep(session, V1, later)
    with db.read() as session:
        rows = session.scalars(select(Wording).order_by(Wording.id)).all()
        assert [(row.version, row.purpose, row.text, row.recorded_at) for row in rows] == [
            ("v1", purpose, text, now) for purpose, text in V1["v1"].items()
        ]


def test_a_version_in_other_words_is_refused_and_named_and_another_version_is_not(db: Database, now: datetime) -> None:
    with db.write() as session:
        keep(session, V1, now)
    altered = {"v1": V1["v1"] | {"marketing": "Adverts?"}}
    with (
        pytest.raises(WordingChanged, match=r"version v1 for marketing .* give the new words a new version"),
        db.write() as session,
    ):
        keep(session, altered, now)
    with db.write() as session:
        keep(session, {**V1, "v2": altered["v1"]}, now)
        assert on_file(session, ["v1", "v3"]) == {("v1", purpose): text for purpose, text in V1["v1"].items()}
        assert on_file(session, ["v2"])["v2", "marketing"] == "Adverts?"


def test_a_question_is_a_version_of_its_words(db: Database, now: datetime) -> None:
    with db.write() as session:
        version = of_question(session, QUESTION, ("service", "checkin"), now)
        assert of_question(session, QUESTION, ("service",), now) == version
        other = of_question(session, Asked("opt_in", "Chcesz przypomnienia? TAK albo NIE"), ("service",), now)
        assert version.startswith("chat:opt_in:")
        assert other.startswith("chat:opt_in:")
        assert other != version
        assert on_file(session, [version]) == {(version, purpose): QUESTION.text for purpose in ("service", "checkin")}
