"""How learners say they are doing after their course, counted for the provider by cohort, with no small number (P19)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.checkins import asked_by
from bot.models import CheckIn, Course, Outbound
from bot.small_numbers import Count, Sum, shown
from bot.status import MAY_HAVE_GONE

SAID = ("well", "ok", "struggling")
COLUMNS = ("asked", "answered", "silent", *SAID)
ALL, NO_COHORT = "all cohorts", "no cohort"
Cell = tuple[str, str]  # a cohort, and a column


class NoSuchCohort(Exception):
    """No check-in went to a learner of this cohort."""


def report(session: Session, cohort: str | None = None) -> list[dict[str, str]]:
    """A row for each cohort and one for all: check-ins asked, answered, silent, and what was said to them.

    A number that one to four learners are behind is not told, nor what it could be worked out from; the same with one
    `cohort` alone as with all of them. Raises NoSuchCohort.
    """
    numbers, people = _counted(session)
    cohorts = sorted({name for name, _ in numbers})
    if cohort is not None and cohort not in cohorts:
        raise NoSuchCohort(f"no check-in went to a learner of {cohort}")
    for name, column in list(numbers):
        numbers[ALL, column] += numbers[name, column]
        people[ALL, column] |= people[name, column]
    rows = [*cohorts, ALL]
    counts = {(row, column): Count(numbers[row, column], len(people[row, column])) for row in rows for column in COLUMNS}
    said = shown(counts, _sums(cohorts))
    wanted = rows if cohort is None else [cohort]
    return [{"cohort": row} | {column: said[row, column] for column in COLUMNS} for row in wanted if cohorts]


def _counted(session: Session) -> tuple[Counter[Cell], defaultdict[Cell, set[int]]]:
    """Check-ins by cohort and column, and the learners behind them. One that never went was not asked."""
    plans = select(Outbound.key).where(Outbound.plan == "check_in", Outbound.state.in_(MAY_HAVE_GONE))
    went = {asked_by(key) for key in session.scalars(plans)}
    numbers: Counter[Cell] = Counter()
    people: defaultdict[Cell, set[int]] = defaultdict(set)
    check_in = (CheckIn.person_id, CheckIn.course_id, CheckIn.week, CheckIn.outcome)
    found = select(*check_in, Course.cohort).join(Course, Course.id == CheckIn.course_id)
    for person_id, course_id, week, outcome, cohort in session.execute(found):
        if (person_id, course_id, week) in went or outcome:
            for column in ("asked", *(("answered", outcome) if outcome else ("silent",))):
                numbers[cohort or NO_COHORT, column] += 1
                people[cohort or NO_COHORT, column].add(person_id)
    return numbers, people


def _sums(cohorts: Sequence[str]) -> list[Sum[Cell]]:
    """What adds up to what: each row's columns, and each column's cohorts."""
    rows = [*cohorts, ALL]
    answered = [Sum((row, "answered"), tuple((row, column) for column in SAID)) for row in rows]
    asked = [Sum((row, "asked"), ((row, "answered"), (row, "silent"))) for row in rows]
    return answered + asked + [Sum((ALL, column), tuple((row, column) for row in cohorts)) for column in COLUMNS]
