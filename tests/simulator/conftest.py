"""One simulator for each test, on a free port, with a memory of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from simulator_world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Everything running, and stopped afterwards."""
    made = World(tmp_path)
    yield made
    made.close()
