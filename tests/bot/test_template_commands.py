"""`flask templates push|status`, and Twilio's library behind them, against the simulator over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select
from structlog.testing import capture_logs

from bot.cli.templates import template_commands
from bot.cli.tools import Tools
from bot.database import Database
from bot.models import Audit, OfficeCase
from bot.template_files import load_templates
from bot.templates import Template
from bot.whatsapp import Contents, OnFile, ProviderAway, TwilioContents, TwilioRecords
from tests.bot.rooms import Clock, Stage, a_member_of_staff, rows
from tests.payloads.servers import Server, a_closed_port, running
from tests.simulator.world import ACCOUNT, World

TEMPLATES = load_templates()
NEWS, ASKS = TEMPLATES.find("lesson_late", "en"), TEMPLATES.find("check_in", "en")
COUNT = len(TEMPLATES)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def twilio() -> Iterator[Server]:
    with running() as server:
        yield server


def contents(url: str, token: str = ACCOUNT.token) -> TwilioContents:
    return TwilioContents(ACCOUNT.sid, token, url, timeout_s=5)


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    return Stage(db, Clock(now))


def run(stage: Stage, url: str, *arguments: str, token: str = ACCOUNT.token) -> Result:
    return run_with(stage, contents(url, token), *arguments)


def run_with(stage: Stage, api: Contents, *arguments: str) -> Result:
    records = TwilioRecords(ACCOUNT.sid, ACCOUNT.token, ACCOUNT.sender, a_closed_port())  # no template needs them
    tools = Tools(stage.db, stage.room, stage.worker, api, records)
    with capture_logs():  # in service they go to standard error
        return CliRunner().invoke(template_commands(tools), arguments)


def lines(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def judge(world: World, template: Template, **word: str) -> None:
    answer = world.ask("template", {"name": template.friendly_name, **word})
    assert (answer["http"], answer["changed"]) == (200, 1)


def test_a_template_goes_to_twilio_and_whatsapp_says_its_word(world: World) -> None:
    api = contents(world.served.url)
    made = api.create(NEWS)
    assert api.every() == (made,) == (OnFile(made.sid, NEWS.friendly_name, "unsubmitted", ""),)
    assert api.submit(made.sid, NEWS) == OnFile(made.sid, NEWS.friendly_name, "received", "UTILITY")
    assert api.every() == (OnFile(made.sid, NEWS.friendly_name, "approved", "UTILITY"),)
    kept = world.twilio.content.v1.contents(made.sid).fetch()
    assert (kept.language, kept.variables, kept.types) == ("en", NEWS.samples, {"twilio/text": {"body": NEWS.body}})


def test_a_template_with_buttons_shows_them_on_a_phone_with_its_variables(world: World) -> None:
    api = contents(world.served.url)
    made = api.create(ASKS)
    api.submit(made.sid, ASKS)
    values = {"first_name": "Zoë", "course": "Sell Online"}
    variables = json.dumps(ASKS.numbered(values))
    world.send(body=None, content_sid=made.sid, content_variables=variables)
    world.until(lambda: len(world.phone()) == 1)  # outside the window: nobody has written to us
    (seen,) = world.phone()
    assert seen["text"] == ASKS.fill(values)
    assert [(one["title"], one["id"]) for one in seen["buttons"]] == [(one.title, one.id) for one in ASKS.replies]


def test_a_second_handing_in_is_refused_with_the_code_that_says_so(world: World) -> None:
    api = contents(world.served.url)
    made = api.create(NEWS)
    api.submit(made.sid, NEWS)
    with pytest.raises(ProviderAway) as raised:
        api.submit(made.sid, NEWS)
    assert (raised.value.status, raised.value.code) == (400, 92009)


def test_every_page_of_the_list_is_read(world: World) -> None:
    api = contents(world.served.url)
    made = [api.create(replace(NEWS, name=f"news_{number}")).sid for number in range(101)]
    assert [one.sid for one in api.every()] == made


@pytest.mark.parametrize(
    ("status", "body", "seen"),
    [
        (503, {"code": 20503, "message": "No.", "status": 503}, (503, 20503)),
        (401, {"code": 20003, "message": "No.", "status": 401}, (401, 20003)),
        (200, "<html>OK</html>", (0, None)),
        (200, {"contents": [{"sid": None}], "meta": {"key": "contents"}}, (0, None)),
        (200, [], (0, None)),
    ],
)
def test_a_list_that_is_none_is_twilio_being_away(
    twilio: Server, status: int, body: object, seen: tuple[int, int | None]
) -> None:
    twilio.answers(status, body)
    with pytest.raises(ProviderAway) as raised:
        contents(twilio.url).every()
    assert (raised.value.status, raised.value.code) == seen


@pytest.mark.parametrize("body", ["<html>OK</html>", {}, {"sid": None}, []])
def test_a_resource_without_a_name_was_not_made_for_all_we_know(twilio: Server, body: object) -> None:
    twilio.answers(201, body)
    with pytest.raises(ProviderAway):
        contents(twilio.url).create(NEWS)


@pytest.mark.parametrize("approval", [None, {}, {"status": None}])
def test_a_resource_without_a_word_of_whatsapps_was_not_handed_in(twilio: Server, approval: object) -> None:
    one = {"sid": "HX" + "a" * 32, "friendly_name": None, "approval_requests": approval}
    twilio.answers(200, {"contents": [one], "meta": {"key": "contents", "next_page_url": None}})
    assert contents(twilio.url).every() == (OnFile("HX" + "a" * 32, ""),)


def test_where_nobody_listens_twilio_is_away() -> None:
    with pytest.raises(ProviderAway) as raised:
        contents(a_closed_port()).every()
    assert raised.value.status == 0


def test_push_hands_everything_in_and_status_finds_it_approved(stage: Stage, world: World) -> None:
    url = world.served.url
    assert run(stage, url, "status").exit_code == 1
    pushed = run(stage, url, "push", "--json")
    assert (pushed.exit_code, {one["outcome"] for one in lines(pushed)}) == (0, {"created"})
    again = run(stage, url, "push", "--json")
    assert (again.exit_code, {one["outcome"] for one in lines(again)}) == (0, {"unchanged"})
    status = run(stage, url, "status", "--json")
    assert (status.exit_code, len(lines(status))) == (0, COUNT)
    assert {(one["ready"], one["status"]) for one in lines(status)} == {(True, "approved")}
    assert {str(one["content_sid"])[:2] for one in lines(status)} == {"HX"}


def test_a_push_goes_into_the_audit_with_who_signed_it_and_how_many_it_handed_in(stage: Stage, world: World) -> None:
    a_member_of_staff(stage.db, "A01", "admin", now=stage.clock())
    assert run(stage, world.served.url, "push", "--as", "A01").exit_code == 0
    assert run(stage, world.served.url, "push").exit_code == 0
    assert run(stage, a_closed_port(), "push").exit_code == 3
    audit = [(row.by, row.act, row.person_id, row.details) for row in rows(stage.db, Audit)]
    assert audit == [
        ("A01", "templates_push", None, {"created": COUNT}),
        ("cli", "templates_push", None, {"unchanged": COUNT}),
        ("cli", "templates_push", None, {"away": 0}),
    ]


def test_a_push_signed_with_the_code_of_nobody_asks_nobody(stage: Stage, world: World) -> None:
    result = run(stage, world.served.url, "push", "--as", "A99")
    assert (result.exit_code, result.stderr) == (1, "Error: no member of staff has this code\n")
    assert (contents(world.served.url).every(), rows(stage.db, Audit)) == ((), [])


def test_the_tables_are_for_people(stage: Stage, world: World) -> None:
    pushed, status = (run(stage, world.served.url, command) for command in ("push", "status"))
    assert (pushed.exit_code, status.exit_code) == (0, 0)
    for name in ("first_message", "safeguarding_alert"):
        assert name in pushed.stdout
        assert name in status.stdout


def test_a_template_re_classed_by_whatsapp_is_held_and_a_case_opened(stage: Stage, world: World) -> None:
    url = world.served.url
    run(stage, url, "push")
    judge(world, ASKS, category="MARKETING")
    found = run(stage, url, "status", "--json")
    held = [(one["name"], one["because"]) for one in lines(found) if not one["ready"]]
    assert (found.exit_code, held) == (1, [("check_in", "category MARKETING instead of UTILITY")])
    with stage.db.read() as session:
        flags = list(session.scalars(select(OfficeCase.flags)))
    assert flags == [[ASKS.friendly_name, "category MARKETING instead of UTILITY"]]
    judge(world, ASKS, category="UTILITY")
    assert run(stage, url, "status").exit_code == 0


def test_a_rejected_template_shows_why(stage: Stage, world: World) -> None:
    run(stage, world.served.url, "push")
    judge(world, NEWS, status="rejected", reason="INVALID_FORMAT")
    found = run(stage, world.served.url, "status", "--json")
    (late,) = [one for one in lines(found) if one["name"] == "lesson_late"]
    assert (found.exit_code, late["status"], late["because"]) == (1, "rejected", "INVALID_FORMAT")


def test_a_word_on_a_template_that_was_never_handed_in_is_refused(world: World) -> None:
    assert world.ask("template", {"name": "nobody", "status": "paused"})["http"] == 404
    assert world.ask("template", {"name": "nobody", "status": "gone"})["http"] == 400


@pytest.mark.parametrize("command", ["push", "status"])
def test_twilio_away_is_an_exit_status_of_its_own_and_prints_nothing_that_looks_like_an_answer(
    stage: Stage, command: str
) -> None:
    result = run(stage, a_closed_port(), command, "--json")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "Twilio does not answer" in result.stderr


def test_a_wrong_password_says_which_settings_to_look_at(stage: Stage, world: World) -> None:
    result = run(stage, world.served.url, "push", token="wrong")
    assert result.exit_code == 3
    assert "TWILIO_AUTH_TOKEN" in result.stderr


def test_a_template_that_twilio_refuses_is_named_and_the_command_fails(stage: Stage, twilio: Server) -> None:
    twilio.answers(200, {"contents": [], "meta": {"key": "contents", "next_page_url": None}})
    result = run(stage, twilio.url, "push", "--json")  # the same answer to a create call: no resource in it
    assert (result.exit_code, result.stdout) == (3, "")
    refused = run_with(stage, _Refusing(), "push", "--json")
    seen = {(one["outcome"], one["because"]) for one in lines(refused)}
    assert (refused.exit_code, seen) == (1, {("refused", "error 20001")})


class _Refusing:
    """Takes questions and no templates."""

    def every(self) -> tuple[OnFile, ...]:
        return ()

    def create(self, template: Template) -> OnFile:
        assert template in list(TEMPLATES)
        raise ProviderAway(400, 20001)

    def submit(self, sid: str, template: Template) -> OnFile:
        raise AssertionError(f"{sid} of {template.name} was never made")
