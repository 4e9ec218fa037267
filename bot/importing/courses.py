"""Writes courses with their trainers, tasks, and who is enrolled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import insert, select
from sqlalchemy.orm import selectinload

from bot import marks
from bot.importing.known import columns_by, rows_by
from bot.importing.numbers import Desk
from bot.importing.people import alter
from bot.importing.rows import CourseLine, TaskLine
from bot.importing.values import Outcome, outcome
from bot.models import Course, CourseTrainer, EnrolmentRow, Task


def load_courses(desk: Desk, codes: Iterable[str]) -> dict[str, Course]:
    """The courses there are, by code, with their trainers."""
    statement = select(Course).options(selectinload(Course.trainers))
    return {course.code: course for course in rows_by(desk.session, statement, Course.code, codes)}


def write_course(desk: Desk, row: CourseLine, courses: dict[str, Course], staff: dict[str, int]) -> Outcome:
    """One course, put into `courses` if it is new. Two codes of one trainer are one trainer."""
    values = row.model_dump(exclude={"code", "trainers"})
    course = courses.get(row.code)
    new = course is None
    if course is None:
        course = courses[row.code] = Course(code=row.code, **values)
        desk.session.add(course)
    trainers = list(dict.fromkeys(staff[code] for code in row.trainers))
    changed = alter(course, **values)
    if [one.person_id for one in course.trainers] != trainers:
        course.trainers = [CourseTrainer(person_id=one, position=place) for place, one in enumerate(trainers)]
        changed = True
    if changed and not new:
        desk.session.flush()  # its dates, its group: they count for everybody on it
        marks.look_at_courses(desk.session, [course.code], desk.now)
    return outcome(new=new, changed=changed)


def write_tasks(desk: Desk, rows: Sequence[TaskLine], courses: dict[str, Course]) -> list[Outcome]:
    """The tasks of courses that are there."""
    there = {task.code: task for task in rows_by(desk.session, select(Task), Task.code, (row.code for row in rows))}
    outcomes = []
    for row in rows:
        values = row.model_dump(exclude={"course"}) | {"course_id": courses[row.course].id}
        task = there.get(row.code)
        if task is None:
            desk.session.add(Task(**values))
        outcomes.append(outcome(new=task is None, changed=task is not None and alter(task, **values)))
    return outcomes


def write_enrolments(desk: Desk, places: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """A place for each (person, course) that had none; those that are new."""
    columns = (EnrolmentRow.person_id, EnrolmentRow.course_id)
    there = columns_by(desk.session, columns, EnrolmentRow.person_id, (person_id for person_id, _ in places))
    new = set(places) - {(person_id, course_id) for person_id, course_id in there}
    rows = [{"person_id": person, "course_id": course, "created_at": desk.now} for person, course in sorted(new)]
    if rows:
        desk.session.execute(insert(EnrolmentRow), rows)
        marks.look_at(desk.session, {person for person, _ in new}, desk.now)
    return new
