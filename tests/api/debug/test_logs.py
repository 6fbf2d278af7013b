"""Log levels of driver and scripts, and test.log."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[3]
DRIVER = """
import nvme as d
nvme0 = d.Controller("sim:size=16M")
qpair = d.Qpair(nvme0, 8)
qpair.delete()
"""
SCRIPT = """
import logging

def test_one(nvme0):
    logging.debug("in detail")
    logging.info("37 degrees")
"""


def said(level: str | None, code: str = DRIVER) -> list[str]:
    """What the driver of a script has said on standard error."""
    environment = {name: value for name, value in os.environ.items() if name != "PYNVME_LOG"}
    if level is not None:
        environment["PYNVME_LOG"] = level
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return [line for line in done.stderr.splitlines() if line.startswith("pynvme ")]


@pytest.fixture
def pytest_says(tmp_path: Path):
    """Runs SCRIPT with options, and an ini file; returns what pytest printed."""

    def run(*options: str, ini: str = "", level: str = "") -> str:
        (tmp_path / "test_it.py").write_text(SCRIPT)
        (tmp_path / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "nvme.pytest_plugin", *options],
            cwd=tmp_path,
            env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYNVME_LOG": level},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


# --- the driver ---


def test_the_driver_says_nothing_unasked():
    assert said(None) == said("error") == []


def test_at_level_info_it_says_what_happens_to_controllers():
    (line,) = said("INFO")

    assert line.startswith("pynvme info: sim:size=16M: initialised, VS 000")


def test_at_level_debug_it_says_what_happens_to_queues():
    lines = said("debug")

    assert "pynvme debug: sim:size=16M: qpair 1 of 8 entries created" in lines
    assert "pynvme debug: sim:size=16M: qpair 1 deleted" in lines


def test_a_level_that_there_is_not_is_said_and_changes_nothing():
    assert said("chatty") == [
        "pynvme warning: PYNVME_LOG=chatty is no level; known are error, warning, info, debug"
    ]


# --- scripts ---


def test_with_s_the_driver_is_heard_and_logs_from_log_cli_level_on_are_shown(pytest_says):
    shown = pytest_says("-s", ini="log_cli_level = INFO", level="info")

    assert "pynvme info: sim: initialised" in shown
    assert "37 degrees" in shown
    assert "in detail" not in shown


def test_without_s_what_a_passing_test_says_is_hidden(pytest_says):
    shown = pytest_says(ini="log_cli_level = INFO", level="info")

    assert "pynvme info" not in shown
    assert "37 degrees" not in shown


def test_the_option_of_pytest_shows_logs_without_s(pytest_says):
    assert "37 degrees" in pytest_says("--log-cli-level=info")


def test_the_option_of_pytest_wins_over_pytest_ini(pytest_says):
    assert "in detail" in pytest_says("-s", "--log-cli-level=debug", ini="log_cli_level = INFO")


def test_without_pytests_plugin_for_logs_there_is_nothing_to_show(pytest_says):
    assert "37 degrees" not in pytest_says("-s", "-p", "no:logging")


# --- test.log ---


def test_make_test_keeps_what_it_prints_in_test_log(tmp_path: Path):
    """In a folder of its own: the checkout's own file may be the log of this very session."""
    if not shutil.which("make"):
        pytest.skip("needs make")
    shutil.copy(TOP / "Makefile", tmp_path)
    for name, text in {
        "install.sh": "#!/bin/sh\n",
        ".venv/bin/python": f'#!/bin/sh\nexec {sys.executable} "$@"\n',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "my_test.py").write_text(SCRIPT)

    done = subprocess.run(
        [
            "make",
            "-s",
            "test",
            "TESTS=my_test.py",
            "ARGS=-p nvme.pytest_plugin --log-cli-level=info",
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert (tmp_path / "test.log").read_text() == done.stdout
    assert "37 degrees" in done.stdout
    assert "1 passed" in done.stdout
