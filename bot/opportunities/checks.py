"""What stops an opportunity from being written: words of ours that make it service, questions for secrets, bad links. Pure.

Its two values go into a template that WhatsApp has approved, so the rules that the lint asks of templates are asked of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote, urlsplit

from bot.lookalikes import as_read, has_hidden, mixed
from bot.opportunities.values import LONGEST, Written, variables_of
from bot.phones import to_e164
from bot.template_lint import WORDS
from bot.templates import BadVariables, Template, clean

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", re.ASCII)
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")  # punycode, too
IN_LINKS = re.compile(r"[/+&=?#:%~,;@]+")  # between the words of an address
LONG_NAME = "N" * 40  # a learner's first name, as long as one may be
# News of our own lessons. A course, a class or a job as a trainer elsewhere is an opportunity like any other (P18, P19).
OF_LESSONS = re.compile(
    r"""\b(?:
        your\s (?:(?:next|last|own|usual|online|evening)\s)?
        (?:lesson|class|course|trainer|tutor|room|cohort|group)(?:e?s)?
      | (?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|today|tomorrow|tonight)['\u2019]s \s (?:lesson|class)
      | (?:no|next|our) \s (?:lesson|class)(?:e?s)?
      | (?:lesson|class)(?:e?s)? \s (?:(?:is|are|was|were|has\sbeen|have\sbeen)\s)? (?:cancelled|moved|late|delayed|off)
      | reminders? | timetables? | homework | absent
    )\b""",
    re.IGNORECASE | re.VERBOSE,
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
        lambda: _one_alphabet(one),
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
        elif clean(value) != value.strip() or has_hidden(value):
            yield f"{name} has double spaces or signs that nobody sees."


def _fits(one: Written, template: Template) -> Iterator[str]:
    try:
        template.numbered(variables_of(one, LONG_NAME))
    except BadVariables as error:
        yield f"--{error.variable} {error.why}."


def _no_service(one: Written, of_lessons: Iterable[str]) -> Iterator[str]:
    """P18: what speaks of a lesson of ours is service, and an advert in it makes all of it marketing (L12, L20)."""
    if found := _found(one, OF_LESSONS):
        yield f"{found[0]} speaks of '{found[1]}': news of lessons is a message of its own (P18)."
    for ours in sorted({clean(name) for name in of_lessons if len(name.split()) >= TELLING}):
        named = re.compile(rf"(?<!\w){re.escape(as_read(ours))}(?!\w)", re.IGNORECASE)
        if found := _found(one, named):
            yield f"{found[0]} names '{ours}', which is in our timetable: news of lessons is a message of its own (P18)."


def _no_secret(one: Written) -> Iterator[str]:
    if found := _found(one, WORDS["en"].secret):
        yield f"{found[0]} names '{found[1]}': we never ask for such things (L18)."


def _found(one: Written, words: re.Pattern[str]) -> tuple[str, str] | None:
    """Where these words stand and how they read: in either value, or begun in the one and ended in the other."""
    what, more = as_read(one.what), as_read(IN_LINKS.sub(" ", unquote(one.more)))
    for name, text in (("--what", what), ("--more", more), ("--what with --more", f"{what} {more}")):
        if found := words.search(text):
            return name, found[0]
    return None


def _one_alphabet(one: Written) -> Iterator[str]:
    for name, value in (("--what", one.what), ("--more", one.more)):
        if word := next(mixed(value), None):
            yield f"{name} mixes letters of two alphabets in '{word}'."


def _more(one: Written) -> Iterator[str]:
    if not one.more.isascii() or not (_is_link(one.more) or EMAIL.fullmatch(one.more) or _is_uk_phone(one.more)):
        yield "--more is not a link that begins with https://, a UK phone number or an email address."


def _is_link(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    plain = port != 0 and "@" not in parts.netloc and " " not in text and "\\" not in text
    return parts.scheme == "https" and plain and HOST.fullmatch(host) is not None


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
