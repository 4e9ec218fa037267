"""Personal details never get past the mask, and what is not one is left as it was."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum import luhn

from bot.safety import Masked, mask

HIDDEN = [
    ("4111 1111 1111 1111", "card"),
    ("my card 5500-0000-0000-0004 exp 09/29", "card"),
    ("378282246310005", "card"),
    ("pay with 4111111111111111 123 thanks", "card"),
    ("4242.4242.4242.4242", "card"),
    ("4242/4242/4242/4242", "card"),
    ("4242,4242,4242,4242", "card"),
    ("4242, 4242, 4242, 4242", "card"),
    ("4242_4242_4242_4242", "card"),
    ("4242 - 4242 - 4242 - 4242", "card"),
    ("4242\n4242\n4242\n4242", "card"),
    ("4242\r\n4242\r\n4242\r\n4242", "card"),
    ("3782/822463/10005", "card"),
    ("cvv is 123", "card"),
    ("CVC: 1234", "card"),
    ("the three digits on the back are 123", "card"),
    ("pw: Hunter22!", "password"),
    ("my pw is sunflower", "password"),
    ("AB/12/34/56/C", "national_insurance"),
    ("AB.12.34.56.C", "national_insurance"),
    ("ab / 123456 / c", "national_insurance"),
    ("AB 12 34 56 C", "national_insurance"),
    ("ab123456c", "national_insurance"),
    ("QQ 123456 C", "national_insurance"),
    ("jg 10 37 59 a", "national_insurance"),
    ("my ni is ab123456", "national_insurance"),
    ("ＡＢ１２３４５６Ｃ", "national_insurance"),
    ("AB12\u200b34\u200b56C", "national_insurance"),
    ("12-34-56 12345678", "bank"),
    ("sort code 12 34 56 account number 12345678", "bank"),
    ("sort code: 123456, acc 12345678", "bank"),
    ("GB29 NWBK 6016 1331 9268 19", "bank"),
    ("gb29nwbk60161331926819", "bank"),
    ("my passport number is 123456789", "passport"),
    ("UTR 12345 67890", "tax"),
    ("my password is Sunflower", "password"),
    ("password: hunter2!", "password"),
    ("my pin is 4821", "password"),
    ("whatsapp code 123456", "code"),
    ("they asked for the code so i sent 123-456", "code"),
    ("123456 is your verification code", "code"),
]
LEFT = [
    "call 01254 693 999",
    "01254693999",
    "my mobile is 07700 900123",
    "+44 7700 900123 or 0044 7700 900456",
    "07700 900123 07700 900456 01254 693 999",
    "born 12-11-1990, class on 23/11/2026 at 10:00",
    "by 01 12 26 please",
    "is 123456 right",
    "the price is £1,250,000.00",
    "order 4111111111111111",
    "order number AB123456",
    "isbn 9780306406157",
    "978-0-306-40615-7",
    "my password is wrong",
    "the password is not working",
    "i forgot my password",
    "the course code is 123456",
    "post code BB1 5DB",
    "i sold 123456 candles",
    "4111 1111 1111 1112",
    "4242.4242.4242.4241",
    "order 4242.4242.4242.4242",
    "2024/2025/2026/2027",
    "4500, 5000, 4500, 6000",
    "12.50, 13.99, 14.00, 15.49",
    "07700 900123\n07700 900456",
    "born 12/11/1990, 14/02/1985",
    "marks: 12/20, 14/20, 16/20, 18/20, 19/20",
    "room 12/13/14/15/16/17/18",
    "by 01/12/26 or on 02/12/26, a",
    "is my cvv safe",
    "my cv is 123 words",
    "the pw is wrong",
    "rent is 85 pw: bills included",
    "ref AB/12/34/56",
    "0000 0000 0000 0000",
    "passport photo attached",
    "pin 2 photos on the board",
]
PIECES = (
    [text for text, _ in HIDDEN]
    + LEFT
    + ["order", "card", "code", "[code hidden]", "[card number hidden]", "ni", "password is", "123456", "12345678"]
)


@pytest.mark.parametrize(("text", "kind"), HIDDEN)
def test_a_personal_detail_is_hidden(text: str, kind: str) -> None:
    masked = mask(text)
    assert masked.kinds == (kind,)
    assert "hidden]" in masked.text


@pytest.mark.parametrize("text", LEFT)
def test_an_ordinary_number_is_left_alone(text: str) -> None:
    assert mask(text) == Masked(text, ())


def test_the_words_around_stay_as_they_were() -> None:
    assert mask("Hi, 4111 1111 1111 1111 for the KIT 🙂").text == "Hi, [card number hidden] for the KIT 🙂"


def test_several_kinds_are_each_named_once() -> None:
    masked = mask("4111 1111 1111 1111 and 5500 0000 0000 0004, my NI AB123456C, password: hunter2")
    assert sorted(masked.kinds) == ["card", "national_insurance", "password"]
    assert not any(character.isdigit() for character in masked.text)


@given(
    st.text(alphabet="0123456789 -", min_size=12, max_size=14), st.sampled_from(["", " ", "-", ".", "/", ",", " - ", "\n"])
)
def test_every_sixteen_digit_card_is_hidden_however_it_is_spaced(digits: str, gap: str) -> None:
    body = "4" + "".join(character for character in digits if character.isdigit()).ljust(14, "7")
    card = body + luhn.calc_check_digit(body)
    groups = [card[at : at + 4] for at in range(0, 16, 4)]
    assume(not all(group.endswith("0") for group in groups))  # that is a list of prices
    assert mask(gap.join(groups)).kinds == ("card",)


@given(st.text())
def test_masking_twice_changes_nothing(text: str) -> None:
    once = mask(text)
    assert mask(once.text).text == once.text


@given(st.lists(st.sampled_from(PIECES), max_size=6), st.sampled_from([" ", "", "\n", ", ", "-"]))
def test_masking_twice_changes_nothing_however_details_are_joined(pieces: list[str], gap: str) -> None:
    once = mask(gap.join(pieces))
    assert mask(once.text).text == once.text


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "1 ",
        "1  ",
        "12-",
        "4111 1111 1111 1112 ",
        "4111 1111 1111 1111x",
        "gb29 ",
        "a1",
        "my password is ",
        "code ",
        "12-34-56 ",
        "a ",
        "passport ",
        "AB123456C",
        "4242.",
        "4242 - ",
        "4242\r\n",
        "4242,4242,4242,4241,",
        "1.2,3/4-5 6\n",
        "ab/12/34/56/c,",
        "cvv is ",
        "pw: ",
        " ",
    ],
)
def test_a_long_run_of_hostile_characters_is_masked_in_the_end(unit: str) -> None:
    text = unit * (20_000 // len(unit))
    once = mask(text)
    assert mask(once.text).text == once.text
