"""What the words of a lesson must not say, because service messages repeat them (P18, L12, L18). Pure.

A title and a place are asked about far fewer words than bot/template_lint.py has: "Finding New Customers" is a lesson, and
"Job Centre, Blackburn" a place. What is looked at is what a reader reads, whatever is hidden in it.
"""

from __future__ import annotations

import re

from bot.lookalikes import as_read, mixed
from bot.template_lint import WORDS
from bot.templates import LONGEST_VALUE
from bot.timetable.words import SHORT

LONGEST_WORDS = 200
LINKS = ("https://", "http://")
NOT = "a lesson message must not say"
ADVERTS = (  # what calls readers to take something up; each whole, in any case, with any spaces
    "apply now",
    "apply today",
    "sign up now",
    "sign up today",
    "book now",
    "buy now",
    "order now",
    "shop now",
    "click here",
    "job offer",
    "job offers",
    "job vacancy",
    "vacancy",
    "vacancies",
    "hiring",
    "special offer",
    "limited offer",
    "discount",
    "discount code",
    "promo code",
    "half price",
    "% off",
    "free gift",
    "win a",
)
ASKS = r"(?:send|tell|give|text|reply with|e[ -]?mail|confirm|enter|bring)\b"  # "Business Bank Accounts" asks for nothing
_ANY = "|".join(re.escape(words).replace(r"\ ", r"\s+") for words in sorted(ADVERTS, key=len, reverse=True))
ADVERT = re.compile(rf"(?<![^\W\d])(?:{_ANY})(?!\w)", re.IGNORECASE)
BUILDINGS = ("bank", "banks", "card", "cards", "passport", "passports")  # "Bank House", "the Passport Office"
SECRETS = tuple(words.secret for words in WORDS.values())
ASKED = tuple(re.compile(rf"\b{ASKS}.{{0,30}}?{one.pattern}", re.IGNORECASE) for one in SECRETS)


def wrong_in_title(title: str) -> str:
    """The words of an advert, or of a question for a secret, in the title of a lesson; empty where there are none."""
    return _first((ADVERT, *ASKED), title)


def wrong_in_place(place: str) -> str:
    """The secret that a place names; empty where it names none. Whatever else it says is where people have to go."""
    named = next(
        (one[0] for words in SECRETS for one in words.finditer(as_read(place)) if one[0].lower() not in BUILDINGS), ""
    )
    return named or _first(ASKED, place)


def wrong_title(title: str) -> str:
    """Why a lesson cannot have this title; empty where it can."""
    if not title:
        return "a lesson needs a title"
    found = wrong_in_title(title)
    return f"the title: {NOT} '{found}'" if found else ""


def wrong_place(place: str) -> str:
    """Why a lesson cannot be there; empty where it can."""
    if len(place) > SHORT:
        return f"the place: at most {SHORT} characters"
    found = wrong_in_place(place)
    return f"the place: {NOT} '{found}'" if found else ""


def wrong_link(link: str) -> str:
    """Why this is no link that a message can hold; empty where it is one, or none at all."""
    fits = link.lower().startswith(LINKS) and " " not in link and len(link) <= LONGEST_VALUE - SHORT
    most = LONGEST_VALUE - SHORT
    return "" if fits or not link else f"a link begins with https:// and has no spaces, and at most {most} characters"


def wrong_words(words: str) -> str:
    """Why these words cannot be told of a problem: all that no service message may say is looked for in them."""
    if not any(char.isalnum() for char in words):
        return "say in a few words what the trouble is"
    if len(words) > LONGEST_WORDS:
        return f"the words: at most {LONGEST_WORDS} characters"
    found = _first(tuple(one.promotional for one in WORDS.values()) + SECRETS, words)
    return f"the words: {NOT} '{found}'" if found else ""


def _first(patterns: tuple[re.Pattern[str], ...], text: str) -> str:
    read = as_read(text)
    found = next((found for one in patterns if (found := one.search(read))), None)
    return found[0] if found else next(mixed(text), "")  # a word of two alphabets is put together to be misread
