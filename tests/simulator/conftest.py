"""One simulator for each test, on a free port, with a memory of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Everything running, and stopped afterwards."""
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Everything running, for the tests of one file that leave it as they found it."""
    made = World(tmp_path_factory.mktemp("shared"))
    yield made
    made.close()
