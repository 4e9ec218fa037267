"""What an import says of rows that are not wrong, and that somebody should know of all the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot import wordings
from bot.importing.cells import shown
from bot.importing.numbers import Desk, why_not
from bot.importing.rows import LearnerLine
from bot.importing.sheets import College
from bot.importing.values import Problem
from bot.queries import standing_of

STILL_OFF = "this number said no before: what it said no to stays off until a declaration signed later, or `consent give`"


def notes_of(desk: Desk, college: College, learners: Mapping[str, int], stopped: set[int]) -> Iterator[Problem]:
    """Words not on file, once for each version (P11); who was not given their phone (D10, D11) or said no before (L06)."""
    yield from _words_missing(desk, college)
    told: set[int] = set()
    for line, row in college.learners.rows:
        who = learners[row.code]
        refused = why_not(desk, who, row.phone) if who not in told else None
        if refused:
            yield Problem(row.file, line, "phone", refused)
        if who in stopped and who not in told and _is_off(desk, who, row):
            yield Problem(row.file, line, "phone", STILL_OFF)
        told.add(who)


def _words_missing(desk: Desk, college: College) -> Iterator[Problem]:
    lines: dict[str, list[int]] = {}
    for line, row in college.learners.rows:
        if row.declared_on is not None:
            lines.setdefault(row.declaration_version, []).append(line)
    there = {version for version, _ in wordings.on_file(desk.session, lines)}
    for version, found in lines.items():
        if version not in there:
            more = f" (and {len(found) - 1} more rows)" if len(found) > 1 else ""
            reason = (
                f"the words of version{shown(version) or ' (none given)'} are not on file: add them to data/wordings.yml"
            )
            yield Problem(LearnerLine.file, found[0], "declaration_version", reason + more)


def _is_off(desk: Desk, person_id: int, row: LearnerLine) -> bool:
    """Their declaration says yes to something that stands withdrawn."""
    standing = standing_of(desk.session, person_id)
    return any(agreed and standing[purpose].state == "withdrawn" for purpose, agreed in row.consents().items())
