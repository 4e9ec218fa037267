"""One model for a row of each file: its columns in the order of design section 7, and what must fit within one row."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo, field_validator

from bot.clock import london_day_starts
from bot.importing.cells import (
    Day,
    DayIfAny,
    EmailIfAny,
    Filled,
    GroupLink,
    Language,
    LondonTime,
    Name,
    NameFilled,
    Phone,
    StaffCode,
    Text,
    WebLink,
    YesNo,
    shown,
)
from bot.timetable.adverts import wrong_in_place, wrong_in_title
from bot.turn import CONSENTABLE, Consentable

ROLES = ("trainer", "admin", "safeguarding", "read-only")


def _role(text: str) -> str:
    if text.lower() not in ROLES:
        raise ValueError(f"must be one of {', '.join(ROLES)}; not{shown(text) or ' that'}" if text else "empty")
    return text.lower()


def _trainers(text: str) -> tuple[str, ...]:
    codes = tuple(text.split())
    if len(set(codes)) < len(codes):
        raise ValueError("names the same trainer twice")
    return codes


def _title(text: str) -> str:
    if found := wrong_in_title(text):
        raise ValueError(f"reads like an advert, or asks for a secret ('{found}'): lesson messages would say it")
    return text


def _place(text: str) -> str:
    if found := wrong_in_place(text):
        raise ValueError(f"names a secret ('{found}'): lesson messages would say it")
    return text


class Row(BaseModel):
    """What every row has. `file` is the name of the file it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    file: ClassVar[str]

    code: Filled


class PersonLine(Row):
    """A row about somebody with a phone."""

    name: Filled
    phone: Phone


class PartLine(Row):
    """A row about something, or somebody, of a course."""

    course: Filled


class StaffLine(PersonLine):
    """A role of a member of staff."""

    file: ClassVar[str] = "staff.csv"

    code: StaffCode
    role: Annotated[Literal["trainer", "admin", "safeguarding", "read-only"], BeforeValidator(_role)]
    email: EmailIfAny


class CourseLine(Row):
    """A course. `trainers` are staff codes; the first one leads."""

    file: ClassVar[str] = "courses.csv"

    name: NameFilled
    cohort: Name
    starts_on: Day
    ends_on: DayIfAny
    trainers: Annotated[tuple[str, ...], BeforeValidator(_trainers)]
    group_link: GroupLink

    @field_validator("ends_on")
    @classmethod
    def _ends_later(cls, value: date | None, info: ValidationInfo) -> date | None:
        starts = info.data.get("starts_on")
        if value and starts and value <= starts:
            raise ValueError("must be after starts_on")
        return value


class LessonLine(PartLine):
    """A lesson. Its times were London's; here they are UTC."""

    file: ClassVar[str] = "lessons.csv"

    starts_at: LondonTime
    ends_at: LondonTime
    title: Annotated[Filled, AfterValidator(_title)]
    place: Annotated[Text, AfterValidator(_place)]
    link: WebLink

    @field_validator("ends_at")
    @classmethod
    def _ends_later(cls, value: datetime, info: ValidationInfo) -> datetime:
        starts = info.data.get("starts_at")
        if starts and value <= starts:
            raise ValueError("must be after starts_at")
        return value


class TaskLine(PartLine):
    """A task of a course."""

    file: ClassVar[str] = "tasks.csv"

    title: Filled
    due_on: DayIfAny


class LearnerLine(PersonLine, PartLine):
    """A learner's place on one course, and what their declaration says. Validated with the moment of import as context."""

    file: ClassVar[str] = "learners.csv"

    language: Language
    service_consent: YesNo
    checkin_consent: YesNo
    marketing_consent: YesNo
    declared_on: DayIfAny
    declaration_version: Text

    @field_validator("declared_on")
    @classmethod
    def _signed(cls, value: date | None, info: ValidationInfo) -> date | None:
        if value is None and _says_yes(info):
            raise ValueError("empty: a yes needs the day of the declaration")
        if value and london_day_starts(value) > _now(info):
            raise ValueError("in the future")
        return value

    @field_validator("declaration_version")
    @classmethod
    def _worded(cls, value: str, info: ValidationInfo) -> str:
        if not value and _says_yes(info):
            raise ValueError("empty: a yes needs the version of the declaration's wording")
        return value

    def consents(self) -> dict[Consentable, bool]:
        """What the declaration says of each purpose."""
        return {purpose: getattr(self, f"{purpose}_consent") for purpose in CONSENTABLE}

    def differing(self, other: Self) -> list[str]:
        """The columns, but for the course, in which two rows of one learner disagree."""
        return [name for name in type(self).model_fields if name != "course" and getattr(self, name) != getattr(other, name)]


def _now(info: ValidationInfo) -> datetime:
    """The moment of import, from the context that a learner's row is validated with."""
    now: datetime = (info.context or {})["now"]
    return now


def _says_yes(info: ValidationInfo) -> bool:
    return any(info.data.get(f"{purpose}_consent") for purpose in CONSENTABLE)
