"""What a script pays for the way down and up again: figures of the Python API on the software SSD.

    python bench/api.py [ADDRESS]

prints the time of ``import nvme``, the round trip of one 4 KiB read at queue depth 1, and the IOPS
of a loop that submits 64 reads and waits for all of them; each as the median of its repetitions
and their spread. The software SSD answers at once, unless an address says otherwise.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import nvme as d

REPETITIONS = 7
READS = 4096
DEPTH = 64
LBAS = 8  # of 512 bytes: 4 KiB
IMPORT = "import time; t = time.perf_counter(); import nvme; print(time.perf_counter() - t)"


def import_ms() -> float:
    """The time of the import alone, in an interpreter of its own."""
    done = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, check=True)
    return float(done.stdout) * 1e3


def round_trip_us(nvme0n1: d.Namespace, qpair: d.Qpair, buf: d.Buffer) -> float:
    begin = time.perf_counter()
    for _ in range(READS):
        nvme0n1.read(qpair, buf, 0, LBAS).waitdone()
    return (time.perf_counter() - begin) / READS * 1e6


def submit_ns(nvme0n1: d.Namespace, qpair: d.Qpair, buf: d.Buffer) -> float:
    """Of the submissions alone; the waits in between do not count."""
    spent = 0
    for _ in range(READS // DEPTH):
        begin = time.perf_counter_ns()
        for _ in range(DEPTH):
            nvme0n1.read(qpair, buf, 0, LBAS)
        spent += time.perf_counter_ns() - begin
        qpair.waitdone(DEPTH)
    return spent / READS


def batch_kiops(nvme0n1: d.Namespace, qpair: d.Qpair, buf: d.Buffer) -> float:
    begin = time.perf_counter()
    for _ in range(READS // DEPTH):
        for index in range(DEPTH):
            nvme0n1.read(qpair, buf, index * LBAS, LBAS)
        qpair.waitdone(DEPTH)
    return READS / (time.perf_counter() - begin) / 1e3


def row(name: str, unit: str, measure: Callable[[], float]) -> str:
    values: Sequence[float] = [measure() for _ in range(REPETITIONS)]
    low, high = min(values), max(values)
    return f"{name:<44} {statistics.median(values):>9.1f} {low:>9.1f} {high:>9.1f}  {unit}"


def main(address: str) -> None:
    nvme0 = d.Controller(address.encode())
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, DEPTH * 2)
    buf = d.Buffer(LBAS * 512)
    device = (nvme0n1, qpair, buf)
    print(f"{address}, median of {REPETITIONS}")
    print(f"{'':<44} {'median':>9} {'least':>9} {'most':>9}")
    print(row("import nvme", "ms", import_ms))
    print(row("4 KiB read and waitdone, depth 1", "us", lambda: round_trip_us(*device)))
    print(row("4 KiB reads, 64 and waitdone(64)", "thousand/s", lambda: batch_kiops(*device)))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sim:latency=none")
