"""Words that change the drive: what they do, and that they ask first."""

import os
import pty
import subprocess
import sys

import pytest

import nvme as d
from nvme import cli, decode
from nvme.host.session import Session

from .tool import SMALL

#: What must not happen without a yes.
DANGEROUS = {
    "format": ("-l", "0"),
    "sanitize": ("-a", "2"),
    "write": ("-d", "/dev/zero"),
    "write-zeroes": (),
    "write-uncor": (),
    "dsm": ("-s", "0", "-b", "8", "-d"),
    "copy": ("-d", "8", "-s", "0", "-b", "0"),
    "delete-ns": ("-n", "1"),
    "detach-ns": ("-n", "1"),
    "fw-commit": ("-s", "2", "-a", "1"),
    "security-send": ("-f", "/dev/zero", "-t", "4"),
    "admin-passthru": ("--opcode=0x80",),
    "io-passthru": ("--opcode=1",),
}
SECTOR = 512


@pytest.fixture
def marked(kept):
    """A kept drive whose first LBAs have known data."""
    nvme = d.Controller(kept)
    ns = d.Namespace(nvme)
    qpair = d.Qpair(nvme, 4)
    buf = d.Buffer(16 * SECTOR)
    buf[:] = b"m" * (16 * SECTOR)
    ns.send_cmd(1, qpair, buf, 1, cdw12=15 | 1 << 30, cb=lambda cdw0, status1: None).waitdone()
    qpair.delete()
    ns.close()
    del ns, nvme, qpair, buf
    return kept


def first_lbas(pynvme, address: str, count: int = 16) -> bytes:
    assert pynvme("read", address, "-s", 0, "-c", count - 1).code == 0
    return pynvme.bytes


@pytest.mark.parametrize("word", DANGEROUS)
def test_in_a_pipe_nothing_is_done_without_yes(pynvme, marked, word):
    said = pynvme(word, marked, *DANGEROUS[word])

    assert said.code == 2
    assert "--yes" in said.err
    assert first_lbas(pynvme, marked) == b"m" * (16 * SECTOR)


def on_a_terminal(answer: bytes, *argv: str) -> int:
    """The exit code of a word that asks on a terminal."""
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "nvme.cli", *argv]
    with subprocess.Popen(command, stdin=its, stderr=subprocess.PIPE) as process:
        os.close(its)
        said = b""
        while b"[y/N]" not in said:
            byte = process.stderr.read(1)
            assert byte, said
            said += byte
        os.write(ours, answer)
        process.stderr.read()
        code = process.wait(120)
    os.close(ours)
    return code


def test_on_a_terminal_it_asks_and_no_is_no(pynvme, marked):
    assert on_a_terminal(b"n\n", "write-zeroes", marked, "-c", "15") == 2
    assert first_lbas(pynvme, marked) == b"m" * (16 * SECTOR)


def test_on_a_terminal_it_asks_and_yes_is_yes(pynvme, marked):
    assert on_a_terminal(b"y\n", "write-zeroes", marked, "-c", "15") == 0
    assert first_lbas(pynvme, marked) == bytes(16 * SECTOR)


def test_what_was_written_is_read(pynvme, kept, tmp_path):
    data = bytes(range(256)) * 4
    file = tmp_path / "data"
    file.write_bytes(data)

    assert pynvme("write", kept, "-s", 8, "-c", 1, "-d", file, "-f", "--yes").code == 0
    assert pynvme("read", kept, "-s", 8, "-c", 1).code == 0
    assert pynvme.bytes == data
    assert pynvme("compare", kept, "-s", 8, "-c", 1, "-d", file).code == 0
    found = pynvme("read", kept, "-s", 8, "-c", 1, "-o", "json").json
    assert bytes.fromhex(found["data"]) == data
    back = tmp_path / "back"
    assert pynvme("read", kept, "-s", 8, "-c", 1, "-d", back, "-o", "json").json
    assert back.read_bytes() == data


def test_a_comparison_that_fails_is_exit_code_1(pynvme, marked, tmp_path):
    file = tmp_path / "other"
    file.write_bytes(b"n" * SECTOR)

    said = pynvme("compare", marked, "-c", 0, "-d", file)

    assert said.code == 1
    assert "02/85" in said.err


def test_data_that_are_too_short_write_nothing(pynvme, marked, tmp_path):
    file = tmp_path / "short"
    file.write_bytes(b"n" * (SECTOR - 1))

    assert pynvme("write", marked, "-c", 0, "-d", file, "--yes").code == 2
    assert pynvme("write", marked, "-c", 0, "-z", SECTOR - 1, "-d", file, "--yes").code == 2
    assert first_lbas(pynvme, marked, 1) == b"m" * SECTOR


def test_ranges_are_copied_and_deallocated(pynvme, marked):
    assert pynvme("copy", marked, "-d", 100, "-s", "0,4", "-b", "3,3", "--yes").code == 0
    pynvme("read", marked, "-s", 100, "-c", 7)
    assert pynvme.bytes == b"m" * (8 * SECTOR)

    assert pynvme("dsm", marked, "-s", "0,4", "-b", "4,4", "-d", "--yes").code == 0
    assert first_lbas(pynvme, marked, 16) == bytes(8 * SECTOR) + b"m" * (8 * SECTOR)


def test_ranges_must_pair(pynvme):
    assert pynvme("dsm", SMALL, "-s", "0,8", "-b", "8").code == 2
    assert pynvme("dsm", SMALL, "-s", "x", "-b", "8").code == 2
    assert pynvme("copy", SMALL, "-d", 1, "-s", "0", "-b", "65536", "--yes").code == 2
    assert pynvme("copy", SMALL, "-d", 100, "-s", "0", "-b", "0", "--yes").code == 0


def test_blocks_are_made_unreadable(pynvme):
    assert pynvme("write-uncor", SMALL, "-s", 5, "--yes", "-o", "json").json["slba"] == 5
    assert pynvme("verify", SMALL, "-s", 5).code == 0  # another software SSD
    assert pynvme("flush", SMALL).code == 0


def test_a_format_keeps_the_format_unless_asked(pynvme, marked):
    assert pynvme("format", marked, "--yes", "-o", "json").json["lbaf"] == 0
    assert first_lbas(pynvme, marked) == bytes(16 * SECTOR)


@pytest.mark.parametrize("how", [("-l", 1), ("-b", 4096)])
def test_a_format_changes_the_block_size(pynvme, kept, how):
    assert pynvme("format", kept, *how, "--yes").code == 0

    found = pynvme("id-ns", kept, "-o", "json").json
    assert found["flbas"] & 0xF == 1


def test_a_format_that_is_not_there_is_refused(pynvme):
    said = pynvme("format", SMALL, "-b", 12345, "--yes")
    assert said.code == 2
    assert "[512, 4096]" in said.err
    assert pynvme("format", SMALL, "-l", 60, "--yes").code == 1
    assert pynvme("format", SMALL, "-l", 1, "-b", 512, "--yes").code == 2


def test_a_sanitize_is_followed_to_its_end(pynvme, marked):
    found = pynvme("sanitize", marked, "-a", "start-block-erase", "-w", "--yes", "-o", "json").json

    assert found["sstat"] & 7 == 1
    assert first_lbas(pynvme, marked) == bytes(16 * SECTOR)


def test_leaving_failure_mode_erases_nothing_and_asks_nothing(pynvme):
    assert pynvme("sanitize", SMALL, "-a", "exit-failure").code == 0
    assert pynvme("sanitize", SMALL, "-a", "6").code == 2


def test_firmware_is_downloaded_and_committed(pynvme, tmp_path):
    image = tmp_path / "image"
    assert cli.main(["sim", "firmware", "--fr=9.9", str(image)]) == 0

    said = pynvme("fw-download", SMALL, "-f", image, "-x", 4096, "-o", "json")
    assert said.json["image_bytes"] == image.stat().st_size

    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    assert pynvme("fw-download", SMALL, "-f", empty).code == 2
    assert pynvme("fw-download", SMALL, "-f", tmp_path / "nothing").code == 2
    assert pynvme("fw-download", SMALL, "-f", image, "-x", 6).code == 2
    assert pynvme("fw-commit", SMALL, "-s", 2, "-a", 1, "--yes").code == 1  # nothing was downloaded


def test_a_namespace_goes_and_comes(pynvme, kept):
    assert pynvme("delete-ns", f"{kept},ns=2", "-n", 2, "--yes").code == 0

    said = pynvme("create-ns", SMALL, "-s", 1 << 40, "-o", "json")
    assert said.code == 1
    assert said.json["status"] == d.spec.Status.NAMESPACE_INSUFFICIENT_CAPACITY
    assert pynvme("create-ns", SMALL).code == 2
    assert pynvme("attach-ns", SMALL, "-n", 1).code == 1  # it is attached
    assert pynvme("detach-ns", SMALL, "-n", 1, "--yes").code == 0


def test_sizes_of_a_namespace_may_be_said_as_drives_are_sold(pynvme):
    command = pynvme("create-ns", SMALL, "-S", "1G", "-b", 4096, "--dry-run", "-o", "json").json

    assert command["commands"][0]["opcode"] == 0x0D
    assert pynvme("create-ns", SMALL, "-S", "1X").code == 2


def test_a_namespace_is_made_of_all_that_was_given(pynvme, monkeypatch):
    made = []

    def take(self, timeout, opcode, buf=None, nsid=0, **cdws):
        made.append((decode.IdentifyNamespace(buf), cdws))
        return 7

    monkeypatch.setattr(Session, "admin_within", take)
    argv = ("-s", 100, "-c", 90, "-f", 1, "-d", 2, "-m", 3, "-a", 4, "-i", 5, "-g", 6, "-y", 8)
    assert "nsid:7" in pynvme("create-ns", SMALL, *argv).out
    assert pynvme("create-ns", SMALL, "-s", 100).code == 0

    (all_of_it, cdws), (rest, _) = made
    names = ("nsze", "ncap", "flbas", "dps", "nmic", "anagrpid", "nvmsetid", "endgid")
    assert [getattr(all_of_it, name) for name in names] == [100, 90, 1, 2, 3, 4, 5, 6]
    assert cdws == {"cdw10": 0, "cdw11": 8 << 24}
    assert [getattr(rest, name) for name in names] == [100, 100, 0, 0, 0, 0, 0, 0]


def test_security_and_directives_are_sent(pynvme, tmp_path):
    file = tmp_path / "payload"
    file.write_bytes(b"1234")

    assert pynvme("security-recv", SMALL, "-p", 0, "-x", 16, "-o", "json").json["secp"] == 0
    assert pynvme("security-send", SMALL, "-p", 0xEF, "-f", file, "--yes").code in (0, 1)
    found = pynvme("dir-receive", SMALL, "-D", 0, "-O", 1, "-o", "json").json
    assert found["decoded"]["supported"].startswith("01")
    assert pynvme("dir-send", SMALL, "-D", 0, "-O", 1, "-T", 1, "-e", 1).code in (0, 1)


def test_any_command_goes_through(pynvme):
    found = pynvme(
        "io-passthru", SMALL, "--opcode=2", "-n", 1, "-l", 512, "-r", "-T", "-o", "json"
    ).json
    assert found["name"] == "Read"
    assert len(bytes.fromhex(found["data"])) == 512
    assert found["latency_us"] > 0
    assert pynvme("admin-passthru", SMALL, "--opcode=0x3f", "--yes").code == 1
    assert pynvme("admin-passthru", SMALL).code == 2
    assert pynvme("io-passthru", SMALL, "--opcode=256").code == 2


def test_resets_leave_a_drive_that_answers(pynvme):
    assert pynvme("ctrl-reset", SMALL).out == "controller reset\n"
    assert pynvme("subsystem", "reset", SMALL, "-o", "json").json["result"]


def test_a_self_test_is_started_followed_and_aborted(pynvme):
    assert "short started" in pynvme("device-self-test", SMALL, "-s", 1).out
    found = pynvme("device-self-test", f"{SMALL},dst_s=0.01", "-s", 1, "-w", "-o", "json")
    assert found.code == 0
    assert found.json["result"][0]["dsts"] == 0x10
    assert pynvme("device-self-test", SMALL, "-s", 15).code == 0
