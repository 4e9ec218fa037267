"""A made-up college lives through made-up weeks: nothing is sent that may not be sent then, nothing twice, nothing lost.

The rules are written down a second time in model_rules.py and model_turns.py; they share nothing with the service. The same
lives every time. Others: `MODEL_STEPS=100000 MODEL_SEED=1000 pytest tests/bot/test_model.py --timeout=0`; a life that failed
gives its seed, and MODEL_SHRINK=1 shortens it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from bot.database import Database
from tests.bot.model_rules import ALL
from tests.bot.model_turns import NO, START, STOP, TEXTS, THANKS, UNSURE, YES
from tests.bot.model_twilio import LATER, NOT_NOW, REFUSALS
from tests.bot.model_world import AMINAS_OTHER, DORA, STARTS, TEMPLATES, World
from tests.bot.rooms import AMINA, BILAL, CARLA
from tests.conftest import sweep

STEPS = 60  # of one life; each is several things that happen: 500 in all, and as often again in the workers
ONE_LIFE = settings(
    max_examples=2,  # the first is always the shortest there is
    stateful_step_count=STEPS,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink) if "MODEL_SHRINK" in os.environ else (Phase.generate,),  # to shorten takes minutes
    suppress_health_check=list(HealthCheck),
)
LIVES = {"sqlite": 7, "postgresql": 1}
PHONES = (AMINA, AMINAS_OTHER, BILAL, CARLA, DORA)
LEARNERS = {AMINA: 0, AMINAS_OTHER: 0, BILAL: 1, CARLA: 2}
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WAITS = (
    SECOND,
    5 * SECOND,
    30 * SECOND,
    2 * MINUTE,
    11 * MINUTE,
    HOUR,
    5 * HOUR,
    14 * HOUR,
    DAY - 5 * MINUTE,
    DAY,
    2 * DAY,
    8 * DAY,
)
TROUBLE = st.one_of(
    st.tuples(st.just("refuses"), st.sampled_from(REFUSALS)),
    st.tuples(st.just("no room"), st.sampled_from(NOT_NOW)),
    st.tuples(st.just("fails later"), st.sampled_from(LATER)),
    st.sampled_from([(w, None) for w in ("answer lost", "answer and news lost", "question lost", "away")]),
)
PURPOSES = st.sets(st.sampled_from(ALL), min_size=1).map(lambda some: tuple(p for p in ALL if p in some))
NUMBER = st.integers(0, 99)
PLANS = st.fixed_dictionaries(
    {
        "purpose": st.sampled_from(("service", "checkin", "marketing")),
        "urgent": st.sampled_from((False, False, True)),
        "template": st.sampled_from((None, None, *TEMPLATES, *TEMPLATES)),
        "use": st.sampled_from(("lesson_reminder", "course_update")),
    }
)
WHEN = st.tuples(  # how long it is good for from when it is due, and how soon that is
    st.sampled_from((None, None, None, HOUR, 9 * HOUR, 30 * HOUR, 6 * DAY)),
    st.sampled_from((0 * DAY, 0 * DAY, 0 * DAY, MINUTE, 3 * HOUR, DAY)),
)
When = tuple[timedelta | None, timedelta]
OFTEN = st.sampled_from((True, True, True, False))
LEARNER = st.integers(0, 2)
DAYS_AGO = st.sampled_from((None, None, 0, 1, 4))
WHILE = st.sampled_from((SECOND, HOUR, HOUR, 15 * HOUR, DAY - 5 * MINUTE))


class College(RuleBasedStateMachine):
    """The steps, in any order. `make` gives an empty database."""

    db: Database

    @initialize(where=st.sampled_from((STARTS[0], *STARTS)))
    def begins(self, where: tuple[datetime, date]) -> None:
        self.where = where

    @cached_property
    def world(self) -> World:
        """It begins with the first step that needs it."""
        sweep(self.db)
        return World(self.db, *self.where)

    @rule(phone=st.sampled_from(PHONES), text=st.sampled_from((*TEXTS, *[THANKS] * 12)), twice=st.booleans(), works=OFTEN)
    def a_message_comes(self, phone: str, text: str, *, twice: bool, works: bool) -> None:
        self.world.hears(phone, text, twice=twice)
        if works:
            self.world.works()

    @rule(
        phone=st.sampled_from(PHONES[1:4]),
        text=st.sampled_from((START, START, START, YES, YES, NO, STOP, STOP, UNSURE)),
        wait=WHILE,
    )
    def they_talk_about_stopping(self, phone: str, text: str, wait: timedelta) -> None:
        self.world.hears(phone, text)
        self.world.works()
        self.world.waits(wait)

    @rule(phone=st.sampled_from(PHONES), what=PLANS, when=WHEN, times=st.sampled_from((1, 1, 1, 1, 2, 12)), works=OFTEN)
    def something_is_planned(self, *, phone: str, what: dict[str, Any], when: When, times: int, works: bool) -> None:
        for _ in range(times):
            self.world.plans_one(phone, *when, what)
        if works:
            self.world.works()

    @rule(wait=st.sampled_from(WAITS), works=st.booleans())
    def time_passes(self, wait: timedelta, *, works: bool) -> None:
        self.world.waits(wait)
        if works:
            self.world.works()

    @rule(what=st.sampled_from(("all", "one turn", "leases a turn", "leases a message", "leases a message")))
    def a_worker_works(self, what: str) -> None:
        world = self.world
        steps = {"all": world.works, "one turn": world.works_on_turns, "leases a turn": world.takes_a_turn_in_hand}
        steps.get(what, world.leases)()

    @precondition(lambda self: self.world.turns_in_hand)
    @rule()
    def a_slow_worker_comes_to_its_turn(self) -> None:
        self.world.comes_to_the_turn()

    @rule()
    def a_worker_leases_a_message(self) -> None:
        self.world.leases()

    @precondition(lambda self: self.world.hands)
    @rule(place=NUMBER, dies=st.booleans())
    def it_asks_twilio(self, place: int, *, dies: bool) -> None:
        self.world.sends(place % len(self.world.hands), dies=dies)

    @precondition(lambda self: self.world.hands)
    @rule(place=NUMBER)
    def it_dies_with_a_message_in_hand(self, place: int) -> None:
        self.world.hands.pop(place % len(self.world.hands))

    @rule(trouble=st.lists(TROUBLE, min_size=1, max_size=3))
    def twilio_is_in_trouble(self, trouble: list[Any]) -> None:
        self.world.twilio.weather += trouble

    @rule(phone=st.sampled_from(PHONES), asks=st.booleans(), wait=st.sampled_from((SECOND, 2 * MINUTE, 11 * MINUTE)))
    def a_worker_dies_with_an_answer(self, phone: str, wait: timedelta, *, asks: bool) -> None:
        world = self.world
        world.hears(phone, THANKS)
        world.works_on_turns()
        if world.leases():
            world.sends(dies=True) if asks else world.hands.pop()
        world.waits(wait)
        world.works()

    @rule(phone=st.sampled_from(PHONES[1:4]), purpose=st.sampled_from(ALL), times=st.integers(1, 4), again=OFTEN)
    def a_campaign_runs_for_days(self, phone: str, purpose: str, times: int, *, again: bool = False) -> None:
        template = {"service": "lesson_late", "checkin": "check_in", "marketing": "opportunity"}[purpose]
        what = {"purpose": purpose, "urgent": False, "template": template, "use": "course_update"}
        if again:
            self.they_agree_to_everything_again(LEARNERS[phone])
        for _ in range(times):
            self.world.plans_one(phone, None, 0 * DAY, what)
            self.world.works()
            self.world.waits(14 * HOUR)
            self.world.works()

    @rule(phone=st.sampled_from(PHONES), first=st.sampled_from((START, STOP, UNSURE)), then=st.sampled_from((START, STOP)))
    def a_turn_is_taken_by_two_workers(self, phone: str, first: str, then: str) -> None:
        world = self.world
        world.works()
        world.hears(phone, first)
        world.takes_a_turn_in_hand()
        world.waits(16 * SECOND)
        world.works()
        world.hears(phone, then)
        world.works()
        while world.turns_in_hand:
            world.comes_to_the_turn()

    @rule(phone=st.sampled_from(PHONES[:4]), purpose=st.sampled_from(ALL), before=st.sampled_from((5, 15)))
    def something_is_planned_as_the_window_closes(self, phone: str, purpose: str, before: int) -> None:
        self.world.hears(phone, THANKS)
        self.world.works()
        self.world.waits(DAY - before * MINUTE)
        what = {"purpose": purpose, "urgent": True, "template": None, "use": "course_update"}
        self.world.plans_one(phone, None, 0 * DAY, what)
        self.world.works()

    @rule(phone=st.sampled_from(PHONES[:4]), text=st.sampled_from((STOP, "wrong number", THANKS)), dies=st.booleans())
    def a_no_waits_to_be_read_while_a_notice_is_due(self, phone: str, text: str, *, dies: bool) -> None:
        world = self.world
        self.they_agree_to_everything_again(LEARNERS[phone])
        world.works()
        what = {"purpose": "service", "urgent": True, "template": "lesson_reminder", "use": "lesson_reminder"}
        world.plans_one(phone, None, 0 * DAY, what)
        world.hears(phone, text)
        if dies:
            world.takes_a_turn_in_hand()
        world.leases()

    @rule(phone=st.sampled_from(PHONES[:4]), who=LEARNER, wait=WHILE)
    def they_say_no_twice_and_an_old_yes_comes_in(self, phone: str, who: int, wait: timedelta) -> None:
        for _ in range(2):
            self.they_talk_about_stopping(phone, STOP, wait)
        self.world.declares(self.world.learners[who], 0, ALL)

    @rule(phone=st.sampled_from(PHONES[1:4]), code=st.sampled_from((21211, 63024)), writes=st.booleans())
    def a_number_is_dead_for_a_while(self, phone: str, code: int, *, writes: bool) -> None:
        self.world.twilio.weather.insert(0, ("refuses", code))
        self.a_campaign_runs_for_days(phone, "service", 1)
        if writes:
            self.world.hears(phone, THANKS)
            self.world.works()
        self.a_campaign_runs_for_days(phone, "service", 2)

    @precondition(lambda self: any(one.news for one in self.world.twilio.messages))
    @rule(which=NUMBER, place=NUMBER, again=st.booleans(), often=st.sampled_from((1, 4)))
    def twilio_reports(self, which: int, place: int, often: int, *, again: bool) -> None:
        for _ in range(often):
            if those := [one for one in self.world.twilio.messages if one.news]:
                self.world.tells(those[-1 - which % len(those)], place, again=again)

    @rule(what=st.sampled_from(("Rasa", "mail", "records", "template")), well=OFTEN)
    def something_goes_or_comes_back(self, what: str, *, well: bool) -> None:
        match what:
            case "Rasa":
                self.world.rasa_away = not well
            case "mail":
                self.world.stage.mail.up = well
            case "records":
                self.world.twilio.records.away = not well
            case "template":
                self.world.approves(approved=well)

    @rule(who=LEARNER, days=st.sampled_from((0, 0, 1, 3, 29, 31)), yes=st.one_of(st.just(ALL), PURPOSES))
    def a_declaration_is_imported(self, who: int, days: int, yes: tuple[str, ...]) -> None:
        self.world.declares(self.world.learners[who], days, yes)

    @rule(who=LEARNER, say=st.sampled_from(("give", "give", "give", "withdraw", "left")), purposes=PURPOSES, days=DAYS_AGO)
    def staff_record_what_they_were_told(self, who: int, say: str, purposes: tuple[str, ...], days: int | None) -> None:
        source, some = ("phone", purposes) if say == "withdraw" else ("left_group" if say == "left" else "phone", ALL)
        self.world.staff_record(self.world.learners[who], "give" if say == "give" else "withdraw", some, source, days)

    @rule(who=LEARNER)
    def they_agree_to_everything_again(self, who: int) -> None:
        self.world.releases(self.world.learners[who])
        self.world.staff_record(self.world.learners[who], "give", ALL, "phone", None)

    @rule()
    def the_safeguarding_lead_has_been(self) -> None:
        for human in list(self.world.watch.humans.values()):
            self.world.releases(human)

    def teardown(self) -> None:
        if "world" in vars(self) and self.world.watch.rows:
            self.world.ends()


@pytest.fixture
def quiet() -> Iterator[None]:
    """Failures are what this test is about: they need not be printed."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


def lives(db: Database) -> range:
    """The seeds of the lives: always the same ones, or as many as MODEL_STEPS wants, from MODEL_SEED on."""
    first, steps = (int(os.environ.get(name, "0")) for name in ("MODEL_SEED", "MODEL_STEPS"))
    usual = LIVES["sqlite" if db.is_sqlite else "postgresql"] * min(settings.default.max_examples, 100) // 100
    return range(first, first + (steps // STEPS or max(1, usual)))


@pytest.mark.model
def test_whatever_happens_nothing_is_sent_against_the_rules_nor_twice_and_nothing_is_lost(db: Database, quiet: None) -> None:
    College.db = db
    for number in lives(db):  # each from a seed of its own: of many examples from one, Hypothesis makes most by copying
        note = f"this life again: MODEL_SEED={number} MODEL_STEPS={STEPS}"
        try:
            run_state_machine_as_test(seed(number)(College), settings=ONE_LIFE)
        except BaseException as error:
            error.add_note(note)
            raise
