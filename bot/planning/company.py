"""The company we keep after a course: check-ins on their days, one goodbye, and nothing after six months (P03, P19)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from bot.checkins import ASK, key_of
from bot.clock import london_day_starts
from bot.database import Database, insert_many_new
from bot.gate import last_day
from bot.hours import DAY, LONDON
from bot.models import CheckIn, Outbound
from bot.outbox import Draft
from bot.outbox.rows import add_all
from bot.planning import companions
from bot.planning.companions import SUPERSEDED, Companion, Kept, Place
from bot.planning.drafts import Fault, tell_office
from bot.planning.kinds import FIRST_NAME
from bot.templates import BadVariables
from bot.terms import Terms
from bot.turn import Plan

HORIZON = timedelta(days=2)  # so long before it goes a message can be seen in the outbox
AT = time(10, 30)  # by London's clocks
LASTS = timedelta(days=3)  # of a check-in: a question that comes late is asked again in the next one
LAST_WEEK = timedelta(days=6)  # the goodbye goes on its first day: holidays leave a day on which we write
BATCH = 200  # people in one commit: SQLite has one writer
CHECK_IN: Plan = "check_in"
GOODBYE: Plan = "goodbye"


@dataclass(frozen=True, slots=True)
class Moment:
    """One message after a course: the check-in of a week, or the goodbye (`week` None). Times are aware UTC."""

    week: int | None
    due_at: datetime
    best_before: datetime


@dataclass(frozen=True, slots=True)
class _Owed:
    """A message that somebody lacks; `again` where it was withheld because the end of the course had moved."""

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
    """What some people lack, and the outbound rows (ids) that must not go as they stand."""

    owed: tuple[_Owed, ...]
    superseded: tuple[int, ...]


def check_in_days(ends_on: date, weeks: Iterable[int]) -> tuple[tuple[int, date], ...]:
    """The week and London's day of each check-in after a course that ends then, soonest first (P03, P19).

    However many weeks, none is so late that it could come after the goodbye, which says that it is the last.
    """
    latest = goodbye_day(ends_on) - LASTS
    days: dict[date, int] = {}
    for week in sorted(set(weeks)):
        days.setdefault(min(ends_on + timedelta(weeks=week), latest), week)
    return tuple((week, day) for day, week in days.items())


def goodbye_day(ends_on: date) -> date:
    """London's day of the goodbye: the first of the last week in which we may write (P03, F20)."""
    return last_day(ends_on) - LAST_WEEK


def moments(ends_on: date, weeks: Iterable[int]) -> Iterator[Moment]:
    """Every message after a course that ends then, soonest first."""
    bye = _at(goodbye_day(ends_on))
    for week, day in check_in_days(ends_on, weeks):
        yield Moment(week, _at(day), min(_at(day) + LASTS, bye))
    yield Moment(None, bye, london_day_starts(last_day(ends_on) + DAY))


def plan_company(db: Database, terms: Terms, people: Sequence[int], now: datetime) -> tuple[int, int]:
    """Owe these people the check-ins and goodbyes of the next two days; how many of each were not owed yet.

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
    return check_ins, goodbyes


def next_looks(session: Session, people: Sequence[int], terms: Terms, now: datetime) -> dict[int, datetime | None]:
    """When planning must look at each of these people again for the sake of this (aware UTC); None: never."""
    looks: dict[int, datetime | None] = dict.fromkeys(people)
    for one in companions.of(session, people):
        coming = (moment.due_at - HORIZON for moment in moments(one.ends_on, terms.check_in_weeks))
        looks[one.person_id] = min((at for at in coming if at > now), default=None)
    return looks


def drafts(session: Session, terms: Terms, people: Sequence[int], now: datetime, until: datetime) -> list[Draft]:
    """What is not owed yet and comes due by `until`, as it would be owed: for a forecast, which only looks.

    Whom no template fits is left out: planning tells the office of them.
    """
    return list(_write(terms, _work(session, terms, people, now, until).owed)[0].values())


def _work(session: Session, terms: Terms, people: Sequence[int], now: datetime, until: datetime) -> _Work:
    kept, owed, superseded = companions.kept(session, people), list[_Owed](), list[int]()
    wanted = {one.person_id: one for one in companions.of(session, people)}
    for person_id in people:
        has, who = kept.get(person_id, []), wanted.get(person_id)
        plan = {(who.course_id, one.week): one for one in moments(who.ends_on, terms.check_in_weeks)} if who else {}
        superseded += [one.outbound_id for one in has if one.state == "queued" and not _stands(one, plan)]
        if who is not None and who.point_id is not None:
            there = {one.place: one for one in has if one.first}
            owed += [
                _Owed(who, plan[place], again=place in there)
                for place in _due(plan, now, until)
                if place not in there or there[place].superseded or there[place].outbound_id in superseded
            ]
    return _Work(tuple(owed), tuple(superseded))


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
    old = update(Outbound).where(Outbound.id.in_(superseded), Outbound.state == "queued")
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
    """What was withheld when the end of the course moved waits for its new day: 1, or 0 where it is being sent."""
    values = {name: getattr(draft, name) for name in ("due_at", "best_before", "body", "variables", "contact_point_id")}
    mine = update(Outbound).where(Outbound.key == draft.key, Outbound.state == "withheld", Outbound.reason == SUPERSEDED)
    back = session.execute(mine.values(**values, state="queued", reason=None).returning(Outbound.id))
    return len(back.all())


def _draft(terms: Terms, one: _Owed) -> Draft:
    """What somebody is to read. Raises BadVariables."""
    who, moment, plan = one.who, one.moment, one.plan
    variables = {FIRST_NAME: who.name.partition(" ")[0], "course": who.course}
    body = terms.templates.find(plan, who.language).fill(variables)
    return Draft(
        key=f"{plan}:{who.person_id}:{who.course_id}" if moment.week is None else key_of(*one.place),
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


def _at(day: date) -> datetime:
    return datetime.combine(day, AT, LONDON).astimezone(UTC)
