"""Our host over NVMe/TCP to our target, which is in another process; and Linux's host to it."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from measure import CPU, Run, fio
from table import Figure, Section

HERE = Path(__file__).parent
BUILD = HERE.parent / "build" / "bench-tcp"
NQN = "nqn.2019-08.org.pynvme:bench"
FABRICS = Path("/dev/nvme-fabrics")
APPEARS_S = 10.0
DEPTHS = (128, 32, 1)
#: Queue depth and how many system calls the host may make for a command, both directions together.
CALLS = {32: 0.5}


class Target:
    """``pynvme serve`` with null media, on any free port and on some of the CPUs."""

    def __init__(self, cpus: set[int]) -> None:
        command = [str(Path(sys.executable).with_name("pynvme")), "serve", "--tcp", "127.0.0.1:0"]
        command += ["--nqn", NQN, "sim:media=null,latency=none"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        found = re.search(r"at 127\.0\.0\.1:(\d+)", self.process.stdout.readline())
        if not found:
            self.close()
            raise RuntimeError("pynvme serve did not say where it listens")
        self.port = int(found[1])
        self.address = f"127.0.0.1:{self.port}/{NQN}"
        for task in self._tasks():
            os.sched_setaffinity(int(task.name), cpus)

    def _tasks(self) -> Iterator[Path]:
        return Path(f"/proc/{self.process.pid}/task").iterdir()

    def cpu_ns(self) -> int:
        """That its threads have used so far."""
        return sum(int((task / "schedstat").read_text().split()[0]) for task in self._tasks())

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


class TcpRun(NamedTuple):
    """What came out of one run of our worker."""

    iops: float
    cpu_ns: float  # of a command, at the host
    calls: float  # system calls of a command, at the host
    target_cpu_ns: float  # of a command


def counter() -> Path:
    """The library that counts, built if it is not there."""
    BUILD.mkdir(parents=True, exist_ok=True)
    source, library = HERE / "calls.c", BUILD / "calls.so"
    if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
        command = ["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"]
        subprocess.run(command, check=True)
    return library


def ours(target: Target, qdepth: int, seconds: float) -> TcpRun:
    """One run of our worker; the target's CPU time is that of connecting and warming up, too."""
    command = [sys.executable, str(HERE / "tcp_host.py"), target.address, str(qdepth), str(seconds)]
    before_ns = target.cpu_ns()
    done = subprocess.run(
        command,
        env=os.environ | {"LD_PRELOAD": str(counter())},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the host did not run: {done.stderr.strip().splitlines()[-1]}")
    used_ns = target.cpu_ns() - before_ns
    iops, cpu_ns, calls, commands, error = json.loads(done.stdout.splitlines()[-1])
    if error:
        raise RuntimeError(f"a worker over NVMe/TCP ended with error {error}: {done.stderr}")
    return TcpRun(iops, cpu_ns, calls, used_ns / commands)


# --- Linux's host ---


def why_no_kernel_host() -> str:
    """Empty: fio can be run through it."""
    missing = [tool for tool in ("fio", "nvme") if not shutil.which(tool)]
    if missing:
        return f"{' and '.join(missing)} not installed"
    if os.geteuid():
        return "connecting it needs root"
    return "" if FABRICS.exists() else f"no {FABRICS}: modprobe nvme-tcp"


def _block_device() -> str:
    until = time.monotonic() + APPEARS_S
    while time.monotonic() < until:
        for name in Path("/sys/class/nvme-subsystem").glob("nvme-subsys*/subsysnqn"):
            namespaces = [
                p.name for p in name.parent.iterdir() if re.fullmatch(r"nvme\d+n\d+", p.name)
            ]
            if name.read_text().strip() == NQN and namespaces:
                return f"/dev/{namespaces[0]}"
        time.sleep(0.05)
    raise RuntimeError(f"Linux connected to {NQN}, and no block device came of it")


@contextmanager
def kernel_host(target: Target) -> Iterator[str]:
    """Linux connects to the target; its block device."""
    there = ["-t", "tcp", "-a", "127.0.0.1", "-s", str(target.port), "-n", NQN, "-i", "1"]
    subprocess.run(["nvme", "connect", *there], check=True, capture_output=True)
    try:
        yield _block_device()
    finally:
        subprocess.run(["nvme", "disconnect", "-n", NQN], check=True, capture_output=True)


def theirs(device: str, qdepth: int, seconds: float) -> Run:
    """One run of fio with io_uring."""
    return fio(
        "--ioengine=io_uring",
        "--direct=1",
        "--rw=randread",
        "--norandommap",
        f"--filename={device}",
        f"--iodepth={qdepth}",
        seconds=seconds,
    )


# --- the table ---


def _our_rows(qdepth: int, runs: list[TcpRun]) -> list[Figure]:
    name = f"QD {qdepth}:"
    cpu, calls = "CPU a command", "system calls of the host"
    return [
        Figure(f"{name} worker", "thousand IOPS", [r.iops / 1e3 for r in runs]),
        Figure(f"{name} host, {cpu}", "ns", [r.cpu_ns for r in runs], digits=0),
        Figure(f"{name} target, {cpu}", "ns", [r.target_cpu_ns for r in runs], digits=0),
        Figure(f"{name} {calls}", "a command", [r.calls for r in runs], at_most=CALLS.get(qdepth)),
    ]


def _their_rows(qdepth: int, runs: list[Run]) -> list[Figure]:
    name = f"QD {qdepth}: fio, Linux's host"
    return [
        Figure(name, "thousand IOPS", [r.iops / 1e3 for r in runs]),
        Figure(f"{name}, CPU a command", "ns", [r.cpu_ns for r in runs], digits=0),
    ]


def _ours(target: Target, repetitions: int, seconds: float) -> list[Figure]:
    rows = []
    for qdepth in DEPTHS:
        rows += _our_rows(qdepth, [ours(target, qdepth, seconds) for _ in range(repetitions)])
    return rows


def _theirs(target: Target, repetitions: int, seconds: float) -> list[Figure]:
    rows = []
    with kernel_host(target) as device:
        for qdepth in DEPTHS:
            runs = [theirs(device, qdepth, seconds) for _ in range(repetitions)]
            rows += _their_rows(qdepth, runs)
    return rows


def measure(beside: bool, repetitions: int, seconds: float) -> Section:
    """All of it, with the target beside the host, on CPUs of its own, or on the host's only one."""
    where = "(f) a CPU of its own" if beside else "(g) the CPU of the host"
    section = Section(f"{where} has the target: NVMe/TCP on loopback, null media")
    others = os.sched_getaffinity(0) - {CPU}
    if beside and not others:
        section.note = "not measured: there is one CPU"
        return section
    target = Target(others if beside else {CPU})
    try:
        section.figures = _ours(target, repetitions, seconds)
        why = why_no_kernel_host()
        if why:
            section.note = f"fio through Linux's own host: not measured, {why}"
        else:
            section.figures += _theirs(target, repetitions, seconds)
    finally:
        target.close()
    return section
