"""What scripts/setup.py decides: what is built again, which Python is taken, and what it says when something is missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts import keys, pythons, setup, steps


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one file for each thing a model is made of."""
    for name in ("data/nlu/faq.yml", "nlu/components/linear.py", "config.yml", "nlu/requirements.txt", "nlu/train.py"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"the content of {name}")
    return tmp_path


def a_python(folder: Path, says: str, status: int = 0) -> Path:
    """A program that answers as a Python would."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "python3.10"
    program.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    "changed", ["data/nlu/faq.yml", "nlu/components/linear.py", "config.yml", "nlu/requirements.txt", "nlu/train.py"]
)
def test_a_change_to_anything_a_model_is_made_of_changes_its_key(project: Path, changed: str) -> None:
    before = keys.model_key(project)
    (project / changed).write_text("something else")
    assert keys.model_key(project) != before


def test_a_new_or_renamed_file_changes_the_key(project: Path) -> None:
    before = keys.model_key(project)
    (project / "data/nlu/faq.yml").rename(project / "data/nlu/groups.yml")
    renamed = keys.model_key(project)
    (project / "data/nlu/safety.yml").write_text("")
    assert len({before, renamed, keys.model_key(project)}) == 3


def test_the_same_content_has_the_same_key_wherever_and_whenever(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "copy"
    project.rename(elsewhere)
    first = keys.model_key(elsewhere)
    (elsewhere / "nlu/components/__pycache__").mkdir()
    (elsewhere / "nlu/components/__pycache__/linear.cpython-310.pyc").write_text("written by Python")
    (elsewhere / "README.md").write_text("not part of a model")
    assert keys.model_key(elsewhere) == first


def test_text_moved_from_one_file_to_the_next_changes_the_key(project: Path) -> None:
    one, two = project / "data/nlu/a.yml", project / "data/nlu/b.yml"
    one.write_text("hello there")
    two.write_text("")
    before = keys.model_key(project)
    one.write_text("hello ")
    two.write_text("there")
    assert keys.model_key(project) != before


def test_another_python_or_another_lock_is_another_environment(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("flask==3.1.3")
    first = keys.environment_key(lock, "3.11.7")
    assert keys.environment_key(lock, "3.12.1") != first
    lock.write_text("flask==3.1.4")
    assert keys.environment_key(lock, "3.11.7") != first


def test_an_environment_without_a_working_python_counts_as_not_there(tmp_path: Path) -> None:
    (tmp_path / setup.STAMP).write_text("3.11.7 abc")
    assert setup.stamp_of(tmp_path) == ""
    a_python(tmp_path / "bin", "3.11.7").rename(tmp_path / "bin" / "python")
    assert setup.stamp_of(tmp_path) == "3.11.7 abc"


def test_an_environment_that_was_half_made_counts_as_not_there(tmp_path: Path) -> None:
    a_python(tmp_path / "bin", "3.11.7").rename(tmp_path / "bin" / "python")
    assert setup.stamp_of(tmp_path) == ""


def test_a_python_3_10_on_the_path_is_found(tmp_path: Path) -> None:
    python = a_python(tmp_path / "bin", "3.10.20")
    assert pythons.find({"PATH": str(tmp_path / "bin")}, tmp_path) == python


def test_a_shim_that_refuses_is_passed_over_for_what_pyenv_has(tmp_path: Path) -> None:
    a_python(tmp_path / "shims", "pyenv: python3.10: command not found", status=127)
    a_python(tmp_path / ".pyenv/versions/3.10.4/bin", "3.10.4")
    newest = a_python(tmp_path / ".pyenv/versions/3.10.13/bin", "3.10.13")
    assert pythons.find({"PATH": str(tmp_path / "shims")}, tmp_path) == newest


def test_pyenv_and_uv_may_live_in_folders_of_their_own(tmp_path: Path) -> None:
    fetched = a_python(tmp_path / "fetched/cpython-3.10.22-linux-x86_64-gnu/bin", "3.10.22")
    assert pythons.find({"PATH": "", "UV_PYTHON_INSTALL_DIR": str(tmp_path / "fetched")}, tmp_path) == fetched
    own = a_python(tmp_path / "pyenv/versions/3.10.9/bin", "3.10.9")
    env = {"PATH": "", "PYENV_ROOT": str(tmp_path / "pyenv"), "UV_PYTHON_INSTALL_DIR": str(tmp_path / "fetched")}
    assert pythons.find(env, tmp_path) == own


def test_a_python_of_another_version_is_not_taken(tmp_path: Path) -> None:
    a_python(tmp_path / "bin", "3.12.1")
    assert pythons.find({"PATH": str(tmp_path / "bin")}, tmp_path) is None


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("NewConnectionError: Temporary failure in name resolution", "go online"),
        ("error: Failed to fetch: dns error", "go online"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "not the one we locked"),
        ("The virtual environment was not created because ensurepip is not available", "apt install python3-venv"),
        ("some other trouble", ""),
    ],
)
def test_a_known_trouble_has_its_cure(output: str, says: str) -> None:
    assert says in steps.cure(output)
    assert bool(steps.cure(output)) == bool(says)


def test_a_step_that_fails_without_a_known_cure_shows_the_last_it_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "setup.log"
    with pytest.raises(steps.Failed, match=r"status 3.*\n.*out of biscuits"):
        steps.run("baking", [sys.executable, "-c", "print('out of biscuits'); raise SystemExit(3)"], log)
    assert "baking: failed" in capsys.readouterr().out
    assert "out of biscuits" in log.read_text()


def test_a_step_says_what_it_is_and_how_long_it_took(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps.run("baking", [sys.executable, "-c", "pass"], tmp_path / "setup.log")
    assert capsys.readouterr().out.splitlines() == ["baking: 0 s", "baking: done in 0 s"]
