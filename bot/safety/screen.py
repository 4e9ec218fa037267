"""What a message says that must be acted on whether or not Rasa is up: layers two and three of D02, and D06."""

from __future__ import annotations

import re
from datetime import datetime

from bot.safety.lexicon import Lexicon, Topic
from bot.safety.normalise import BREAK, normalise, squeezed
from bot.safety.phrases import Phrases, Span
from bot.turn import Heard, Wish, WishKind
from bot.until import quiet_until, words_before

_OPT_OUT = "opt_out"
_PARTS = ("opt_out_marketing", "opt_out_checkin")  # opting out of one purpose alone
_MORE = "more_than_reminders"
_ALL_OR_PART = ("all_or_part", _MORE)
_MERE_WISH = ("reminders_quiet", "reminders_none", "beside_a_wish")
_CHANGE_NUMBER = "change_number"
_KEEP = "reminder_preferences"
_WRONG_NUMBER = "wrong_number"
_DISCLOSURE = "safeguarding_disclosure"
_WHAT_COMES = "what_will_you_send"
_CLEAR: tuple[WishKind, ...] = ("none", "quiet", "both", "hour", "day")
_ASKED_POLITELY = re.compile(r" (?:can|could|will|would|please) ")
_WORD = re.compile(r"[^ |]+")
_LONGEST_WISH = 200  # characters: whoever writes more says more than a wish, and the model hears all of it
_LONGEST_MESSAGE = 10_000  # characters, twice what WhatsApp can carry: what a stranger posts costs no more than this
_LONGEST_KEYWORD = 60  # letters; a longer message is not one word with thanks around it


def screen(text: str, lexicon: Lexicon) -> tuple[Heard, ...]:
    """Everything the rules hear in `text`, in the order of D05; empty when they hear nothing. Never raises."""
    exact = _exact(text, lexicon)
    if exact:
        return (exact,)
    written = lexicon.written(text[:_LONGEST_MESSAGE])
    disclosed, words = _disclosure(written, lexicon)
    found = [disclosed, *_leaving(written, lexicon, words)]
    return tuple(heard for heard in found if heard)


def may_mean_all(text: str, lexicon: Lexicon) -> bool:
    """Do the words say no to lessons, to all but jobs, or to everything beside a wish about reminders?

    A part that the model hears beside it, or the wish, is asked about (D02).
    """
    written = lexicon.written(text[:_LONGEST_MESSAGE])
    if any(_says(topic, written, lexicon) for topic in _ALL_OR_PART):
        return True
    rest = _beside_a_wish(written, lexicon) if len(text) <= _LONGEST_WISH else ""
    return any(heard.intent == _OPT_OUT for heard in screen(rest, lexicon))


def read_wish(text: str, lexicon: Lexicon, at: datetime) -> Wish | None:
    """What the words, said at `at` (aware UTC), wish of our reminders, or that they ask what will come (P12). Never raises.

    No opting out is heard here: what `screen` and `may_mean_all` hear counts first. Who says more than that they want none
    is asked what they want: the rest may be the opting out that we do not know (D02).
    """
    if len(text) > _LONGEST_WISH:
        return None
    written = lexicon.written(text)
    if _says(_WHAT_COMES, written, lexicon):
        return Wish("what_will_you_send")
    if "?" in text and not _ASKED_POLITELY.search(written):
        return None  # "no reminder this week?" asks where it is
    if _says(_MORE, written, lexicon):
        return Wish("unclear")
    return _of_reminders(written, lexicon, at)


def _of_reminders(written: str, lexicon: Lexicon, at: datetime) -> Wish | None:
    clear = [kind for kind in _CLEAR if _says(f"reminders_{kind}", written, lexicon)]
    if len(clear) != 1:
        return Wish("unclear") if clear or _says("reminders_unclear", written, lexicon) else None
    (kind,) = clear
    if _beside_a_wish(written, lexicon):
        return Wish("unclear")
    if kind != "quiet":
        return Wish(kind)
    until = quiet_until(" ".join(_WORD.findall(written)), at)
    return Wish(kind, until) if until else Wish("unclear")


def _beside_a_wish(written: str, lexicon: Lexicon) -> str:
    """What is said beside a wish for quiet or for no reminders, but for courtesies and reasons; nothing without a wish."""
    topics = [lexicon.topics[name] for name in _MERE_WISH]
    wish, none, around = ([*_kept(topic, topic.phrases, written, lexicon)] for topic in topics)
    if not wish and not none:
        return ""
    words = list(_WORD.finditer(written))
    words = words[: words_before(" ".join(word[0] for word in words))]
    spans = (*wish, *none, *around)
    return " ".join(word[0] for word in words if not any(span.start <= word.start() < span.end for span in spans))


def _says(topic: str, written: str, lexicon: Lexicon) -> bool:
    return bool(_kept(lexicon.topics[topic], lexicon.topics[topic].phrases, written, lexicon))


def _exact(text: str, lexicon: Lexicon) -> Heard | None:
    words = normalise(text[:_LONGEST_MESSAGE]).split()
    if not words:
        return _sign(text.strip(), lexicon)
    if sum(map(len, words)) > _LONGEST_KEYWORD:
        return None
    alone = lexicon.keywords_alone.get(squeezed(words))
    intent = alone or lexicon.keywords.get(squeezed(lexicon.bare(words))) or _new_number(words, lexicon)
    return Heard(intent, "exact") if intent else None


def _new_number(words: list[str], lexicon: Lexicon) -> str | None:
    """NEW NUMBER and then the number: the words count without its figures, and mean nothing else (D10)."""
    rest = [word for word in words if not word.isdigit()]
    said = lexicon.keywords.get(squeezed(lexicon.bare(rest))) if rest and rest != words else None
    return said if said == _CHANGE_NUMBER else None


def _sign(text: str, lexicon: Lexicon) -> Heard | None:
    """What a message without a word says: one sign, said once or more."""
    if text and not text.strip("?？؟"):
        return Heard("help", "exact")
    intent = lexicon.keywords.get(text[:1]) if not text.strip(f"{text[:1]}\ufe0f !") else None
    return Heard(intent, "exact") if intent else None


def _leaving(written: str, lexicon: Lexicon, disclosed: list[Span]) -> list[Heard | None]:
    parts = {name: list(_kept(lexicon.topics[name], lexicon.topics[name].phrases, written, lexicon)) for name in _PARTS}
    partly = [span for spans in parts.values() for span in spans]
    heard = [_opt_out(written, lexicon, partly, disclosed), _plain(_WRONG_NUMBER, written, lexicon)]
    if not heard[0]:
        heard += [Heard(name, "rule") for name, spans in parts.items() if spans]
    return heard if any(heard) else [_plain(_KEEP, written, lexicon)]


def _opt_out(written: str, lexicon: Lexicon, partly: list[Span], disclosed: list[Span]) -> Heard | None:
    topic = lexicon.topics[_OPT_OUT]

    def said(phrases: Phrases) -> bool:
        """True when a phrase stands that is more than a part of what was already understood as something else."""
        spans = [span for span in _kept(topic, phrases, written, lexicon) if _stands(span, partly)]
        return any(not any(span.overlaps(words) for words in disclosed) for span in spans)

    for flag, phrases in topic.flagged.items():
        if said(phrases):
            return Heard(_OPT_OUT, "rule", flags=frozenset({flag}))
    if said(topic.phrases):
        return Heard(_OPT_OUT, "rule")
    return Heard(_OPT_OUT, "rule", sure=False) if said(topic.unsure) else None


def _kept(topic: Topic, phrases: Phrases, written: str, lexicon: Lexicon) -> list[Span]:
    """Where `phrases` stand, but for those that a guard or a negation says mean something else."""
    spans = list(phrases.find(written))
    guards = list(topic.guards.find(written)) if spans else []
    return [span for span in spans if _stands(span, guards) and not lexicon.negated(written, span)]


def _stands(span: Span, others: list[Span]) -> bool:
    """True unless another reading of the same words is as wide; the wider reading wins."""
    return not any(span.overlaps(other) and not (span.covers(other) and span != other) for other in others)


def _plain(intent: str, written: str, lexicon: Lexicon) -> Heard | None:
    topic = lexicon.topics[intent]
    guards = list(topic.guards.find(written))
    return Heard(intent, "rule") if _unguarded(topic.phrases, guards, written) else None


def _disclosure(written: str, lexicon: Lexicon) -> tuple[Heard | None, list[Span]]:
    """What is disclosed, and the words that say it within one sentence: those words are no opting out as well.

    Recall before precision (D06): a negation does not silence it, only an idiom that covers the words does.
    """
    topic = lexicon.topics[_DISCLOSURE]
    guards = list(topic.guards.find(written))
    flags = {flag for flag, phrases in topic.flagged.items() if _unguarded(phrases, guards, written)}
    said = [span for span in topic.phrases.find(written) if _stands(span, guards)]
    if not flags and not said:
        return None, []
    flags |= {flag for flag, phrases in topic.cues.items() if phrases.found_in(written)}
    words = [span for span in said if BREAK not in written[span.start : span.end].strip(f" {BREAK}")]
    return Heard(_DISCLOSURE, "rule", flags=frozenset(flags)), words


def _unguarded(phrases: Phrases, guards: list[Span], written: str) -> bool:
    return any(_stands(span, guards) for span in phrases.find(written))
