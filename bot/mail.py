"""Sends email to staff through the server that `ALERT_SMTP_URL` names; with none, says so in the log and sends nothing."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import unquote, urlsplit

import structlog

OFFICE = "training@enterprise4all.co.uk"  # the sender, unless `?from=` names another: a real address, or mail is refused
TIMEOUT_S = 5.0  # somebody at risk waits for the outcome
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Mail:
    """One email to one member of staff."""

    to: str
    subject: str
    body: str


class SendsMail(Protocol):
    """Whoever can send mail: a server, or nobody."""

    def send(self, mail: Mail) -> bool:
        """True when the server took it."""


class NoMail:
    """No mail server is set: the alert stays in the database and the log, and nobody is said to have been told."""

    def send(self, mail: Mail) -> bool:  # noqa: ARG002
        """False, always: nobody was reached."""
        log.error("alert.not_sent", because="ALERT_SMTP_URL is not set")
        return False


class SmtpMail:
    """`smtp://user:password@host:port` (STARTTLS where offered) or `smtps://...`; `?from=` sets the sender."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._url, self._timeout_s = urlsplit(url), timeout_s
        self._from = next((p.removeprefix("from=") for p in self._url.query.split("&") if p.startswith("from=")), OFFICE)

    def send(self, mail: Mail) -> bool:
        """Ask once; what fails is logged by kind and tried again by the caller."""
        try:
            with self._connect() as server:
                self._greet(server)
                server.send_message(self._message(mail))
        except (OSError, smtplib.SMTPException) as error:
            log.error("alert.not_sent", because=type(error).__name__)
            return False
        return True

    def _connect(self) -> smtplib.SMTP:
        host, port = self._url.hostname or "localhost", self._url.port
        if self._url.scheme != "smtps":
            return smtplib.SMTP(host, port or 25, timeout=self._timeout_s)
        return smtplib.SMTP_SSL(host, port or 465, timeout=self._timeout_s, context=ssl.create_default_context())

    def _greet(self, server: smtplib.SMTP) -> None:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        if self._url.username:
            server.login(unquote(self._url.username), unquote(self._url.password or ""))

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = unquote(self._from), mail.to, mail.subject
        message.set_content(mail.body)
        return message
