"""The rules between rows, between files, and between the files and the database. It only looks, and names every bad row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from bot.importing.cells import shown
from bot.importing.identity import Someone, codes_of, everyone, node_of
from bot.importing.known import Known
from bot.importing.rows import LearnerLine, LessonLine, Row, StaffLine, TaskLine
from bot.importing.sheets import College, Sheet
from bot.importing.values import Problem

R = TypeVar("R", bound=Row)


def check_files(college: College) -> Iterator[Problem]:
    """What is wrong whatever the database holds."""
    for sheet in (college.staff, college.courses, college.lessons, college.tasks):
        yield from _codes_again(sheet.rows)
    yield from _learners_again(college.learners.rows)


def check_against(college: College, known: Known, found: Sequence[Problem]) -> Iterator[Problem]:
    """What is wrong given what the database holds. Rows that were `found` bad already are not looked at again."""
    yield from _trainers(college, known)
    for sheet in (college.lessons, college.tasks, college.learners):
        yield from _courses_exist(sheet, college, known)
    sound = replace(college, staff=_without(college.staff, found), learners=_without(college.learners, found))
    for one in everyone(sound, known):
        shared = list(_one_learner(one))
        yield from shared or (*_one_phone(one), *_one_name(one))


def _codes_again(rows: Iterable[tuple[int, Row]]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for line, row in rows:
        if row.code in first:
            yield Problem(row.file, line, "code", f"the code of line {first[row.code]} again")
        first.setdefault(row.code, line)


def _learners_again(rows: Iterable[tuple[int, LearnerLine]]) -> Iterator[Problem]:
    first: dict[str, tuple[int, LearnerLine]] = {}
    places: dict[tuple[str, str], int] = {}
    for line, row in rows:
        first_line, first_row = first.setdefault(row.code, (line, row))
        for column in row.differing(first_row):
            yield Problem(row.file, line, column, f"this learner's row at line {first_line} says something else")
        if (row.code, row.course) in places:
            reason = f"this learner is on this course already, at line {places[row.code, row.course]}"
            yield Problem(row.file, line, "course", reason)
        places.setdefault((row.code, row.course), line)


def _trainers(college: College, known: Known) -> Iterator[Problem]:
    roles = {code: role.role for code, role in known.staff.items()} | {row.code: row.role for _, row in college.staff.rows}
    for line, row in college.courses.rows:
        for code in row.trainers:
            if code not in roles and college.staff.whole and code not in college.staff.codes:
                yield Problem(row.file, line, "trainers", f"no member of staff has the code{shown(code) or ' given here'}")
            elif code in roles and roles[code] != "trainer" and not _is_bad(code, college.staff):
                yield Problem(
                    row.file, line, "trainers", f"the role of{shown(code) or ' one'} is {roles[code]}, not trainer"
                )


def _is_bad(code: str, sheet: Sheet[StaffLine]) -> bool:
    """The file names this code, but its row has a problem of its own."""
    return code in sheet.codes and all(row.code != code for _, row in sheet.rows)


def _courses_exist(
    sheet: Sheet[LessonLine] | Sheet[TaskLine] | Sheet[LearnerLine], college: College, known: Known
) -> Iterator[Problem]:
    if not college.courses.whole:
        return
    for line, row in sheet.rows:
        if row.course not in college.courses.codes and row.course not in known.courses:
            yield Problem(row.file, line, "course", f"there is no course{shown(row.course) or ' with this code'}")


def _without(sheet: Sheet[R], found: Sequence[Problem]) -> Sheet[R]:
    bad = {(one.file, one.line) for one in found}
    return replace(sheet, rows=tuple((line, row) for line, row in sheet.rows if (row.file, line) not in bad))


def _one_learner(one: Someone) -> Iterator[Problem]:
    here = list(dict.fromkeys(row.code for _, row in one.learner))
    elsewhere = [person.learner_code for person in one.people if person.learner_code and person.learner_code not in here]
    owner, *others = [*elsewhere, *here] or [""]
    for line, row in (one.learner or one.staff) if others else ():
        if row.code != owner:
            yield Problem(row.file, line, "phone", f"shared with another learner:{shown(owner) or ' see the list'}")


def _one_phone(one: Someone) -> Iterator[Problem]:
    first = one.rows[0][1]
    for line, row in one.rows:
        if row.phone != one.phone:
            reason = f"the same person as{shown(first.code) or ' another'} in {first.file}, who has another phone there"
            yield Problem(row.file, line, "phone", reason)


def _one_name(one: Someone) -> Iterator[Problem]:
    """A phone under two names is a slip, or two people: a role or a learner's data must not go to the wrong one."""
    here = {node_of(row) for _, row in one.rows}
    elsewhere = [person for person in one.people if (codes := codes_of(person)) and not codes & here]
    first = (*one.staff, *one.learner)[0][1]
    name = elsewhere[0].name if elsewhere else first.name
    code = next((code for person in elsewhere for _, code in codes_of(person)), first.code)
    for line, row in (*one.staff, *one.learner):
        if row.name.casefold() != name.casefold():
            reason = f"the phone of{shown(str(code)) or ' somebody'} too, who has another name: whose is it?"
            yield Problem(row.file, line, "phone", reason)
