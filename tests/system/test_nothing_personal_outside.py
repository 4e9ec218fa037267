"""What can be seen from outside names nobody: a whole run, and then every log, page, answer and list of processes."""

from __future__ import annotations

import csv
import secrets
import socket
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from twilio.request_validator import RequestValidator

from bot.settings import DEMO
from tests.system.personal import Personal, as_json, command_lines, sessions, spellings_of_a_learner
from tests.system.whole import ROOT, Whole

LEANNE, HINA, DOROTA, BHAVNA, PAUL = (f"+447700900{last}" for last in ("123", "124", "125", "129", "126"))
STRANGER = "+447700900997"
WRITERS = (LEANNE, HINA, DOROTA, BHAVNA, PAUL, STRANGER)
PROFILE = "Quetzal Wobblethorpe"  # what a stranger calls themselves: WhatsApp passes it on
CARD = "4242 4242 4242 4242"
SAID = {
    "lesson": "zebra marmalade when is my next lesson please",
    "cake": "what colour is a wombat umbrella on thursday",
    "polish": "żółw i gęś pytają o zajęcia",
    "out": "pls stop sending me kumquat messages",
    "card": f"can i pay for my purple xylophone kit with {CARD}",
    "danger": "my husband hit me last night by the lighthouse and i am scared to go home",
    "stranger": "hiya its gargoyle here what do you do",
    "failing": "thanks a trillion for the haberdashery",
    "sql": "Robert'); DROP TABLE inbound;-- albatross",
}
OURS = ("web", "worker", "nlu")


def everybody() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Every name and every phone of the demo college, and the people who are alerted."""
    files = [(ROOT / f"data/demo/{name}.csv").read_text().splitlines() for name in ("learners", "staff")]
    rows = [row for lines in files for row in csv.DictReader(lines)]
    contacts = [part.split("<")[0].strip() for part in DEMO["safeguarding_contacts"].split(";")]
    names = [spelling for row in rows for spelling in spellings_of_a_learner(row["name"])]
    names += [spelling for one in (*contacts, PROFILE) for spelling in spellings_of_a_learner(one)]
    return tuple(dict.fromkeys(names)), tuple(dict.fromkeys([*(row["phone"] for row in rows), STRANGER]))


@pytest.mark.parametrize(
    "planted",
    [
        '{"event": "turn.failed", "who": "Amina"}',
        "GET /simulator/messages?phone=%2B447700900100",
        "To=whatsapp%3A%2B447700900100&Body=x",
        "call me on 07700 900 100.",
        "0044 (0)7700-900-100",
        "7700900100",
        'Body: "zebra marmalade when is my next lesson please"',
        "body=zebra+marmalade+when+is+my%20next+lesson+please",
        "ZEBRA  MARMALADE when is\\nmy next lesson please",
        as_json(SAID["polish"]),
        "%C5%BC%C3%B3%C5%82w+i+g%C4%99%C5%9B+pytaj%C4%85+o+zaj%C4%99cia",
        "Wobblethorpe",
    ],
)
def test_the_search_finds_what_is_planted(planted: str) -> None:
    names, phones = everybody()
    looked_for = Personal(names, phones, tuple(SAID.values()))
    assert looked_for.seen_in(f'{{"event": "webhook.stored"}}\n{planted}\nlast line')


@pytest.mark.parametrize(
    "clean",
    [
        '{"event": "webhook.stored", "sid": "SM7700900100aa77009001007700900100aabb"}',
        'e4a_outbound{state="queued"} 7.0',
        "call the office: 01254 693 999",
        "customer, gracefully",
        "zebra",
    ],
)
def test_the_search_finds_nothing_where_nothing_is(clean: str) -> None:
    names, phones = everybody()
    assert Personal(names, phones, tuple(SAID.values())).seen_in(clean) == set()


@pytest.mark.rasa
def test_nothing_that_is_seen_from_outside_names_anybody(whole: Whole, tmp_path: Path) -> None:
    answers = [*talk(whole), *trouble(whole), *staff_work(whole, tmp_path)]
    lists = command_lines(sessions(process.pid for process in whole.running.values()))
    pages = [
        httpx.get(f"{whole.web}{page}", timeout=30).text for page in ("/metrics", "/readyz", "/healthz", "/nothing-here")
    ]
    logs = {name: (whole.folder / f"{name}.log").read_text(errors="replace") for name in OURS}

    assert "e4a_inbound" in pages[0]
    assert "POST /whatsapp/inbound" in logs["web"]  # the list of requests is on, and is searched too
    assert "webhook.database_away" in logs["web"]
    assert "turn.failed" in logs["worker"]
    assert "rasa" in lists

    names, phones = everybody()
    said = [text for phone in WRITERS for text in whole.heard(phone) if len(text) > 25]
    looked_for = Personal(names, phones, (*SAID.values(), CARD, *said))
    assert len(said) > 5
    for name, shown in {**logs, "process list": lists, "pages": "\n".join(pages), "answers": "\n".join(answers)}.items():
        assert looked_for.seen_in(shown) == set(), name


@pytest.mark.rasa
def test_no_other_user_of_the_machine_reads_our_environment(whole: Whole) -> None:
    for pid in sessions(process.pid for process in whole.running.values()):
        assert stat.S_IMODE(Path(f"/proc/{pid}/environ").stat().st_mode) & 0o077 == 0


def talk(whole: Whole) -> Iterator[str]:
    """Learners, a stranger, an opting-out, a card number, a disclosure, another alphabet, a file."""
    for said in ("lesson", "cake", "card", "sql"):
        whole.ask(LEANNE, SAID[said])
    whole.ask(LEANNE, kind="picture")
    whole.ask(DOROTA, SAID["polish"])
    whole.ask(HINA, SAID["out"])
    whole.ask(BHAVNA, SAID["danger"])
    whole.ask(STRANGER, SAID["stranger"], name=PROFILE)
    yield "talked"


def trouble(whole: Whole) -> Iterator[str]:
    """Twilio refuses and fails, strangers knock, forms are malformed, the database errs, requests are none at all."""
    for wish in ({"status": 500}, {"status": 400, "code": 21211}, {"status": "undelivered", "code": 63016}):
        fails(whole, wish)
    form = a_form(STRANGER, SAID["stranger"])
    yield httpx.post(f"{whole.web}/whatsapp/inbound", data=form, timeout=10).text
    for broken in ({"From": f"whatsapp:{PROFILE}"}, {"MessageSid": PAUL}, {"NumMedia": SAID["cake"]}):
        answer = posts(whole, form | broken)
        assert answer.status_code == httpx.codes.BAD_REQUEST
        yield answer.text
    yield posts(whole, {"MessageStatus": SAID["cake"], "MessageSid": "SM" + "a" * 32, "To": PAUL}, "/whatsapp/status/1").text
    yield httpx.request("BREW", f"{whole.web}/whatsapp/inbound", timeout=10).text
    no_http_at_all(whole)
    with failing_inserts(whole, "inbound"):
        answer = posts(whole, a_form(PAUL, SAID["sql"]))
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        yield answer.text
    with failing_inserts(whole, "outbound"):
        whole.says(PAUL, SAID["lesson"])
        assert shows(whole, "worker", "turn.failed", 1)
    assert whole.waits_for(PAUL, "Start Your Business") or whole.heard(PAUL)


def staff_work(whole: Whole, folder: Path) -> Iterator[str]:
    """Bad rows of an import, one with its columns shifted; commands on nobody; a command that breaks."""
    learners = (ROOT / "data/demo/learners.csv").read_text().splitlines()
    bad = [
        f"X1,{PROFILE},07700 900 99,SYB12,en,yes,yes,yes,2026-09-10,v2",
        f"X2,07700 900 118,{PROFILE},SYB12,en,yes,yes,yes,2026-09-10,v2",
        f"X3,{PROFILE},+447700900100,SYB12,Amina Yusuf,Beth,yes,yes,2026-09-10,v2",
        "X4,Zofia Nowak,+447700900102,Nowak,en,yes,yes,yes,2026-09-10,v2",
    ]
    (folder / "learners.csv").write_text("\n".join([*learners[:3], *bad]))
    (folder / "staff.csv").write_text("code,name,role,phone,email\nT9,Tom,Hargreaves,07700 900 201,tom at example\n")
    done = whole.flask("import", str(folder))
    assert done.returncode == 1
    assert "learners.csv, line 7, phone" in done.stdout
    yield done.stdout + done.stderr
    with failing_inserts(whole, "consent_event"):
        broken = whole.flask("consent", "withdraw", "--learner", "L001", "--as", "A01")
    assert broken.returncode == 1
    assert "IntegrityError" in broken.stderr
    yield broken.stdout + broken.stderr
    for command in ("inbox", "outbox", "cases"):
        done = whole.flask(command, "--json")
        assert done.returncode == 0
        yield done.stdout + done.stderr


def a_form(phone: str, text: str) -> dict[str, str]:
    """A message as Twilio posts it."""
    return {
        "MessageSid": "SM" + secrets.token_hex(16),
        "AccountSid": DEMO["twilio_account_sid"],
        "From": f"whatsapp:{phone}",
        "To": "whatsapp:+441254693999",
        "ProfileName": PROFILE,
        "Body": text,
        "NumMedia": "0",
    }


def posts(whole: Whole, form: dict[str, str], path: str = "/whatsapp/inbound") -> httpx.Response:
    """Post a form signed as Twilio signs it."""
    signature = RequestValidator(DEMO["twilio_auth_token"]).compute_signature(whole.web + path, form)
    return httpx.post(whole.web + path, data=form, headers={"X-Twilio-Signature": signature}, timeout=20)


@contextmanager
def failing_inserts(whole: Whole, table: str) -> Iterator[None]:
    """For as long as the `with` lasts, the database refuses every new row of a table."""
    refuses = f"CREATE TRIGGER refuses BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'refused'); END"
    _on_the_database(whole, refuses)
    try:
        yield
    finally:
        _on_the_database(whole, "DROP TRIGGER refuses")


def _on_the_database(whole: Whole, statement: str) -> None:
    with closing(sqlite3.connect(whole.folder / "e4a.db", timeout=20, isolation_level=None)) as connection:
        connection.execute(statement)


def fails(whole: Whole, wish: dict[str, object]) -> None:
    """The next message goes wrong as wished, and has gone wrong when this returns."""
    address, tried = f"{whole.simulator}/simulator/fail", count(whole, "worker", "outbox.sent")
    assert httpx.post(address, json=wish, timeout=10).status_code == httpx.codes.OK
    whole.says(PAUL, SAID["failing"])
    assert shows(whole, "worker", "outbox.sent", tried + 1)
    httpx.delete(address, timeout=10)


def no_http_at_all(whole: Whole) -> None:
    """Bytes that no server can read, with somebody's words in them. What is answered goes to whoever sent them."""
    with socket.create_connection(("127.0.0.1", int(whole.env["WEB_PORT"])), timeout=10) as line:
        line.sendall(f"{SAID['sql']}\r\nTo: {PAUL}\r\n\r\n".encode())
        line.recv(4096)


def shows(whole: Whole, name: str, words: str, times: int) -> bool:
    """Do these words come into this process's log so often, within half a minute?"""
    end = time.monotonic() + 30
    while count(whole, name, words) < times:
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def count(whole: Whole, name: str, words: str) -> int:
    """How often these words stand in this process's log."""
    return (whole.folder / f"{name}.log").read_text(errors="replace").count(words)
