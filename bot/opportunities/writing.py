"""Writes an opportunity down: one administrator, every check before it is kept, nothing altered once approved (P18)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.consents import require
from bot.database import Database, insert_new
from bot.models import Audit, Course, LessonRow, Opportunity, StaffRole
from bot.opportunities.checks import College, problems
from bot.opportunities.values import TEMPLATE, NoSuchOpportunity, Refused, Written
from bot.terms import Terms

ADMINS = ("admin",)  # P08: nobody else has the right to write to many


def add(db: Database, terms: Terms, one: Written, now: datetime, *, replace: bool = False) -> None:
    """Keep it for somebody else to approve; with `replace` in the place of one that nobody has approved yet.

    Raises NoSuchStaff, NotAllowed, and Refused with every reason there is.
    """
    with db.write() as session:
        require(session, one.by, ADMINS, "write opportunities; an admin does")
        found = found_by(session, one.code)
        if reason := _in_the_way(found, replace=replace):
            raise Refused(reason)
        template = terms.templates.find(TEMPLATE, "en")
        if reasons := problems(one, template, _college(session, now), now):
            raise Refused("\n".join(reasons))
        _keep(session, found, one, now)


def found_by(session: Session, code: str) -> Opportunity | None:
    """The opportunity of this code, locked until the commit: approving, calling back and releasing take turns.

    The lock lets messages that refer to it be written meanwhile.
    """
    return session.scalar(select(Opportunity).where(Opportunity.code == code).with_for_update(key_share=True))


def locked(session: Session, code: str) -> Opportunity:
    """As `found_by`. Raises NoSuchOpportunity."""
    found = found_by(session, code)
    if found is None:
        raise NoSuchOpportunity(f"there is no opportunity {code}")
    return found


def _in_the_way(found: Opportunity | None, *, replace: bool) -> str:
    if found is None:
        return ""
    if found.approved_at or found.recalled_at:
        done = "approved" if found.approved_at else "called back"
        return f"There is an opportunity {found.code}, and it was {done}: nothing of it changes any more. Take another code."
    return "" if replace else f"There is an opportunity {found.code} already. With --replace this one takes its place."


def _keep(session: Session, found: Opportunity | None, one: Written, now: datetime) -> None:
    author = session.scalars(select(StaffRole).where(StaffRole.code == one.by)).one()
    values = {
        "what": one.what.strip().rstrip(" ."),  # the template goes on with a full stop
        "more": one.more.strip(),
        "courses": list(one.courses),
        "cohorts": list(one.cohorts),
        "interests": list(one.interests),
        "status": one.status,
        "made_by": one.by,
        "made_at": now,
        "author_id": author.person_id,
        "author_email": author.email,
        "best_before": one.best_before,
    }
    for name, value in values.items() if found else ():
        setattr(found, name, value)
    if not found and not insert_new(session, Opportunity, code=one.code, **values):
        raise Refused(f"There is an opportunity {one.code} already.")  # somebody else was faster
    act = "opportunity_replace" if found else "opportunity_add"
    session.add(Audit(at=now, by=one.by, act=act, details={"opportunity": one.code}))


def _college(session: Session, now: datetime) -> College:
    courses = session.execute(select(Course.code, Course.cohort)).all()
    coming = select(LessonRow.title, LessonRow.place).where(LessonRow.ends_at > now).distinct()
    return College(
        courses=frozenset(code for code, _ in courses),
        cohorts=frozenset(cohort for _, cohort in courses if cohort),
        of_lessons=frozenset(name for lesson in session.execute(coming) for name in lesson),
    )
