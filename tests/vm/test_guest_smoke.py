"""The harness itself: two boots, and some guests that never get that far."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from vm import rootfs
from vm.guest import DIED, RUN_PREFIX, Guest
from vm.presets import NONE, NVME_BDF, PRESETS
from vm.probe import probe

QMP = Path(__file__).with_name("qmp.py")
GUEST = Path(__file__).with_name("guest.py")
ROOT_COMMANDS = f"""
fact() {{ printf '%s\\t%s\\n' "$1" "$2"; }}
fact driver "$(basename "$(readlink /sys/bus/pci/devices/{NVME_BDF}/driver)")"
fact group "$(basename "$(readlink /sys/bus/pci/devices/{NVME_BDF}/iommu_group)")"
fact groups "$(cd /dev/vfio && echo [0-9]*)"
fact clock "$(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
fact directory "$PWD"
fact written "$(echo guest >inside && cat inside)"
fact qmp "$({shlex.quote(sys.executable)} {QMP} query-status | tr -d ' \\n')"
mkdir /tmp/host
mount -t virtiofs root /tmp/host && mount -o remount,rw /tmp/host
echo guest >/tmp/host$PWD/inside
echo line >$PYNVME_VM_SHARE/extra
exit 7
"""
USER_COMMANDS = """
fact() { printf '%s\\t%s\\n' "$1" "$2"; }
fact uid "$(id -u)"
fact memlock "$(ulimit -l)"
fact group "$(for group in /dev/vfio/[0-9]*; do [ -w $group ] && echo writable; done)"
fact capabilities "$(grep CapEff /proc/self/status)"
fact python "$(PYTHON -c 'print(6 * 7)')"
""".replace("PYTHON", shlex.quote(sys.executable))


@pytest.fixture(scope="module", autouse=True)
def _guests_can_run() -> None:
    if reason := probe():
        pytest.skip(reason)


class Output:
    """What a guest printed: lines of a name, a tab and a text."""

    def __init__(self) -> None:
        self.data = b""

    def __call__(self, data: bytes) -> None:
        self.data += data

    def __getitem__(self, name: str) -> str:
        facts = dict(
            line.split("\t", 1) for line in self.data.decode().splitlines() if "\t" in line
        )
        assert name in facts, self.data.decode()
        return facts[name]


class Boot:
    """A guest that has run a script."""

    def __init__(self, preset: str, script: str, folder: Path) -> None:
        self.output = Output()
        self.extra = Output()
        self.folder = folder
        self.console = folder / "console"
        guest = Guest(
            preset=PRESETS[preset],
            cwd=folder,
            timeout_s=300,
            sink=self.output,
            outputs={"extra": self.extra},
            console_log=self.console,
        )
        self.status = guest.run(["sh", "-c", script])
        self.boot_s = guest.boot_s


@pytest.fixture(scope="module")
def root_boot(tmp_path_factory: pytest.TempPathFactory) -> Boot:
    return Boot("iommu", ROOT_COMMANDS, tmp_path_factory.mktemp("root"))


@pytest.fixture(scope="module")
def user_boot(tmp_path_factory: pytest.TempPathFactory) -> Boot:
    return Boot("user", USER_COMMANDS, tmp_path_factory.mktemp("user"))


def test_exit_status_of_the_command_is_passed_on(root_boot: Boot, user_boot: Boot) -> None:
    assert (root_boot.status, user_boot.status) == (7, 0)


def test_drive_is_bound_to_vfio(root_boot: Boot) -> None:
    assert root_boot.output["driver"] == "vfio-pci"


def test_group_of_the_drive_is_the_only_one(root_boot: Boot) -> None:
    assert root_boot.output["groups"] == root_boot.output["group"]


def test_clock_is_the_tsc(root_boot: Boot) -> None:
    assert root_boot.output["clock"] == "tsc"


def test_command_runs_in_the_given_folder(root_boot: Boot) -> None:
    assert root_boot.output["directory"] == str(root_boot.folder)


def test_guest_writes_and_the_host_does_not_see_it(root_boot: Boot) -> None:
    assert root_boot.output["written"] == "guest"
    assert not (root_boot.folder / "inside").exists()


def test_host_tree_refuses_a_guest_that_mounts_it_writable(root_boot: Boot) -> None:
    if rootfs.kind() != "virtiofs":
        pytest.skip("QEMU itself exports the tree, read only")
    assert b"Read-only file system" in root_boot.output.data


def test_files_in_the_share_come_back(root_boot: Boot) -> None:
    assert root_boot.extra.data == b"line\n"


def test_guest_can_ask_qemu(root_boot: Boot) -> None:
    assert json.loads(root_boot.output["qmp"])["status"] == "running"


def test_kernel_log_is_kept(root_boot: Boot) -> None:
    assert root_boot.console.exists()


def test_user_has_no_capabilities(user_boot: Boot) -> None:
    assert user_boot.output["uid"] == "1000"
    assert user_boot.output["capabilities"].split() == ["CapEff:", "0" * 16]


def test_user_owns_the_group(user_boot: Boot) -> None:
    assert user_boot.output["group"] == "writable"


def test_locked_memory_of_the_user_is_limited(user_boot: Boot) -> None:
    assert user_boot.output["memlock"] == "1024"


def test_user_can_run_this_interpreter(user_boot: Boot) -> None:
    assert user_boot.output["python"] == "42"


def processes_of(folder: Path) -> list[str]:
    """Programs that were started with this folder for temporary files."""
    mark = f"\0TMPDIR={folder}\0".encode()
    names = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in b"\0" + (process / "environ").read_bytes():
                names.append((process / "comm").read_text().strip())
        except OSError:
            continue
    return names


def wait_until(condition: Callable[[], bool], timeout_s: float = 60) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where guests of this test keep their files."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def test_nothing_is_left_when_time_is_over(
    scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = Guest(preset=NONE, timeout_s=0.5).run(["true"])

    assert status == DIED
    assert "no end after 0.5 s" in capsys.readouterr().err
    assert processes_of(scratch) == []
    assert list(scratch.glob(f"{RUN_PREFIX}*")) == []


@pytest.mark.long
def test_guest_that_stands_still_is_ended(
    scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    guest = Guest(preset=NONE, still_s=20)

    status = guest.run([sys.executable, str(QMP), "stop"])

    assert (status, guest.killed) == (DIED, True)
    assert "the guest stood still" in capsys.readouterr().err


def test_qemu_that_does_not_start_is_explained(
    scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = replace(NONE, devices=("-device no-such-device",))

    assert Guest(preset=machine).run(["true"]) == DIED
    assert "'no-such-device' is not a valid device" in capsys.readouterr().err


def test_folder_of_a_killed_harness_is_removed(scratch: Path) -> None:
    orphan = scratch / f"{RUN_PREFIX}4194305-x"  # above the highest process id
    orphan.mkdir()

    Guest(preset=NONE, timeout_s=0).run(["true"])

    assert not orphan.exists()


@pytest.fixture
def running_harness(scratch: Path) -> subprocess.Popen[bytes]:
    """The command line, with QEMU started."""
    command = [sys.executable, str(GUEST), "--preset", "none", "--", "sleep", "60"]
    harness = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    assert wait_until(lambda: "qemu-system-x86" in processes_of(scratch))
    return harness


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_after_a_signal(
    scratch: Path, running_harness: subprocess.Popen[bytes], number: signal.Signals
) -> None:
    running_harness.send_signal(number)

    assert running_harness.wait(60) == 128 + number
    # what was killed a moment ago may still be listed
    assert wait_until(lambda: processes_of(scratch) == [], timeout_s=60)
    assert os.listdir(scratch) == []


def test_no_process_outlives_a_killed_harness(
    scratch: Path, running_harness: subprocess.Popen[bytes]
) -> None:
    running_harness.kill()
    running_harness.wait()

    assert wait_until(lambda: processes_of(scratch) == [], timeout_s=60)
