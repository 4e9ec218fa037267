"""What stops a template from being used at all: rules of the policy, the law and WhatsApp, read from its words. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bot.templates import LONGEST, LONGEST_VALUE, PLACE, Template, clean, filled
from bot.turn import Purpose, Use

USES: Mapping[Purpose, tuple[Use, ...]] = {  # P02: one approved use, and one purpose that fits it
    "service": (
        "lesson_reminder",
        "course_update",
        "technical_or_delay",
        "visual_work",
        "question",
        "collaboration",
        "encouragement",
        "keeping_in_touch",
    ),
    "checkin": ("keeping_in_touch",),
    "marketing": ("opportunity",),
    "staff": ("staff",),
}
US = "Enterprise4all"
NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
LANGUAGE = re.compile(r"[a-z]{2}")
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
TOO_BLANK = re.compile(r"\t|\r| {4,}|\n{3,}")
SAYS_HOW_TO_STOP = ("marketing", "checkin")  # reg 23 of PECR; "clear opt-out instructions" (L16)
ROOM = 100  # characters that each variable can count on, whatever the others hold
MOST_REPLIES, LONGEST_TITLE, LONGEST_ID = 3, 20, 200  # in the open window WhatsApp shows three buttons


@dataclass(frozen=True, slots=True)
class Words:
    """What gives away an advert (P18, L12) and a question for secrets (L18), in one language."""

    promotional: re.Pattern[str]
    secret: re.Pattern[str]


WORDS: Mapping[str, Words] = {  # a language without its words is refused: nobody could tell an advert from a reminder
    "en": Words(
        promotional=re.compile(
            r"\b(?:jobs?|vacanc(?:y|ies)|hiring|recruit\w*|career\w*|opportunit(?:y|ies)|offers?|discounts?|sales?|deals?"
            r"|bargains?|promo\w*|advert\w*|ads?|vouchers?|coupons?|prizes?|win|giveaway|competition|free|half price"
            r"|best price|buy|sell|shop now|order now|book now|sign up|enrol now|apply now|clients?|customers?|earn\w*"
            r"|paid work|(?:new|next|another|further|more|other) courses?|stalls?|markets?|sponsor\w*|partners?)\b|%|£",
            re.IGNORECASE,
        ),
        secret=re.compile(
            r"\b(?:cards?|banks?|sort code|account (?:number|details)|iban|cvv2?|cvc2?|pins?|pass ?words?|pass ?codes?"
            r"|passports?|codes?(?! of conduct)|national insurance|ni (?:number|no)|nino|utr|driving licence|date of birth"
            r"|nhs number|log ?in|credentials)\b",
            re.IGNORECASE,
        ),
    )
}


def problems(template: Template) -> tuple[str, ...]:
    """Why this template must not be used; empty when it may be. Each reason is a sentence without its subject."""
    return tuple(reason for rule in RULES for reason in rule(template))


def _named(template: Template) -> Iterator[str]:
    if not NAME.fullmatch(template.name):
        yield "has a name that is not small letters, digits and _, at most 60 of them"
    if not LANGUAGE.fullmatch(template.language):
        yield "has a language that is not two small letters"


def _one_use(template: Template) -> Iterator[str]:
    fitting = USES.get(template.purpose)
    if fitting is None:
        yield f"is for {template.purpose or 'nothing'}: a template is for one of {', '.join(USES)} (P02)"
    elif template.use not in fitting:
        yield f"has the use {template.use or 'none'}, which does not fit {template.purpose}: {', '.join(fitting)} (P02)"
    if (template.category == "MARKETING") != (template.purpose == "marketing"):
        yield f"is {template.category} and for {template.purpose}: marketing is MARKETING, and nothing else is (L20)"


def _says_who_and_how_to_stop(template: Template) -> Iterator[str]:
    if US not in template.body:
        yield f"does not name {US} (P18)"
    if template.purpose in SAYS_HOW_TO_STOP and not re.search(r"\bSTOP\b", template.body):
        yield "does not say how to stop: the word STOP (P18, L16)"


def _words(template: Template) -> Iterator[str]:
    words = WORDS.get(template.language)
    if words is None:
        yield f"is in {template.language}: bot/template_lint.py knows no words to look for in it (L12, L18)"
        return
    whole = _whole(template)
    if template.purpose != "marketing" and (found := words.promotional.search(whole)):
        yield f"promotes something ('{found[0]}'): that needs a marketing template of its own (P18, L12)"
    if found := words.secret.search(whole):
        yield f"names '{found[0]}': no template may ask for such things (L18)"


def _whole(template: Template) -> str:
    """Everything that WhatsApp and a learner can read of it. Addresses in samples are no words."""
    shown = {number: "" if "://" in sample else sample for number, sample in template.samples.items()}
    return "\n".join([filled(template.body, shown), *(one.title for one in template.replies)])


def _places(template: Template) -> Iterator[str]:
    """WhatsApp's own shapes ("Message template approvals": rejected formats)."""
    parts, found = PLACE.split(template.body), PLACE.findall(template.body)
    if any(brace in text for text in parts[::2] for brace in "{}"):
        yield "has braces that are no variable like {{1}}"
    if {int(number) for number in found} != set(range(1, len(template.variables) + 1)):
        yield f"has {len(template.variables)} variables: its body must use each, counted from {{{{1}}}}, and no other"
    if not WORD.search(parts[0]) or not WORD.search(parts[-1]):
        yield "begins or ends with a variable"
    if not all(WORD.search(text) for text in parts[2:-1:2]):
        yield "has two variables with no word between them"
    if sum(len(WORD.findall(text)) for text in parts[::2]) < 2 * len(set(found)) + 1:
        yield "has too many variables for its words: WhatsApp wants twice as many words, and one more"


def _variables(template: Template) -> Iterator[str]:
    names = [one.name for one in template.variables]
    if len(set(names)) < len(names) or not all(NAME.fullmatch(name) for name in names):
        yield "has variables whose names are not different words of small letters, digits and _"
    for one in template.variables:
        if not one.sample or clean(one.sample) != one.sample or len(one.sample) > LONGEST_VALUE:
            yield f"has a sample for {one.name} that is empty, too long, or holds what no variable may hold (63013)"


def _length(template: Template) -> Iterator[str]:
    if TOO_BLANK.search(template.body) or template.body != template.body.strip():
        yield "has tabs, four spaces, two empty lines or blank ends"
    fixed = len(PLACE.sub("", template.body)) + ROOM * len(PLACE.findall(template.body))
    if max(fixed, len(filled(template.body, template.samples))) > LONGEST:
        yield f"is longer than {LONGEST} characters once filled in, with {ROOM} for each variable (63021)"


def _replies(template: Template) -> Iterator[str]:
    titles, ids = [one.title.casefold() for one in template.replies], [one.id for one in template.replies]
    if len(titles) > MOST_REPLIES:
        yield f"has more than {MOST_REPLIES} quick replies"
    if len(set(titles)) < len(titles) or len(set(ids)) < len(ids):
        yield "has two quick replies that are alike"
    for one in template.replies:
        if not 1 <= len(one.title) <= LONGEST_TITLE or clean(one.title) != one.title or set(one.title) & set("{}"):
            yield f"has a quick reply whose title is not plain text of 1 to {LONGEST_TITLE} characters"
        if not re.fullmatch(rf"[a-z0-9_]{{1,{LONGEST_ID}}}", one.id):
            yield "has a quick reply whose id is not small letters, digits and _"


RULES: tuple[Callable[[Template], Iterator[str]], ...] = (
    _named,
    _one_use,
    _says_who_and_how_to_stop,
    _words,
    _places,
    _variables,
    _length,
    _replies,
)
