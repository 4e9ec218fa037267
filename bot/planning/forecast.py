"""What planning would owe up to a moment, if nothing else happened until then: it only looks, for `preview`.

Made by the same code as the plans themselves. What hangs on an answer, or on a message that is yet to go, is not in it:
`may_be_followed` says where something of that kind is left out.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.batches import BATCH
from bot.hours import DAY, LONDON
from bot.models import LessonRow, Outbound, PersonRow
from bot.outbox import Draft
from bot.planning import company, lessons, looks, opportunities, who
from bot.planning.drafts import Desk, all_made
from bot.planning.kinds import REMINDER_KEY, Links
from bot.preview import Expected
from bot.reminders import horizon
from bot.terms import Terms

LESSONS = 20


def forecast(session: Session, terms: Terms, links: Links, now: datetime, until: datetime) -> Iterator[Draft]:
    """Each message that is not owed yet and would come due by `until` (aware UTC), whether the gate lets it go or not.

    Also what waits for WhatsApp to approve its template. What is owed already are the rows of the outbox.
    """
    looked_at = select(PersonRow.id, PersonRow.plan_at).where(PersonRow.plan_at <= until).order_by(PersonRow.id)
    due: defaultdict[datetime, list[int]] = defaultdict(list)
    for person, at in session.execute(looked_at):
        due[max(at or now, now)].append(person)
    yield from _of_lessons(session, terms, now, until)
    for some in _batches(sorted(person for people in due.values() for person in people)):
        yield from company.drafts(session, terms, some, now, until)
    yield from opportunities.ahead(session, terms, now, until)
    yield from _of_people(session, Desk(terms, links, now, _as_if_approved(session)), due, until)


def may_be_followed(one: Expected, until: datetime) -> bool:
    """May something come by `until` (aware UTC) that hangs on this message, which is yet to go? That is not in the forecast.

    The first message opens the rest: an invitation on the next day, check-ins. An invitation has one reminder.
    """
    if one.fate != "goes" or one.key.startswith(REMINDER_KEY):
        return False
    next_day = datetime.combine(one.at.astimezone(LONDON).date() + DAY, who.INVITED_FROM, LONDON)
    again = {"first_message": next_day, "invitation": one.at + who.REMIND_AFTER}.get(one.plan)
    return again is not None and again <= until


def _as_if_approved(session: Session) -> dict[tuple[str, str], bool]:
    """Who waits for a template is planned for here, so that the gate can say what it is that they wait for."""
    languages = session.scalars(select(PersonRow.language).distinct()).all()
    return {(template, language): True for template in (who.FIRST, who.GROUP) for language in languages}


def _of_lessons(session: Session, terms: Terms, now: datetime, until: datetime) -> Iterator[Draft]:
    """Of every lesson: of one that is planned for, what newcomers lack."""
    coming = (
        LessonRow.starts_at > now,
        LessonRow.starts_at <= horizon(until, terms.hours),
        LessonRow.cancelled_at.is_(None),
    )
    found = lessons.found(session, *coming)
    for start in range(0, len(found), LESSONS):
        some = found[start : start + LESSONS]
        owed = set(session.scalars(select(Outbound.key).where(Outbound.lesson_id.in_([one.id for one in some]))))
        words = lessons.Words(terms)
        for draft in lessons.drafts(words, some, lessons.learners(session, some), now):
            if draft.due_at <= until and draft.key not in owed:
                yield draft


def _of_people(session: Session, desk: Desk, due: defaultdict[datetime, list[int]], until: datetime) -> Iterator[Draft]:
    """Day by day, as planning would look at them; with whomever something would be planned, the rest is not known."""
    moments = list(due)
    heapq.heapify(moments)
    while moments:
        at = heapq.heappop(moments)
        for some in _batches(due.pop(at)):
            known = looks.known(session, who.willing(session, some, who.agreed(session, some)), at)
            drafts = [one for _, kind in all_made(session, desk, known, at) for one in kind.drafts.values()]
            yield from drafts
            known_to_wait = known.keys() - {draft.person_id for draft in drafts}
            for person in sorted(known_to_wait):
                again = looks.next_look(person, known[person], at)
                if again is not None and again <= until:
                    if again not in due:
                        heapq.heappush(moments, again)
                    due[again].append(person)


def _batches(people: Iterable[int]) -> Iterator[list[int]]:
    every = list(people)
    for start in range(0, len(every), BATCH):
        yield every[start : start + BATCH]
