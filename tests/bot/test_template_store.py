"""Templates at Twilio: pushed once whatever breaks in between, and sent only while WhatsApp means what we mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.database import Database
from bot.models import OfficeCase, TemplateRow
from bot.template_store import Standing, push, ready_sid, refresh_status
from bot.templates import Template, Templates, Variable, gathered
from bot.whatsapp import OnFile, ProviderAway

NEWS = Template(
    "lesson_news",
    "service",
    "course_update",
    "UTILITY",
    "en",
    "Enterprise4all: your lesson {{1}} has moved.",
    (Variable("lesson", "Your Idea"),),
)
ADVERT = replace(NEWS, name="advert", purpose="marketing", use="opportunity", category="MARKETING", body="STOP {{1}} STOP")
OURS = gathered([NEWS, ADVERT])
REFUSED, AWAY = ProviderAway(400, 20001), ProviderAway(503, 20503)


@dataclass
class FakeContents:
    """A Content API in memory. `fails` may raise at a call, by its name and the template's; WhatsApp takes its time."""

    db: Database
    files: dict[str, OnFile] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    fails: Callable[[str, str], ProviderAway | None] = lambda *_: None

    def every(self) -> tuple[OnFile, ...]:
        self._called("every", "")
        return tuple(self.files.values())

    def create(self, template: Template) -> OnFile:
        self._called("create", template.name)
        made = OnFile(f"HX{len(self.files):032x}", template.friendly_name)
        self.files[made.sid] = made
        return made

    def submit(self, sid: str, template: Template) -> OnFile:
        self._called("submit", template.name)
        if self.files[sid].status != "unsubmitted":
            raise ProviderAway(400, 92009)
        return self.hears(sid, status="received", category=template.category)

    def hears(self, sid: str, **word: str) -> OnFile:
        """WhatsApp says something of it."""
        self.files[sid] = replace(self.files[sid], **word)  # type: ignore[arg-type]
        return self.files[sid]

    def approves(self) -> None:
        """WhatsApp has looked at everything."""
        for sid in self.files:
            self.hears(sid, status="approved")

    def _called(self, what: str, name: str) -> None:
        assert self.db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # no transaction waits for Twilio
        self.calls.append(f"{what} {name}".strip())
        if error := self.fails(what, name):
            raise error


@pytest.fixture
def twilio(db: Database) -> FakeContents:
    return FakeContents(db)


def outcomes(standings: list[Standing]) -> dict[str, str | None]:
    return {one.name: one.outcome for one in standings}


def rows(db: Database) -> list[TemplateRow]:
    with db.read() as session:
        found = list(session.scalars(select(TemplateRow).order_by(TemplateRow.name, TemplateRow.id)))
        session.expunge_all()  # the look ends, and they stay as they were
        return found


def cases(db: Database) -> list[OfficeCase]:
    with db.read() as session:
        found = list(session.scalars(select(OfficeCase).order_by(OfficeCase.id)))
        session.expunge_all()  # the look ends, and they stay as they were
        return found


def ready(db: Database, template: Template) -> str | None:
    with db.read() as session:
        return ready_sid(session, template)


def sid_of(db: Database, template: Template) -> str:
    with db.read() as session:
        return session.scalars(select(TemplateRow.content_sid).where(TemplateRow.name == template.name)).one()


def approved(db: Database, twilio: FakeContents, now: datetime, templates: Templates = OURS) -> None:
    """Everything is pushed and approved, and we know."""
    push(db, twilio, templates, now)
    twilio.approves()
    refresh_status(db, twilio, templates, now)


def test_a_push_makes_each_template_hands_it_in_and_notes_it(db: Database, twilio: FakeContents, now: datetime) -> None:
    done = push(db, twilio, OURS, now)
    assert outcomes(done) == {"advert": "created", "lesson_news": "created"}
    assert twilio.calls == ["every", "create advert", "submit advert", "create lesson_news", "submit lesson_news"]
    found = [(row.name, row.language, row.version, row.status, row.category, row.checked_at) for row in rows(db)]
    assert found == [
        ("advert", "en", ADVERT.version, "received", "MARKETING", now),
        ("lesson_news", "en", NEWS.version, "received", "UTILITY", now),
    ]
    assert {row.content_sid for row in rows(db)} == set(twilio.files)
    assert (ready(db, NEWS), [one.ready for one in done]) == (None, [False, False])


def test_a_second_push_changes_nothing(db: Database, twilio: FakeContents, now: datetime) -> None:
    push(db, twilio, OURS, now)
    twilio.calls.clear()
    assert outcomes(push(db, twilio, OURS, now + timedelta(hours=1))) == {"advert": "unchanged", "lesson_news": "unchanged"}
    assert twilio.calls == ["every"]
    assert {row.checked_at for row in rows(db)} == {now}


def test_a_push_tells_how_far_it_is(db: Database, twilio: FakeContents, now: datetime) -> None:
    seen: list[tuple[int, int]] = []
    push(db, twilio, OURS, now, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_what_was_made_and_never_written_down_is_adopted_and_not_made_twice(
    db: Database, twilio: FakeContents, now: datetime
) -> None:
    made = twilio.create(NEWS)  # then the power went
    handed_in = twilio.create(ADVERT)
    twilio.submit(handed_in.sid, ADVERT)
    twilio.hears(handed_in.sid, status="approved")
    assert outcomes(push(db, twilio, OURS, now)) == {"advert": "adopted", "lesson_news": "adopted"}
    assert len(twilio.files) == 2
    assert twilio.files[made.sid].status == "received"
    assert ready(db, ADVERT) == handed_in.sid


def test_a_resource_of_somebody_else_is_left_alone(db: Database, twilio: FakeContents, now: datetime) -> None:
    other = twilio.create(replace(NEWS, name="other"))
    push(db, twilio, OURS, now)
    refresh_status(db, twilio, OURS, now)
    assert (twilio.files[other.sid], len(rows(db))) == (other, 2)


def test_of_two_with_one_name_the_approved_one_counts_and_else_the_one_we_know(
    db: Database, twilio: FakeContents, now: datetime
) -> None:
    first, second = twilio.create(NEWS), twilio.create(NEWS)
    twilio.hears(second.sid, status="pending", category="UTILITY")
    for heard, taken in (({}, second), ({"status": "pending"}, second), ({"status": "approved"}, first)):
        twilio.hears(first.sid, category="UTILITY", **heard)
        push(db, twilio, gathered([NEWS]), now)
        assert sid_of(db, NEWS) == taken.sid
    twilio.approves()
    assert outcomes(push(db, twilio, gathered([NEWS]), now)) == {"lesson_news": "unchanged"}
    assert (ready(db, NEWS), len(twilio.files)) == (first.sid, 2)


def test_a_template_that_twilio_refuses_keeps_no_other_from_its_turn(
    db: Database, twilio: FakeContents, now: datetime
) -> None:
    twilio.fails = lambda what, name: REFUSED if (what, name) == ("create", "advert") else None
    first, second = push(db, twilio, OURS, now)
    assert (first.outcome, first.status, first.because, first.ready) == ("refused", "not pushed", "error 20001", False)
    assert (second.outcome, [row.name for row in rows(db)]) == ("created", ["lesson_news"])


def test_what_was_made_and_not_handed_in_is_handed_in_by_the_next_push(
    db: Database, twilio: FakeContents, now: datetime
) -> None:
    twilio.fails = lambda what, name: REFUSED if (what, name) == ("submit", "advert") else None
    assert outcomes(push(db, twilio, OURS, now)) == {"advert": "refused", "lesson_news": "created"}
    twilio.fails = lambda *_: None
    assert outcomes(push(db, twilio, OURS, now)) == {"advert": "adopted", "lesson_news": "unchanged"}
    assert [row.status for row in rows(db)] == ["received", "received"]
    assert len(twilio.files) == 2


def test_a_push_that_loses_twilio_half_way_goes_on_from_there(db: Database, twilio: FakeContents, now: datetime) -> None:
    twilio.fails = lambda what, name: AWAY if (what, name) == ("submit", "lesson_news") else None
    with pytest.raises(ProviderAway):
        push(db, twilio, OURS, now)
    assert [row.name for row in rows(db)] == ["advert"]
    twilio.fails = lambda *_: None
    assert outcomes(push(db, twilio, OURS, now)) == {"advert": "unchanged", "lesson_news": "adopted"}
    assert len(twilio.files) == 2


def test_handing_in_what_was_handed_in_by_somebody_faster_is_no_failure(
    db: Database, twilio: FakeContents, now: datetime
) -> None:
    twilio.fails = lambda what, _: ProviderAway(400, 92009) if what == "submit" else None
    assert outcomes(push(db, twilio, OURS, now)) == {"advert": "created", "lesson_news": "created"}
    assert [(row.status, row.category) for row in rows(db)] == [("received", "MARKETING"), ("received", "UTILITY")]


def test_what_was_deleted_at_twilio_is_made_again(db: Database, twilio: FakeContents, now: datetime) -> None:
    approved(db, twilio, now)
    gone = sid_of(db, NEWS)
    del twilio.files[gone]
    news = refresh_status(db, twilio, OURS, now)[1]
    assert (news.status, news.ready, ready(db, NEWS)) == ("missing", False, None)
    assert [case.flags for case in cases(db)] == [[NEWS.friendly_name, "missing"]]
    twilio.files["HX" + "f" * 32] = OnFile("HX" + "f" * 32, "another")  # so that the fake counts on
    assert outcomes(push(db, twilio, OURS, now)) == {"advert": "unchanged", "lesson_news": "created"}
    assert len(rows(db)) == 2
    twilio.approves()
    refresh_status(db, twilio, OURS, now)
    assert ready(db, NEWS) == sid_of(db, NEWS)


def test_an_approved_template_may_be_sent_by_its_sid(db: Database, twilio: FakeContents, now: datetime) -> None:
    approved(db, twilio, now)
    assert (ready(db, NEWS), ready(db, ADVERT)) == (sid_of(db, NEWS), sid_of(db, ADVERT))
    assert cases(db) == []


@pytest.mark.parametrize("status", ["received", "pending"])
def test_what_whatsapp_still_looks_at_waits_and_troubles_nobody(
    db: Database, twilio: FakeContents, now: datetime, status: str
) -> None:
    push(db, twilio, OURS, now)
    twilio.hears(sid_of(db, NEWS), status=status)
    refresh_status(db, twilio, OURS, now + timedelta(hours=1))
    assert (ready(db, NEWS), cases(db)) == (None, [])
    assert {row.checked_at for row in rows(db)} == {now + timedelta(hours=1)}


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ({"status": "rejected", "because": "INVALID_FORMAT"}, "rejected"),
        ({"status": "paused"}, "paused"),
        ({"status": "disabled"}, "disabled"),
        ({"status": "flagged"}, "flagged"),
        ({"category": "MARKETING"}, "category MARKETING instead of UTILITY"),
        ({"category": ""}, "category unknown instead of UTILITY"),
    ],
)
def test_a_template_that_whatsapp_thinks_otherwise_of_is_held_and_one_case_tells_the_office(
    db: Database, twilio: FakeContents, now: datetime, word: dict[str, str], why: str
) -> None:
    approved(db, twilio, now)
    twilio.hears(sid_of(db, NEWS), **word)
    for hours in range(3):
        standing = refresh_status(db, twilio, OURS, now + timedelta(hours=hours))[1]
        assert (standing.ready, standing.because) == (False, word.get("because", "") or why)
    assert (ready(db, NEWS), ready(db, ADVERT)) == (None, sid_of(db, ADVERT))
    (case,) = cases(db)
    assert (case.person_id, case.kind, case.flags, case.state) == (None, "template", [NEWS.friendly_name, why], "open")


def test_re_classed_before_its_approval_it_is_told_at_once(db: Database, twilio: FakeContents, now: datetime) -> None:
    push(db, twilio, OURS, now)
    twilio.hears(sid_of(db, NEWS), status="pending", category="MARKETING")
    refresh_status(db, twilio, OURS, now)
    assert [case.flags[1] for case in cases(db)] == ["category MARKETING instead of UTILITY"]


def test_a_case_says_the_latest_reason_and_a_closed_one_is_not_opened_again(
    db: Database, twilio: FakeContents, now: datetime
) -> None:
    approved(db, twilio, now)
    twilio.hears(sid_of(db, NEWS), status="paused")
    refresh_status(db, twilio, OURS, now)
    twilio.hears(sid_of(db, NEWS), status="disabled")
    refresh_status(db, twilio, OURS, now)
    assert [case.flags for case in cases(db)] == [[NEWS.friendly_name, "disabled"]]
    with db.write() as session:
        _close(session)
    refresh_status(db, twilio, OURS, now)
    assert [case.state for case in cases(db)] == ["closed", "open"]


def test_two_templates_in_trouble_are_two_cases(db: Database, twilio: FakeContents, now: datetime) -> None:
    push(db, twilio, OURS, now)
    for sid in list(twilio.files):
        twilio.hears(sid, status="rejected")
    refresh_status(db, twilio, OURS, now)
    assert {case.flags[0] for case in cases(db)} == {NEWS.friendly_name, ADVERT.friendly_name}


def test_a_pause_that_ends_lets_the_template_go_again(db: Database, twilio: FakeContents, now: datetime) -> None:
    approved(db, twilio, now)
    for status, may_go in (("paused", False), ("approved", True)):
        twilio.hears(sid_of(db, NEWS), status=status)
        refresh_status(db, twilio, OURS, now)
        assert (ready(db, NEWS) is not None) is may_go


def test_a_changed_text_is_a_version_of_its_own_that_waits_for_its_own_approval(
    db: Database, twilio: FakeContents, now: datetime
) -> None:
    approved(db, twilio, now)
    other = replace(NEWS, body="Enterprise4all: your lesson {{1}} is somewhere else now.")
    theirs = gathered([other, ADVERT])
    assert ready(db, other) is None
    assert outcomes(push(db, twilio, theirs, now)) == {"advert": "unchanged", "lesson_news": "created"}
    assert (ready(db, other), ready(db, NEWS) is not None) == (None, True)
    twilio.approves()
    refresh_status(db, twilio, theirs, now)
    assert (ready(db, other) is not None, ready(db, other) != ready(db, NEWS)) == (True, True)


def test_what_was_never_pushed_says_so_and_is_no_case(db: Database, twilio: FakeContents, now: datetime) -> None:
    found = refresh_status(db, twilio, OURS, now)
    assert [(one.status, one.ready, one.outcome) for one in found] == [("not pushed", False, None)] * 2
    assert (cases(db), rows(db)) == ([], [])


def test_a_look_that_twilio_does_not_answer_changes_nothing(db: Database, twilio: FakeContents, now: datetime) -> None:
    approved(db, twilio, now)
    twilio.fails = lambda *_: AWAY
    with pytest.raises(ProviderAway):
        refresh_status(db, twilio, OURS, now + timedelta(hours=1))
    assert ready(db, NEWS) is not None
    assert {row.checked_at for row in rows(db)} == {now}


def _close(session: Session) -> None:
    for case in session.scalars(select(OfficeCase)):
        case.state = "closed"
