"""Who is who: which rows of the files and which people of the database are one human being. Pure: it only looks.

Rows with one phone are one person; a code is who it was; a phone brings along whoever holds it, unless the files give
its holder another one, or the holder was found not to be there (D11): then it passes on.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from bot.importing.known import Known
from bot.importing.rows import LearnerLine, StaffLine
from bot.importing.sheets import College
from bot.models import PersonRow

Node = tuple[str, str | int]  # ("learner", code) | ("staff", code) | ("phone", number) | ("person", id)


@dataclass(frozen=True, slots=True)
class Someone:
    """One human being: their rows, each with its line, and the people of the database they are, the one who stays first."""

    learner: tuple[tuple[int, LearnerLine], ...]
    staff: tuple[tuple[int, StaffLine], ...]
    people: tuple[PersonRow, ...]

    @property
    def rows(self) -> tuple[tuple[int, LearnerLine | StaffLine], ...]:
        """All their rows; the learner's first, for their words win."""
        return (*self.learner, *self.staff)

    @property
    def phone(self) -> str:
        """Their phone: `identity_problems` sees to it that there is one only."""
        return self.rows[0][1].phone


def everyone(college: College, known: Known) -> list[Someone]:
    """Everybody whom the files name, in the order of the files."""
    root = _Roots()
    for row in college.people:
        root.join(node_of(row), ("phone", row.phone))
    for person_id, nodes in _holders(college, known).items():
        for node in nodes:
            root.join(node, ("person", person_id))
    learners: defaultdict[Node, list[tuple[int, LearnerLine]]] = defaultdict(list)
    staff: defaultdict[Node, list[tuple[int, StaffLine]]] = defaultdict(list)
    people: defaultdict[Node, list[PersonRow]] = defaultdict(list)
    for line, one in college.staff.rows:
        staff[root.of(node_of(one))].append((line, one))
    for line, place in college.learners.rows:
        learners[root.of(node_of(place))].append((line, place))
    for person in known.people.values():
        people[root.of(("person", person.id))].append(person)
    return [
        Someone(tuple(learners[one]), tuple(staff[one]), tuple(sorted(people[one], key=_who_stays)))
        for one in dict.fromkeys([*staff, *learners])
    ]


def is_bare(person: PersonRow) -> bool:
    """A stranger: somebody who wrote once, neither learner nor staff."""
    return person.learner_code is None and not person.staff_roles


def codes_of(person: PersonRow) -> set[Node]:
    """The codes that a person of the database goes by."""
    roles: set[Node] = {("staff", role.code) for role in person.staff_roles}
    return roles | ({("learner", person.learner_code)} if person.learner_code else set())


def _holders(college: College, known: Known) -> dict[int, set[Node]]:
    """For each person of the database, the codes and phones of the files that are theirs."""
    claims: defaultdict[str, set[Node]] = defaultdict(set)
    for row in college.people:
        claims[row.phone].add(node_of(row))
    named = {node for nodes in claims.values() for node in nodes}
    codes = {person.id: codes_of(person) & named for person in known.people.values()}
    phones: defaultdict[int, set[Node]] = defaultdict(set)
    for phone in claims:
        point = known.points.get(phone)
        if point is None or codes[point.person_id]:
            continue  # new, or its holder is in the files: joined by the code, or given another phone
        theirs = any(codes.get(person_id, set()) & claims[phone] for person_id, at in known.held_before if at == point.id)
        if point.disowned_at is None or (is_bare(known.people[point.person_id]) and not theirs):
            phones[point.person_id].add(("phone", phone))
    return {person_id: nodes | phones[person_id] for person_id, nodes in codes.items()}


def node_of(row: LearnerLine | StaffLine) -> Node:
    """The code of a row, told apart from the same code in the other file."""
    return ("staff" if isinstance(row, StaffLine) else "learner", row.code)


def _who_stays(person: PersonRow) -> tuple[bool, bool, int]:
    return (person.learner_code is None, not person.staff_roles, person.id)


class _Roots:
    """Sets that grow together (union-find): one node stands for all that were joined with it."""

    def __init__(self) -> None:
        self._parent: dict[Node, Node] = {}

    def of(self, node: Node) -> Node:
        """The node that stands for this one."""
        while (parent := self._parent.setdefault(node, node)) != node:
            self._parent[node] = node = self._parent[parent]
        return node

    def join(self, one: Node, other: Node) -> None:
        """From now on these two, and whatever was joined with either, are the same."""
        self._parent[self.of(one)] = self.of(other)
