"""Templates: every text of data/templates.yml, what may fill it, and what a template must never be."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answers import read_answer
from bot.safety import screen
from bot.template_files import TemplateError, load_templates
from bot.template_lint import problems
from bot.templates import BadVariables, QuickReply, Template, UnknownTemplate, Variable, gathered
from tests.test_texts_complete import EMAIL, sentences
from tests.words import lexicon

TEMPLATES = load_templates()
EVERY = [pytest.param(one, id=f"{one.name}-{one.language}") for one in TEMPLATES]
TO_LEARNERS = [pytest.param(one, id=one.name) for one in TEMPLATES if one.purpose != "staff"]
GOOD = Template(
    "lesson_news",
    "service",
    "course_update",
    "UTILITY",
    "en",
    "Enterprise4all: your lesson {{1}} is now in {{2}}. Reply OK to say that you know.",
    (Variable("lesson", "Your Idea"), Variable("place", "Room 4")),
    (QuickReply("OK", "ok"),),
)
ADVERT = replace(
    GOOD,
    purpose="marketing",
    use="opportunity",
    category="MARKETING",
    body="Enterprise4all has a job for {{1}} in {{2}}. Reply STOP to stop.",
)
GOOD_FILE = """
lesson_news:
  purpose: service
  use: course_update
  category: UTILITY
  variables:
    - {name: lesson, sample: Your Idea}
  languages:
    en:
      body: "Enterprise4all: your lesson {{1}} has moved."
"""
values = st.text(max_size=300)


def shown(template: Template) -> str:
    return template.fill({one.name: one.sample for one in template.variables})


def changed(**given: object) -> Template:
    return replace(GOOD, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("template", EVERY)
def test_every_template_keeps_the_rules_and_shows_no_braces(template: Template) -> None:
    assert problems(template) == ()
    assert not set("{}") & set(shown(template))


@pytest.mark.parametrize("template", TO_LEARNERS)
def test_a_template_is_easy_to_read(template: Template) -> None:
    lengths = [len(one.split()) for one in sentences(shown(template))]
    assert max(lengths) <= 20
    assert sum(lengths) / len(lengths) <= 12
    assert template.body.count("\n\n") <= 2


@pytest.mark.parametrize("template", EVERY)
def test_every_number_and_address_of_ours_is_exact(template: Template) -> None:
    numbers = {one for one in re.findall(r"\d[\d ().\-]*\d", template.body) if len(re.sub(r"\D", "", one)) > 3}
    assert numbers <= {"01254 693 999"}
    assert set(re.findall(r"[\w.+-]+@[\w-]+(?:\.\w+)*", template.body)) <= {EMAIL}


def test_the_first_message_says_what_the_law_and_the_policy_want_said() -> None:
    first = TEMPLATES.find("first_message", "en")
    values = {
        "first_name": "Sam",
        "course": "Sell Online",
        "privacy_link": "https://p.example",
        "rules_link": "https://r.example",
    }
    text = first.fill(values)
    for said in ("Sam", "Sell Online", "automated", "safeguarding", "https://p.example", "https://r.example"):
        assert said in text
    assert "A computer reads what you send. Our staff see what is passed on to them." in text  # P42, and the privacy page
    assert ("STOP" in text, "HELP" in text) == (True, True)


def test_the_group_invitation_says_that_it_is_a_choice_and_what_others_will_see() -> None:
    text = shown(TEMPLATES.find("group_invitation", "en"))
    for said in ("your choice", "does not affect your course", "name, photo and number", "Reply YES", "Reply NO"):
        assert said in text


def test_the_last_message_gives_both_ways_to_reach_us() -> None:
    text = shown(TEMPLATES.find("goodbye", "en"))
    assert "01254 693 999" in text
    assert EMAIL in text


def test_an_opportunity_names_us_and_says_how_to_stop_these_and_all() -> None:
    template = TEMPLATES.find("opportunity", "en")
    assert (template.purpose, template.category) == ("marketing", "MARKETING")
    for said in ("Enterprise4all", "Reply NO MORE JOBS", "Reply STOP"):
        assert said in template.body


def test_the_safeguarding_alert_knows_nothing_of_the_person_but_the_number_of_the_case() -> None:
    alert = TEMPLATES.find("safeguarding_alert", "en")
    assert (alert.purpose, alert.use, [one.name for one in alert.variables]) == ("staff", "staff", ["case"])
    assert "Do not call or text" in alert.body


@pytest.mark.parametrize(
    ("words", "heard"),
    [("STOP", "opt_out"), ("NO MORE JOBS", "opt_out_marketing"), ("HELP", "help")],
)
def test_what_a_template_tells_people_to_send_is_understood_without_a_model(words: str, heard: str) -> None:
    assert any(words in one.body for one in TEMPLATES)
    assert [(one.intent, one.sure) for one in screen(words, lexicon())] == [(heard, True)]


def test_the_buttons_of_a_question_are_read_as_its_answers() -> None:
    buttons = [one.title for one in TEMPLATES.find("group_invitation", "en").replies]
    assert [read_answer(title, lexicon()) for title in buttons] == ["yes", "no"]
    assert [one.id for one in TEMPLATES.find("check_in", "en").replies] == ["doing_well", "doing_ok", "need_help"]


@pytest.mark.parametrize("template", EVERY)
def test_no_button_opts_anybody_out_by_mistake(template: Template) -> None:
    heard = {one.intent for reply in template.replies for one in screen(reply.title, lexicon())}
    assert heard <= ({"opt_out_marketing"} if template.purpose == "marketing" else set())


def test_a_template_is_filled_by_name_and_sent_by_number() -> None:
    values = {"place": "Room 9", "lesson": "Pricing"}
    assert GOOD.fill(values) == "Enterprise4all: your lesson Pricing is now in Room 9. Reply OK to say that you know."
    assert GOOD.numbered(values) == {"1": "Pricing", "2": "Room 9"}
    assert GOOD.samples == {"1": "Your Idea", "2": "Room 4"}


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ("two\nlines", "two lines"),
        ("a\ttab", "a tab"),
        ("a     gap", "a gap"),
        ("  around\u00a0it ", "around it"),
        ("nul\x00l", "null"),
        ("two\u2028lines", "two lines"),
        ("Zoë 👩‍🎨", "Zoë 👩‍🎨"),
        ("{{2}}", "{{2}}"),
    ],
)
def test_a_value_loses_what_whatsapp_refuses_and_nothing_else(value: str, clean: str) -> None:
    assert GOOD.numbered({"lesson": value, "place": "Room 4"})["1"] == clean
    assert GOOD.fill({"lesson": value, "place": "Room 4"}).startswith(
        f"Enterprise4all: your lesson {clean} is now in Room 4."
    )


@pytest.mark.parametrize(
    ("values", "variable", "why"),
    [
        ({"lesson": "Pricing"}, "place", "is missing"),
        ({"lesson": "", "place": "Room 4"}, "lesson", "is empty"),
        ({"lesson": " \n\t ", "place": "Room 4"}, "lesson", "is empty"),
        ({"lesson": "\u200b\u200d", "place": "Room 4"}, "lesson", "is empty"),
        ({"lesson": "x" * 251, "place": "Room 4"}, "lesson", "is longer than 250 characters"),
        ({"lesson": "Pricing", "place": "Room 4", "other": "x"}, "other", "is none of its variables"),
    ],
)
def test_what_cannot_fill_a_template_is_refused_by_name(values: dict[str, str], variable: str, why: str) -> None:
    with pytest.raises(BadVariables) as raised:
        GOOD.fill(values)
    assert (raised.value.variable, raised.value.why) == (variable, why)
    assert str(raised.value) == f"lesson_news: {variable} {why}"


def test_a_filled_template_of_more_than_1024_characters_is_refused() -> None:
    long = changed(body=GOOD.body + " All the same to you." * 35)
    assert problems(long) == ()
    assert len(long.fill({"lesson": "x" * 90, "place": "y" * 90})) <= 1024
    with pytest.raises(BadVariables) as raised:
        long.fill({"lesson": "x" * 90, "place": "y" * 240})
    assert raised.value.variable == "place"


@given(values, values)
def test_whatever_a_value_is_it_fills_the_template_safely_or_is_refused_unseen(lesson: str, place: str) -> None:
    numbered = _numbered({"lesson": lesson, "place": place})
    if isinstance(numbered, str):
        assert re.fullmatch(r"lesson_news: (lesson|place) is (empty|longer than 250 characters)", numbered)
        return
    for value in numbered.values():
        assert value.strip()
        assert not re.search(r"[\n\r\t]| {4,}", value)
    assert len(GOOD.fill({"lesson": lesson, "place": place}).splitlines()) == 1


def _numbered(given: dict[str, str]) -> dict[str, str] | str:
    """The values by number, or what a log would say of their refusal."""
    try:
        return GOOD.numbered(given)
    except BadVariables as error:
        return str(error)


@pytest.mark.parametrize(
    "other",
    [
        changed(body=GOOD.body + " Thanks."),
        changed(category="MARKETING"),
        changed(language="pl"),
        changed(replies=(QuickReply("Fine", "ok"),)),
        changed(replies=(QuickReply("OK", "fine"),)),
        changed(replies=()),
    ],
)
def test_what_whatsapp_approves_makes_the_version(other: Template) -> None:
    assert other.version != GOOD.version


def test_a_version_lasts_as_long_as_what_whatsapp_approved() -> None:
    same = changed(name="other", variables=(Variable("a", "b"), Variable("c", "d")), use="question")
    assert same.version == GOOD.version == "080d26bc"
    assert re.fullmatch(r"lesson_news_en_[0-9a-f]{8}", GOOD.friendly_name)


WRONG: list[tuple[Template, str]] = [
    (changed(purpose="", use=""), "for one of"),
    (changed(purpose="reply", use="course_update"), "for one of"),
    (changed(use=""), "has the use none"),
    (changed(use="opportunity"), "has the use opportunity"),
    (changed(purpose="marketing"), "does not fit marketing"),
    (changed(category="MARKETING"), "marketing is MARKETING"),
    (replace(ADVERT, category="UTILITY"), "marketing is MARKETING"),
    (replace(ADVERT, body="We have a job for {{1}} in {{2}}. Reply STOP to stop."), "does not name Enterprise4all"),
    (replace(ADVERT, body="Enterprise4all has a job for {{1}} in {{2}}. Call us."), "does not say how to stop"),
    (changed(purpose="checkin", use="keeping_in_touch"), "does not say how to stop"),
    (
        changed(body="Enterprise4all: your lesson {{1}} is in {{2}}. We also have a job for you."),
        "promotes something ('job')",
    ),
    (changed(body="Enterprise4all: your lesson {{1}} is in {{2}}. The next course is half price."), "promotes something"),
    (
        changed(body="Enterprise4all: your lesson {{1}} is in {{2}}. Look at our VACANCIES."),
        "promotes something ('VACANCIES')",
    ),
    (changed(replies=(QuickReply("Sign up", "ok"),)), "promotes something ('Sign up')"),
    (changed(variables=(Variable("lesson", "Your Idea, and a job"), GOOD.variables[1])), "promotes something ('job')"),
    (changed(body="Enterprise4all: for {{1}} in {{2}} please send your card number."), "names 'card'"),
    (changed(body="Enterprise4all: for {{1}} in {{2}} please send the 6-digit code."), "names 'code'"),
    (
        changed(body="Enterprise4all: for {{1}} in {{2}} we need your National Insurance number."),
        "names 'National Insurance'",
    ),
    (replace(ADVERT, body=ADVERT.body + " Send your bank details."), "names 'bank'"),
    (changed(replies=(QuickReply("My PIN is", "ok"),)), "names 'PIN'"),
    (changed(language="pl"), "knows no words to look for"),
    (changed(language="english"), "has a language that is not two small letters"),
    (changed(name="Lesson news"), "has a name that is not small letters"),
    (changed(body="{{1}} Enterprise4all has your new lesson in the room {{2}} now."), "begins or ends with a variable"),
    (changed(body="Enterprise4all tells you about the lesson {{1}} in {{2}}."), "begins or ends with a variable"),
    (changed(body="Enterprise4all tells you of your lesson {{1}}, {{2}} is the place."), "no word between"),
    (changed(body="Enterprise4all tells you of {{1}} in {{3}} for your lesson now."), "counted from {{1}}"),
    (changed(body="Enterprise4all tells you of {{1}} for your lesson now."), "counted from {{1}}"),
    (changed(body="Enterprise4all tells you of {{1}} in {{2}} and of {{3}} for your lesson."), "counted from {{1}}"),
    (changed(body="Enterprise4all: lesson {{1}} in {{2}} now."), "too many variables for its words"),
    (changed(body="Enterprise4all: your lesson {{1}} is in {{place}} now, and {{2}} waits."), "braces that are no variable"),
    (changed(body="Enterprise4all: your lesson {{1}} is in { {{2}} now, thank you."), "braces that are no variable"),
    (changed(variables=(Variable("lesson", "x"), Variable("lesson", "y"))), "names are not different words"),
    (changed(variables=(Variable("The lesson", "x"), Variable("place", "y"))), "names are not different words"),
    (changed(variables=(Variable("lesson", ""), Variable("place", "y"))), "has a sample for lesson"),
    (changed(variables=(Variable("lesson", "a\nb"), Variable("place", "y"))), "has a sample for lesson"),
    (changed(body=GOOD.body + " Dear all." * 85), "is longer than 1024 characters"),
    (changed(body=GOOD.body.replace("lesson {{1}}", "lesson\t{{1}}")), "has tabs"),
    (changed(body=GOOD.body + "\n\n\n" + "Thanks."), "two empty lines"),
    (changed(body=GOOD.body + " "), "blank ends"),
    (changed(replies=(QuickReply("A title that is too long", "ok"),)), "title is not plain text of 1 to 20"),
    (changed(replies=(QuickReply("", "ok"),)), "title is not plain text"),
    (changed(replies=(QuickReply("Hi {{1}}", "ok"),)), "title is not plain text"),
    (changed(replies=(QuickReply("OK", "all right"),)), "id is not small letters"),
    (changed(replies=(QuickReply("OK", "a"), QuickReply("ok", "b"))), "two quick replies that are alike"),
    (changed(replies=tuple(QuickReply(f"T{n}", f"t{n}") for n in range(4))), "more than 3 quick replies"),
]


@pytest.mark.parametrize(("template", "reason"), WRONG)
def test_a_template_that_breaks_a_rule_is_told_which(template: Template, reason: str) -> None:
    assert any(reason in one for one in problems(template)), problems(template)


FINE = [
    GOOD,
    ADVERT,
    changed(body="Enterprise4all: the code of conduct of {{1}} is now in {{2}} too."),
    changed(body="Enterprise4all: your lesson {{1}} in {{2}} now."),
]


@pytest.mark.parametrize("good", FINE)
def test_a_template_that_keeps_every_rule_has_no_problem(good: Template) -> None:
    assert problems(good) == ()


def test_a_template_is_found_in_its_language_or_in_english() -> None:
    polish = changed(language="pl", body="Enterprise4all")
    found = gathered([GOOD, polish])
    assert (found.find("lesson_news", "pl"), found.find("lesson_news", "pl-PL")) == (polish, polish)
    assert (found.find("lesson_news", "ur"), found.find("lesson_news", "en")) == (GOOD, GOOD)
    assert (list(found), len(found)) == ([GOOD, polish], 2)
    with pytest.raises(UnknownTemplate):
        found.find("lesson_newz", "en")


def test_a_good_file_is_loaded(tmp_path: Path) -> None:
    (one,) = load_templates(_file(tmp_path, GOOD_FILE))
    assert one.fill({"lesson": "Pricing"}) == "Enterprise4all: your lesson Pricing has moved."


Change = Callable[[str], str]
BAD_FILES: list[tuple[Change, str]] = [
    (lambda text: text.replace("use: course_update", "use: chatting"), "templates.yml: lesson_news.use: "),
    (lambda text: text.replace("  use: course_update\n", ""), "lesson_news.use: Field required"),
    (lambda text: text.replace("  purpose: service\n", ""), "lesson_news.purpose: Field required"),
    (lambda text: text.replace("category: UTILITY", "category: AUTHENTICATION"), "lesson_news.category: "),
    (lambda text: text + "      colour: red\n", "lesson_news.languages.en.colour: "),
    (
        lambda text: text.replace("has moved.", "has moved. There is a job for you."),
        "lesson_news (en) promotes something ('job')",
    ),
    (lambda text: text.replace("    en:", "    pl:"), "lesson_news has no English text"),
    (lambda text: text + text, "lesson_news stands twice"),
    (lambda text: text + text.replace("lesson_news", "lesson_new"), "lesson_new (en) says the same as lesson_news"),
    (lambda text: text + "  - [", "cannot be read"),
    (lambda _: "", "templates.yml: file: "),
    (lambda _: "lesson_news: 3", "templates.yml: lesson_news: "),
]


@pytest.mark.parametrize(("change", "reason"), BAD_FILES)
def test_a_bad_file_is_refused_with_the_template_and_the_reason(tmp_path: Path, change: Change, reason: str) -> None:
    with pytest.raises(TemplateError, match=re.escape(reason)):
        load_templates(_file(tmp_path, change(GOOD_FILE)))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"templates\.yml: cannot be read"):
        load_templates(tmp_path / "templates.yml")


def _file(folder: Path, text: str) -> Path:
    path = folder / "templates.yml"
    path.write_text(text, encoding="utf-8")
    return path
