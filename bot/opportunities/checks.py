"""What stops an opportunity from being written: words of ours that make it service, questions for secrets, bad links. Pure.

Its two values go into a template that WhatsApp has approved, so the rules that the lint asks of templates are asked of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from bot.opportunities.values import LONGEST, Written, variables_of
from bot.phones import to_e164
from bot.template_lint import WORDS
from bot.templates import BadVariables, Template, clean

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
LONG_NAME = "N" * 40  # a learner's first name, as long as one may be
OF_LESSONS = re.compile(
    r"\b(?:lessons?|class(?:es)?|reminders?|rooms?|homework|timetables?|tutors?|trainers?|absent|your course)\b",
    re.IGNORECASE,
)
TELLING = 2  # words of a title or a place of ours: one alone ("Pricing") may be said of anything


@dataclass(frozen=True, slots=True)
class College:
    """What must be known of the college: the courses and cohorts there are, titles and places of lessons to come."""

    courses: frozenset[str]
    cohorts: frozenset[str]
    of_lessons: frozenset[str]


def problems(one: Written, template: Template, college: College, now: datetime) -> tuple[str, ...]:
    """Why it must not be written so; empty when it may be. Each reason is a whole sentence."""
    rules: tuple[Callable[[], Iterator[str]], ...] = (
        lambda: _code(one),
        lambda: _plain(one),
        lambda: _fits(one, template),
        lambda: _no_service(one, college.of_lessons),
        lambda: _no_secret(one),
        lambda: _more(one),
        lambda: _there("course", one.courses, college.courses),
        lambda: _there("cohort", one.cohorts, college.cohorts),
        lambda: _in_time(one, now),
    )
    return tuple(reason for rule in rules for reason in rule())


def _code(one: Written) -> Iterator[str]:
    if not CODE.fullmatch(one.code):
        yield "The code is at most 40 letters, digits, - and _."


def _plain(one: Written) -> Iterator[str]:
    for name, value in (("--what", one.what), ("--more", one.more)):
        if any(char in value for char in "\r\n\t\v\f\x85\u2028\u2029"):
            yield f"{name} has a line break or a tab: it is one line of text."
        elif clean(value) != value.strip():
            yield f"{name} has double spaces or signs that nobody sees."


def _fits(one: Written, template: Template) -> Iterator[str]:
    try:
        template.numbered(variables_of(one, LONG_NAME))
    except BadVariables as error:
        yield f"--{error.variable} {error.why}."


def _no_service(one: Written, of_lessons: Iterable[str]) -> Iterator[str]:
    """P18: what speaks of a lesson of ours is service, and an advert in it makes all of it marketing (L12, L20)."""
    told = one.what.casefold()
    if found := OF_LESSONS.search(one.what):
        yield f"--what speaks of '{found[0]}': news of lessons is a message of its own (P18)."
    for ours in sorted({clean(name) for name in of_lessons if len(name.split()) >= TELLING}):
        if re.search(rf"(?<!\w){re.escape(ours.casefold())}(?!\w)", told):
            yield f"--what names '{ours}', which is in our timetable: news of lessons is a message of its own (P18)."


def _no_secret(one: Written) -> Iterator[str]:
    if found := WORDS["en"].secret.search(one.what):
        yield f"--what names '{found[0]}': we never ask for such things (L18)."


def _more(one: Written) -> Iterator[str]:
    if not (_is_link(one.more) or EMAIL.fullmatch(one.more) or _is_uk_phone(one.more)):
        yield "--more is not a link that begins with https://, a UK phone number or an email address."


def _is_link(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme == "https" and "." in (parts.hostname or "") and "@" not in parts.netloc and " " not in text


def _is_uk_phone(text: str) -> bool:
    try:
        return to_e164(text).startswith("+44")
    except ValueError:
        return False


def _there(kind: str, wanted: Iterable[str], known: frozenset[str]) -> Iterator[str]:
    for name in wanted:
        if name not in known:
            yield f"There is no {kind} {name}."


def _in_time(one: Written, now: datetime) -> Iterator[str]:
    if one.best_before <= now:
        yield "--best-before is over already."
    if one.best_before > now + LONGEST:
        yield f"--best-before is more than {LONGEST.days} days from now."
