"""A long session says how far it is, on a terminal and elsewhere."""

import contextlib
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rings.ring import TOP

SCRIPT = """
import os, sys, time
def test_first(): pass
def test_slow():
    print("captured")
    time.sleep(1.2)
def test_last(): pass
"""
COMMAND = [sys.executable, "-m", "pytest", "-p", "progress", "-p", "no:nvme", "--rootdir=."]
LINE = re.compile(r"0:00:0\d  test 2 of 3(?P<left>, about 0:00:0\d left)?: .*::test_slow for 0:00:")
#: How the line comes and goes on a terminal.
BELOW, ERASE = "\x1b[B\r", "\x1b[J"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "test_it.py").write_text(SCRIPT)
    return tmp_path


def output(folder: Path, *options: str, terminal: bool = False) -> str:
    """Of both streams, as somebody in front of the terminal or a log gets it."""
    environment = {**os.environ, "PYTHONPATH": str(TOP / "tests"), "TERM": "xterm"}
    reader, writer = pty.openpty() if terminal else os.pipe()
    try:
        session = subprocess.Popen(
            [*COMMAND, *options], cwd=folder, env=environment, stdout=writer, stderr=writer
        )
        os.close(writer)
        text = b""
        # A terminal that nobody writes to any more fails, where a pipe ends.
        with contextlib.suppress(OSError):
            while piece := os.read(reader, 65536):
                text += piece
        assert session.wait() == 0
        return text.decode()
    finally:
        os.close(reader)


def test_lines_in_a_pipe(folder: Path) -> None:
    text = output(folder, "--progress-every=0.3")

    found = [line for line in text.splitlines() if LINE.match(line)]
    assert len(found) >= 2
    assert "\x1b" not in text
    assert "captured" not in text


def test_one_line_on_a_terminal(folder: Path) -> None:
    text = output(folder, "--progress-every=0.3", terminal=True)

    shown = [part for part in text.split(BELOW)[1:] if LINE.match(part)]
    assert len(shown) >= 2
    assert all("\n" not in part.partition("\x1b8")[0] for part in shown)
    # The last one is gone before pytest prints the next thing.
    assert shown[-1].partition("\x1b8")[2].startswith(ERASE)


def test_time_left_is_known_from_the_last_session(folder: Path) -> None:
    first = output(folder, "--progress-every=0.3")
    second = output(folder, "--progress-every=0.3")

    assert {match["left"] is None for match in LINE.finditer(first)} == {True}
    assert {match["left"] is None for match in LINE.finditer(second)} == {False}


def test_a_session_that_nobody_asked_is_silent(folder: Path) -> None:
    assert " of 3" not in output(folder)
