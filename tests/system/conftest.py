"""One whole system for all the tests that talk to it, with real Rasa."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.whole import Whole, a_whole


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """Schema, demo college, every process, ready."""
    one = a_whole(tmp_path_factory.mktemp("whole"), GUNICORN_CMD_ARGS="--access-logfile -")  # it is searched, too
    for command in (["migrate"], ["import", "data/demo"]):
        done = one.flask(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    try:
        one.start(["simulator", "nlu", "web", "worker"])
        one.wait_until_ready()
        yield one
    finally:
        one.stop_all()
