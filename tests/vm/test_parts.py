"""The parts of the harness that need no guest."""

import gzip
import json
import lzma
import os
import shutil
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vm import initrd, kernel
from vm.guest import DIED, Guest
from vm.initrd import Cpio, ModuleIndex
from vm.kernel import Kernel, KernelError, inflate
from vm.presets import NONE
from vm.pulse import Pulse

TESTS = Path(__file__).resolve().parents[1]
DATA = b"\x7fELF" + bytes(range(256)) * 40


@pytest.mark.parametrize("packed", [gzip.compress(DATA), lzma.compress(DATA), DATA])
def test_inflate_undoes_what_the_magic_names(packed: bytes) -> None:
    assert inflate(packed) == DATA


@pytest.mark.parametrize("command", [("zstd", "-c"), ("lz4", "-lc")])
def test_inflate_undoes_formats_of_other_distributions(command: tuple[str, str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    packed = subprocess.run(command, input=DATA, capture_output=True, check=True).stdout

    assert inflate(packed) == DATA


def test_vmlinux_needs_a_bzimage() -> None:
    with pytest.raises(KernelError, match="not a bzImage"):
        kernel.inflate_vmlinux(bytes(4096))


@pytest.fixture
def index(tmp_path: Path) -> ModuleIndex:
    folder = tmp_path / "lib" / "modules" / "6.0"
    folder.mkdir(parents=True)
    (folder / "modules.dep").write_text(
        "kernel/a-top.ko.xz: kernel/middle.ko kernel/base.ko\n"
        "kernel/middle.ko: kernel/base.ko\n"
        "kernel/base.ko:\n"
    )
    (folder / "modules.builtin").write_text("kernel/fixed-in.ko\n")
    return ModuleIndex(Kernel(tmp_path, "6.0"))


def test_modules_load_after_what_they_need(index: ModuleIndex) -> None:
    order = [path.name for path in index.load_order(("a_top", "middle"))]

    assert order == ["base.ko", "middle.ko", "a-top.ko.xz"]


def test_built_in_modules_are_not_loaded(index: ModuleIndex) -> None:
    assert index.load_order(("fixed-in",)) == []


def test_unknown_module_is_an_error(index: ModuleIndex) -> None:
    with pytest.raises(KernelError, match="no module other"):
        index.load_order(("other",))


def test_cpio_is_read_by_others(tmp_path: Path) -> None:
    if shutil.which("busybox") is None:
        pytest.skip("busybox is not installed")
    archive = Cpio()
    archive.add("folder", stat.S_IFDIR | 0o755)
    archive.add("folder/odd", stat.S_IFREG | 0o640, b"12345")
    archive.add("link", stat.S_IFLNK | 0o777, b"folder/odd")

    unpack = ["busybox", "cpio", "-i"]
    subprocess.run(unpack, input=archive.finish(), cwd=tmp_path, check=True, capture_output=True)

    assert (tmp_path / "link").read_bytes() == b"12345"
    assert stat.S_IMODE((tmp_path / "folder" / "odd").stat().st_mode) == 0o640


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and packages that unpack to a kernel named 6.0."""

    def unpack(packages: list[str], scratch: Path) -> Kernel:
        made = Kernel(scratch / "root", "6.0")
        made.root.mkdir()
        made.vmlinux.write_bytes(DATA)
        return made

    monkeypatch.setenv("PYNVME_VM_CACHE", str(tmp_path))
    monkeypatch.setattr(kernel, "kernel_packages", lambda package: ["linux-image-6.0"])
    monkeypatch.setattr(kernel, "unpack", unpack)
    return tmp_path


def test_kernel_is_prepared_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = kernel.prepare()
    monkeypatch.setattr(kernel, "kernel_packages", lambda package: pytest.fail("asked"))

    assert kernel.prepare() == first == Kernel(cache / "6.0", "6.0")


def test_kernel_is_replaced_on_refresh(cache: Path) -> None:
    kernel.prepare().vmlinux.write_bytes(b"old")

    assert kernel.prepare(refresh=True).vmlinux.read_bytes() == DATA
    assert sorted(os.listdir(cache)) == ["6.0", "current", "lock"]


def test_another_kernel_stands_beside_the_usual_one(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, asked = kernel.prepare(), []

    def unpack(packages: list[str], scratch: Path) -> Kernel:
        made = Kernel(scratch / "root", "6.99")
        made.root.mkdir()
        made.vmlinux.write_bytes(DATA)
        return made

    monkeypatch.setattr(kernel, "kernel_packages", lambda package: asked.append(package) or [])
    monkeypatch.setattr(kernel, "unpack", unpack)
    other = kernel.prepare(package="linux-image-6.99-amd64")

    assert asked == ["linux-image-6.99-amd64"]
    assert other.release == "6.99"
    assert kernel.prepare(package="linux-image-6.99-amd64") == other
    assert kernel.prepare() == usual


def test_two_runs_at_once_prepare_it_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked: list[str] = []
    unpack = kernel.unpack

    def slow(packages: list[str], scratch: Path) -> Kernel:
        unpacked.extend(packages)
        time.sleep(0.1)
        return unpack(packages, scratch)

    monkeypatch.setattr(kernel, "unpack", slow)

    with ThreadPoolExecutor() as pool:
        kernels = list(pool.map(lambda run: kernel.prepare(), range(3)))

    assert unpacked == ["linux-image-6.0"]
    assert kernels == [Kernel(cache / "6.0", "6.0")] * 3


def test_half_finished_kernel_is_removed(cache: Path) -> None:
    (cache / "tmp-killed" / "root").mkdir(parents=True)

    kernel.prepare()

    assert list(cache.glob("tmp-*")) == []


def test_failed_download_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(packages: list[str], scratch: Path) -> Kernel:
        raise KernelError("apt-get failed")

    monkeypatch.setattr(kernel, "unpack", fail)

    with pytest.raises(KernelError):
        kernel.prepare()
    assert os.listdir(cache) == ["lock"]


FAKE_QEMU = """#!/bin/sh
echo >>STARTS
[ $(wc -l <STARTS) -lt $LUCKY_START ] && exit
for word; do case $word in *path=*/share,*) share=${word#*path=}; share=${share%%,*};; esac; done
echo 4 >$share/status
"""


@pytest.fixture
def starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A QEMU whose guest dies at once before start $LUCKY_START; a line for each start."""
    starts = tmp_path / "starts"
    program = tmp_path / "bin" / "qemu-system-x86_64"
    program.parent.mkdir()
    program.write_text(FAKE_QEMU.replace("STARTS", str(starts)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(kernel, "prepare", lambda package: Kernel(tmp_path, "6.0"))
    monkeypatch.setattr(initrd, "build", lambda *arguments: b"")
    return starts


@pytest.mark.parametrize(("lucky", "status", "count"), [(1, 4, 1), (3, 4, 3), (4, DIED, 3)])
def test_kernel_that_dies_early_is_booted_again(
    starts: Path, monkeypatch: pytest.MonkeyPatch, lucky: int, status: int, count: int
) -> None:
    monkeypatch.setenv("LUCKY_START", str(lucky))

    assert Guest(preset=NONE, root="9p").run(["true"]) == status
    assert len(starts.read_text().splitlines()) == count


OUTCOMES = """
import os, pytest
def test_good(): pass
def test_bad(): print("said before"); assert 0
@pytest.mark.skip(reason="because")
def test_left_out(): pass
@pytest.mark.xfail(reason="known")
def test_expected(): assert 0
def test_killer(): os._exit(3)
"""


@pytest.fixture
def outcomes(tmp_path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """What the plugin writes about OUTCOMES, by test and phase."""
    (tmp_path / "test_it.py").write_text(OUTCOMES)
    command = [sys.executable, "-m", "pytest", "-p", "vm.report", "--outcomes=lines", "test_it.py"]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == 3
    lines = map(json.loads, (tmp_path / "lines").read_text().splitlines())
    return {(line["nodeid"].partition("::")[2], line["when"]): line for line in lines}


def test_report_has_every_phase(outcomes: dict[tuple[str, str], dict[str, str]]) -> None:
    phases = [when for name, when in outcomes if name == "test_good"]

    assert phases == ["selected", "start", "setup", "call", "teardown"]


def test_report_has_every_outcome(outcomes: dict[tuple[str, str], dict[str, str]]) -> None:
    assert outcomes["test_good", "call"]["outcome"] == "passed"
    assert outcomes["test_bad", "call"]["outcome"] == "failed"
    assert outcomes["test_left_out", "setup"]["longrepr"] == "Skipped: because"
    assert outcomes["test_expected", "call"]["wasxfail"] == "known"


def test_report_has_the_output_of_a_failure(
    outcomes: dict[tuple[str, str], dict[str, str]],
) -> None:
    assert "said before" in outcomes["test_bad", "call"]["longrepr"]


def test_report_names_the_test_that_killed_its_process(
    outcomes: dict[tuple[str, str], dict[str, str]],
) -> None:
    phases = [when for name, when in outcomes if name == "test_killer"]

    assert phases == ["selected", "start", "setup"]


class Clock:
    """Stands in for the module time; a second passes with every look, or as many as a test says."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("vm.pulse.time", clock)
    return clock


@pytest.fixture
def pulse(tmp_path: Path, clock: Clock) -> Pulse:
    """Of a guest with two processors; silent is one that did not beat between 5 looks."""
    for name in ("beat.0", "beat.1"):
        (tmp_path / name).touch()
    return Pulse(tmp_path, still_s=5)


def test_a_guest_is_still_when_one_processor_of_two_is(pulse: Pulse) -> None:
    found = []
    for look in range(8):
        os.utime(pulse.share / "beat.1", ns=(look, look))
        found.append(pulse.silent())

    assert found == [""] * 6 + ["beat.0"] * 2


def test_a_guest_that_never_beat_is_not_judged(tmp_path: Path, clock: Clock) -> None:
    assert [Pulse(tmp_path, still_s=0).silent() for _ in range(3)] == [""] * 3


def test_a_harness_that_was_stopped_takes_it_for_one_look(pulse: Pulse, clock: Clock) -> None:
    pulse.silent()
    clock.now += 1000

    assert pulse.silent() == ""
