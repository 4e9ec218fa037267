"""Who a phone can be comes from the demo college's CSV files, whatever is missing of them."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from simulator.people import SCOPED_STRANGER, external_id, find_address, read_people, read_phone

LEARNERS = """code,name,phone,course
L001,Amina Yusuf,07700 900100,SYB12
L002,Sam Riley,nonsense,SYB12
L001,Amina Yusuf,+447700900100,SON5
"""
STAFF = "\ufeffcode,name,role,phone,email\nT01,Nasreen Akhtar,trainer,0044 7700 900200,n@example.org\n"


def test_without_files_there_are_still_strangers(tmp_path: Path) -> None:
    assert [person.address for person in read_people(tmp_path)] == ["+447700900999", SCOPED_STRANGER]


def test_learners_come_first_then_staff_each_once(tmp_path: Path) -> None:
    (tmp_path / "learners.csv").write_text(LEARNERS)
    (tmp_path / "staff.csv").write_text(STAFF)
    found = [(person.address, person.name, person.group) for person in read_people(tmp_path)][:3]
    assert found == [
        ("+447700900100", "Amina Yusuf", "Learners"),
        ("+447700900200", "Nasreen Akhtar", "Staff"),
        ("+447700900999", "Pat", "Strangers"),
    ]


@given(st.integers(min_value=0, max_value=999))
def test_a_phone_is_found_by_its_id_again(number: int) -> None:
    phone = f"+447700900{number:03d}"
    assert find_address(external_id(phone), ["+447700900555", phone]) == phone


def test_an_id_nobody_has_stands_for_itself() -> None:
    assert find_address("GB.1", ["+447700900100"]) == "GB.1"


def test_what_is_no_phone_is_none() -> None:
    assert [read_phone(text) for text in ("", "12", "hello", "07700 900 100")] == ["", "", "", "+447700900100"]
