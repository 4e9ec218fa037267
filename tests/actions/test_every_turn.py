"""What is true of every handler and every turn there can be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from actions import HANDLERS
from bot.effects import AlertSafeguarding, Ask, Effect, Grant, MoveNumber, NotUnderstood, Say, Withdraw
from bot.texts import load_texts
from bot.turn import (
    CONSENTABLE,
    Agreement,
    Coming,
    ConsentState,
    Enrolment,
    Heard,
    Kind,
    Lesson,
    Message,
    Parse,
    Pending,
    Person,
    Phone,
    Plan,
    ReminderChoice,
    Turn,
    Wish,
    WishKind,
)
from tests.test_intents_have_homes import INTENTS

TEXTS = load_texts()
FLAGS = ["immediate", "watched", "domestic", "about_other", "about_staff", "secrecy", "for_other"]
GROUP_LINK = "groups.example.org/"
PRIVATE = "Qx7private"  # in every value that only the person it belongs to may see

moments = st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (bounds are naive)
days = moments.map(datetime.date)
intents = st.sampled_from([*INTENTS, "nlu_fallback"])
scores = st.floats(0, 1)
texts = st.text(max_size=60) | st.sampled_from(
    ["STOP", "is 01254 693 999 you", "{", "{}", "{course}", "%s", "00441254693999"]
)
private = st.text(max_size=20).map(lambda text: text + PRIVATE)
kinds = st.sampled_from(get_args(Kind))
flags = st.frozensets(st.sampled_from(FLAGS))

messages = st.builds(
    Message, sid=st.just("SM1"), kind=kinds, text=texts, received_at=moments, forwarded=st.booleans(), button=texts
)
people = st.builds(
    Person,
    id=st.just(1),
    known=st.booleans(),
    first_name=st.just("") | private,
    language=st.sampled_from([*TEXTS.by_language, "", "xx", "pl-PL"]),
    roles=st.frozensets(st.sampled_from(["trainer", "admin", "safeguarding", "read-only"])),
)
lessons = st.builds(
    lambda start, length, **rest: Lesson(starts_at=start, ends_at=start + length, **rest),
    start=moments,
    length=st.timedeltas(timedelta(minutes=1), timedelta(hours=8)),
    code=private,
    course=private,
    title=private,
    place=st.just("") | private,
    link=st.just("") | private,
    cancelled=st.booleans(),
)
enrolments = st.builds(
    Enrolment,
    course=private,
    name=private,
    cohort=private,
    starts_on=days,
    ends_on=st.none() | days,
    trainer=st.just("") | private,
    group_link=st.just(GROUP_LINK + PRIVATE),
)
phones = st.builds(
    Phone,
    value=st.sampled_from(["+447700900555", "+441254693999"]),
    shown=private,
    whose=st.sampled_from(["free", "met", "theirs", "taken"]),
    alone=st.booleans(),
)
agreements = st.builds(
    Agreement,
    purpose=st.sampled_from(CONSENTABLE),
    on=days,
    how=st.sampled_from(["declaration", "chat", "staff"]),
    wording=st.just("") | private,
    holds=st.booleans(),
)
wishes = st.builds(Wish, st.sampled_from(get_args(WishKind)), st.none() | moments)
comings = st.builds(Coming, st.sampled_from([plan for plan in get_args(Plan) if plan]), moments, private)
turns = st.builds(
    Turn,
    message=messages,
    person=people,
    now=moments,
    parse=st.none()
    | st.builds(
        Parse, intents, scores, st.lists(st.tuples(intents, scores), max_size=5, unique_by=lambda one: one[0]).map(tuple)
    ),
    heard=st.lists(st.builds(Heard, intents, st.sampled_from(["exact", "rule"]), st.booleans(), flags), max_size=3).map(
        tuple
    ),
    wish=st.none() | wishes,
    reminders=st.sampled_from(get_args(ReminderChoice)),
    quiet_until=st.none() | moments,
    quoted=st.none() | lessons,
    coming=st.lists(comings, max_size=5).map(tuple),
    enrolments=st.lists(enrolments, max_size=3).map(tuple),
    lessons=st.lists(lessons, max_size=5).map(tuple),
    pending=st.none() | st.builds(Pending, texts, st.dictionaries(texts, intents, max_size=2), moments),
    answer=texts,
    consent=st.dictionaries(st.sampled_from(CONSENTABLE), st.sampled_from(get_args(ConsentState))),
    restorable=st.frozensets(st.sampled_from(CONSENTABLE)),
    withdrawn_at=st.none() | moments,
    misses=st.integers(0, 5),
    warned_at=st.none() | moments,
    open_cases=st.frozensets(st.sampled_from([*INTENTS, "nlu_away", "not_understood", "voice"]), max_size=3),
    on_hold=st.booleans(),
    watched=st.booleans(),
    alerted=st.booleans(),
    held_lately=st.booleans(),
    overtaken=st.booleans(),
    phone=st.none() | phones,
    phone_asked=st.none() | phones,
    number_moved=st.booleans(),
    left_group=st.booleans(),
    agreed=st.lists(agreements, max_size=3).map(tuple),
    rules_url=st.just("") | st.just("https://e4a.example.org/rules/1"),
    nlu_away=st.booleans(),
)
handlers = st.sampled_from(sorted(HANDLERS))


def said(effects: list[Effect]) -> list[Say]:
    found = [effect for effect in effects if isinstance(effect, Say)]
    found += [effect.say for effect in effects if isinstance(effect, Ask)]
    for effect in effects:
        if isinstance(effect, AlertSafeguarding):
            found += [*effect.if_told, *effect.if_not_told]
    return found


@given(handlers, turns)
def test_no_handler_raises_and_all_it_says_can_be_shown(name: str, turn: Turn) -> None:
    for one in said(HANDLERS[name](turn)):
        assert TEXTS.render(turn.person.language, one.key, one.values).strip()


@given(handlers, turns)
def test_a_stranger_is_told_nothing_that_belongs_to_anybody(name: str, turn: Turn) -> None:
    if turn.person.known:
        return
    for one in said(HANDLERS[name](turn)):
        assert PRIVATE not in TEXTS.render(turn.person.language, one.key, one.values)


@given(handlers, turns)
def test_a_group_link_goes_to_learners_who_ask_for_it_and_to_nobody_else(name: str, turn: Turn) -> None:
    for one in said(HANDLERS[name](turn)):
        if GROUP_LINK in TEXTS.render(turn.person.language, one.key, one.values):
            assert name == "request_group_link"
            assert turn.person.known
            assert dict(one.values)["link"] in {enrolment.group_link for enrolment in turn.enrolments}


@given(handlers, turns)
def test_a_handler_asks_one_question_at_most_and_its_answers_lead_somewhere(name: str, turn: Turn) -> None:
    questions = [effect for effect in HANDLERS[name](turn) if isinstance(effect, Ask)]
    assert len(questions) <= 1
    assert all(handler in HANDLERS for question in questions for handler in question.options.values())


@given(handlers, turns)
def test_the_same_turn_is_decided_the_same_way_twice(name: str, turn: Turn) -> None:
    assert HANDLERS[name](turn) == HANDLERS[name](turn)


@given(handlers, turns)
def test_only_a_yes_of_their_own_grants_anything_and_only_opting_out_withdraws(name: str, turn: Turn) -> None:
    effects = HANDLERS[name](turn)
    if any(isinstance(effect, Grant) for effect in effects):
        assert name in ("opt_in_service", "opt_in_checkin", "opt_in_marketing", "opt_in_after_leaving")
    if any(isinstance(effect, Withdraw) for effect in effects):
        assert name in ("opt_out", "opt_out_unsure", "opt_out_marketing", "opt_out_checkin", "wrong_number")
    if any(isinstance(effect, MoveNumber) for effect in effects):
        assert name == "change_number_yes"


@given(turns)
def test_what_was_not_understood_is_counted(turn: Turn) -> None:
    assert NotUnderstood() in HANDLERS["not_understood"](turn)
    assert NotUnderstood() in HANDLERS["unsure"](turn)
