"""What a list of judged messages says about the model: pure arithmetic, and the rules by which thresholds are chosen."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from nlu.thresholds import Thresholds

TAG = re.compile(r"\[([^\]]+)\]")
STEPS = tuple(step / 100 for step in range(5, 100))
LIKELIER_THAN_NOT = 0.5  # nobody is opted out at once on less
MAY_PAUSE = {"opt_out", "opt_out_marketing", "wrong_number", "data_erasure_request"}  # pausing on these does no harm
WRONG_ANSWERS = 0.10  # at most this share of what is answered may be wrong
FALSE_STOPS, FALSE_PAUSES = 0.01, 0.005  # of messages that are no opt-out and have no "do not stop" in them
FALSE_ALARMS_NEAR, FALSE_ALARMS_ELSE = 0.25, 0.01  # of idioms and coursework; of all else


@dataclass(frozen=True, slots=True)
class Judged:
    """A message, what it is, and the chance that the model gave to every intent."""

    text: str
    intent: str
    tags: frozenset[str]
    chances: Mapping[str, float]

    @property
    def heard(self) -> str:
        """The intent that the model finds likeliest."""
        return max(self.chances, key=self.chances.__getitem__)

    @property
    def right(self) -> bool:
        """True when the likeliest intent is the message's, or one that is accepted for it."""
        return self.heard == self.intent or f"accept:{self.heard}" in self.tags

    @property
    def confidence(self) -> float:
        """The chance of the likeliest intent."""
        return self.chances[self.heard]

    @property
    def half(self) -> str:
        """`choose` or `report`: thresholds are chosen on one half, and judged on the other."""
        return "choose" if hashlib.sha256(self.text.encode()).digest()[-1] % 2 else "report"

    def wants(self, intent: str) -> bool:
        """True when the message is this intent, if only among others."""
        return self.intent == intent or bool({f"also:{intent}", f"accept:{intent}"} & self.tags)


def tags_of(note: str) -> frozenset[str]:
    """The tags in square brackets of a note: `[esol] [also:thanks] ...`."""
    return frozenset(TAG.findall(note))


def share(judged: Iterable[Judged], test: Callable[[Judged], bool]) -> float:
    """The share of messages that pass the test; 0 when there are none."""
    results = [test(one) for one in judged]
    return sum(results) / len(results) if results else 0.0


def accuracy(judged: Iterable[Judged]) -> float:
    """The share whose likeliest intent is right."""
    return share(judged, lambda one: one.right)


def macro_f1(judged: Sequence[Judged]) -> float:
    """The mean over intents of F1; an accepted answer counts as the message's own intent."""
    pairs = [(one.intent, one.intent if one.right else one.heard) for one in judged]
    hits = Counter(wanted for wanted, heard in pairs if wanted == heard)
    wanted_total, heard_total = Counter(wanted for wanted, _ in pairs), Counter(heard for _, heard in pairs)
    each = [2 * hits[name] / (wanted_total[name] + heard_total[name]) for name in wanted_total]
    return sum(each) / len(each) if each else 0.0


def calibration_error(judged: Sequence[Judged], bins: int = 10) -> float:
    """The expected calibration error: how far confidence is from accuracy, averaged over bins by their size."""
    total = 0.0
    for number in range(bins):
        held = [one for one in judged if min(int(one.confidence * bins), bins - 1) == number]
        if held:
            gap = accuracy(held) - sum(one.confidence for one in held) / len(held)
            total += abs(gap) * len(held) / len(judged)
    return total


def confusions(judged: Iterable[Judged]) -> list[tuple[str, str, int]]:
    """What was taken for what, most frequent first."""
    counted = Counter((one.intent, one.heard) for one in judged if not one.right)
    return [(wanted, heard, times) for (wanted, heard), times in counted.most_common()]


def stops(one: Judged, limits: Thresholds) -> bool:
    """True when the model alone would opt this person out at once."""
    return one.heard == "opt_out" and one.chances["opt_out"] >= limits.opt_out_sure


def pauses(one: Judged, limits: Thresholds) -> bool:
    """True when the model alone would opt this person out, or pause and ask."""
    return one.chances["opt_out"] >= min(limits.opt_out_unsure, limits.opt_out_sure)


def alarms(one: Judged, limits: Thresholds) -> bool:
    """True when the model alone would treat this as someone at risk."""
    return one.chances["safeguarding_disclosure"] >= limits.safeguarding


def choose(judged: Sequence[Judged]) -> Thresholds:
    """The lowest threshold of each kind that keeps its promise on these messages: lowest means highest recall.

    Raises ValueError when none does.
    """
    limits = Thresholds(*([STEPS[-1]] * 4))
    limits = _lowest(limits, "accept", STEPS, lambda trial: _few_wrong(judged, trial))
    limits = _lowest(limits, "safeguarding", STEPS, lambda trial: _few_alarms(judged, trial))
    limits = _lowest(limits, "opt_out_unsure", STEPS, lambda trial: _few_pauses(judged, trial))
    likely = [step for step in STEPS if step >= max(limits.opt_out_unsure, LIKELIER_THAN_NOT)]
    return _lowest(limits, "opt_out_sure", likely, lambda trial: _few_stops(judged, trial))


def _lowest(limits: Thresholds, name: str, steps: Iterable[float], keeps: Callable[[Thresholds], bool]) -> Thresholds:
    trials = (replace(limits, **{name: step}) for step in steps)
    found = next((trial for trial in trials if keeps(trial)), None)
    if found is None:
        raise ValueError(f"no threshold for {name} keeps its promise: the model is not good enough")
    return found


def _few_wrong(judged: Iterable[Judged], limits: Thresholds) -> bool:
    answered = [one for one in judged if one.confidence >= limits.accept]
    return 1 - accuracy(answered) <= WRONG_ANSWERS


def _few_stops(judged: Iterable[Judged], limits: Thresholds) -> bool:
    return share(going_on(judged), lambda one: stops(one, limits)) <= FALSE_STOPS


def _few_pauses(judged: Iterable[Judged], limits: Thresholds) -> bool:
    return share(going_on(judged), lambda one: pauses(one, limits)) <= FALSE_PAUSES


def going_on(judged: Iterable[Judged]) -> list[Judged]:
    """The messages of people whose messages must go on, as far as it is the model that decides."""
    others = [one for one in judged if one.intent not in MAY_PAUSE and not one.wants("opt_out")]
    return [one for one in others if "negation" not in one.tags]  # the phrase rules hear "do not stop" before the model


def _few_alarms(judged: Iterable[Judged], limits: Thresholds) -> bool:
    others = [one for one in judged if not one.wants("safeguarding_disclosure")]
    near = [one for one in others if "sg_near_miss" in one.tags]
    rest = [one for one in others if "sg_near_miss" not in one.tags]
    return (
        share(near, lambda one: alarms(one, limits)) <= FALSE_ALARMS_NEAR
        and share(rest, lambda one: alarms(one, limits)) <= FALSE_ALARMS_ELSE
    )
