"""What is sent: --dry-run, --show-command, timeouts; long commands and Ctrl-C."""

import signal
import subprocess

import pytest

import nvme as d
from nvme.host import words

from .tool import SMALL, spawned

#: Options without which a word sends nothing.
NEEDED = {
    "get-log": ("-i", "2"),
    "get-feature": ("-f", "7"),
    "set-feature": ("-f", "4", "-v", "1"),
    "sanitize": ("-a", "2"),
    "device-self-test": ("-s", "1"),
    "fw-download": ("-f", __file__),
    "create-ns": ("-s", "8"),
    "delete-ns": ("-n", "1"),
    "attach-ns": ("-n", "1"),
    "detach-ns": ("-n", "1"),
    "security-send": ("-f", __file__),
    "read": (),
    "write": ("-d", __file__),
    "compare": ("-d", __file__),
    "dsm": ("-s", "0", "-b", "8"),
    "copy": ("-d", "8", "-s", "0", "-b", "0"),
    "admin-passthru": ("--opcode=6", "-r"),
    "io-passthru": ("--opcode=2", "-r"),
}
NO_COMMAND = {"show-regs", "ctrl-reset", "subsystem-reset"}


@pytest.mark.parametrize("word", sorted(words.WORDS.keys() - NO_COMMAND))
def test_a_dry_run_shows_the_commands_as_text_and_json(pynvme, word):
    text = pynvme(word, SMALL, *NEEDED.get(word, ()), "--dry-run")
    found = pynvme(word, SMALL, *NEEDED.get(word, ()), "--dry-run", "-o", "json")

    assert (text.code, found.code) == (0, 0)
    assert found.json["dry_run"] is True
    assert len(found.json["commands"]) >= 1
    for command in found.json["commands"]:
        assert f"{command['name']} ({command['queue']} queue)" in text.out
        assert f"  opcode         : {command['opcode']:02x}" in text.out


def test_a_dry_run_does_nothing(pynvme, kept):
    before = pynvme("id-ns", kept, "-o", "json").json

    assert pynvme("format", kept, "-l", 1, "--dry-run").code == 0

    assert pynvme("id-ns", kept, "-o", "json").json == before


def test_a_command_is_shown_beside_its_result(pynvme):
    said = pynvme("id-ctrl", SMALL, "-o", "json", "--show-command")

    assert said.json["vid"]
    assert "Identify (admin queue)" in said.err
    assert "cdw10          : 00000001" in said.err


def test_fields_of_a_command_are_where_the_specification_has_them(pynvme):
    def sent(*argv):
        return pynvme(*argv, "--dry-run", "-o", "json").json["commands"][-1]

    assert sent("format", SMALL, "-l", 17, "-s", 2, "-i", 3, "-p", 1, "-m", 1)["cdw10"] == (
        1 | 1 << 4 | 3 << 5 | 1 << 8 | 2 << 9 | 1 << 12
    )
    assert sent("sanitize", SMALL, "-a", 3, "-u", "-n", 5, "-i", "-d", "-p", 7)["cdw10"] == (
        3 | 1 << 3 | 5 << 4 | 1 << 8 | 1 << 9
    )
    log = sent("get-log", SMALL, "-i", 2, "-l", 8, "-L", 1 << 33, "-s", 5, "-S", 6, "-r", "-y", 2)
    assert log["cdw10"] == 1 << 16 | 1 << 15 | 5 << 8 | 2
    assert (log["cdw11"], log["cdw12"], log["cdw13"]) == (6 << 16, 0, 2)
    assert log["cdw14"] == 2 << 24
    read = sent("read", SMALL, "-s", 1 << 32 | 5, "-c", 3, "-f", "-l", "-p", 9, "-r", 7, "-a", 8)
    assert (read["cdw10"], read["cdw11"]) == (5, 1)
    assert read["cdw12"] == 3 | 9 << 26 | 1 << 30 | 1 << 31
    assert (read["cdw14"], read["cdw15"]) == (7, 8)
    assert read["data_len_bytes"] == 4 * 512
    copy = sent("copy", SMALL, "-d", 9, "-s", "1,2", "-b", "0,0", "-p", 2, "-P", 3)
    assert copy["cdw12"] == 1 | 3 << 12 | 2 << 26
    feature = sent("set-feature", SMALL, "-f", 4, "-v", 9, "-s")
    assert feature["cdw10"] == 1 << 31 | 4
    commit = sent("fw-commit", SMALL, "-s", 3, "-a", 2)
    assert commit["cdw10"] == 2 << 3 | 3
    assert sent("security-recv", SMALL, "-p", 1, "-s", 2, "-N", 3)["cdw10"] == 1 << 24 | 2 << 8 | 3


@pytest.mark.parametrize("word", ["read", "write", "compare", "verify", "write-zeroes"])
def test_every_command_for_a_range_takes_protection_information(pynvme, word):
    argv = ("-s", 1 << 32 | 5, "-c", 3, "-f", "-l", "-p", 9, "-r", 6, "-a", 7, "-m", 8, "-C")

    sent = pynvme(word, SMALL, *argv, "--dry-run", "-o", "json").json["commands"][-1]

    assert (sent["cdw10"], sent["cdw11"]) == (5, 1)
    assert sent["cdw12"] == 3 | 1 << 24 | 9 << 26 | 1 << 30 | 1 << 31
    assert (sent["cdw14"], sent["cdw15"]) == (6, 8 << 16 | 7)


IDENTIFY, STREAMS = 0, 1


@pytest.mark.parametrize(
    ("argv", "cdws"),
    [
        (("dir-send", "-D", IDENTIFY, "-O", 1, "-T", STREAMS, "-e", 1), (0, 1, 0x101)),
        (("dir-send", "-D", STREAMS, "-O", 1, "-S", 9, "-T", 1, "-e", 1), (0, 9 << 16 | 0x101, 0)),
        (("dir-send", "-D", IDENTIFY, "-O", 2, "-T", 1, "-e", 1), (0, 2, 0)),
        (("dir-receive", "-D", IDENTIFY, "-O", 1), (4096 // 4 - 1, 1, 0)),
        (("dir-receive", "-D", STREAMS, "-O", 1, "-r", 5), (32 // 4 - 1, 0x101, 0)),
        (("dir-receive", "-D", STREAMS, "-O", 3, "-r", 5), (0, 0x103, 5)),
        (("dir-receive", "-D", IDENTIFY, "-O", 3, "-l", 9, "-r", 5), (2, 3, 0)),
        (("dir-receive", "-D", IDENTIFY, "-O", 3), (4096 // 4 - 1, 3, 0)),
    ],
)
def test_a_directive_says_what_its_operation_takes(pynvme, argv, cdws):
    word, *rest = argv

    sent = pynvme(word, SMALL, *rest, "--dry-run", "-o", "json").json["commands"][-1]

    assert (sent["cdw10"], sent["cdw11"], sent["cdw12"]) == cdws


@pytest.mark.parametrize(
    ("doper", "size"),
    [
        ((IDENTIFY, 1), 4096),
        ((IDENTIFY, 9), 4096),
        ((STREAMS, 1), 32),
        ((STREAMS, 2), 4096),
        ((STREAMS, 3), 0),
    ],
)
def test_a_directive_has_room_for_all_that_its_operation_returns(pynvme, doper, size):
    argv = ["dir-receive", SMALL, "-D", doper[0], "-O", doper[1], "--dry-run", "-o", "json"]

    assert pynvme(*argv).json["commands"][-1]["data_len_bytes"] == size


def test_a_command_that_takes_too_long_is_exit_code_1(pynvme):
    said = pynvme("device-self-test", f"{SMALL}", "-s", 1, "--timeout", 5000)
    assert said.code == 0

    slow = pynvme("format", "sim:size=64M,erase_s=30", "-s", 1, "--yes", "-t", 50)

    assert slow.code == 1
    assert "timeout" in slow.err


def wait_for(process: subprocess.Popen, text: str) -> str:
    """Standard error up to a text."""
    said = ""
    while text not in said:
        character = process.stderr.read(1)
        assert character, said
        said += character
    return said


def test_a_long_command_shows_progress_and_ends_by_ctrl_c():
    test = ["device-self-test", "sim:size=64M,dst_extended_s=600", "-s", "2", "--wait"]
    with spawned(test, env={"PYNVME_PROGRESS": "1"}) as process:
        said = wait_for(process, " %")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)

    assert "device self-test: " in said
    assert process.returncode == 130
    assert "interrupted" in err
    assert out == ""


def test_a_command_that_waits_ends_by_ctrl_c():
    test = ["format", "sim:size=64M,erase_s=600", "-s", "1", "--yes"]
    with spawned(test, env={"PYNVME_PROGRESS": "1"}) as process:
        said = wait_for(process, " s")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)

    assert "format: " in said
    assert process.returncode == 130
    assert "Traceback" not in err


def test_what_was_opened_is_given_back(pynvme):
    before = d._core.counts()

    for word in ("id-ctrl", "read", "flush"):
        pynvme(word, SMALL)

    assert d._core.counts() == before
