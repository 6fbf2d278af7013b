"""gdb on a script and on a core dump, with the commands of scripts/gdb_nvme.py."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import nvme
from nvme import _core
from nvme.cmdlog import newest_first

from .hanging import DRIVE, SCRIPT, hanging, script

HELPER = Path(__file__).parents[3] / "scripts" / "gdb_nvme.py"
#: Names and statuses that are in no table, and one with an error.
STRANGE = """
nvme0.send_cmd(0xff, cb=lambda *_: 0).waitdone()
nvme0.getlogpage(0xee, buf, cb=lambda *_: 0).waitdone()
"""
WAITING = "import os, signal\nos.write(int(os.environ['READY_FD']), b'!')\nsignal.pause()\n"

#: A debugger that is not done then hangs. A core dump of such a script has 30 MB.
GDB_S = 120
CORE_BYTES = 1 << 30

Gdb = Callable[..., str]


def sanitized() -> bool:
    return "asan" in os.environ.get("LD_PRELOAD", "")


@pytest.fixture
def gdb() -> Gdb:
    """Runs gdb with the helper, then commands; returns all that it said."""
    program = shutil.which("gdb")
    if not program:
        pytest.skip("needs gdb")
    # It has a Python of its own, and is no program to look for leaks in.
    alone = {
        name: value
        for name, value in os.environ.items()
        if name != "LD_PRELOAD" and not name.startswith("PYTHON")
    }

    def run(*what: str, commands: tuple[str, ...]) -> str:
        options = [option for command in commands for option in ("-ex", command)]
        if what[0] == "--args":
            words = ["-x", str(HELPER), *options, *what]
        else:
            words = [*what, "-x", str(HELPER), *options]
        done = subprocess.run(
            [program, "-nx", "-q", "-batch", *words],
            env=alone,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=GDB_S,
        )
        if "ptrace: Operation not permitted" in done.stdout:
            pytest.skip("this machine lets nobody trace a process")
        if 'Scripting in the "Python" language is not supported' in done.stdout:
            pytest.skip("this gdb has no Python")
        return done.stdout

    return run


def lines_after(said: str, title: str) -> list[str]:
    """The indented lines below a line, without the times that they begin with."""
    _, found, rest = said.partition(f"\n{title}\n")
    assert found, said
    lines = []
    for line in rest.splitlines():
        if not line.startswith("  "):
            break
        lines.append(line.split(maxsplit=2)[2])
    return lines


def log_of(path: Path, sqid: int) -> list[str]:
    """The commands of a queue in the words of `pynvme cmdlog`, without their times."""
    slots = _core.cmdlog_file(str(path))[3]
    (records,) = (slot[4] for slot in slots if slot[1] == sqid)
    return [str(entry).split(maxsplit=2)[2] for entry in newest_first(records, sqid)]


# --- a live process ---


def test_on_a_live_process_it_says_what_the_command_log_says(gdb, tmp_path):
    with hanging(script(SCRIPT.replace("\nsend()", f"\n{STRANGE}send()")), tmp_path) as process:
        (path,) = tmp_path.glob("*.cmdlog")
        said = gdb(
            *("-p", str(process.pid)),
            commands=("nvme queues", "nvme inflight", "echo \\n--\\n", "nvme cmdlog 0"),
        )
        admin, io = log_of(path, 0), log_of(path, 1)

    short, _, long = said.partition("\n--\n")
    assert "sim:size=64M qpair 1 (io), 7 commands at once: 1 outstanding, 1 completed\n" in short
    assert lines_after(short, "sim:size=64M qpair 1: 1 outstanding") == [
        "Write (01) sqid:1 cid:0 nsid:1 cdw10:00001234 cdw11:00000000 cdw12:00000001 => outstanding"
    ]
    events = [line for line in admin if line.endswith("=> outstanding")]
    assert lines_after(short, "sim:size=64M qpair 0: 4 outstanding") == events
    assert lines_after("\n" + long, "sim:size=64M qpair 1: commands, newest first") == io
    found = lines_after("\n" + long, "sim:size=64M qpair 0: commands, newest first")
    assert sorted(found) == sorted(admin)
    assert any(line.startswith("Vendor specific (ff)") for line in found)
    assert any("=> Invalid Log Page (01/09)" in line for line in found)


def test_a_script_runs_within_gdb_and_crashes_there(gdb, tmp_path):
    if sanitized():
        pytest.skip("a process under gdb cannot look for leaks")
    code = DRIVE.replace("def ready", "def unused") + "send()\nos.abort()\n"
    code = code.replace(", cb=ready", "")

    said = gdb(
        "--args",
        sys.executable,
        "-c",
        code,
        commands=("run", "nvme inflight", "bt 2", "kill"),
    )

    assert "received signal SIGABRT" in said
    assert " Write (01) sqid:1 cid:0 nsid:1 cdw10:00001234 " in said


# --- a core dump ---


def test_of_a_core_dump_it_says_what_was_outstanding_or_that_it_is_lost(gdb, tmp_path):
    if sanitized():
        pytest.skip("a process under a sanitizer leaves no core dump")
    with hanging(script(), tmp_path) as process:
        limit = resource.prlimit(process.pid, resource.RLIMIT_CORE)[1]
        wanted = CORE_BYTES if limit == resource.RLIM_INFINITY else min(CORE_BYTES, limit)
        resource.prlimit(process.pid, resource.RLIMIT_CORE, (wanted, limit))
        process.send_signal(signal.SIGQUIT)
        process.communicate()
    cores = list(tmp_path.glob("core*"))
    if not cores:
        pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
        pytest.skip(f"no core dump was left here: kernel.core_pattern is {pattern!r}")
    (path,) = tmp_path.glob("*.cmdlog")

    there = gdb(sys.executable, str(cores[0]), commands=("nvme inflight",))
    path.rename(tmp_path / "elsewhere")
    lost = gdb(sys.executable, str(cores[0]), commands=("nvme inflight",))

    assert "\n  20" in there
    assert " Write (01) sqid:1 cid:0 nsid:1 cdw10:00001234 " in there
    assert "2 queues cannot be read: their log is shared memory, which a core does not have" in lost
    assert str(path) in lost


# --- what cannot be had ---


def test_without_a_process_it_says_how_to_have_one(gdb):
    said = gdb("-nh", commands=("nvme queues",))

    assert "no process: gdb -p PID takes a live one" in said
    assert "Traceback" not in said


def test_a_process_without_pynvme_has_none(gdb):
    with subprocess.Popen(["sleep", "600"]) as process:
        try:
            said = gdb("-p", str(process.pid), commands=("nvme inflight",))
        finally:
            process.kill()

    assert "no pynvme in this process" in said


def test_before_a_drive_is_opened_there_is_nothing_to_see(gdb, tmp_path):
    with hanging(script("import nvme\n" + WAITING), tmp_path) as process:
        said = gdb("-p", str(process.pid), commands=("nvme queues", "nvme cmdlog all"))

    assert "pynvme is loaded, but no drive was opened yet" in said
    assert "nvme cmdlog all: commands of each queue are a number" in said


def test_without_debug_information_it_says_where_to_get_it(gdb, tmp_path):
    if not shutil.which("strip"):
        pytest.skip("needs strip")
    copy = tmp_path / "nvme"
    shutil.copytree(Path(nvme.__file__).parent, copy)
    (extension,) = copy.glob("_core.*.so")
    subprocess.run(["strip", "-g", extension], check=True)
    path = f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"

    with hanging(script("import nvme\n" + WAITING), tmp_path, PYTHONPATH=path) as process:
        said = gdb("-p", str(process.pid), commands=("nvme queues",))

    assert f"no debug information in {extension}" in said
