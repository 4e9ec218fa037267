"""Templates as Twilio and WhatsApp know them: pushed once, looked after, and sent only while both mean what we mean.

No transaction is open while Twilio is waited for. What was made there and not written down here, because of a crash in
between, is found there by its name the next time and adopted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import structlog
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from bot import marks
from bot.cases import open_case
from bot.database import Database, insert_new
from bot.models import OfficeCase, TemplateRow
from bot.templates import Template, Templates
from bot.whatsapp import Contents, OnFile, ProviderAway

Push = Literal["created", "adopted", "submitted", "unchanged", "refused"]
Progress = Callable[[int, int], None]  # templates done, templates in all
UNSUBMITTED, RECEIVED, APPROVED, MISSING, NOT_PUSHED = "unsubmitted", "received", "approved", "missing", "not pushed"
SHELVED = "shelved"
IN_ORDER = (NOT_PUSHED, UNSUBMITTED, RECEIVED, "pending", APPROVED)  # any other word of WhatsApp's stops a template
CASE = "template"
SUBMITTED_BEFORE = 92009
OUR_FAULT = (400, 404, 409, 422)  # Twilio judged the template itself; whatever else it answers concerns all of them
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a version of a template stands with WhatsApp. `outcome` is what a push did about it."""

    name: str
    language: str
    version: str
    status: str
    category: str = ""
    content_sid: str = ""
    because: str = ""
    ready: bool = False
    outcome: Push | None = None


def ready_sid(session: Session, template: Template) -> str | None:
    """The ContentSid by which this version may be sent now: approved, in our own category (L20). None: not, or no more."""
    good = (TemplateRow.status == APPROVED, TemplateRow.category == template.category)
    return session.scalar(select(TemplateRow.content_sid).where(*_this(template), *good))


def shelve(session: Session, name: str, code: int | None) -> None:
    """Twilio failed a message because of this template (63040, 63042): not used until WhatsApp's own word is read again."""
    there = select(TemplateRow).where(TemplateRow.name == name, TemplateRow.status == APPROVED)
    for row in session.scalars(there):
        row.status, row.because = SHELVED, f"error {code}"


def push(
    db: Database, contents: Contents, templates: Templates, now: datetime, progress: Progress | None = None
) -> list[Standing]:
    """Make at Twilio what is missing there, hand it to WhatsApp, and write down its SIDs; again, and nothing changes.

    A template that Twilio refuses is `refused` and keeps no other from its turn. Raises ProviderAway when Twilio cannot be
    asked: what was done until then is kept, and the next push goes on from there.
    """
    on_file = _by_name(contents.every())
    done: list[Standing] = []
    for template in templates:
        done.append(_push_one(db, contents, template, on_file.get(template.friendly_name, ()), now))
        if done[-1].outcome != "unchanged":
            log.info("template.pushed", template=template.friendly_name, outcome=done[-1].outcome, status=done[-1].status)
        if progress:
            progress(len(done), len(templates))
    return done


def refresh_status(db: Database, contents: Contents, templates: Templates, now: datetime) -> list[Standing]:
    """Write down what WhatsApp says of each template now. One that must not be sent any more is a case for the office.

    That is: rejected, paused or disabled, gone from Twilio, or put into another category than ours (L20). One case for a
    version while it is open. Raises ProviderAway.
    """
    on_file = {one.sid: one for one in contents.every()}
    with db.write() as session:
        return [_refreshed(session, template, on_file, now) for template in templates]


def _this(template: Template) -> tuple[ColumnElement[bool], ...]:
    named = (TemplateRow.name == template.name, TemplateRow.language == template.language)
    return (*named, TemplateRow.version == template.version)


def _by_name(every: Sequence[OnFile]) -> Mapping[str, tuple[OnFile, ...]]:
    found: dict[str, tuple[OnFile, ...]] = {}
    for one in every:
        found[one.friendly_name] = (*found.get(one.friendly_name, ()), one)
    return found


def _push_one(db: Database, contents: Contents, template: Template, found: tuple[OnFile, ...], now: datetime) -> Standing:
    with db.read() as session:
        known = session.scalar(select(TemplateRow.content_sid).where(*_this(template)))
    there = _chosen(found, known)
    if there is not None and there.sid == known and there.status != UNSUBMITTED:
        return _standing(template, there, "unchanged")
    try:
        outcome, there = _handed_in(contents, template, there, known)
    except ProviderAway as away:
        if away.status not in OUR_FAULT:
            raise
        return _standing(template, there or OnFile("", template.friendly_name, NOT_PUSHED), "refused", f"error {away.code}")
    _write_down(db, template, there, now)
    return _standing(template, there, outcome)


def _chosen(found: tuple[OnFile, ...], known: str | None) -> OnFile | None:
    """Of several with one name, which two pushes at a time would make: the one that may be sent, and of these the known."""
    return max(found, key=lambda one: (one.status == APPROVED, one.sid == known, one.status != UNSUBMITTED), default=None)


def _handed_in(contents: Contents, template: Template, there: OnFile | None, known: str | None) -> tuple[Push, OnFile]:
    """The resource, made if need be and handed to WhatsApp if need be. Raises ProviderAway."""
    outcome: Push = "created" if there is None else "submitted" if there.sid == known else "adopted"
    there = there or contents.create(template)
    if there.status != UNSUBMITTED:
        return outcome, there
    try:
        there = contents.submit(there.sid, template)
    except ProviderAway as away:
        if away.code != SUBMITTED_BEFORE:
            raise
        there = replace(there, status=RECEIVED)
    return outcome, replace(there, category=there.category or template.category)


def _write_down(db: Database, template: Template, there: OnFile, now: datetime) -> None:
    key = {"name": template.name, "language": template.language, "version": template.version}
    with db.write() as session:
        heard = {"content_sid": there.sid, "status": there.status, "category": there.category, "because": there.because}
        if insert_new(session, TemplateRow, **key, **heard, checked_at=now):
            _tell_planning(session, there, "", now)
        else:
            row = session.scalars(select(TemplateRow).where(*_this(template)).with_for_update()).one()
            row.content_sid = there.sid
            _hear(session, row, there, now)


def _refreshed(session: Session, template: Template, on_file: Mapping[str, OnFile], now: datetime) -> Standing:
    row = session.scalar(select(TemplateRow).where(*_this(template)).with_for_update())
    if row is None:
        return _standing(template, OnFile("", template.friendly_name, NOT_PUSHED))
    there = on_file.get(row.content_sid) or OnFile(row.content_sid, template.friendly_name, MISSING, row.category)
    _hear(session, row, there, now)
    if why := _trouble(template, there):
        log.warning("template.held", template=template.friendly_name, why=why)
        _tell_office(session, template, why, now)
    return _standing(template, there)


def _hear(session: Session, row: TemplateRow, there: OnFile, now: datetime) -> None:
    _tell_planning(session, there, row.status, now)
    row.status, row.category, row.because, row.checked_at = there.status, there.category, there.because, now


def _tell_planning(session: Session, there: OnFile, before: str, now: datetime) -> None:
    """For want of a template nobody is planned: once it is approved, whoever waited is looked at again."""
    if there.status == APPROVED != before:
        marks.look_at_waiting(session, now)


def _trouble(template: Template, there: OnFile) -> str:
    """Why it is held back, in a word or two; "" when it is in order or still under review."""
    if there.status not in IN_ORDER:
        return there.status
    if there.category == template.category or (not there.category and there.status != APPROVED):
        return ""
    return f"category {there.category or 'unknown'} instead of {template.category}"


def _tell_office(session: Session, template: Template, why: str, now: datetime) -> None:
    """One open case for a version; it says the latest reason."""
    here = select(OfficeCase).where(OfficeCase.kind == CASE, OfficeCase.state == "open")
    mine = next((case for case in session.scalars(here) if case.flags[:1] == [template.friendly_name]), None)
    if mine is None:
        open_case(session, None, CASE, now, (template.friendly_name, why))
    elif mine.flags != [template.friendly_name, why]:
        mine.flags = [template.friendly_name, why]


def _standing(template: Template, there: OnFile, outcome: Push | None = None, because: str = "") -> Standing:
    ready = there.status == APPROVED and not _trouble(template, there)
    about = (template.name, template.language, template.version, there.status, there.category, there.sid)
    return Standing(*about, because or there.because or _trouble(template, there), ready, outcome)
