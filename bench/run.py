"""A table of figures: our worker against fio, verification, many workers, Python, instructions.

    python bench/run.py [--repetitions N] [--seconds S] [--json FILE] [SECTION...]

Each ratio is of two runs, one right after the other, several times over: the table has the median
and the spread. Sections: null verify workers python instructions tcp tcp1 console; of tcp1 host and
target are on one CPU. Takes some three minutes.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import console
import instructions
import tcp
from measure import Drive, Run, fio, workers
from table import Figure, Section, ratios

import api
import nvme as d

NULL = "sim:media=null,latency=none"
RAM = "sim:size=1G,latency=none"
REGION_LBAS = 1 << 18  # 128 MiB
FIO_NULL = ("--ioengine=null", "--rw=randread", "--size=20g", "--norandommap")
#: Queue depth and how many times as fast as fio we must be.
BARS = {128: 1.8, 32: 1.3}
WORKERS = (1, 2, 4, 8, 16)


class Bench:
    """How long, and how often."""

    def __init__(self, repetitions: int, seconds: float) -> None:
        self.repetitions = repetitions
        self.seconds = seconds

    def interleaved(self, *measures: Callable[[], Run]) -> list[list[Run]]:
        """Runs all of them in turn, again and again; one list for each."""
        rounds = [[measure() for measure in measures] for _ in range(self.repetitions)]
        return [list(column) for column in zip(*rounds, strict=True)]

    def null(self) -> Section:
        section = Section("(a) a worker on a null-media software SSD, against fio --ioengine=null")
        drive, threaded = Drive(NULL), Drive(f"{NULL},thread=always")
        has_fio = shutil.which("fio") is not None
        for qdepth in (128, 32, 1):
            measures = [
                lambda q=qdepth: workers(drive, self.seconds, q),
                lambda q=qdepth: workers(threaded, self.seconds / 2, q),
            ]
            if has_fio:
                measures.append(
                    lambda q=qdepth: fio(*FIO_NULL, f"--iodepth={q}", seconds=self.seconds)
                )
            runs, beside, *others = self.interleaved(*measures)
            section.figures += self._null_rows(qdepth, runs, beside, others)
        drive.close()
        threaded.close()
        return section

    @staticmethod
    def _null_rows(
        qdepth: int, runs: list[Run], beside: list[Run], others: list[list[Run]]
    ) -> list[Figure]:
        rows = [
            Figure(f"QD {qdepth}: worker", "M IOPS", [r.iops / 1e6 for r in runs]),
            Figure(f"QD {qdepth}: worker, CPU a command", "ns", [r.cpu_ns for r in runs], digits=0),
            Figure(f"QD {qdepth}: worker, thread=always", "M IOPS", [r.iops / 1e6 for r in beside]),
        ]
        if qdepth == 1:
            rows.append(
                Figure("QD 1: round trip", "us", [1e6 / r.iops for r in runs], at_most=0.75)
            )
        for theirs in others:
            factor = ratios([r.iops for r in runs], [r.iops for r in theirs])
            rows += [
                Figure(f"QD {qdepth}: fio", "M IOPS", [r.iops / 1e6 for r in theirs]),
                Figure(
                    f"QD {qdepth}: fio, CPU a command", "ns", [r.cpu_ns for r in theirs], digits=0
                ),
                Figure(f"QD {qdepth}: worker / fio", "times", factor, at_least=BARS.get(qdepth)),
            ]
        return rows

    def verify(self) -> Section:
        section = Section("(b) verification, 4 KiB reads at QD 32 of written data in memory")
        drive = Drive(RAM)
        fill = REGION_LBAS // 8
        workers(drive, 0, 32, reads=0, random=False, region_lbas=REGION_LBAS, count=fill)

        def ours(on: bool) -> Run:
            d.config(verify=on)
            run = workers(drive, self.seconds, 32, region_lbas=REGION_LBAS)
            d.config(verify=False)
            return run

        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            theirs = self._fio_verify(Path(folder))
            columns = self.interleaved(lambda: ours(False), lambda: ours(True), *theirs)
        off, on = columns[0], columns[1]
        instructions.build()
        crc = statistics.median(instructions.crc_ns() for _ in range(5))
        extra = [b.cpu_ns - a.cpu_ns - crc for a, b in zip(off, on, strict=True)]
        section.figures = [
            Figure("verify off", "M IOPS", [r.iops / 1e6 for r in off]),
            Figure("verify on", "M IOPS", [r.iops / 1e6 for r in on]),
            Figure("CRC32C of 8 LBAs", "ns", [crc], digits=0),
            Figure("verify on: CPU beside the CRCs", "ns", extra, at_most=60, digits=0),
        ]
        if len(columns) == 4:
            section.figures += [
                Figure("fio, verify=crc32c off", "M IOPS", [r.iops / 1e6 for r in columns[2]]),
                Figure("fio, verify=crc32c on", "M IOPS", [r.iops / 1e6 for r in columns[3]]),
                Figure(
                    "worker / fio, both verifying",
                    "times",
                    ratios([r.iops for r in on], [r.iops for r in columns[3]]),
                ),
            ]
        drive.close()
        return section

    def _fio_verify(self, folder: Path) -> list[Callable[[], Run]]:
        if not shutil.which("fio"):
            return []
        file = (f"--filename={folder / 'data'}", "--size=128m", "--ioengine=psync")
        fio(*file, "--rw=write", "--verify=crc32c", "--do_verify=0", seconds=0)
        read = (*file, "--rw=randread", "--norandommap")
        return [
            lambda: fio(*read, seconds=self.seconds),
            lambda: fio(*read, "--verify=crc32c", seconds=self.seconds),
        ]

    def workers(self) -> Section:
        cpus = len(os.sched_getaffinity(0))
        section = Section(f"(c) workers at once, QD 32 each, one null-media SSD, {cpus} CPUs")
        drive = Drive(NULL)
        columns = self.interleaved(
            *(lambda n=n: workers(drive, self.seconds, 32, jobs=n) for n in WORKERS)
        )
        for n, runs in zip(WORKERS, columns, strict=True):
            section.figures.append(
                Figure(f"{n} workers, in sum", "M IOPS", [r.iops / 1e6 for r in runs])
            )
        drive.close()
        return section

    def python(self) -> Section:
        section = Section("(d) single commands from Python, against the same loop in C")
        drive = Drive("sim:latency=none")
        buf = d.Buffer(4096)
        trips, loops, submits = [], [], []
        with d.Qpair(drive.nvme, api.DEPTH * 2) as qpair:
            for _ in range(self.repetitions):
                trips.append(api.round_trip_us(drive.namespace, qpair, buf))
                run = workers(drive, 0, 1, count=100_000)
                loops.append(1e6 / run.iops)
                submits.append(api.submit_ns(drive.namespace, qpair, buf))
        section.figures = [
            Figure("read, submitted", "ns", submits, digits=0),
            Figure("read and waitdone", "us", trips),
            Figure("the same in C (a worker at QD 1)", "us", loops),
            Figure("Python / C", "times", ratios(trips, loops)),
        ]
        drive.close()
        return section

    def instructions(self) -> Section:
        section = Section("(e) instructions of a 4 KiB random read, host side, by callgrind")
        instructions.build()
        count = instructions.per_read()
        if count is None:
            section.note = "valgrind is not installed"
        else:
            section.figures = [
                Figure("plan to statistics", "instructions", [count], at_most=350, digits=1)
            ]
        return section

    def tcp(self) -> Section:
        return tcp.measure(True, self.repetitions, self.seconds)

    def tcp1(self) -> Section:
        return tcp.measure(False, self.repetitions, self.seconds)

    def console(self) -> Section:
        return console.measure(NULL, self.repetitions, self.seconds)


SECTIONS = ("null", "verify", "workers", "python", "instructions", "tcp", "tcp1", "console")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="of each run")
    parser.add_argument("--json", help="file for the figures")
    args = parser.parse_args(argv)
    unknown = [name for name in args.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]}")
    bench = Bench(args.repetitions, args.seconds)
    found = []
    for name in args.sections or SECTIONS:
        section: Section = getattr(bench, name)()
        section.show()
        found.append(section)
    if args.json:
        rows = {s.title: [figure.as_dict() for figure in s.figures] for s in found}
        Path(args.json).write_text(json.dumps(rows, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
