"""The environment, read once: every setting of design section 7 by its name there, checked at start."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
OFFICIAL_SENDER = "whatsapp:+441254693999"  # the one number learners are told to trust (policy, P29)
SECRETS = ("twilio_account_sid", "twilio_auth_token", "nlu_token", "secret_key", "suppression_key", "safeguarding_contacts")
CONTACT = re.compile(r"^\s*(?P<name>[^<>;]+?)\s*<(?P<email>[^<>\s]+)>\s*(?P<phone>\+[1-9]\d{6,14})\s*$")

DEMO: dict[str, str] = {  # made up; production has no defaults for any of these
    "twilio_account_sid": "AC" + "de30" * 8,
    "twilio_auth_token": "demo-twilio-token",
    "nlu_token": "demo-nlu-token",
    "secret_key": "demo-secret-key",
    "suppression_key": "demo-suppression-key",
    "safeguarding_contacts": "Farah Malik <farah@example.org> +447700900990; Owen Price <owen@example.org> +447700900991",
}


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
    web_port: int = 8000
    nlu_port: int = 5005
    simulator_port: int = 8001
    public_url: str = ""
    twilio_account_sid: str = ""
    twilio_auth_token: SecretStr = SecretStr("")
    twilio_whatsapp_from: str = OFFICIAL_SENDER
    twilio_api_url: str = ""
    nlu_url: str = ""
    nlu_token: SecretStr = SecretStr("")
    media_url: str = "var/media"
    secret_key: SecretStr = SecretStr("")
    suppression_key: SecretStr = SecretStr("")
    safeguarding_contacts: str = ""
    alert_smtp_url: str = ""
    group_hours: str = "08:00-20:00"
    clamav_url: str = ""
    flask_debug: bool = False

    @field_validator("database_url")
    @classmethod
    def _absolute_sqlite_path(cls, value: str) -> str:
        prefix, _, path = value.partition("sqlite:///")
        if prefix or not path or path.startswith((":memory:", "/")):
            return value
        return f"sqlite:///{ROOT / path}"

    @field_validator("twilio_whatsapp_from")
    @classmethod
    def _whatsapp_address(cls, value: str) -> str:
        if not re.fullmatch(r"whatsapp:\+[1-9]\d{6,14}", value):
            raise ValueError("must look like whatsapp:+441254693999")
        return value

    @field_validator("group_hours")
    @classmethod
    def _hours(cls, value: str) -> str:
        opens, _, closes = value.partition("-")
        if time.fromisoformat(opens) >= time.fromisoformat(closes):
            raise ValueError("must look like 08:00-20:00, opening before it closes")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        self._fill({"public_url": f"http://127.0.0.1:{self.web_port}", "nlu_url": f"http://127.0.0.1:{self.nlu_port}"})
        if self.app_env == "production":
            self._fill({"twilio_api_url": "https://api.twilio.com"})
            self._check_production()
        else:
            self._fill(DEMO | {"twilio_api_url": f"http://127.0.0.1:{self.simulator_port}"})
        read_contacts(self.safeguarding_contacts)
        for name in ("public_url", "twilio_api_url", *(["alert_smtp_url"] if self.alert_smtp_url else [])):
            if not urlsplit(getattr(self, name)).hostname:
                raise ValueError(f"{name.upper()} is not a URL with a host")
        return self

    def _fill(self, defaults: dict[str, str]) -> None:
        for name, value in defaults.items():
            if not _text(getattr(self, name)):
                secret = isinstance(getattr(self, name), SecretStr)
                object.__setattr__(self, name, SecretStr(value) if secret else value)

    def _check_production(self) -> None:
        missing = [name.upper() for name in SECRETS if not _text(getattr(self, name))]
        if "public_url" not in self.model_fields_set:
            missing.append("PUBLIC_URL")
        problems = [f"{name} is missing" for name in missing]
        if self.twilio_whatsapp_from != OFFICIAL_SENDER:
            problems.append(f"TWILIO_WHATSAPP_FROM must be {OFFICIAL_SENDER} in production")
        if self.flask_debug:
            problems.append("FLASK_DEBUG must be off in production")
        if problems:
            raise ValueError("; ".join(problems))

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


def _line(loc: tuple[int | str, ...], message: str) -> str:
    name = ".".join(str(part) for part in loc).upper()
    return f"{name}: {message}" if name else message.removeprefix("Value error, ")


def _text(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
