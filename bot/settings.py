"""The environment, read once: every setting of design section 7 by its name there, checked at start."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from bot.hours import read_quiet_days

ROOT = Path(__file__).resolve().parent.parent
OFFICIAL_SENDER = "whatsapp:+441254693999"  # the one number learners are told to trust (policy, P29)
DATABASES = ("sqlite", "sqlite+pysqlite", "postgresql+psycopg")
SECRETS = ("twilio_account_sid", "twilio_auth_token", "nlu_token", "secret_key", "suppression_key", "safeguarding_contacts")
HOURS = re.compile(r"((?:[01][0-9]|2[0-3]):[0-5][0-9])-((?:[01][0-9]|2[0-3]):[0-5][0-9])")
LAST_WEEK = 26
CONTACT = re.compile(r"^\s*(?P<name>[^<>;]+?)\s*<(?P<email>[^<>\s]+)>\s*(?P<phone>\+[1-9][0-9]{6,14})\s*$")

DEMO: dict[str, str] = {  # made up; production has no defaults for any of these
    "twilio_account_sid": "AC" + "de30" * 8,
    "twilio_auth_token": "demo-twilio-token",
    "nlu_token": "demo-nlu-token",
    "secret_key": "demo-secret-key",
    "suppression_key": "demo-suppression-key",
    "safeguarding_contacts": "Farah Malik <farah@example.org> +447700900990; Owen Price <owen@example.org> +447700900991",
}


Port = Annotated[int, Field(ge=1, le=65535)]


class SettingsError(Exception):
    """The environment is missing something or holds something malformed; says which, one line each."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person alerted when someone is at risk."""

    name: str
    email: str
    phone: str


class Settings(BaseSettings):
    """All settings, frozen. Relative paths are taken from the project's root."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    app_env: Literal["demo", "production"] = "demo"
    database_url: str = "sqlite:///var/e4a.db"
    web_port: Port = 8000
    nlu_port: Port = 5005
    simulator_port: Port = 8001
    public_url: str = ""
    twilio_account_sid: str = ""
    twilio_auth_token: SecretStr = SecretStr("")
    twilio_whatsapp_from: str = OFFICIAL_SENDER
    twilio_api_url: str = ""
    nlu_url: str = ""
    nlu_token: SecretStr = SecretStr("")
    media_url: str = "var/media"
    demo_clock: str = "var/clock"  # by how many seconds the clock of the demo was moved on; production never looks
    secret_key: SecretStr = SecretStr("")
    suppression_key: SecretStr = SecretStr("")
    safeguarding_contacts: str = ""
    alert_smtp_url: str = ""
    group_hours: str = "08:00-20:00"
    quiet_days: str = ""  # days on which we do not write first (P27): bot.hours.QUIET_DAYS
    check_in_weeks: str = "2,8,16,24"  # after the end of the course (P19)
    reach_limit: Annotated[int, Field(ge=1)] = 250  # people a day outside the window: the tier that Meta gave the sender
    clamav_url: str = ""
    flask_debug: bool = False

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        try:
            url = make_url(value)
        except ArgumentError:
            raise ValueError("is not a database URL") from None
        if url.drivername not in DATABASES:
            raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
        if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith((":memory:", "file:")):
            return value
        return url.set(database=str(ROOT / url.database)).render_as_string(hide_password=False)

    @field_validator("media_url")
    @classmethod
    def _media(cls, value: str) -> str:
        return value if "://" in value else str(ROOT / value)

    @field_validator("demo_clock")
    @classmethod
    def _demo_clock(cls, value: str) -> str:
        return str(ROOT / value)

    @field_validator("twilio_whatsapp_from")
    @classmethod
    def _whatsapp_address(cls, value: str) -> str:
        if not re.fullmatch(r"whatsapp:\+[1-9][0-9]{6,14}", value):
            raise ValueError("must look like whatsapp:+441254693999")
        return value

    @field_validator("group_hours")
    @classmethod
    def _hours(cls, value: str) -> str:
        found = HOURS.fullmatch(value)
        if not found or time.fromisoformat(found[1]) >= time.fromisoformat(found[2]):
            raise ValueError("must look like 08:00-20:00, opening before it closes")
        return value

    @field_validator("quiet_days")
    @classmethod
    def _quiet_days(cls, value: str) -> str:
        read_quiet_days(value)
        return value

    @field_validator("check_in_weeks")
    @classmethod
    def _check_in_weeks(cls, value: str) -> str:
        read_weeks(value)
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        production = self.app_env == "production"
        self._fill({"public_url": f"http://127.0.0.1:{self.web_port}", "nlu_url": f"http://127.0.0.1:{self.nlu_port}"})
        simulator = {"twilio_api_url": f"http://127.0.0.1:{self.simulator_port}"}
        self._fill({"twilio_api_url": "https://api.twilio.com"} if production else DEMO | simulator)
        problems = [*(self._not_for_production() if production else ()), *self._malformed()]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _fill(self, defaults: dict[str, str]) -> None:
        for name, value in defaults.items():
            if not _text(getattr(self, name)):
                secret = isinstance(getattr(self, name), SecretStr)
                object.__setattr__(self, name, SecretStr(value) if secret else value)

    def _not_for_production(self) -> Iterator[str]:
        yield from (f"{name.upper()} is missing" for name in SECRETS if not _text(getattr(self, name)))
        yield from (
            f"{name.upper()} is the demo's: everybody knows it"
            for name in SECRETS
            if _text(getattr(self, name)) == DEMO[name]
        )
        if "public_url" not in self.model_fields_set:
            yield "PUBLIC_URL is missing"
        if self.twilio_whatsapp_from != OFFICIAL_SENDER:
            yield f"TWILIO_WHATSAPP_FROM must be {OFFICIAL_SENDER} in production"
        if self.flask_debug:
            yield "FLASK_DEBUG must be off in production"

    def _malformed(self) -> Iterator[str]:
        web = [("PUBLIC_URL", self.public_url), ("TWILIO_API_URL", self.twilio_api_url)]
        for name, url in web + [("NLU_URL", url) for url in self.nlu_urls or ("",)]:
            if not _is_url(url, ("http", "https")) or "?" in url or "#" in url:
                yield f"{name} is not a URL like https://host, without ? or #"
        if self.alert_smtp_url and not _is_url(self.alert_smtp_url, ("smtp", "smtps")):
            yield "ALERT_SMTP_URL is not a URL like smtp://host:587"
        if not self.safeguarding_contacts:
            return
        try:
            read_contacts(self.safeguarding_contacts)
        except ValueError as error:
            yield str(error)

    @property
    def moved_clock(self) -> Path | None:
        """The file by which the clock of the demo is moved on; None in production, whose clock nobody moves."""
        return Path(self.demo_clock) if self.app_env == "demo" else None

    @property
    def weeks(self) -> tuple[int, ...]:
        """The weeks after the end of a course in which we ask how they are getting on."""
        return read_weeks(self.check_in_weeks)

    @property
    def nlu_urls(self) -> tuple[str, ...]:
        """The Rasa servers, used in turn."""
        return tuple(url.strip().rstrip("/") for url in self.nlu_url.split(",") if url.strip())

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """Who is alerted when someone is at risk, in this order."""
        return read_contacts(self.safeguarding_contacts)


def read_settings() -> Settings:
    """Read the environment. Raises SettingsError naming every setting that is missing or malformed."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(_line(one["loc"], one["msg"]) for one in error.errors())) from None


def read_contacts(text: str) -> tuple[Contact, ...]:
    """`Name <email> +44...; Name <email> +44...` as contacts. Raises ValueError on anything else, or on none."""
    found = [CONTACT.match(part) for part in text.split(";") if part.strip()]
    if not found or None in found:
        raise ValueError("SAFEGUARDING_CONTACTS must look like: Name <email> +441234567890; Name <email> +44...")
    contacts = tuple(Contact(m["name"], m["email"], m["phone"]) for m in found if m)
    for contact in contacts:
        try:
            validate_email(contact.email, check_deliverability=False)
        except EmailNotValidError as error:
            raise ValueError(f"SAFEGUARDING_CONTACTS: {error}") from None
    return contacts


def read_weeks(text: str) -> tuple[int, ...]:
    """`2,8,16,24` as weeks. Raises ValueError unless each is 1 to 26 (P03: six months) and later than the one before."""
    words = [word.strip() for word in text.split(",")]
    if not all(re.fullmatch(r"[0-9]{1,2}", word) for word in words):
        raise ValueError("must look like 2,8,16,24: weeks after the end of the course")
    weeks = tuple(int(word) for word in words)
    if weeks[0] < 1 or weeks[-1] > LAST_WEEK or any(one >= after for one, after in pairwise(weeks)):
        raise ValueError(f"must be weeks from 1 to {LAST_WEEK}, each later than the one before")
    return weeks


def _line(loc: tuple[int | str, ...], message: str) -> str:
    name = ".".join(str(part) for part in loc).upper()
    return f"{name}: {message}" if name else message.removeprefix("Value error, ")


def _is_url(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an address that is none
        return False


def _text(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
