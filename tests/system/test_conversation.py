"""A learner, a stranger and a trainer talk to the whole system: signed webhook, Rasa, action, outbox, Twilio's library."""

from __future__ import annotations

import pytest

from tests.system.whole import Whole

pytestmark = pytest.mark.rasa
AMINA, CRAIG, STRANGER, TRAINER = "+447700900100", "+447700900107", "+447700900999", "+447700900200"


def test_a_question_about_the_policy_gets_the_policys_answer(whole: Whole) -> None:
    answer = whole.ask(AMINA, "how do i get out of the group chat")
    assert all(step in answer for step in ("1.", "2.", "3.", "4.", "Exit Group"))


def test_a_learner_hears_of_their_own_next_lesson(whole: Whole) -> None:
    answer = whole.ask(AMINA, "what time is my next lesson and where")
    assert "Start Your Business" in answer
    assert "Room" in answer


def test_a_stranger_hears_nothing_of_any_course(whole: Whole) -> None:
    answer = whole.ask(STRANGER, "what time is the next lesson and whats the link")
    assert "01254 693 999" in answer
    assert not any(word in answer for word in ("Start Your Business", "Room", "http"))


def test_opting_out_is_confirmed_once_and_thanks_reopens_nothing_and_start_does(whole: Whole) -> None:
    before = len(whole.heard(CRAIG))
    assert "You will not get any more WhatsApp messages" in whole.ask(CRAIG, "plz no more msgs")
    whole.says(CRAIG, "STOP")
    assert "still opted out" in whole.ask(CRAIG, "thanks")
    assert len(whole.heard(CRAIG)) == before + 2
    assert "withdrawn" in whole.flask("consent", "show", "--learner", "L008", "--json").stdout


def test_start_gives_back_what_stood_before(whole: Whole) -> None:
    phone = "+447700900105"
    whole.ask(phone, "STOP")
    assert whole.ask(phone, "START")
    trail = whole.flask("consent", "show", "--learner", "L006", "--json").stdout
    assert '"service": "given"' in trail
    assert '"marketing": "withdrawn"' in trail


@pytest.mark.parametrize("kind", ["picture", "document", "video", "voice", "location", "contact", "unsupported", "empty"])
def test_every_kind_of_message_gets_a_kind_answer(whole: Whole, kind: str) -> None:
    assert whole.ask(AMINA, kind=kind)


def test_a_sticker_alone_gets_a_chosen_silence(whole: Whole) -> None:
    before = len(whole.heard(TRAINER))
    whole.says(TRAINER, kind="sticker")
    assert whole.ask(TRAINER, "hello")
    assert len(whole.heard(TRAINER)) == before + 1


def test_a_card_number_is_nowhere_in_the_database_or_the_logs(whole: Whole) -> None:
    assert "hidden" in whole.ask(AMINA, "can i pay for the kit with 4242 4242 4242 4242")
    held = b"".join(path.read_bytes() for path in whole.folder.glob("e4a.db*"))
    logs = b"".join(path.read_bytes() for path in whole.folder.glob("*.log"))
    assert b"4242 4242" not in held + logs


def test_opting_out_needs_no_rasa(whole: Whole) -> None:
    phone = "+447700900118"
    whole.stop("nlu")
    try:
        assert not whole.is_ready()
        whole.says(phone, "what time is my lesson")
        assert "You will not get any more WhatsApp messages" in whole.ask(phone, "Stop.")
        assert whole.flask("classify", given="hello there\n").returncode == 3
    finally:
        whole.start(["nlu"])
        whole.wait_until_ready()
    assert whole.waits_for(phone, "Sell Online")  # the message that waited is answered after all


def test_classify_prints_a_line_of_json_for_each_line(whole: Whole) -> None:
    done = whole.flask("classify", given='{"text": "STOP"}\nhow do i leave the group\n')
    assert [line[:9] for line in done.stdout.splitlines()] == ['{"text": ', '{"text": ']
    assert '"faq/leave_group"' in done.stdout


def test_no_name_number_or_text_is_in_a_log(whole: Whole) -> None:
    whole.ask(AMINA, "zebra marmalade question about my lesson time")
    logs = "".join(path.read_text(errors="replace") for path in whole.folder.glob("*.log") if path.stem != "simulator")
    assert not any(word in logs for word in ("marmalade", "447700900100", "Amina", "Yusuf"))
