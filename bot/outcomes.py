"""How learners say they are doing after their course, counted for the provider by cohort, with no small number (P19)."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.checkins import asked_by
from bot.models import CheckIn, Course, Outbound
from bot.small_numbers import told
from bot.status import MAY_HAVE_GONE

SAID = ("well", "ok", "struggling")
COLUMNS = ("asked", "answered", "silent", *SAID)
ALL, NO_COHORT = "all cohorts", "no cohort"


class NoSuchCohort(Exception):
    """No check-in went to a learner of this cohort."""


def report(session: Session, cohort: str | None = None) -> list[dict[str, str]]:
    """A row for each cohort and one for all: check-ins asked, answered, silent, and what was said to them.

    A cohort in which one to four learners are behind a number is hidden, and so is the row for all where one could be
    reckoned from it; the same with one `cohort` alone as with all of them. Raises NoSuchCohort.
    """
    counted = _counted(session)
    names = sorted(counted)
    if cohort is not None and cohort not in names:
        raise NoSuchCohort(f"no check-in went to a learner of {cohort}")
    said = told([counted[name] for name in names])
    rows = [{"cohort": name} | row for name, row in zip(names, said.rows, strict=True)]
    if cohort is not None:
        return [row for row in rows if row["cohort"] == cohort]
    return [*rows, {"cohort": ALL} | said.together] if rows else []


def _counted(session: Session) -> dict[str, dict[str, Counter[int]]]:
    """By cohort and column, the learners behind each check-in. One that never went was not asked."""
    plans = select(Outbound.key).where(Outbound.plan == "check_in", Outbound.state.in_(MAY_HAVE_GONE))
    went = {asked_by(key) for key in session.scalars(plans)}
    check_in = (CheckIn.person_id, CheckIn.course_id, CheckIn.week, CheckIn.outcome)
    found = select(*check_in, Course.cohort).join(Course, Course.id == CheckIn.course_id)
    counted: dict[str, dict[str, Counter[int]]] = {}
    for person_id, course_id, week, outcome, cohort in session.execute(found):
        if (person_id, course_id, week) in went or outcome:
            row = counted.setdefault(cohort or NO_COHORT, {column: Counter() for column in COLUMNS})
            for column in ("asked", *(("answered", outcome) if outcome else ("silent",))):
                row[column][person_id] += 1
    return counted
