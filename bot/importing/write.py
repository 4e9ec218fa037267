"""Writes a college that was found good, in the order in which one thing needs another; counts what became of each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bot.importing.courses import load_courses, write_course, write_enrolments, write_tasks
from bot.importing.declarations import write_declarations
from bot.importing.identity import Someone, everyone
from bot.importing.lessons import write_lessons
from bot.importing.notes import notes_of
from bot.importing.numbers import Desk
from bot.importing.people import write_people, write_role
from bot.importing.sheets import College
from bot.importing.values import Counts, Outcome, Report, outcome
from bot.models import Audit, Course

OUTCOMES: tuple[Outcome, ...] = ("added", "changed", "unchanged")
Homes = dict[str, int]  # a code -> the person's id


def write_college(desk: Desk, college: College) -> Report:
    """Write everything, and the audit of it. Never commits."""
    everybody = everyone(college, desk.known)
    homes, changed = write_people(desk, everybody)
    staff = {code: role.person_id for code, role in desk.known.staff.items()} | _by_code(everybody, homes, "staff")
    tally = {"staff.csv": Counter(_roles(desk, college, staff, changed))}
    courses = load_courses(desk, college.course_codes)
    tally["courses.csv"] = Counter([write_course(desk, row, courses, staff) for _, row in college.courses.rows])
    desk.session.flush()  # lessons, tasks and places need the ids of new courses
    lessons, tasks = [row for _, row in college.lessons.rows], [row for _, row in college.tasks.rows]
    tally["lessons.csv"] = Counter(write_lessons(desk, lessons, courses))
    tally["tasks.csv"] = Counter(write_tasks(desk, tasks, courses))
    learners = _by_code(everybody, homes, "learner")
    heard = write_declarations(desk, {learners[row.code]: row for _, row in college.learners.rows})
    touched = changed | heard.signed | heard.stopped
    tally["learners.csv"] = Counter(_places(desk, college, learners, courses, touched))
    counts = tuple(
        Counts(name, tally[name]["added"], tally[name]["changed"], tally[name]["unchanged"]) for name in college.files
    )
    _audit(desk, counts)
    return Report(counts, notes=tuple(notes_of(desk, college, learners, heard.stopped)))


def _by_code(everybody: list[Someone], homes: list[int], kind: str) -> Homes:
    pairs = zip(everybody, homes, strict=True)
    return {row.code: home for one, home in pairs for _, row in (one.staff if kind == "staff" else one.learner)}


def _roles(desk: Desk, college: College, staff: Homes, changed: set[int]) -> Iterator[Outcome]:
    for _, row in college.staff.rows:
        new, altered = write_role(desk, row, staff[row.code])
        yield outcome(new=new, changed=altered or staff[row.code] in changed)


def _places(
    desk: Desk, college: College, learners: Homes, courses: dict[str, Course], touched: set[int]
) -> Iterator[Outcome]:
    places = [(learners[row.code], courses[row.course].id) for _, row in college.learners.rows]
    new = write_enrolments(desk, places)
    for place in places:
        yield outcome(new=place in new, changed=place[0] in touched)


def _audit(desk: Desk, counts: tuple[Counts, ...]) -> None:
    details = {one.file: {"added": one.added, "changed": one.changed, "unchanged": one.unchanged} for one in counts}
    desk.session.add(Audit(at=desk.now, by=desk.by, act="import", details=details))
