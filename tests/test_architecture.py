"""Who may import whom (design section 8), and what only the edges may do: read from the source, line by line."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("app", "bot", "actions", "nlu", "simulator", "tests", "scripts", "benchmarks")
EDGES = ("bot.webhook", "bot.pages", "bot.health", "bot.cli")
PURE = (
    "bot.turn",
    "bot.turn.words",
    "bot.turn.values",
    "bot.turn.whole",
    "bot.turn.orders",
    "bot.orders",
    "bot.order_words",
    "bot.reminders",
    "bot.effects",
    "bot.routing",
    "bot.compose",
    "bot.gate",
    "bot.status",
    "bot.pacing",
    "bot.consent",
    "bot.hours",
    "bot.until",
    "bot.templates",
    "bot.template_lint",
)
# The edges where time and chance come from, each with the reason why it may be there.
ALLOWED_CALLS = {
    "bot.clock": {"datetime.now"},  # the one way to the time
    "bot.inbox": {"secrets.token_hex"},  # a lease's identity: two workers must never name theirs alike
}
CLOCKS = {"now", "utcnow", "today"}
BUILD_TOOLS = ("nlu.train", "nlu.training_data", "nlu.evaluate", "nlu.scores", "nlu.components")  # no part of the service


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def paths() -> list[Path]:
    folders = ("bot", "actions", "nlu", "simulator")
    return [ROOT / "app.py", *(path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))]


@cache
def sources() -> dict[str, ast.Module]:
    """Every module of ours by its name, but for the tests and tools."""
    return {module_of(path): ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in paths()}


def service() -> dict[str, ast.Module]:
    """What runs in production in the service's own Python."""
    return {name: tree for name, tree in sources().items() if not within(name, (*BUILD_TOOLS, "simulator"))}


def within(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(place + ".") for place in places)


def imports(name: str, tree: ast.Module) -> set[str]:
    """The modules that a module imports: of `from bot import inbox` it is bot.inbox."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            found |= {_meant(str(node.module), one.name) for one in node.names}
    return found


def _meant(module: str, name: str) -> str:
    return f"{module}.{name}" if f"{module}.{name}" in sources() else module


def importers_of(*packages: str) -> set[str]:
    return {name for name, tree in sources().items() if any(within(one, packages) for one in imports(name, tree))}


def outside(names: set[str], *places: str) -> set[str]:
    return {name for name in names if not within(name, places)}


def ours(names: set[str]) -> set[str]:
    return {name for name in names if within(name, OURS)}


def calls(tree: ast.Module) -> Iterator[str]:
    """Every call of a name or of an attribute, as it is written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield ast.unparse(node.func)


def test_there_is_something_to_look_at() -> None:
    assert {"app", "bot.webhook", "bot.whatsapp.send", "actions.consent", "nlu.client", "simulator.app"} <= set(sources())
    assert "bot.inbox" in imports("bot.webhook", sources()["bot.webhook"])


def test_twilio_is_known_in_one_place() -> None:
    assert outside(importers_of("twilio"), "bot.whatsapp", "simulator") == set()


def test_flask_is_known_at_the_edges_only() -> None:
    assert outside(importers_of("flask", "werkzeug"), "app", *EDGES, "simulator") == set()


def test_click_and_the_scheduler_are_known_at_the_edges_only() -> None:
    assert outside(importers_of("click", "rich"), "bot.cli", *BUILD_TOOLS) == set()
    assert importers_of("apscheduler") == {"bot.worker"}


def test_a_lesson_changes_without_knowing_how_things_are_planned() -> None:
    assert {name for name in importers_of("bot.planning") if within(name, ("bot.timetable",))} == set()


def test_rasa_is_known_to_its_components_only() -> None:
    assert outside(importers_of("rasa"), "nlu.components", "nlu.train") == set()


def test_an_action_knows_the_standard_library_a_turn_and_its_effects() -> None:
    for name, tree in sources().items():
        if within(name, ("actions",)):
            for imported in imports(name, tree):
                known = within(imported, ("actions", "bot.turn", "bot.effects"))
                assert known or imported.partition(".")[0] in sys.stdlib_module_names, f"{name} imports {imported}"


def test_the_service_knows_neither_its_actions_nor_how_it_understands() -> None:
    for name, tree in sources().items():
        if within(name, ("bot",)):
            assert ours(imports(name, tree)) == {one for one in ours(imports(name, tree)) if within(one, ("bot",))}, name


def test_the_client_of_rasa_knows_a_turn_and_nothing_else_of_ours() -> None:
    assert ours(imports("nlu.client", sources()["nlu.client"])) == {"bot.turn"}


def test_the_simulator_is_never_imported_by_the_service() -> None:
    assert outside(importers_of("simulator"), "simulator") == set()


def test_nobody_imports_the_app() -> None:
    assert importers_of("app") == set()


def test_what_is_pure_knows_no_database_no_network_and_no_clock() -> None:
    for name in PURE:
        imported = imports(name, sources()[name])
        assert ours(imported) <= {*PURE, "bot"}, name
        assert {one for one in imported - ours(imported) if one.partition(".")[0] not in sys.stdlib_module_names} == set(), (
            name
        )


@pytest.mark.parametrize("module", ["time", "random", "uuid", "secrets"])
def test_time_and_chance_come_from_the_edges_only(module: str) -> None:
    reasons = {"time": {"bot.watch"}, "secrets": {"bot.inbox"}}  # a watch waits by a monotonic clock, and tells no time
    importers = {name for name, tree in service().items() if module in imports(name, tree)}
    assert importers - reasons.get(module, set()) == set()


def test_nobody_but_the_clock_asks_what_time_it_is() -> None:
    for name, tree in service().items():
        for call in calls(tree):
            owner, _, asked = call.rpartition(".")
            tells_time = asked in CLOCKS and owner.rpartition(".")[2] in ("datetime", "date")
            if tells_time or call in ("time.time", "uuid.uuid4", "os.urandom") or owner in ("random", "secrets"):
                assert call in ALLOWED_CALLS.get(name, set()), f"{name} calls {call}"


def test_the_simulator_goes_by_the_same_clock() -> None:
    for name, tree in sources().items():
        if within(name, ("simulator",)):
            assert {call for call in calls(tree) if call in ("datetime.now", "date.today", "time.time")} == set(), name


def test_what_is_allowed_is_still_needed() -> None:
    for name, allowed in ALLOWED_CALLS.items():
        assert allowed <= set(calls(sources()[name])), name


def test_the_pure_modules_and_the_actions_do_not_even_ask_our_own_clock() -> None:
    for name, tree in service().items():
        if within(name, ("actions", *PURE)):
            assert "bot.clock" not in imports(name, tree), name


def test_imports_stand_at_the_top() -> None:
    for name, tree in service().items():
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                inside = [node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
                assert inside == [], f"{name} imports inside a function"


def test_no_module_grows_past_250_lines() -> None:
    long = {module_of(path) for path in paths() if len(path.read_text(encoding="utf-8").splitlines()) > 250}
    assert outside(long, "bot.migrations.versions") == set()  # a migration is one list of columns, and never changes
