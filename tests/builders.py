"""Values of a turn for tests, each with what matters given and the rest filled in with something ordinary and made up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bot.turn import (
    CONSENTABLE,
    Consentable,
    ConsentState,
    Enrolment,
    Heard,
    Kind,
    Lesson,
    Message,
    Parse,
    Pending,
    Person,
    Turn,
)

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # a Tuesday morning, in winter time: London shows 10:00 too


def a_message(text: str = "hello", kind: Kind = "text", **given: Any) -> Message:
    """A message that came just now."""
    return replace(Message("SM" + "0" * 32, kind, text, NOW), **given)


def a_person(first_name: str = "Amina", **given: Any) -> Person:
    """A learner on file."""
    return replace(Person(1, known=True, first_name=first_name), **given)


def a_stranger(**given: Any) -> Person:
    """Somebody whose number is on no list."""
    return replace(Person(2), **given)


def an_enrolment(course: str = "SYB12", **given: Any) -> Enrolment:
    """A place on a course that is running, led by Nasreen."""
    place = Enrolment(
        course=course,
        name="Start Your Business",
        cohort="Cohort 12",
        starts_on=date(2026, 9, 14),
        ends_on=date(2027, 3, 22),
        trainer="Nasreen",
        group_link="https://chat.whatsapp.com/DemoCohort12",
    )
    return replace(place, **given)


def a_lesson(title: str = "Pricing Your Products", **given: Any) -> Lesson:
    """A lesson next Monday at 10:00, for two hours, in Room 4."""
    starts_at = given.pop("starts_at", datetime(2026, 11, 30, 10, 0, tzinfo=UTC))
    ends_at = given.pop("ends_at", starts_at + timedelta(hours=2))
    return replace(Lesson("SYB12-11", "Start Your Business", title, starts_at, ends_at, place="Room 4"), **given)


def a_parse(intent: str = "thanks", confidence: float = 0.9, *others: tuple[str, float]) -> Parse:
    """What Rasa heard; the ranking begins with the intent itself, as Rasa's does."""
    return Parse(intent, confidence, ((intent, confidence), *others))


def heard(intent: str, *flags: str, sure: bool = True) -> Heard:
    """One thing the rules heard."""
    return Heard(intent, "rule", sure, frozenset(flags))


def consents(
    service: ConsentState = "given", checkin: ConsentState = "given", marketing: ConsentState = "given"
) -> dict[Consentable, ConsentState]:
    """The state of each purpose."""
    return dict(zip(CONSENTABLE, (service, checkin, marketing), strict=True))


def a_pending(question: str, options: dict[str, str], **given: Any) -> Pending:
    """A question asked a minute ago."""
    return replace(Pending(question, options, NOW - timedelta(minutes=1)), **given)


def a_turn(text: str = "hello", **given: Any) -> Turn:
    """A message from an enrolled learner with every consent, nothing pending and one lesson to come."""
    turn = Turn(
        message=a_message(text),
        person=a_person(),
        now=NOW,
        enrolments=(an_enrolment(),),
        in_company=True,
        lessons=(a_lesson(),),
        consent=consents(),
    )
    return replace(turn, **given)


def a_stranger_turn(text: str = "hello", **given: Any) -> Turn:
    """A message from somebody on no list."""
    never = consents("never_asked", "never_asked", "never_asked")
    return replace(Turn(message=a_message(text), person=a_stranger(), now=NOW, consent=never), **given)
