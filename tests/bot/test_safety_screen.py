"""What the rules must hear and must leave alone, without any model."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.lexicons import LexiconError, load_lexicon
from bot.safety import Lexicon, may_mean_all, screen
from bot.safety.normalise import normalise
from bot.turn import Heard
from tests.words import lexicon

FOLDER = Path(__file__).parents[2] / "data" / "safety"
LEXICON: Lexicon = lexicon()
CASES = yaml.safe_load((Path(__file__).parent / "safety_cases.yml").read_text(encoding="utf-8"))
FLAGGED = [(flag, text) for flag, texts in CASES["flags"].items() for text in texts]
KEYWORDS = [
    "stop",
    "unsubscribe",
    "cancel",
    "end",
    "quit",
    "revoke",
    "optout",
    "opt out",
    "band karo",
    "przestań",
    "بند",
    "বন্ধ",
]


def heard(text: str) -> dict[str, Heard]:
    return {one.intent: one for one in screen(text, LEXICON)}


@pytest.mark.parametrize("text", CASES["keywords"])
def test_a_keyword_alone_opts_out_for_certain(text: str) -> None:
    assert screen(text, LEXICON) == (Heard("opt_out", "exact"),)


@pytest.mark.parametrize("text", CASES["opt_out"])
def test_a_plain_wording_opts_out(text: str) -> None:
    assert "opt_out" in heard(text)


@pytest.mark.parametrize("text", CASES["for_other"])
def test_opting_out_for_somebody_else_says_so(text: str) -> None:
    assert heard(text)["opt_out"].flags == {"for_other"}


@pytest.mark.parametrize("text", CASES["not_opt_out"])
def test_a_near_miss_changes_no_consent(text: str) -> None:
    assert {"opt_out", "opt_out_marketing", "wrong_number"}.isdisjoint(heard(text))


@pytest.mark.parametrize("text", CASES["opt_out_marketing"])
def test_stopping_jobs_alone_stops_nothing_else(text: str) -> None:
    assert screen(text, LEXICON) == (Heard("opt_out_marketing", "rule"),)


@pytest.mark.parametrize("text", CASES["only_lessons"])
def test_only_lessons_is_a_no_to_jobs_and_to_check_ins(text: str) -> None:
    assert screen(text, LEXICON) == (Heard("opt_out_marketing", "rule"), Heard("opt_out_checkin", "rule"))


@pytest.mark.parametrize("text", CASES["jobs_and_check_ins"])
def test_jobs_and_check_ins_named_together_are_both_stopped_and_lessons_stay(text: str) -> None:
    assert screen(text, LEXICON) == (Heard("opt_out_marketing", "rule"), Heard("opt_out_checkin", "rule"))


@pytest.mark.parametrize("text", CASES["opt_out_unsure"])
def test_no_to_lessons_alone_pauses_and_is_asked_about(text: str) -> None:
    assert screen(text, LEXICON) == (Heard("opt_out", "rule", sure=False),)


@pytest.mark.parametrize("text", CASES["not_opt_in"])
def test_a_word_near_start_with_a_no_in_it_is_no_start(text: str) -> None:
    assert "opt_in" not in heard(text)


@pytest.mark.parametrize("text", CASES["opt_out_checkin"])
def test_stopping_check_ins_alone_stops_nothing_else(text: str) -> None:
    assert screen(text, LEXICON) == (Heard("opt_out_checkin", "rule"),)


@pytest.mark.parametrize("text", CASES["not_opt_out_checkin"])
def test_a_word_about_check_ins_stops_none(text: str) -> None:
    assert {"opt_out", "opt_out_checkin"}.isdisjoint(heard(text))


@pytest.mark.parametrize(
    "text",
    [
        "NEW NUMBER",
        "new number please",
        "New Number: 07700 900555",
        "NEW NUMBER +44 (0)7700-900-555 📱",
        "hi my new number is 07700900555 ta",
    ],
)
def test_new_number_is_heard_with_the_number_or_without(text: str) -> None:
    assert screen(text, LEXICON) == (Heard("change_number", "exact"),)


@pytest.mark.parametrize(
    "text",
    [
        "new number texting me from 07700 900555",
        "is 07700 900555 your new number",
        "stop 07700 900555",
        "07700 900555",
        "new number who dis",
    ],
)
def test_a_number_beside_other_words_is_no_new_number(text: str) -> None:
    assert "change_number" not in heard(text)


@pytest.mark.parametrize("text", CASES["keep"])
def test_a_wish_to_keep_reminders_is_heard_as_one(text: str) -> None:
    assert screen(text, LEXICON) == (Heard("reminder_preferences", "rule"),)


@pytest.mark.parametrize("text", CASES["no_keep"])
def test_a_complaint_that_messages_keep_coming_is_no_wish_to_keep_them(text: str) -> None:
    assert "reminder_preferences" not in heard(text)


@pytest.mark.parametrize("text", CASES["both"])
def test_a_disclosure_and_an_opt_out_of_other_words_are_both_heard(text: str) -> None:
    assert {"safeguarding_disclosure", "opt_out"} <= heard(text).keys()


@pytest.mark.parametrize("text", [*CASES["opt_out"], "STOPALL", "optout", "stop stop stop", "band karo"])
def test_a_disclosure_in_another_sentence_never_silences_an_opt_out(text: str) -> None:
    assert {"safeguarding_disclosure", "opt_out"} <= heard(f"I want to die. {text}").keys()


@pytest.mark.parametrize("text", CASES["wrong_number"])
def test_a_wrong_number_is_heard(text: str) -> None:
    assert "wrong_number" in heard(text)


@pytest.mark.parametrize("text", CASES["not_wrong_number"])
def test_a_word_about_numbers_is_not_a_wrong_number(text: str) -> None:
    assert "wrong_number" not in heard(text)


@pytest.mark.parametrize("text", CASES["disclosure"])
def test_a_disclosure_is_heard(text: str) -> None:
    assert "safeguarding_disclosure" in heard(text)


@pytest.mark.parametrize("text", CASES["no_disclosure"])
def test_an_idiom_or_coursework_is_no_disclosure(text: str) -> None:
    assert "safeguarding_disclosure" not in heard(text)


@pytest.mark.parametrize(("flag", "text"), FLAGGED)
def test_a_disclosure_carries_its_flag(flag: str, text: str) -> None:
    assert flag in heard(text)["safeguarding_disclosure"].flags


@pytest.mark.parametrize(
    "text",
    [
        "START",
        "start please",
        "start my messages again",
        "Turn messages back on please",
        "unstop",
        "شروع",
        "shuru karo",
        "zacznij",
        "începe",
    ],
)
def test_start_opts_in(text: str) -> None:
    assert screen(text, LEXICON) == (Heard("opt_in", "exact"),)


@pytest.mark.parametrize("text", ["HELP", "menu", "?", " ?? ", "pomoc", "مدد"])
def test_help_is_heard(text: str) -> None:
    assert screen(text, LEXICON) == (Heard("help", "exact"),)


def test_a_disclosure_and_an_opting_out_are_both_heard_disclosure_first() -> None:
    found = screen("I want to die. stop messaging me", LEXICON)
    assert [one.intent for one in found] == ["safeguarding_disclosure", "opt_out"]


@pytest.mark.parametrize("word", ["cancel", "end", "quit"])
def test_a_vague_word_counts_only_as_the_whole_message(word: str) -> None:
    assert "opt_out" in heard(f"{word}!!")
    assert "opt_out" not in heard(f"{word} please")


def test_stop_it_pauses_and_is_asked_about() -> None:
    assert screen("please stop it will you", LEXICON) == (Heard("opt_out", "rule", sure=False),)


def test_words_in_their_own_alphabet_are_not_turned_into_latin_ones() -> None:
    assert [normalise(word) for word in ("стоп", "বন্ধ", "ਬੰਦ")] == ["стоп", "বন্ধ", "ਬੰਦ"]


@given(st.text())
def test_no_text_makes_the_rules_raise(text: str) -> None:
    assert isinstance(screen(text, LEXICON), tuple)


@given(st.text(alphabet="stopdntme .|?!'\u200b👍()*\\", max_size=200))
def test_no_nearly_sensible_text_makes_the_rules_raise(text: str) -> None:
    assert isinstance(screen(text, LEXICON), tuple)


@given(
    st.sampled_from(KEYWORDS),
    st.sampled_from([str.upper, str.title, str.lower, str.swapcase]),
    st.sampled_from(["", " ", "\n", "\u00a0", "\u200b"]),
    st.text(alphabet=".!?,;… 🛑👍🏽❤️✋\u200d", max_size=6),
)
def test_case_spacing_punctuation_and_emoji_do_not_change_a_keyword(word: str, case: object, space: str, tail: str) -> None:
    assert callable(case)
    assert screen(f"{space}{case(word)}{space}{tail}", LEXICON) == (Heard("opt_out", "exact"),)


@given(
    st.sampled_from(
        [
            "dont",
            "don't",
            "do not",
            "DONT",
            "never",
            "please don't",
            "pls do not",
            "i dont want you to",
            "i never said",
            "i didn't ask you to",
            "don’t",
        ]
    ),
    st.sampled_from(["", " ever", " please", " just"]),
    st.sampled_from(
        [
            "stop",
            "stop texting me",
            "stop sending me messages",
            "unsubscribe me",
            "opt me out",
            "stop the reminders",
            "turn off the reminders",
        ]
    ),
)
def test_a_negation_before_the_words_never_opts_out(negation: str, filler: str, words: str) -> None:
    assert {"opt_out", "opt_out_marketing"}.isdisjoint(heard(f"{negation}{filler} {words}"))


def test_a_very_long_message_is_screened_to_its_limit() -> None:
    assert isinstance(screen("stop texting me how do i stop " * 4_000, LEXICON), tuple)


def test_only_english_has_been_read_by_a_native_speaker() -> None:
    assert LEXICON.unreviewed == ("ar", "bn", "gu", "hi", "pa", "pl", "ro", "ur")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("reviewed: true\nkeywords: {opt_out: [no]}\n", "keywords.opt_out.0"),
        ("reviewed: true\nwrong: 1\n", "wrong"),
        ("keywords: {}\n", "reviewed"),
        ("reviewed: true\ntopics: {opt_out: {phrases: ['<gone> me']}}\n", "topics.opt_out.phrases"),
        ("reviewed: true\ntopics: {opt_out: {phrases: ['(stop me']}}\n", "topics.opt_out.phrases"),
        ("reviewed: true\ntopics: {opt_out: {guards: ['.. me']}}\n", "topics.opt_out.guards"),
        ("reviewed: true\nkeywords: {opt_out: [stop], opt_in: [STOP]}\n", "keywords.opt_in"),
        ("reviewed: [\n", "YAML"),
    ],
)
def test_a_malformed_list_is_refused_by_file_and_key(tmp_path: Path, content: str, named: str) -> None:
    (tmp_path / "xx.yml").write_text(content, encoding="utf-8")
    with pytest.raises(LexiconError, match=rf"xx\.yml.*{named}"):
        load_lexicon(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LexiconError, match="no word list"):
        load_lexicon(tmp_path)


@pytest.mark.parametrize(
    ("text", "doubtful"),
    [
        ("could you quit the lesson pings, adverts fine", True),
        ("keep the vacancies, cancel all reminders", True),
        ("Don\N{RIGHT SINGLE QUOTATION MARK}t remind me about lessons", True),
        ("apart from the job ones i want nowt", True),
        ("dont text me about the vacancies", False),
        ("dont stop my lessons", False),
        ("please don't cancel all my reminders", False),
        ("stop the reminders just till after eid", False),
        ("stop the stalls stuff but let me know about lessons", False),
        ("can they come at 8", False),
    ],
)
def test_words_that_say_no_to_lessons_or_to_all_but_jobs_are_known(text: str, *, doubtful: bool) -> None:
    assert may_mean_all(text, lexicon()) == doubtful
