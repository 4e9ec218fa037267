"""What must be true of every letter of the year, in the simplest words, and what must have been sent by its end.

Nothing here asks the gate, the planning or the timetable: only the test's own picture of the college.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from tests.bot.year_college import DAY, HOUR, LONDON, MINUTE, College, Learner, Lesson, told

REMINDERS = ("day_before", "hour_before")
ANSWERS = ("reply", "safety", "staff")
SETTLED = 4 * DAY  # before a lesson: nothing changed for this learner in these days, and a reminder must have come
PROMPT = 30 * MINUTE
OFF = "lesson_cancelled"  # the template
IN_TIME = 2 * HOUR  # before a lesson: who changes it later than that must phone


@dataclass(frozen=True, slots=True)
class Sent:
    """One letter that Twilio took: when, to whom, and what its row says it is."""

    at: datetime
    who: int
    key: str
    purpose: str
    use: str
    plan: str
    urgent: bool
    lesson: str = ""
    version: int = 0
    moves: int = 0
    notice: int = 0
    opportunity: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    template: str = ""

    @property
    def day(self) -> date:
        """London's day."""
        return self.at.astimezone(LONDON).date()

    @property
    def counts(self) -> bool:
        """Is it one of those of which there is one a day and three a week?"""
        return self.purpose not in ANSWERS and not self.urgent and self.use != "lesson_reminder"


@dataclass(slots=True)
class Offered:
    """An opportunity: for whom, from when and until when it may go."""

    code: str
    courses: tuple[str, ...]
    goes_from: datetime | None
    best_before: datetime
    recalled: bool = False


@dataclass(slots=True)
class Book:
    """Every letter so far, and the checks."""

    college: College
    letters: list[Sent] = field(default_factory=list)
    of: dict[int, list[Sent]] = field(default_factory=lambda: defaultdict(list))
    offered: dict[str, Offered] = field(default_factory=dict)
    off: list[tuple[datetime, datetime]] = field(default_factory=list)  # when the machine was off, or Twilio away
    phoned: set[tuple[int, int]] = field(default_factory=set)  # person and notice: withheld in time for the call sheet
    uncertain: set[str] = field(default_factory=set)  # keys of what a dying worker had in hand: may go once more

    def write(self, one: Sent) -> None:
        """A letter goes. Raises AssertionError where it must not."""
        learner = self.college.learners[one.who]
        if one.purpose not in ANSWERS:
            self._allowed(one, learner)
            self._in_hours(one)
            self._not_twice(one)
        if one.counts:
            self._capped(one)
        if one.lesson:
            self._true(one, self.college.lessons[one.lesson])
        if one.opportunity:
            self._offered(one, learner)
        self.letters.append(one)
        self.of[one.who].append(one)

    def _allowed(self, one: Sent, learner: Learner) -> None:
        assert learner.says[one.purpose] != "no", ("they said no", one)
        assert one.day <= max(_six_months(self.college.ends[code]) for code in learner.courses), ("six months", one)
        assert not learner.known_blocked, ("blocked", one)
        if one.plan in REMINDERS:
            wanted = {"": REMINDERS, "both": REMINDERS, "day": ("day_before",), "hour": ("hour_before",)}
            assert one.plan in wanted.get(learner.wish, ()), ("not wanted", learner.wish, one)
            assert learner.quiet_until is None or one.at >= learner.quiet_until, ("not this week", one)
            hour = learner.wish in ("both", "hour") or self.college.lessons[one.lesson].course in self.college.hour_before
            assert one.plan == "day_before" or hour, ("an hour before for nobody", one)
        if one.purpose == "checkin":
            since = [was for was in self.of[one.who] if was.purpose == "checkin" and was.at > (learner.wrote_at or NEVER)]
            assert len(since) < 2, ("two silences", one)

    def _in_hours(self, one: Sent) -> None:
        there = one.at.astimezone(LONDON)
        if one.purpose == "marketing":
            assert there.isoweekday() <= 5, ("a working day", one)
            assert 9 <= there.hour < 18, ("hours of opportunities", one)
        if one.urgent:
            assert one.notice, ("only news is urgent", one)
            news = self.college.news[one.notice]
            near = min(news.urgent_from, self.college.lessons[one.lesson].starts_at - 12 * HOUR)
            assert news.urgent or one.at >= near, ("urgent without need", one)
        else:
            assert 8 <= there.hour < 20, ("group hours", one)

    def _not_twice(self, one: Sent) -> None:
        for was in self.of[one.who]:
            if one.plan in REMINDERS:  # once for each time at which the lesson was to be
                again = (was.lesson, was.plan, was.moves) == (one.lesson, one.plan, one.moves)
            else:
                again = was.key == one.key
            assert not again or one.key in self.uncertain, ("twice", was, one)

    def _capped(self, one: Sent) -> None:
        days = [was.day for was in self.of[one.who] if was.counts]
        assert one.day not in days, ("one a day", one)
        assert len([day for day in days if one.day - 7 * DAY < day]) < 3, ("three a week", one)

    def _true(self, one: Sent, lesson: Lesson) -> None:
        """What it says of the lesson is so at this moment: then nobody reads the old after the new."""
        learner = self.college.learners[one.who]
        assert lesson.course in learner.courses, ("somebody else's lesson", one)
        says, now = one.variables, told(lesson.starts_at)
        if one.notice:
            news = self.college.news[one.notice]
            assert news.lesson == lesson, ("of another lesson", one)
            assert news.kind == "problem" or news.version == lesson.version, ("old news", one)
            assert one.at < news.best_before, ("yesterday's news", one)
            assert lesson.cancelled == (news.kind == "cancelled"), ("cancelled or not", one)
            if one.template == "lesson_late":
                assert says["starts_at"] in (now, now[-5:]), ("another time", now, one)
            elif not lesson.cancelled:
                assert says["starts_at"] == now, ("another time", now, one)
        else:
            assert not lesson.cancelled, ("of a lesson that is off", one)
            assert one.at < lesson.starts_at, ("after it began", one)
            assert says["starts_at"] == now, ("another time", now, one)
        if "place" in says:
            assert says["place"] == lesson.place, ("another place", lesson.place, one)

    def _offered(self, one: Sent, learner: Learner) -> None:
        offer = self.offered[one.opportunity]
        assert offer.goes_from is not None, ("nobody approved it", one)
        assert offer.goes_from <= one.at < offer.best_before, ("not in its time", one)
        assert not offer.recalled, ("called back", one)
        assert not offer.courses or set(offer.courses) & set(learner.courses), ("not for them", one)

    # At the end of the year

    def complete(self, until: datetime) -> Counter[str]:
        """Whoever was to be reminded was, once for each time; and who counted on the old was told the new. The counts."""
        done = Counter[str]()
        for lesson in self.college.lessons.values():
            if lesson.starts_at < until and not self._was_off(lesson.starts_at - SETTLED, lesson.starts_at):
                done += self._know(lesson) if _changed_late(lesson) else self._reminded(lesson)
        for notice, news in self.college.news.items():
            if news.urgent and news.at < until - DAY and not news.lesson.version > news.version:
                done += self._heard(notice)
        return done

    def _reminded(self, lesson: Lesson) -> Counter[str]:
        done, since = Counter[str](), lesson.starts_at - SETTLED
        if lesson.cancelled or since < lesson.added_at:
            return done
        due = _day_before(lesson.starts_at)
        for learner in self._certain(lesson, since, lesson.starts_at):
            mine = [one for one in self.of[learner.id] if (one.lesson, one.plan) == (lesson.code, "day_before")]
            mine = [one for one in mine if one.moves == lesson.moves]
            assert len(mine) == 1, ("not reminded once", lesson, learner, mine)
            assert due <= mine[0].at < _in_hours(due) + PROMPT, ("not in its time", due, mine[0])
            done["reminded"] += 1
        return done

    def _know(self, lesson: Lesson) -> Counter[str]:
        """A lesson changed in its last days: each learns in time how it stands, or that it is off if they knew of it."""
        done, since = Counter[str](), lesson.starts_at - SETTLED
        if lesson.changed[-1] > lesson.starts_at - IN_TIME:
            return done
        for learner in self._certain(lesson, since, lesson.starts_at):
            about = [one for one in self.of[learner.id] if one.lesson == lesson.code and one.at < lesson.starts_at]
            off = lesson.cancelled
            as_it_stands = [one for one in about if one.moves == lesson.moves and (one.template == OFF) == off]
            if not as_it_stands and any((learner.id, notice) in self.phoned for notice in self._news_of(lesson)):
                done["left for the office to phone"] += 1
                continue
            assert as_it_stands or (off and not about), ("does not know", lesson, learner, about)
            done["know of a change"] += 1
        return done

    def _news_of(self, lesson: Lesson) -> list[int]:
        """The notices of the lesson as it stands."""
        return [id_ for id_, news in self.college.news.items() if (news.lesson, news.version) == (lesson, lesson.version)]

    def _heard(self, notice: int) -> Counter[str]:
        """Of urgent news everybody is told within the hour who knew the lesson as it was."""
        news, done = self.college.news[notice], Counter[str]()
        if self._was_off(news.at - MINUTE, news.at + HOUR):
            return done
        for learner in self._certain(news.lesson, news.at - 2 * DAY, news.at + HOUR):
            about = [one for one in self.of[learner.id] if one.lesson == news.lesson.code]
            knew = [one for one in about if one.at < news.at]
            heard = [one for one in about if one.notice == notice and one.at < news.at + HOUR]
            assert heard or not knew, ("was never told", news, learner)
            done["told of urgent news"] += bool(heard)
        return done

    def _certain(self, lesson: Lesson, since: datetime, until: datetime) -> Iterable[Learner]:
        """Learners of whom nobody can doubt that they are to be reminded."""
        for learner in self.college.learners.values():
            if lesson.course in learner.courses and learner.is_plain(since, until):
                yield learner

    def _was_off(self, since: datetime, until: datetime) -> bool:
        return any(begins < until and ends > since for begins, ends in self.off)


def _changed_late(lesson: Lesson) -> bool:
    return any(at > lesson.starts_at - SETTLED for at in lesson.changed)


NEVER = datetime.min.replace(tzinfo=UTC)


def _six_months(end: date) -> date:
    """The same day six months on, or the last there is."""
    day, month = end.day, end.month + 6
    while True:
        try:
            return date(end.year + (month > 12), month - 12 * (month > 12), day)
        except ValueError:
            day -= 1


def _day_before(starts_at: datetime) -> datetime:
    there = starts_at.astimezone(LONDON)
    return datetime.combine(there.date() - DAY, there.time(), LONDON).astimezone(UTC)


def _in_hours(at: datetime) -> datetime:
    """This moment, or the next at which it is eight in London if it is not between eight and eight."""
    there = at.astimezone(LONDON)
    if 8 <= there.hour < 20:
        return at
    day = there.date() + (timedelta(0) if there.hour < 8 else DAY)
    return datetime.combine(day, there.time().replace(hour=8, minute=0), LONDON).astimezone(UTC)
