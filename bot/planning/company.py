"""The company we keep after a course: check-ins on their days, one goodbye, and nothing after six months (P03, P19)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from bot.batches import BATCH
from bot.checkins import ASK, key_of
from bot.database import Database, insert_many_new
from bot.gate import SUPERSEDED
from bot.goodbyes import key_of as goodbye_key
from bot.models import CheckIn, Outbound
from bot.names import first_name
from bot.outbox import OF_THE_PERSON, Draft
from bot.outbox.rows import add_all
from bot.planning import companions
from bot.planning.companions import Companion, Kept, Place
from bot.planning.drafts import Fault, tell_office
from bot.planning.kinds import FIRST_NAME
from bot.planning.moments import Moment, moments
from bot.status import MAY_HAVE_GONE
from bot.templates import BadVariables
from bot.terms import Terms
from bot.turn import Plan

HORIZON = timedelta(days=2)  # so long before it goes a message can be seen in the outbox
CHECK_IN: Plan = "check_in"
GOODBYE: Plan = "goodbye"
WITHOUT_END = "course_without_end"  # a case: an admin must give the course its end


@dataclass(frozen=True, slots=True)
class _Owed:
    """A message that somebody lacks; `again` where it was withheld for a reason that has passed."""

    who: Companion
    moment: Moment
    again: bool

    @property
    def plan(self) -> Plan:
        """What it is planned as, which is the name of its template too."""
        return GOODBYE if self.moment.week is None else CHECK_IN

    @property
    def place(self) -> tuple[int, int, int]:
        """Whose, after which course, in which week: 0 for the goodbye."""
        return self.who.person_id, self.who.course_id, self.moment.week or 0


@dataclass(frozen=True, slots=True)
class _Work:
    """What some people lack, outbound rows (ids) that must not go as they stand, and courses that lack an end (codes)."""

    owed: tuple[_Owed, ...]
    superseded: tuple[int, ...]
    endless: tuple[str, ...]


def plan_company(db: Database, terms: Terms, people: Sequence[int], now: datetime) -> tuple[int, int]:
    """Owe these people the check-ins and goodbyes of the next two days; how many of each were not owed yet.

    Only to whom a first message went. Of a course that is over and has no end the office hears: nothing comes after it.
    What waits for the end of a course that has moved is withheld as SUPERSEDED. A week that was missed altogether is not
    made up for. Doing it twice, or by two workers, changes nothing; each commit is of at most 200 people.
    """
    check_ins = goodbyes = 0
    for start in range(0, len(people), BATCH):
        with db.read() as session:  # where nothing is due it only looks, and keeps no writer waiting
            work = _work(session, terms, people[start : start + BATCH], now, now + HORIZON)
        if work.owed or work.superseded:
            written, faults = _write(terms, work.owed)
            with db.write() as session:
                asked, parted = _carry_out(session, written, work.superseded, now)
            check_ins, goodbyes = check_ins + asked, goodbyes + parted
            for fault in faults:  # after the others, who do not wait until the office has put it right
                tell_office(db, *fault, now)
        for code in work.endless:
            tell_office(db, None, (code,), now, kind=WITHOUT_END)
    return check_ins, goodbyes


def next_looks(session: Session, people: Sequence[int], terms: Terms, now: datetime) -> dict[int, datetime | None]:
    """When planning must look at each of these people again for the sake of this (aware UTC); None: never."""
    looks: dict[int, datetime | None] = dict.fromkeys(people)
    for one in companions.of(session, people):
        coming = (moment.due_at - HORIZON for moment in moments(one.ends_on, terms.check_in_weeks))
        looks[one.person_id] = min((at for at in coming if at > now), default=None)
    for course in companions.without_end(session, people):  # then the office hears of it
        if course.until > now:
            looks[course.person_id] = min(looks[course.person_id] or course.until, course.until)
    return looks


def drafts(session: Session, terms: Terms, people: Sequence[int], now: datetime, until: datetime) -> list[Draft]:
    """What is not owed yet and comes due by `until`, as it would be owed: for a forecast, which only looks.

    Whom no template fits is left out: planning tells the office of them.
    """
    return list(_write(terms, _work(session, terms, people, now, until).owed)[0].values())


def _work(session: Session, terms: Terms, people: Sequence[int], now: datetime, until: datetime) -> _Work:
    kept, owed, superseded = companions.kept(session, people), list[_Owed](), list[int]()
    back = companions.back(session, kept, now)
    wanted = {one.person_id: one for one in companions.of(session, people)}
    for person_id in people:
        has, who = kept.get(person_id, []), wanted.get(person_id)
        plan = {(who.course_id, one.week): one for one in moments(who.ends_on, terms.check_in_weeks)} if who else {}
        may_go = [one for one in has if one.state == "queued" or one.outbound_id in back]
        superseded += [one.outbound_id for one in may_go if not _stands(one, plan)]
        if who is not None and _is_open(who, has):
            there = {one.place: one for one in has if one.first}
            owed += [
                _Owed(who, plan[place], again=place in there)
                for place in _due(plan, now, until)
                if place not in there or there[place].superseded or there[place].outbound_id in back.union(superseded)
            ]
    over = dict.fromkeys(one.code for one in companions.without_end(session, people) if one.until <= now)
    return _Work(tuple(owed), tuple(superseded), tuple(over))


def _is_open(who: Companion, has: Iterable[Kept]) -> bool:
    """May anything come to them? Not before their first message, and not after the goodbye of this course."""
    goodbyes = [one for one in has if one.place == (who.course_id, None)]
    return who.point_id is not None and who.greeted and all(one.state not in MAY_HAVE_GONE for one in goodbyes)


def _stands(row: Kept, plan: Mapping[Place, Moment]) -> bool:
    """Is it still to be said when it was to be? Only its end tells: the gate may have put off its beginning."""
    return row.place in plan and plan[row.place].best_before == row.best_before


def _due(plan: Mapping[Place, Moment], now: datetime, until: datetime) -> list[Place]:
    """What comes due by then and is not stale: a check-in is stale before the next is due, so none comes with another."""
    return [place for place, one in plan.items() if one.due_at <= until and one.best_before > now]


def _write(terms: Terms, owed: Iterable[_Owed]) -> tuple[dict[_Owed, Draft], dict[Fault, None]]:
    """The words of each, and what no template takes, each fault once: somebody's name, or a course's."""
    written: dict[_Owed, Draft] = {}
    faults: dict[Fault, None] = {}
    for one in owed:
        try:
            written[one] = _draft(terms, one)
        except BadVariables as error:
            what, named = (error.template, error.variable), error.variable == FIRST_NAME
            faults[(one.who.person_id, what) if named else (None, (*what, one.who.code))] = None
    return written, faults


def _carry_out(
    session: Session, written: Mapping[_Owed, Draft], superseded: Sequence[int], now: datetime
) -> tuple[int, int]:
    """Withhold what is old and owe what is lacking: how many check-ins, how many goodbyes."""
    old = update(Outbound).where(Outbound.id.in_(superseded), Outbound.state.in_(("queued", "withheld")))
    session.execute(old.values(state="withheld", reason=SUPERSEDED))
    _count(session, written, now)
    return _owe(session, written, CHECK_IN, now), _owe(session, written, GOODBYE, now)


def _owe(session: Session, written: Mapping[_Owed, Draft], plan: Plan, now: datetime) -> int:
    """Those of one plan, new and again; how many."""
    of_plan = {one: draft for one, draft in written.items() if draft.plan == plan}
    revived = [_revive(session, draft) for one, draft in of_plan.items() if one.again]
    return sum(revived) + add_all(session, [draft for one, draft in of_plan.items() if not one.again], now)


def _count(session: Session, written: Iterable[_Owed], now: datetime) -> None:
    """Each check-in has its row from the commit on in which it is owed (P19: outcomes are counted)."""
    asked = sorted(one.place for one in written if one.moment.week is not None)
    rows = [{"person_id": who, "course_id": course, "week": week, "planned_at": now} for who, course, week in asked]
    if rows:
        insert_many_new(session, CheckIn, rows)


def _revive(session: Session, draft: Draft) -> int:
    """What an end that moved or an opting-out withheld waits for its day: 1, or 0 where it is being sent."""
    values = {name: getattr(draft, name) for name in ("due_at", "best_before", "body", "variables", "contact_point_id")}
    mine = update(Outbound).where(Outbound.key == draft.key, Outbound.state == "withheld")
    may_pass = Outbound.reason.in_((SUPERSEDED, *OF_THE_PERSON))
    back = session.execute(mine.where(may_pass).values(**values, state="queued", reason=None).returning(Outbound.id))
    return len(back.all())


def _draft(terms: Terms, one: _Owed) -> Draft:
    """What somebody is to read. Raises BadVariables."""
    who, moment, plan = one.who, one.moment, one.plan
    variables = {FIRST_NAME: first_name(who.name), "course": who.course}
    body = terms.templates.find(plan, who.language).fill(variables)
    return Draft(
        key=goodbye_key(who.person_id, who.course_id) if moment.week is None else key_of(*one.place),
        person_id=who.person_id,
        contact_point_id=who.point_id or 0,
        purpose="service" if moment.week is None else "checkin",
        use="keeping_in_touch",
        body=body,
        due_at=moment.due_at,
        best_before=moment.best_before,
        template=plan,
        variables=variables,
        ask=None if moment.week is None else ASK,
        plan=plan,
    )
