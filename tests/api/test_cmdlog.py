"""The command log: printed, as data, from another process, after a death."""

import os
import random
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

import nvme as d
from nvme import _core, cli
from nvme.cmdlog import newest_first


def test_cmdlog_prints_newest_first_and_returns_none(nvme0n1, qpair, buf, capsys):
    nvme0n1.read(qpair, buf, 5).waitdone()
    nvme0n1.write(qpair, buf, 6).waitdone()

    assert qpair.cmdlog() is None

    write, read = capsys.readouterr().out.splitlines()
    assert "Write (01)" in write
    assert "cdw10:00000006" in write
    assert "(00/00)" in write
    assert "Read (02)" in read


def test_a_count_limits_the_output(nvme0n1, qpair, buf, capsys):
    for i in range(10):
        nvme0n1.read(qpair, buf, i).waitdone()

    qpair.cmdlog(3)

    lines = capsys.readouterr().out.splitlines()
    assert ["cdw10:00000009" in lines[0], len(lines)] == [True, 3]


def test_entries_carry_command_completion_and_times(nvme0n1, qpair, buf):
    before = time.monotonic_ns()
    nvme0n1.read(qpair, buf, 7, 2).waitdone()
    after = time.monotonic_ns()

    (entry,) = qpair.cmdlog_entries()

    assert (entry.name, entry.sqid, entry.nsid) == ("Read", qpair.sqid, 1)
    assert (entry.cdw10, entry.cdw12, entry.prp1) == (7, 1, buf.phys_addr)
    assert (entry.status, entry.cdw0) == (0, 0)
    assert before - 1_000_000 <= entry.submit_ns <= entry.complete_ns <= after + 1_000_000
    assert entry.latency_us == (entry.complete_ns - entry.submit_ns) / 1000


def test_an_outstanding_command_is_shown(nvme0n1, qpair, buf, capsys):
    nvme0n1.read(qpair, buf, 0)

    (entry,) = qpair.cmdlog_entries()
    assert (entry.status, entry.latency_us) == (None, None)
    qpair.cmdlog()
    assert "outstanding" in capsys.readouterr().out
    qpair.waitdone()


def test_an_error_status_is_named(nvme0n1, qpair, capsys):
    nvme0n1.send_cmd(0xFF, qpair, nsid=1, cb=lambda cdw0, status1: None).waitdone()

    qpair.cmdlog(1)

    assert "Invalid Command Opcode (00/01)" in capsys.readouterr().out


def test_the_last_2048_commands_are_kept(nvme0n1, qpair, buf):
    for i in range(2100):
        nvme0n1.read(qpair, buf, i)
        if i % 32 == 31:
            qpair.waitdone(32)
    qpair.waitdone(2100 % 32)

    entries = qpair.cmdlog_entries()
    assert len(entries) == 2048
    assert {entry.cdw10 for entry in entries} >= set(range(52 + 64, 2100))


def test_the_admin_queue_has_a_log_too(nvme0):
    nvme0.getfeatures(7).waitdone()

    assert nvme0.cmdlog_entries(1)[0].name == "Get Features"


VICTIM = """
import nvme as d, sys, time
nvme0 = d.Controller("sim:size=64M")
nvme0n1 = d.Namespace(nvme0)
qpair = d.Qpair(nvme0, 8)
buf = d.Buffer()
for i in range(5):
    nvme0n1.read(qpair, buf, i).waitdone()
print(d._core.cmdlog_path(), flush=True)
time.sleep(60)
"""


@pytest.fixture
def victim():
    """A process with a software SSD and five reads behind it; and the file of its log."""
    process = subprocess.Popen([sys.executable, "-c", VICTIM], stdout=subprocess.PIPE, text=True)
    path = process.stdout.readline().strip()
    yield process, path
    process.kill()
    process.wait()
    process.stdout.close()


def reads(path):
    _, alive, _, slots = _core.cmdlog_file(path)
    (slot,) = [slot for slot in slots if slot[1] == 1]
    entries = newest_first(slot[4], 1)
    return alive, [(entry.name, entry.cdw10, entry.status) for entry in entries]


FIVE = [("Read", i, 0) for i in (4, 3, 2, 1, 0)]


def test_another_process_reads_the_log(victim):
    _, path = victim

    assert reads(path) == (True, FIVE)


def test_the_log_outlives_its_process(victim):
    process, path = victim
    process.send_signal(signal.SIGKILL)
    process.wait()

    assert reads(path) == (False, FIVE)


def test_the_command_line_prints_the_log_of_a_process(victim, capsys):
    process, path = victim

    assert cli.main(["cmdlog", path, "-n", "2"]) == 0

    text = capsys.readouterr().out
    assert f"process {process.pid}, running" in text
    assert "qpair 1: 5 commands" in text
    assert text.count("Read (02)") == 2


def test_a_file_that_is_no_log_is_an_os_error(tmp_path):
    file = tmp_path / "x.cmdlog"
    file.write_bytes(b"nonsense" * 1000)

    for path in (file, tmp_path / "missing"):
        with pytest.raises(OSError):
            _core.cmdlog_file(str(path))


def test_a_deleted_queue_has_no_entries_any_more(nvme0):
    qpair = d.Qpair(nvme0, 8)
    qpair.delete()

    assert qpair.cmdlog_entries() == []


# --- files of anybody ---

PAGE, HEAD, NCIDS, NRECORDS = 4096, 2048, 3, 2048
SLOT_BYTES = -(-(HEAD + (NCIDS + NRECORDS) * 128) // PAGE) * PAGE
#: Where a slot's header keeps them.
EDITION, ADDRESS = 16, 64


def forged(*addresses):
    """A recorder file of one outstanding command in a slot of each address, that nobody wrote."""
    file = bytearray(struct.pack("<QIi", 0x474C444D434D564E, 2, 1).ljust(PAGE, b"\0"))
    for address in addresses:
        head = (0x544F4C53434D564E, SLOT_BYTES, 0, 1, 0, NCIDS, NRECORDS, 1)
        slot = struct.pack("<5QIIH14x256s", *head, address)
        record = struct.pack("<3Q", 2, 5, 0) + b"\x02"
        file += (slot.ljust(HEAD, b"\0") + record).ljust(SLOT_BYTES, b"\0")
    return file


def printed(path, capsys):
    assert cli.main(["cmdlog", str(path)]) == 0
    return capsys.readouterr().out


def test_an_address_that_is_no_text_hides_nothing(tmp_path, capsys):
    file = tmp_path / "x.cmdlog"
    file.write_bytes(forged(b"01:00.0", b"\xff\xc3", b"02:00.0"))

    slots = _core.cmdlog_file(file)[3]

    assert [slot[0] for slot in slots] == ["01:00.0", "\\xff\\xc3", "02:00.0"]
    assert printed(file, capsys).count("Read (02)") == 3


def test_what_a_file_holds_does_not_reach_the_terminal_as_it_is(tmp_path, capsys):
    file = tmp_path / "\x1b[1mx.cmdlog"
    file.write_bytes(forged("\x1b[31msim\r\n\x07\u202e".encode()))

    text = printed(file, capsys)

    assert "\\x1b[31msim\\r\\n\\x07\\u202e qpair 1: 1 commands" in text
    assert all(line.isprintable() for line in text.splitlines())


def test_a_slot_that_changes_hands_hides_no_other(tmp_path):
    file = tmp_path / "x.cmdlog"
    image = forged(b"01:00.0", b"02:00.0", b"03:00.0")
    image[PAGE + SLOT_BYTES + EDITION] = 1
    file.write_bytes(image)

    assert [slot[0] for slot in _core.cmdlog_file(file)[3]] == ["01:00.0", "03:00.0"]


def test_a_slot_that_changes_hands_while_it_is_read_hides_no_other(tmp_path):
    file = tmp_path / "x.cmdlog"
    file.write_bytes(forged(*[b"sim"] * 8))
    flip = """
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY)
print("ready", flush=True)
while True:
    for byte in (b"\\1", b"\\2"):
        os.pwrite(fd, byte, int(sys.argv[2]))
"""
    command = [sys.executable, "-c", flip, str(file), str(PAGE + SLOT_BYTES + EDITION)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as owner:
        owner.stdout.readline()

        try:
            counts = [len(_core.cmdlog_file(file)[3]) for _ in range(300)]
        finally:
            owner.kill()
    assert set(counts) <= {7, 8}


def test_no_bytes_can_stop_the_command_line(tmp_path, capsys):
    choices = random.Random(7)
    file = tmp_path / "x.cmdlog"
    shown = 0
    for _ in range(200):
        image = forged(b"sim", b"02:00.0")
        for _ in range(choices.randrange(1, 6)):
            slot = PAGE + choices.randrange(2) * SLOT_BYTES
            at = choices.choice([choices.randrange(64), slot + choices.randrange(HEAD + 8 * 128)])
            image[at : at + 8] = choices.choice([choices.randbytes(8), b"\xff" * 8, bytes(8)])
        file.write_bytes(image[: choices.choice([len(image), choices.randrange(len(image))])])

        shown += cli.main(["cmdlog", str(file)]) == 0
        text = "".join(capsys.readouterr())

        assert all(line.isprintable() for line in text.splitlines())
    assert shown > 50


def test_a_path_is_any_that_python_knows(tmp_path):
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.cmdlog"))
    file.write_bytes(forged(b"sim"))

    assert len(_core.cmdlog_file(file)[3]) == 1
    with pytest.raises(ValueError, match="null"):
        _core.cmdlog_file("x\0y")
