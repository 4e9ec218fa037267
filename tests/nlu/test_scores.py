"""The figures by which the model is judged, and the rules by which thresholds are chosen from them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.settings import ROOT
from nlu import scores
from nlu.scores import Judged
from nlu.thresholds import Thresholds, load_thresholds

LIMITS = Thresholds(accept=0.4, opt_out_sure=0.6, opt_out_unsure=0.3, safeguarding=0.2)
LABELS = ("greet", "opt_out", "safeguarding_disclosure")


def heard(intent: str, note: str = "", greet: float = 0.0, opt_out: float = 0.0, risk: float = 0.0) -> Judged:
    chances = dict(zip(LABELS, (greet, opt_out, risk), strict=True))
    return Judged(f"{intent} {note} {chances}", intent, scores.tags_of(note), chances)


def test_tags_are_read_from_a_note() -> None:
    assert scores.tags_of("[esol] says it twice [also:thanks]") == {"esol", "also:thanks"}


def test_an_accepted_answer_is_right() -> None:
    assert heard("greet", "[accept:opt_out]", opt_out=0.9).right
    assert not heard("greet", "[also:opt_out]", opt_out=0.9).right


def test_a_message_wants_what_it_also_is() -> None:
    assert heard("greet", "[also:opt_out]").wants("opt_out")
    assert not heard("greet").wants("opt_out")


def test_accuracy_is_the_share_that_is_right() -> None:
    assert scores.accuracy([heard("greet", greet=1), heard("opt_out", greet=1)]) == 0.5
    assert scores.accuracy([]) == 0


def test_macro_f1_weighs_every_intent_alike() -> None:
    many_right = [heard("greet", f"{number}", greet=1) for number in range(9)]
    assert scores.macro_f1([*many_right, heard("opt_out", opt_out=1)]) == 1
    assert scores.macro_f1([*many_right, heard("opt_out", greet=1)]) == pytest.approx((18 / 19) / 2)


def test_honest_confidence_has_no_calibration_error() -> None:
    honest = [heard("greet", greet=0.55)] * 11 + [heard("opt_out", greet=0.55)] * 9
    assert scores.calibration_error(honest) == pytest.approx(0)


def test_boasting_is_a_calibration_error() -> None:
    assert scores.calibration_error([heard("opt_out", greet=0.95)]) == pytest.approx(0.95)


def test_confusions_come_most_frequent_first() -> None:
    wrong = [heard("greet", opt_out=1), heard("greet", opt_out=1), heard("opt_out", greet=1), heard("greet", greet=1)]
    assert scores.confusions(wrong) == [("greet", "opt_out", 2), ("opt_out", "greet", 1)]


def test_a_likely_opt_out_pauses_and_a_sure_one_stops() -> None:
    likely, sure = heard("greet", greet=0.6, opt_out=0.4), heard("greet", greet=0.3, opt_out=0.7)
    assert (scores.pauses(likely, LIMITS), scores.stops(likely, LIMITS)) == (True, False)
    assert (scores.pauses(sure, LIMITS), scores.stops(sure, LIMITS)) == (True, True)


def test_a_second_thought_of_risk_is_an_alarm() -> None:
    assert scores.alarms(heard("greet", greet=0.8, risk=0.2), LIMITS)
    assert not scores.alarms(heard("greet", greet=0.81, risk=0.19), LIMITS)


def test_chosen_thresholds_lie_between_what_must_and_what_must_not_be_taken() -> None:
    stop = [heard("opt_out", f"{n}", opt_out=0.9) for n in range(20)]
    calm = [heard("greet", f"{n}", greet=0.7, opt_out=0.3) for n in range(20)]
    risk = [heard("safeguarding_disclosure", f"{n}", risk=0.5, greet=0.5) for n in range(20)]
    chosen = scores.choose([*stop, *calm, *risk])
    assert 0.3 < chosen.opt_out_unsure <= chosen.opt_out_sure <= 0.9
    assert chosen.safeguarding <= 0.5
    assert chosen.accept <= 0.7


def test_no_threshold_is_chosen_from_a_model_that_cannot_tell() -> None:
    with pytest.raises(ValueError, match="not good enough"):
        scores.choose([heard("greet", f"{n}", opt_out=1) for n in range(20)])


@given(st.text())
def test_every_text_is_in_one_half_and_stays_there(text: str) -> None:
    one = Judged(text, "greet", frozenset(), {"greet": 1.0})
    assert one.half in ("choose", "report")
    assert one.half == Judged(text, "opt_out", frozenset({"esol"}), {"opt_out": 1.0}).half


def test_our_thresholds_make_sense() -> None:
    limits = load_thresholds(ROOT / "nlu" / "thresholds.yml")
    assert limits.safeguarding < limits.accept, "recall comes before precision"
    assert limits.opt_out_unsure < limits.opt_out_sure


@pytest.mark.parametrize(("unsure", "sure"), [(0.7, 0.6), (0, 0.5), (0.5, 1)])
def test_thresholds_that_make_no_sense_are_refused(tmp_path: Path, unsure: float, sure: float) -> None:
    values = {"accept": 0.5, "safeguarding": 0.2, "opt_out_sure": sure, "opt_out_unsure": unsure}
    lines = [f"{name}: {{value: {value}}}" for name, value in values.items()]
    (tmp_path / "thresholds.yml").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ValueError, match=r"chance between|doubt comes before"):
        load_thresholds(tmp_path / "thresholds.yml")
