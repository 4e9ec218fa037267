"""What the tests of consent share: the key of the hashes, the books of an import, and a small college's files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from sqlalchemy import select

from bot import suppression, wordings
from bot.database import Database
from bot.importing import Books
from bot.models import ConsentEvent, PersonRow
from bot.queries import standing_of
from bot.settings import ROOT
from bot.suppression import Keyed, Nos
from bot.template_files import load_templates
from bot.terms import Terms
from bot.turn import Consentable, ConsentState

KEYED = Keyed(("suppression-key",))
ROTATED = Keyed(("a-newer-key", "suppression-key"))
FIRST_LINE = (
    "code,name,phone,course,language,service_consent,checkin_consent,marketing_consent,declared_on,declaration_version"
)
COURSES = "code,name,cohort,starts_on,ends_on,trainers,group_link\nBAKE,Bake,B7,2026-10-05,2027-02-26,,\n"
ANN_PHONE = "+447700900001"


@cache
def demo_wordings() -> Mapping[str, wordings.Boxes]:
    """The declarations of the demo college, read once."""
    return wordings.load_wordings(ROOT / "data" / "wordings.yml")


def books(db: Database, keyed: Keyed = KEYED) -> Books:
    """What an import writes into."""
    return Books(db, Terms(load_templates(), keyed), demo_wordings())


def a_college(folder: Path, *learners: str) -> Path:
    """The files of a college with one course, and these learners on it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "courses.csv").write_text(COURSES, encoding="utf-8")
    (folder / "learners.csv").write_text("\n".join([FIRST_LINE, *learners]) + "\n", encoding="utf-8")
    return folder


def ann(declared_on: str = "2026-10-01", *, says: str = "yes,yes,no", phone: str = ANN_PHONE, version: str = "v2") -> str:
    """Ann's row: what her declaration says of lessons, check-ins and opportunities, and when she signed it."""
    return f"P1,Ann Lee,{phone},BAKE,en,{says},{declared_on},{version}"


def person_id(db: Database, code: str = "P1") -> int:
    """The learner with this code."""
    with db.read() as session:
        return session.scalars(select(PersonRow.id).where(PersonRow.learner_code == code)).one()


def where_it_stands(db: Database, code: str = "P1") -> dict[Consentable, ConsentState]:
    """What a learner agrees to now."""
    who = person_id(db, code)
    with db.read() as session:
        return {purpose: one.state for purpose, one in standing_of(session, who).items()}


def suppressed(db: Database, value: str = ANN_PHONE, keyed: Keyed = KEYED) -> Nos:
    """What a number is suppressed for, and since when."""
    with db.read() as session:
        return suppression.look_up(session, [value], keyed).get(value, {})


def lines(db: Database) -> list[tuple[str, str, str]]:
    """The ledger as it was written: purpose, action, source."""
    with db.read() as session:
        rows = session.scalars(select(ConsentEvent).order_by(ConsentEvent.id))
        return [(row.purpose, row.action, row.source) for row in rows]
