"""What becomes of a message that Twilio fails, code by code: again, otherwise, or a person; never twice, never silently."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from bot import outbox
from bot.database import Database
from bot.models import Audit, CaseMessage, ContactPoint, OfficeCase, Outbound, Stop
from bot.status import ERASED
from bot.whatsapp import Outcome, StatusUpdate, remedy
from tests.bot.rooms import (
    AMINA,
    BILAL,
    SECOND,
    TERMS,
    Clock,
    Stage,
    a_learner,
    a_member_of_staff,
    another_phone,
    consent_of,
    only,
    owe,
    rows,
    states,
)
from tests.bot.templates import ready

DAY = timedelta(days=1)
TEMPLATE = {"template": "lesson_reminder", "use": "lesson_reminder"}
LESSON = {"lesson": "Pricing", "starts_at": "Mon 30 Nov, 10:00", "place": "Room 4"}


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A learner who consented to everything and wrote just now."""
    a_learner(db, AMINA, now=now)
    return Stage(db, Clock(now))


def sent(stage: Stage) -> Outbound:
    """The next message goes out and Twilio takes it; its row."""
    one = outbox.claim(stage.db, TERMS, stage.clock())
    assert one is not None
    outbox.record(stage.db, TERMS, one.outbound_id, Outcome("accepted", f"SMf{one.outbound_id:031d}"), stage.clock())
    return only(stage.db, Outbound, Outbound.id == one.outbound_id)


def fails(stage: Stage, row: Outbound, code: int | None, status: str = "undelivered") -> None:
    """Twilio says, later, that it could not deliver it; twice, as it does."""
    for _ in range(2):
        with stage.db.write() as session:
            outbox.advance(session, TERMS, row.id, StatusUpdate(row.sid or "", status, code), stage.clock())


def cases(stage: Stage) -> list[tuple[str, list[str]]]:
    """Kind and details of every case."""
    return [(case.kind, case.flags) for case in rows(stage.db, OfficeCase)]


@pytest.mark.parametrize("code", [63009, 63018, 63038, 63029, 63041])
def test_what_failed_for_a_time_is_sent_again_after_each_wait_and_then_given_up(stage: Stage, code: int) -> None:
    far = stage.clock() + 30 * DAY
    owe(stage.db, AMINA, stage.clock(), use="lesson_reminder", best_before=far, urgent=True, template="lesson_reminder")
    with stage.db.write() as session:
        session.get_one(Outbound, 1).variables = LESSON
        ready(session, "lesson_reminder", stage.clock())
    for wait in remedy(code).waits:
        fails(stage, sent(stage), code)
        assert outbox.claim(stage.db, TERMS, stage.clock() + wait - SECOND) is None
        stage.clock.wait(wait)
    fails(stage, sent(stage), code)
    assert outbox.claim(stage.db, TERMS, stage.clock() + 7 * DAY) is None
    waits = len(remedy(code).waits)
    assert states(stage.db) == [("failed", "SENT_AGAIN")] * waits + [("failed", "RETRIES_SPENT")]


def test_an_answer_that_was_sent_again_is_a_case_only_when_that_failed_too(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "thanks")
    row = only(stage.db, Outbound)
    for _ in remedy(63009).waits:
        fails(stage, row, 63009)
        assert rows(stage.db, CaseMessage) == []
        stage.clock.wait(timedelta(minutes=15))
        row = sent(stage)
    fails(stage, row, 63009)
    assert cases(stage) == [("undelivered", [])]


def test_what_arrived_after_all_is_not_sent_again(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock())
    row = sent(stage)
    fails(stage, row, 63009)
    with stage.db.write() as session:
        outbox.advance(session, TERMS, row.id, StatusUpdate(row.sid or "", "delivered"), stage.clock())
    assert states(stage.db) == [("delivered", "SENT_AGAIN"), ("withheld", "ARRIVED_AFTER_ALL")]


def test_what_would_be_old_by_the_time_it_is_sent_again_is_not(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock(), best_before=stage.clock() + SECOND)
    fails(stage, sent(stage), 63038)
    assert states(stage.db) == [("failed", "RETRIES_SPENT")]
    assert cases(stage) == [("undelivered", [])]


@pytest.mark.parametrize("code", [63003, 63014, 63024, 21211])
def test_a_dead_number_is_no_withdrawal_and_their_next_message_clears_it(stage: Stage, code: int) -> None:
    owe(stage.db, AMINA, stage.clock(), urgent=True)
    fails(stage, sent(stage), code)
    owe(stage.db, AMINA, stage.clock(), key="next", urgent=True)
    assert outbox.claim(stage.db, TERMS, stage.clock()) is None
    assert states(stage.db, Outbound.key == "next") == [("withheld", "BLOCKED_BY_USER")]
    assert consent_of(stage.db, AMINA) == ["given"] * 3
    assert cases(stage) == [("unreachable", [])]
    stage.clock.wait(SECOND)
    stage.hears(AMINA, "hello")
    owe(stage.db, AMINA, stage.clock(), key="after", urgent=True)
    stage.works()
    assert states(stage.db, Outbound.key == "after") == [("accepted", None)]


def test_old_news_of_a_dead_number_counts_no_more_once_they_have_written(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock())
    row = sent(stage)
    stage.clock.wait(SECOND)
    stage.hears(AMINA, "hello")
    fails(stage, row, 63014)
    assert only(stage.db, ContactPoint).unreachable_at is None


def test_a_shut_window_is_believed_and_a_template_goes_once(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock(), **TEMPLATE, variables=LESSON)
    with stage.db.write() as session:
        sid = ready(session, "lesson_reminder", stage.clock())
    fails(stage, sent(stage), 63016)
    stage.clock.wait(2 * SECOND)
    again = outbox.claim(stage.db, TERMS, stage.clock())
    assert again is not None
    assert (again.body, again.content_sid, again.variables) == (
        "",
        sid,
        {"1": "Pricing", "2": "Mon 30 Nov, 10:00", "3": "Room 4"},
    )
    outbox.record(stage.db, TERMS, again.outbound_id, Outcome("accepted", "SM" + "9" * 32), stage.clock())
    fails(stage, only(stage.db, Outbound, Outbound.id == again.outbound_id), 63016)
    assert outbox.claim(stage.db, TERMS, stage.clock() + DAY) is None


def test_free_text_that_came_too_late_for_the_window_goes_no_more_and_the_next_is_withheld(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "thanks")
    fails(stage, only(stage.db, Outbound), 63016)
    owe(stage.db, AMINA, stage.clock(), key="next", purpose="reply")
    assert outbox.claim(stage.db, TERMS, stage.clock()) is None
    assert states(stage.db) == [("failed", None), ("withheld", "WINDOW_CLOSED_NO_TEMPLATE")]
    assert cases(stage) == [("undelivered", [])]
    stage.clock.wait(SECOND)
    assert stage.hears_and_works(AMINA, "thanks") != []


def test_an_opt_out_that_twilio_holds_is_ours_too(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock(), key="a")
    owe(stage.db, AMINA, stage.clock(), key="b", due_at=stage.clock() + DAY)
    fails(stage, sent(stage), 21610, "failed")
    assert consent_of(stage.db, AMINA) == ["withdrawn"] * 3
    assert states(stage.db, Outbound.key == "b") == [("withheld", "OPTED_OUT")]
    assert [row.act for row in rows(stage.db, Audit)] == ["consent_withdraw"]


def test_who_told_whatsapp_that_they_want_no_marketing_gets_none_from_us(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock(), purpose="marketing")
    fails(stage, sent(stage), 63033)
    assert consent_of(stage.db, AMINA) == ["given", "given", "withdrawn"]


@pytest.mark.parametrize("code", [63049, 63032])
def test_marketing_that_whatsapp_does_not_deliver_is_dropped_and_changes_nothing_else(stage: Stage, code: int) -> None:
    owe(stage.db, AMINA, stage.clock(), purpose="marketing")
    fails(stage, sent(stage), code)
    assert (states(stage.db), cases(stage)) == ([("failed", None)], [])
    assert consent_of(stage.db, AMINA) == ["given"] * 3


def test_our_own_mistake_is_one_case_for_the_office_however_often_it_happens(stage: Stage) -> None:
    for key in "ab":
        owe(stage.db, AMINA, stage.clock(), key=key, urgent=True)
        fails(stage, sent(stage), 63013)
    assert cases(stage) == [("our_bug", ["63013", "service"])]


@pytest.mark.parametrize("code", [63040, 63042])
def test_a_template_that_is_gone_is_not_used_again_until_it_was_looked_at(stage: Stage, code: int) -> None:
    with stage.db.write() as session:
        ready(session, "lesson_reminder", stage.clock())
        only_point = session.get_one(ContactPoint, 1)
        only_point.last_inbound_at = stage.clock() - 2 * DAY
    for key in "ab":
        owe(stage.db, AMINA, stage.clock(), key=key, **TEMPLATE, variables=LESSON)
    fails(stage, sent(stage), code)
    assert outbox.claim(stage.db, TERMS, stage.clock()) is None
    assert states(stage.db) == [("failed", None), ("queued", "WINDOW_CLOSED_NO_TEMPLATE")]
    assert cases(stage) == [("template_gone", [str(code), "lesson_reminder"])]


def test_a_code_that_nobody_thought_of_drops_the_message_alone(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock())
    fails(stage, sent(stage), 99999)
    assert (states(stage.db), cases(stage)) == ([("failed", None)], [("undelivered", [])])


def test_a_provider_that_did_not_answer_is_an_unknown_outcome_and_nothing_is_repeated(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock())
    fails(stage, sent(stage), 30410, "failed")
    assert states(stage.db) == [("unknown", None)]
    assert outbox.claim(stage.db, TERMS, stage.clock() + DAY) is None


@pytest.mark.parametrize("at_once", [True, False])
def test_when_twilio_refuses_us_ourselves_everything_waits_and_one_now_and_then_tries_the_door(
    stage: Stage, at_once: bool
) -> None:
    a_learner(stage.db, BILAL, now=stage.clock())
    for key, phone in (("a", AMINA), ("b", BILAL)):
        owe(stage.db, phone, stage.clock(), key=key, urgent=True)
    if at_once:
        one = outbox.claim(stage.db, TERMS, stage.clock())
        assert one is not None
        outbox.record(stage.db, TERMS, one.outbound_id, Outcome("retry", error_code=20003), stage.clock())
    else:
        fails(stage, sent(stage), 63051)
    assert outbox.claim(stage.db, TERMS, stage.clock()) is None
    assert cases(stage) == [("sending_stopped", ["20003" if at_once else "63051"])]
    stage.clock.wait(timedelta(minutes=1))
    row = sent(stage)
    assert (rows(stage.db, Stop) == []) == at_once  # what was refused at once is open when one is taken
    with stage.db.write() as session:
        outbox.advance(session, TERMS, row.id, StatusUpdate(row.sid or "", "sent"), stage.clock())
    stage.works()
    assert rows(stage.db, Stop) == []
    gone = [row.key for row in rows(stage.db, Outbound) if row.state in ("accepted", "sent")]
    assert sorted(gone) == (["a", "b"] if at_once else ["a~1", "b"])


@pytest.mark.parametrize("at_once", [True, False])
def test_of_many_that_are_refused_at_the_same_moment_none_is_lost_and_the_office_hears_once(
    stage: Stage, at_once: bool
) -> None:
    phones = [f"+4477009005{n:02}" for n in range(8)]
    for phone in phones:
        a_learner(stage.db, phone, now=stage.clock())
        owe(stage.db, phone, stage.clock(), key=phone, urgent=True)
    leased = [outbox.claim(stage.db, TERMS, stage.clock()) for _ in phones]
    together = threading.Barrier(len(phones), timeout=20)

    def refused(one: outbox.Sending | None) -> None:
        assert one is not None
        together.wait()
        code = Outcome("retry" if at_once else "refused", error_code=63007)
        outbox.record(stage.db, TERMS, one.outbound_id, code, stage.clock())

    with ThreadPoolExecutor(len(phones)) as pool:
        list(pool.map(refused, leased))
    assert cases(stage) == [("sending_stopped", ["63007"])]
    waiting = rows(stage.db, Outbound, Outbound.state == "queued")
    assert len(waiting) == len(phones)


def test_the_same_mistake_in_many_at_once_is_one_case(stage: Stage) -> None:
    phones = [f"+4477009005{n:02}" for n in range(8)]
    for phone in phones:
        a_learner(stage.db, phone, now=stage.clock())
        owe(stage.db, phone, stage.clock(), key=phone, urgent=True)
    leased = [outbox.claim(stage.db, TERMS, stage.clock()) for _ in phones]

    def refused(one: outbox.Sending | None) -> None:
        assert one is not None
        outbox.record(stage.db, TERMS, one.outbound_id, Outcome("refused", error_code=21656), stage.clock())

    with ThreadPoolExecutor(len(phones)) as pool:
        list(pool.map(refused, leased))
    assert cases(stage) == [("our_bug", ["21656", "service"])]


def test_a_notice_that_is_lost_for_want_of_an_answer_from_twilio_is_for_the_office(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock(), urgent=True, best_before=stage.clock() + SECOND)
    one = outbox.claim(stage.db, TERMS, stage.clock())
    assert one is not None
    outbox.record(stage.db, TERMS, one.outbound_id, Outcome("retry"), stage.clock())
    assert (states(stage.db), cases(stage)) == ([("failed", "RETRIES_SPENT")], [("undelivered", [])])


def test_late_news_of_a_shut_window_does_not_shut_one_that_was_opened_since(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "thanks")
    row = only(stage.db, Outbound)
    stage.clock.wait(SECOND)
    stage.hears(AMINA, "thanks again")
    stage.clock.wait(SECOND)
    fails(stage, row, 63016)
    stage.works()
    assert states(stage.db) == [("failed", None), ("accepted", None)]


def test_news_of_what_was_sent_before_a_stop_does_not_end_it(stage: Stage) -> None:
    a_learner(stage.db, BILAL, now=stage.clock())
    owe(stage.db, BILAL, stage.clock(), key="yesterday", urgent=True)
    old = sent(stage)
    stage.clock.wait(SECOND)
    owe(stage.db, AMINA, stage.clock(), urgent=True)
    fails(stage, sent(stage), 63051)
    stage.clock.wait(SECOND)
    with stage.db.write() as session:
        outbox.advance(session, TERMS, old.id, StatusUpdate(old.sid or "", "read"), stage.clock())
    assert [stop.error_code for stop in rows(stage.db, Stop)] == [63051]


def test_a_notice_that_fails_while_its_learner_moves_goes_to_the_new_phone(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock(), urgent=True)
    row = sent(stage)
    stage.clock.wait(SECOND)
    another_phone(stage.db, AMINA, BILAL, stage.clock())
    with stage.db.write() as session:
        session.get_one(ContactPoint, row.contact_point_id).disowned_at = stage.clock()
    fails(stage, row, 63018)
    stage.clock.wait(timedelta(minutes=1))
    again = outbox.claim(stage.db, TERMS, stage.clock())
    assert again is not None
    assert again.to == BILAL


def test_what_was_on_its_way_to_somebody_erased_ends_there(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock(), purpose="reply")
    one = outbox.claim(stage.db, TERMS, stage.clock())
    assert one is not None
    with stage.db.write() as session:
        session.get_one(Outbound, one.outbound_id).reason = ERASED
    outbox.record(stage.db, TERMS, one.outbound_id, Outcome("retry", error_code=20429), stage.clock())
    assert (states(stage.db), cases(stage)) == ([("failed", ERASED)], [])
    assert outbox.claim(stage.db, TERMS, stage.clock() + timedelta(hours=1)) is None


def test_while_everything_waits_whoever_is_at_risk_is_answered_all_the_same(stage: Stage) -> None:
    with stage.db.write() as session:
        now = stage.clock()
        session.add(Stop(name="sending", since=now, until=now + DAY, error_code=63051, by_callback=True, tries=1))
    owe(stage.db, AMINA, stage.clock(), key="a", purpose="reply")
    owe(stage.db, AMINA, stage.clock(), key="b", purpose="safety")
    stage.works()
    assert states(stage.db) == [("queued", None), ("accepted", None)]


def test_admins_are_mailed_once_of_trouble_with_the_service_itself(stage: Stage) -> None:
    a_member_of_staff(stage.db, "A01", "admin", now=stage.clock(), email="helen@example.org")
    owe(stage.db, AMINA, stage.clock())
    fails(stage, sent(stage), 63051)
    stage.works()
    stage.works()
    assert [mail.to for mail in stage.mail.mails] == ["helen@example.org"]
    assert "sending_stopped" in stage.mail.mails[0].body
