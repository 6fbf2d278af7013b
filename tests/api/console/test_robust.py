"""Files that are damaged, forged, replaced or not ours: said, and nothing else suffers."""

import contextlib
import errno
import json
import math
import os
import random
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from nvme import _core
from nvme.console.params import RpcError
from nvme.console.service import Service

from .live import Live

PAGE, HEAD, NCIDS, NRECORDS = 4096, 2048, 3, 2048
SLOT_BYTES = -(-(HEAD + (NCIDS + NRECORDS) * 128) // PAGE) * PAGE
MAGIC, SLOT_MAGIC = 0x474C444D434D564E, 0x544F4C53434D564E
#: Where a slot's header keeps them.
EDITION, SQID, KIND, CONTROLLER, COUNTS, ROOM = 16, 48, 50, 52, 320, 1568


def forged(*kinds, version=2, pid=1):
    """A recorder file of a slot of each kind, that nobody wrote."""
    file = bytearray(struct.pack("<QIiQqQ", MAGIC, version, pid, 1, 0, 5).ljust(PAGE, b"\0"))
    for kind in kinds:
        head = (SLOT_MAGIC, SLOT_BYTES, 2, 1, 0, NCIDS, NRECORDS, 0 if kind == 0 else 1, kind, 1, 3)
        slot = struct.pack("<5QIIHHIII256s", *head, 0, b"sim")
        record = struct.pack("<3Q", 2, 5, 0) + b"\x02"
        file += (slot.ljust(HEAD, b"\0") + record).ljust(SLOT_BYTES, b"\0")
    return file


def name(pid=1, uid=None, start=1):
    return f"pynvme-{os.getuid() if uid is None else uid}-{pid}-{start}.cmdlog"


def everything(service):
    """All that can be asked for, with answers that any JSON reader takes."""
    asked = {"sessions": {}, "controllers": {"closed": True}, "queues": {"closed": True}}
    found = {method: service.call(method, params) for method, params in asked.items()}
    found["iostat"] = service.call("iostat", {})
    for queue in found["queues"]["queues"]:
        # It may have gone meanwhile.
        with contextlib.suppress(RpcError):
            check(service.call("cmdlog", {"queue": queue["id"], "count": 4096}))
    check(found)
    return found


def check(value):
    """JSON that JavaScript has exactly, and a terminal can show."""
    if isinstance(value, dict):
        check(list(value.values()))
    elif isinstance(value, list):
        for one in value:
            check(one)
    elif isinstance(value, str):
        assert value.isprintable()
    elif isinstance(value, float):
        assert math.isfinite(value)
    elif value is not None:
        assert abs(value) < 2**53


def test_a_forged_file_is_shown_as_what_it_says(service, folder):
    (folder / name()).write_bytes(forged(0, 1, 2))

    found = everything(service)

    assert [one["state"] for one in found["sessions"]["sessions"]] == ["ended"]
    assert [one["kind"] for one in found["queues"]["queues"]] == ["admin", "script", "worker"]


def test_what_a_file_says_does_not_reach_a_terminal_as_it_is(service, folder):
    file = forged(0, 2)
    rude = b"\x1b[31m\r\n\xff\xe2\x80\xae"
    for at in (40, PAGE + 64, PAGE + ROOM + 8, PAGE + SLOT_BYTES + ROOM + 168):
        file[at : at + len(rude)] = rude
    file[PAGE + ROOM] = 2  # the texts of the controller are whole
    (folder / name()).write_bytes(file)

    found = everything(service)

    shown = "\\x1b[31m\\r\\n\\xff\\u202e"
    assert found["sessions"]["sessions"][0]["title"] == shown
    assert found["controllers"]["controllers"][0]["address"] == shown
    assert found["controllers"]["controllers"][0]["model"] == shown
    assert found["queues"]["queues"][1]["worker"]["why"] == shown


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda file: file[:100], "is not a command log"),
        (lambda file: b"", "is not a command log"),
        (lambda file: b"x" * len(file), "is not a command log"),
        (lambda file: forged(1, version=1), "of version 1, this pynvme reads 2"),
        (lambda file: forged(1, version=3), "of version 3, this pynvme reads 2"),
    ],
)
def test_a_file_that_is_no_recorders_is_unreadable_and_hides_no_other(service, folder, change, why):
    (folder / name(1)).write_bytes(forged(1))
    (folder / name(2)).write_bytes(change(forged(1)))

    good, bad = everything(service)["sessions"]["sessions"]

    assert (good["state"], good["queues"]) == ("ended", 1)
    assert (bad["state"], bad["queues"], bad["title"]) == ("unreadable", None, None)
    assert why in bad["why"]
    with pytest.raises(RpcError, match=bad["why"].replace("(", ".").replace(")", ".")) as error:
        service.call("queues", {"session": bad["id"]})
    assert (error.value.code, error.value.data["path"]) == (-32002, bad["path"])


def test_what_is_damaged_at_the_end_is_said_and_the_rest_is_shown(service, folder):
    file = forged(0, 1)
    file[PAGE + SLOT_BYTES : PAGE + SLOT_BYTES + 8] = b"nonsense"
    (folder / name()).write_bytes(file)

    found = everything(service)

    assert [one["kind"] for one in found["queues"]["queues"]] == ["admin"]
    (problem,) = found["sessions"]["problems"]
    assert problem["why"] == f"damaged: its last {SLOT_BYTES} bytes are no queue"


def test_a_slot_that_stays_in_the_middle_of_a_change_is_said(service, folder):
    file = forged(0, 1)
    file[PAGE + SLOT_BYTES + EDITION] = 3
    (folder / name()).write_bytes(file)

    found = everything(service)

    assert len(found["queues"]["queues"]) == 1
    assert [one["why"] for one in found["queues"]["problems"]] == [
        "queue 1 of the file: the slot is changing hands"
    ]


@pytest.mark.parametrize("edition", [0, 1])
def test_a_slot_that_is_not_made_yet_is_no_damage(service, folder, edition):
    """Room is there first; its owner, maybe killed before, then makes it a slot."""
    file = forged(0) + bytes(SLOT_BYTES)
    file[-SLOT_BYTES + EDITION] = edition
    (folder / name()).write_bytes(file)

    found = everything(service)

    assert [one["kind"] for one in found["queues"]["queues"]] == ["admin"]
    assert found["sessions"]["problems"] == []


@pytest.mark.parametrize(("at", "byte"), [(EDITION, 2), (EDITION, 3), (0, 1)])
def test_what_is_neither_a_slot_nor_room_for_one_is_damage(service, folder, at, byte):
    file = forged(0) + bytes(SLOT_BYTES)
    file[-SLOT_BYTES + at] = byte
    (folder / name()).write_bytes(file)

    (problem,) = everything(service)["sessions"]["problems"]

    assert problem["why"] == f"damaged: its last {SLOT_BYTES} bytes are no queue"


def as_user(uid, run):
    """What a function returns to another user, in a child."""
    reading, writing = os.pipe()
    if not os.fork():
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        os.write(writing, json.dumps(run()).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        found = json.load(answer)
    os.wait()
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be two users")
def test_sessions_of_several_users_are_told_apart(monkeypatch):
    monkeypatch.delenv("SUDO_UID", raising=False)
    with tempfile.TemporaryDirectory(dir="/tmp") as shared:
        Path(shared).chmod(0o755)
        monkeypatch.setenv("PYNVME_CMDLOG_DIR", shared)
        for uid in (0, 1000, 1001):
            path = Path(shared, name(uid + 1, uid))
            path.write_bytes(forged(1))
            path.chmod(0o600)
            os.chown(path, uid, uid)

        seen = as_user(1000, lambda: Service().call("sessions", {})["sessions"])

    found = {one["uid"]: one for one in seen}
    assert [found[uid]["state"] for uid in (0, 1000, 1001)] == ["unreadable", "ended", "unreadable"]
    assert [found[uid]["own"] for uid in (0, 1000, 1001)] == [False, True, False]
    assert found[0]["why"] == "Permission denied"


def test_a_name_of_another_user_is_a_problem(service, folder):
    (folder / name(uid=4711)).write_bytes(forged(1))
    if os.getuid() == 0:
        os.chown(folder / name(uid=4711), 4712, 4712)

    found = everything(service)["sessions"]

    assert found["sessions"] == []
    assert "its name says user 4711, but it belongs to user" in found["problems"][0]["why"]


def test_what_is_no_file_is_a_problem_and_nothing_waits_for_it(service, folder):
    os.mkfifo(folder / name(1))
    (folder / name(2)).symlink_to("/dev/zero")
    (folder / name(3)).mkdir()

    problems = everything(service)["sessions"]["problems"]

    assert [one["why"] for one in problems] == ["no regular file"] * 3


def test_a_folder_that_is_not_there_is_a_problem(folder, monkeypatch):
    monkeypatch.setenv("PYNVME_CMDLOG_DIR", str(folder / "none"))

    found = everything(Service())["sessions"]

    assert found["problems"] == [{"path": str(folder / "none"), "why": "No such file or directory"}]


def test_a_stale_pid_is_an_ended_session(service, folder):
    """The number is of a process that runs, but of another one than wrote the file."""
    (folder / name(os.getpid())).write_bytes(forged(1, pid=os.getpid()))

    (session,) = everything(service)["sessions"]["sessions"]

    assert (session["pid"], session["state"]) == (os.getpid(), "ended")


def test_the_newest_sessions_are_listed_and_the_callers_own_first(service, folder):
    for pid in range(1, 71):
        path = folder / name(pid)
        path.write_bytes(forged())
        os.utime(path, ns=(pid, pid))

    sessions = everything(service)["sessions"]["sessions"]

    assert [one["pid"] for one in sessions] == list(range(70, 6, -1))


def test_no_bytes_can_break_an_answer(folder):
    choices = random.Random(13)
    shown = 0
    for _ in range(150):
        image = forged(0, 1, 2)
        for _ in range(choices.randrange(1, 8)):
            slot = PAGE + choices.randrange(3) * SLOT_BYTES
            at = choices.choice(
                [choices.randrange(1064), *[slot + choices.randrange(HEAD + 8 * 128)] * 4]
            )
            image[at : at + 8] = choices.choice([choices.randbytes(8), b"\xff" * 8, bytes(8)])
        cut = choices.choice([len(image), len(image), choices.randrange(len(image))])
        (folder / name()).write_bytes(image[:cut])

        found = everything(Service())

        shown += len(found["queues"]["queues"])
    assert shown > 150


def test_a_session_in_full_swing_of_its_queues_can_be_watched(service, folder, live):
    """Queues come and go far more often than anybody looks."""
    live.process.stdin.write(
        '"nvme0.timeout; exec(\\"while True:\\\\n q = d.Qpair(nvme0, 8); '
        'nvme0n1.read(q, buf, 1).waitdone(); q.delete()\\", globals())"\n'
    )
    live.process.stdin.flush()
    editions, looks = set(), 0
    while len(editions) < 50:
        found = everything(service)
        assert [one["state"] for one in found["sessions"]["sessions"]] == ["running"]
        # One may be seen while it changes hands, however often it is looked at.
        whys = [one["why"] for one in found["sessions"]["problems"]]
        assert all(why.endswith("the slot is changing hands") for why in whys)
        editions |= {one["id"] for one in found["queues"]["queues"]}
        looks += 1
        assert live.process.poll() is None
    live.kill()


RUDE = """
import os, sys
path = sys.argv[1]
image = open(path, "rb").read()
print("ready", flush=True)
n = 0
while True:
    n += 1
    if n % 3 == 0:
        os.truncate(path, n * 4099 % len(image))
    elif n % 3 == 1:
        with open(path + ".new", "wb") as file:
            file.write(image)
        os.rename(path + ".new", path)
    else:
        with open(path, "r+b") as file:
            file.write(image)
"""


def test_a_file_that_is_cut_and_replaced_while_it_is_read_stops_nobody(service, folder):
    path = folder / name()
    path.write_bytes(forged(0, 1, 2))
    states = set()
    with subprocess.Popen([sys.executable, "-c", RUDE, path], stdout=subprocess.PIPE) as rude:
        rude.stdout.readline()
        try:
            for _ in range(300):
                found = everything(service)
                states |= {one["state"] for one in found["sessions"]["sessions"]}
        finally:
            rude.kill()
    assert states <= {"ended", "unreadable"}
    assert "ended" in states


def test_records_of_a_slot_that_became_anothers_are_not_shown_as_the_formers(folder, live):
    path = live("d._core.cmdlog_path()")
    ((_, head, _),) = [one for one in _core.recorder(path)[2] if one[1][SQID] == 1]
    (edition,) = struct.unpack_from("<Q", head, EDITION)
    assert _core.recorder_records(path, 1, edition) == b""

    live("qpair.delete(); qpair = d.Qpair(nvme0, 8)")

    with pytest.raises(OSError) as error:
        _core.recorder_records(path, 1, edition)
    assert error.value.errno == errno.ESTALE
    with pytest.raises(OSError) as error:
        _core.recorder_records(path, 99, edition)
    assert error.value.errno == errno.ENOENT


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount a tmpfs")
def test_a_session_without_room_for_its_file_is_shown_as_far_as_it_got(tmp_path, monkeypatch):
    small = tmp_path / "small"
    small.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", small]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        monkeypatch.setenv("PYNVME_CMDLOG_DIR", str(small))
        with Live(small) as live:
            # The third queue and all after it have no room.
            live("more = [d.Qpair(nvme0, 8) for _ in range(5)]")
            live("nvme0n1.read(more[4], buf, 1).waitdone()")

            found = everything(Service())

            assert [one["state"] for one in found["sessions"]["sessions"]] == ["running"]
            assert 1 <= len(found["queues"]["queues"]) < 7
    finally:
        subprocess.run(["umount", "-l", small], check=True)
