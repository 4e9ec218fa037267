"""Who a phone can be: the learners and staff of the demo college, and two strangers."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import phonenumbers

SCOPED_STRANGER = "GB.7361940258136047"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone to be. `address` is `+44...`, or a business-scoped id; `name` is what their WhatsApp profile says."""

    address: str
    name: str
    about: str
    group: str


STRANGERS = (
    Person("+447700900999", "Pat", "A stranger", "Strangers"),
    Person(SCOPED_STRANGER, "pat_without_number", "A stranger without a number", "Strangers"),
)


def read_people(folder: Path) -> list[Person]:
    """Learners, then staff, then strangers. A missing file or a row without a usable phone is passed over."""
    learners = [_person(row, row.get("course") or "learner", "Learners") for row in _rows(folder / "learners.csv")]
    staff = [_person(row, row.get("role") or "staff", "Staff") for row in _rows(folder / "staff.csv")]
    people = {person.address: person for person in (*STRANGERS, *staff, *learners) if person}  # a learner's own row wins
    order = [person.address for person in (*learners, *staff, *STRANGERS) if person]
    return [people[address] for address in dict.fromkeys(order)]


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _person(row: dict[str, str], role: str, group: str) -> Person | None:
    address = read_phone(row.get("phone") or "")
    name = (row.get("name") or "").strip()
    return Person(address, name, f"{row.get('code') or ''} {role}".strip(), group) if address and name else None


def read_phone(text: str) -> str:
    """A phone in any usual UK or international spelling as E.164; "" when it cannot be one."""
    try:
        number = phonenumbers.parse(text, "GB")
    except phonenumbers.NumberParseException:
        return ""
    possible = phonenumbers.is_possible_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if possible else ""


def external_id(address: str) -> str:
    """The business-scoped id WhatsApp has for this address: always the same one, and the address itself if it is one."""
    if not address.startswith("+"):
        return address
    region = phonenumbers.region_code_for_country_code(phonenumbers.parse(address).country_code or 0)
    return f"{region}.{int(hashlib.sha256(address.encode()).hexdigest()[:13], 16):016d}"


def find_address(scoped_id: str, known: Iterable[str]) -> str:
    """The phone that a business-scoped id reaches, where we know it by its number; else the id itself."""
    return next((one for one in known if external_id(one) == scoped_id), scoped_id)
