"""Mail to staff leaves through a real SMTP server, and a server that is away or refuses is an answer, not a crash."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from bot.mail import OFFICE, Mail, NoMail, SmtpMail
from tests.bot.processes import Postbox, free_port

MAIL = Mail("farah@example.org", "Safeguarding: please look now", "Someone may be at risk.\nCase: 7 — now")


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    with Postbox() as opened:
        yield opened


def test_a_mail_arrives_as_it_was_written(postbox: Postbox) -> None:
    assert SmtpMail(postbox.url).send(MAIL)
    (arrived,) = postbox.mails
    assert (arrived["To"], arrived["Subject"], arrived["From"]) == (MAIL.to, MAIL.subject, OFFICE)
    assert arrived.get_content().splitlines() == MAIL.body.splitlines()


def test_the_url_may_name_the_sender(postbox: Postbox) -> None:
    assert SmtpMail(f"{postbox.url}/?from=e4a%40example.org").send(MAIL)
    assert postbox.mails[0]["From"] == "e4a@example.org"


def test_a_server_that_refuses_the_reader_has_not_taken_the_mail(postbox: Postbox) -> None:
    postbox.refuses = True
    assert not SmtpMail(postbox.url).send(MAIL)
    assert postbox.mails == []


def test_a_server_that_is_not_there_has_not_taken_the_mail() -> None:
    assert not SmtpMail(f"smtp://127.0.0.1:{free_port()}").send(MAIL)


def test_a_server_that_wants_no_password_is_not_given_one_in_vain(postbox: Postbox) -> None:
    assert not SmtpMail(postbox.url.replace("//", "//user:secret@")).send(MAIL)


def test_something_that_is_no_mail_server_has_not_taken_the_mail() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        mail = SmtpMail(f"smtp://127.0.0.1:{listening.getsockname()[1]}", timeout_s=0.2)
        assert not mail.send(MAIL)


def test_where_no_server_is_set_nobody_is_reached() -> None:
    assert not NoMail().send(MAIL)
