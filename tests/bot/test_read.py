"""What Twilio posts, read: every kind of message of its section, and what no message should look like."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.turn import Media
from bot.whatsapp import Incoming, Malformed, StatusUpdate, is_status, read_message, read_status
from tests import payloads

LEARNER = "+447700900123"
SCOPED = "GB.1234567890ABCDEF"
OURS = "MM" + "5" * 32
TEXT = Incoming(sid="", phone=LEARNER, scoped_id="", kind="text", text="")
START = "Fish & chips + tea = 5% off?\nLine two: ça va, £5 مرحبا 😀\n"
EXPECTED: dict[str, Incoming] = {
    "text": replace(TEXT, text="When is my next lesson?"),
    "picture": replace(TEXT, kind="picture", text="My market stall"),
    "document": replace(TEXT, kind="document"),
    "video": replace(TEXT, kind="video"),
    "voice_note": replace(TEXT, kind="voice"),
    "sticker": replace(TEXT, kind="sticker"),
    "contact_card": replace(TEXT, kind="contact"),
    "location": replace(TEXT, kind="location"),
    "quick_reply_button": replace(
        TEXT, scoped_id=SCOPED, kind="button", text="Yes, stop all", button="yes", quoted_sid=OURS
    ),
    "list_answer": replace(TEXT, kind="list", text="Opting out", button="2", quoted_sid=OURS),
    "quoted_reply": replace(TEXT, text="I will be there", quoted_sid=OURS),
    "forwarded": replace(TEXT, text="Earn £500 a day from home", forwarded=True),
    "frequently_forwarded": replace(TEXT, text="Earn £500 a day from home", forwarded=True),
    "advert_referral": replace(TEXT, text="Hello! Can I get more info on this?"),
    "blank_referral_parameters": replace(TEXT, text="Hello"),
    "unsupported": replace(TEXT, kind="unsupported"),
    "empty": replace(TEXT, kind="empty"),
    "scoped_id_without_phone": replace(TEXT, phone="", scoped_id=SCOPED, text="Hello from a username"),
    "phone_and_scoped_id": replace(TEXT, scoped_id=SCOPED, text="Hello from a phone"),
    "unknown_new_parameters": replace(TEXT, text="Hello"),
    "opt_out_type_stop": replace(TEXT, text="STOP", answered_by_twilio="STOP"),
    "emoji_profile_name": replace(TEXT, text="hi"),
    "longest_body": replace(TEXT, text=START + "x" * (1600 - len(START))),
}
CLAIMED = {
    "picture": "image/jpeg",
    "document": "application/pdf",
    "video": "video/mp4",
    "voice_note": "audio/ogg",
    "sticker": "image/webp",
    "contact_card": "text/vcard",
}
ODD = "\x00\x01\x0b\x1b\x1f\x7f\ud83d"


BLANK_STATUSES = [
    {"SmsStatus": ""},
    {"SmsStatus": None},
    {"MessageStatus": ""},
    {"SmsStatus": "receiving"},
    {"MessageStatus": "received"},
    {"MessageStatus": "receiving", "SmsStatus": None},
]
NOBODY = [
    None,
    "",
    "whatsapp:",
    LEARNER,
    f"sms:{LEARNER}",
    "whatsapp:447700900123",
    "whatsapp:+0447700900",
    "whatsapp:+44 7700",
    "whatsapp:+44abc",
    f"whatsapp:{LEARNER}\n",
    "whatsapp:+٤٤٧٧٠٠٩٠٠١٢٣",
    "whatsapp:gb.123",
    "whatsapp:GB.",
    "whatsapp:GBR.1",
    "whatsapp:GB." + "1" * 129,
    "whatsapp:whatsapp:+447700900123",
]
BY_TYPE = [
    ("IMAGE/JPEG", "picture"),
    ("audio/ogg; codecs=opus", "voice"),
    ("text/x-vcard", "contact"),
    ("application/vnd.ms-excel", "document"),
    ("text/html", "document"),
    ("", "document"),
    ("nonsense", "document"),
]
WEBP = [
    ("sticker", "", "sticker"),
    ("sticker", "my logo", "sticker"),
    ("image", "", "picture"),
    ("image", "my logo", "picture"),
    ("document", "", "picture"),
    ("", "", "sticker"),
    ("", "my logo", "picture"),
    (None, "my logo", "picture"),
    (None, None, "sticker"),
]
BY_NAME = [
    ("reaction", "unsupported"),
    ("unsupported", "unsupported"),
    ("sticker", "sticker"),
    ("audio", "voice"),
    ("contacts", "contact"),
    ("image", "unsupported"),
    ("text", "empty"),
    ("", "empty"),
    (None, "empty"),
]


def read(name: str, **changed: str | None) -> Incoming:
    return read_message(payloads.form(name, **changed))


def test_every_kind_of_message_has_its_form_and_its_reading() -> None:
    assert set(EXPECTED) == set(payloads.MESSAGES)


@pytest.mark.parametrize("name", payloads.MESSAGES)
def test_a_recorded_message_is_read_as_what_it_is(name: str) -> None:
    form = payloads.form(name)
    media = (Media(form["MediaUrl0"], CLAIMED[name]),) if name in CLAIMED else ()
    assert not is_status(form)
    assert read_message(form) == replace(EXPECTED[name], sid=form["MessageSid"], media=media)


@pytest.mark.parametrize("name", payloads.STATUSES)
def test_news_of_our_own_messages_is_told_from_a_message(name: str) -> None:
    assert is_status(payloads.form(name))


def test_news_of_our_own_messages_is_read() -> None:
    ours = "SM" + "9" * 32
    assert read_status(payloads.form("status_sent")) == StatusUpdate(ours, "sent")
    assert read_status(payloads.form("status_on_inbound_route")) == StatusUpdate(ours, "delivered")
    assert read_status(payloads.form("status_read")) == StatusUpdate(ours, "read")
    assert read_status(payloads.form("status_failed")) == StatusUpdate(ours, "failed", 63016)


@pytest.mark.parametrize("code", ["", "0", "-1", "abc", "63016x", "1" * 10, "٣"])
def test_an_error_number_that_is_none_is_left_out(code: str) -> None:
    assert read_status(payloads.form("status_failed", ErrorCode=code)).error_code is None


def test_news_without_a_word_or_a_sid_is_malformed() -> None:
    with pytest.raises(Malformed, match="MessageStatus"):
        read_status(payloads.form("status_sent", MessageStatus=None, SmsStatus=None))
    with pytest.raises(Malformed, match="MessageSid"):
        read_status(payloads.form("status_sent", MessageSid=None, SmsSid=""))


def test_the_older_names_of_the_parameters_are_enough() -> None:
    assert read("text", MessageSid=None).sid == payloads.form("text")["SmsSid"]
    assert read_status(payloads.form("status_sent", MessageSid=None, MessageStatus=None)).status == "sent"


@pytest.mark.parametrize("blank", BLANK_STATUSES)
def test_a_blank_status_or_that_it_reached_us_does_not_turn_a_message_into_news(blank: dict[str, str | None]) -> None:
    assert not is_status(payloads.form("text", **blank))


@pytest.mark.parametrize("name", ["MessageStatus", "SmsStatus"])
@pytest.mark.parametrize("word", ["queued", "sent", "delivered", "read", "failed", "undelivered", "nonsense"])
def test_any_other_status_is_news_whichever_name_it_has(name: str, word: str) -> None:
    assert is_status(payloads.form("text", **{name: word}))


@pytest.mark.parametrize("sid", [None, "", "S", "SM 1", "SM\n", "../x", "SM" + "0" * 63, "SM\x00"])
def test_a_message_without_a_sid_is_malformed(sid: str | None) -> None:
    with pytest.raises(Malformed, match="MessageSid"):
        read("text", MessageSid=sid, SmsSid=None)


@pytest.mark.parametrize("sender", NOBODY)
def test_a_message_from_nobody_is_malformed(sender: str | None) -> None:
    with pytest.raises(Malformed, match="From"):
        read("text", From=sender)


def test_a_malformed_message_is_told_by_the_name_of_the_parameter_and_never_by_its_value() -> None:
    with pytest.raises(Malformed) as caught:
        read("text", From="Amina 07700 900123")
    assert str(caught.value) == "From is missing or malformed"


@pytest.mark.parametrize("scoped", ["GB." + "a1" * 64, "GB.ENT.77AA88BB", "BR.1"])
def test_every_shape_of_scoped_id_is_taken(scoped: str) -> None:
    message = read("text", From=f"whatsapp:{scoped}", ExternalUserId=f"whatsapp:{scoped}", WaId=None)
    assert (message.phone, message.scoped_id) == ("", scoped)


@pytest.mark.parametrize("given", ["", "whatsapp:", "nonsense", "GB.123"])
def test_a_scoped_id_that_is_none_does_not_lose_the_message(given: str) -> None:
    message = read("text", ExternalUserId=given)
    assert (message.phone, message.scoped_id) == (LEARNER, "")


@pytest.mark.parametrize("count", ["abc", "-1", "1.5", "1 ", "1e3", "12345", "١"])
def test_a_number_of_media_that_is_no_number_is_malformed(count: str) -> None:
    with pytest.raises(Malformed, match="NumMedia"):
        read("picture", NumMedia=count)


def test_media_are_counted_by_what_is_there() -> None:
    assert read("picture", NumMedia="9999").media == read("picture").media
    assert read("picture", NumMedia="0").kind == "text"
    assert read("picture", NumMedia="").media == ()
    assert read("picture", NumMedia=None).media == ()
    assert read("picture", MediaUrl0="").media == ()


def test_several_media_are_all_kept_up_to_ten() -> None:
    many = {f"MediaUrl{n}": f"https://media.example/{n}" for n in range(12)} | {"NumMedia": "12"}
    kept = read("picture", **many).media
    assert [one.url for one in kept] == [f"https://media.example/{n}" for n in range(10)]
    assert kept[0].content_type == "image/jpeg"
    assert kept[1].content_type == ""


@pytest.mark.parametrize(("claimed", "kind"), BY_TYPE)
def test_the_kind_of_a_file_follows_the_type_its_sender_claims(claimed: str, kind: str) -> None:
    assert read("picture", MediaContentType0=claimed).kind == kind


@pytest.mark.parametrize(("named", "caption", "kind"), WEBP)
def test_work_sent_as_webp_is_a_picture_and_no_sticker(named: str | None, caption: str | None, kind: str) -> None:
    sent = read("picture", MediaContentType0="image/webp", MessageType=named, Body=caption)
    assert (sent.kind, sent.text) == (kind, caption or "")


@pytest.mark.parametrize(("named", "kind"), BY_NAME)
def test_a_message_without_words_or_files_is_told_by_its_type(named: str | None, kind: str) -> None:
    assert read("empty", MessageType=named).kind == kind


@pytest.mark.parametrize("body", ["", " ", "\n\t", "\x00", None, "\u200b", "\u200e\u2060\ufeff "])
def test_a_body_that_nobody_can_see_is_empty(body: str | None) -> None:
    message = read("text", Body=body)
    assert (message.kind, message.text) == ("empty", "")


def test_a_location_needs_both_its_numbers_and_no_name() -> None:
    assert read("location", Address=None, Label=None).kind == "location"
    assert read("location", Latitude="").kind == "unsupported"
    assert read("location", Latitude=None, Longitude=None, MessageType=None).kind == "empty"


def test_a_tap_without_a_body_is_read_by_its_label() -> None:
    assert read("quick_reply_button", Body="").text == "Yes, stop all"
    assert read("list_answer", Body="").text == "Opting out"
    tapped = read("quick_reply_button", ButtonPayload=None)
    assert (tapped.kind, tapped.button) == ("button", "")


def test_a_blank_mark_of_twilios_own_answer_is_no_mark() -> None:
    assert not read("opt_out_type_stop", OptOutType="").answered_by_twilio


@pytest.mark.parametrize("word", ["STOP", "START", "HELP"])
def test_what_twilio_answered_itself_is_told_by_its_own_word(word: str) -> None:
    assert read("opt_out_type_stop", OptOutType=word.lower()).answered_by_twilio == word


def test_forwarded_false_is_not_forwarded() -> None:
    assert not read("text", Forwarded="false", FrequentlyForwarded="false").forwarded


def test_characters_that_no_database_takes_are_left_out_everywhere() -> None:
    names = ("Body", "ButtonPayload", "OriginalRepliedMessageSid", "OptOutType", "MediaUrl0", "MediaContentType0")
    form = payloads.form("picture") | dict.fromkeys(names, f"a{ODD}b")
    message = read_message(form)
    assert (message.text, message.button, message.quoted_sid) == ("ab", "ab", "ab")
    assert (message.answered_by_twilio, message.media) == ("AB", (Media("ab", "ab"),))


def test_line_breaks_and_tabs_in_a_text_are_kept() -> None:
    assert read("text", Body="one\ntwo\tthree\r\nfour").text == "one\ntwo\tthree\r\nfour"


@given(st.dictionaries(st.sampled_from(sorted(payloads.form("picture"))), st.text(max_size=20)))
def test_whatever_a_form_holds_it_is_read_or_called_malformed(changed: dict[str, str]) -> None:
    form = payloads.form("picture") | changed
    try:
        message = read_message(form)
    except Malformed:
        return
    assert message.phone or message.scoped_id
    files = [part for one in message.media for part in (one.url, one.content_type)]
    kept = (message.text, message.button, message.quoted_sid, message.answered_by_twilio, *files)
    assert not set(ODD) & set(json.dumps(kept, ensure_ascii=False))
    assert (message.kind == "empty") <= (message.text == "")
