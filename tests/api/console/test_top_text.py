"""``pynvme top`` without Textual: plain text, JSON, short numbers, and what is typed to filter."""

import json
import os
import subprocess
import sys

import pytest

from nvme import cli
from nvme.console import view, words
from nvme.console.entries import Filter

from .live import START


def top(capsys, *argv):
    code = cli.main(["top", "--interval", "100", *argv])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_into_a_pipe_it_is_plain_text(folder, live, capsys):
    code, text, _ = top(capsys)

    head, session, controller, admin, queue = text.splitlines()
    assert code == 0
    assert head.split()[:2] == ["state", "IOPS"]
    assert session.startswith(f"{live.pid} ")
    assert "running" in session
    assert controller.startswith("  sim:size=64M")
    assert (admin.split()[0], queue.split()[0]) == ("Q00", "Q01")
    assert text.isascii()


def test_json_is_the_tree_and_the_rates(folder, live, capsys):
    code, text, _ = top(capsys, "--json")

    found = json.loads(text)
    assert (code, set(found)) == (0, {"sessions", "controllers", "queues", "problems", "iostat"})
    assert found["iostat"]["interval_ms"] >= 100
    assert found["iostat"]["queues"][1]["iops"] == 0


def test_one_session_or_one_controller_can_be_chosen(folder, live, capsys):
    live("other = d.Controller('sim:size=32M')")

    assert len(top(capsys, str(live.pid))[1].splitlines()) == 1 + 1 + 2 + 3
    text = top(capsys, "sim:size=32M")[1]
    assert "sim:size=32M" in text
    assert "sim:size=64M" not in text.replace(START, "")


def test_what_is_not_there_is_an_error_that_says_what_is(folder, live, capsys):
    code, _, error = top(capsys, "--once", "02:00.0")

    assert (code, error) == (
        2,
        f"pynvme top: no session or controller '02:00.0'; known are {live.pid}, sim:size=64M\n",
    )


def test_nothing_at_all_is_said(folder, capsys):
    assert "no session: nothing uses pynvme, or did lately" in top(capsys)[1]


def test_what_cannot_be_read_is_shown(folder, capsys):
    os.mkfifo(folder / "pynvme-0-1-1.cmdlog")

    assert f"! {folder}/pynvme-0-1-1.cmdlog: no regular file" in top(capsys)[1]


def test_without_textual_it_says_what_to_install(folder, monkeypatch, capsys):
    for name in [one for one in sys.modules if one.startswith("textual.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "textual", None)
    for name in ("top", "log_screen"):
        monkeypatch.delitem(sys.modules, f"nvme.console.{name}", raising=False)
    monkeypatch.setattr("nvme.console.top_command.is_terminal", lambda: True)

    code, _, error = top(capsys)

    assert code == 2
    assert "needs the package textual: pip install 'pynvme[top]'" in error


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, "-"), (0, "0"), (0.5, "0.5"), (999, "999"), (999.5, "1K"), (1234, "1.23K"),
     (999_499, "999K"), (999_500, "1M"), (921_600, "922K"), (4_270_000, "4.27M"), (5e9, "5G"),
     (7e12, "7000G")],
)  # fmt: skip
def test_numbers_are_short(number, text):
    assert view.short(number) == text


@pytest.mark.parametrize(
    ("filled", "size", "text"),
    [(0, 32, "........"), (1, 32, "#......."), (31, 32, "########"), (16, 32, "####...."),
     (40, 32, "########"), (1, None, "........")],
)  # fmt: skip
def test_a_bar_is_empty_only_when_nothing_is_there(filled, size, text):
    assert view.bar(filled, size) == text


def test_a_filter_is_words():
    assert words.parse("") == Filter()
    assert words.parse("Error") == Filter(status="error")
    assert words.parse("op=2,0x1 opcode=09h") == Filter(frozenset((1, 2, 9)))
    assert words.parse("outstanding LBA 0x5") == Filter(None, "outstanding", "lba 0x5")
    for wrong in ("op=", "op=256", "op=zz", "op=-1"):
        with pytest.raises(ValueError, match="is no opcode"):
            words.parse(wrong)


def test_importing_nvme_loads_no_console():
    code = "import sys, nvme; print([m for m in sys.modules if 'console' in m or 'textual' in m])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
