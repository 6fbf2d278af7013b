"""``pynvme perf``: a quick benchmark of any device, with the flags that people know."""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nvme as d
from nvme.ioworker import OPCODE_READ, OPCODE_WRITE, IOWorker
from nvme.number import real
from nvme.perf_report import as_json, as_text
from nvme.progress import Progress, wanted

OPCODE_DSM = 9
#: Access patterns: random or not, and the percentages of reads and writes (the rest is trimmed).
PATTERNS = {
    "read": (False, 100, 0),
    "write": (False, 0, 100),
    "rw": (False, -1, -1),
    "readwrite": (False, -1, -1),
    "trim": (False, 0, 0),
    "randread": (True, 100, 0),
    "randwrite": (True, 0, 100),
    "randrw": (True, -1, -1),
    "randtrim": (True, 0, 0),
}
SUFFIXES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def size_of(text: str) -> int:
    """Bytes in a size like 512, 4k, 1M or 20g."""
    lower = text.lower().removesuffix("ib").removesuffix("b")
    number = lower.rstrip("kmgt")
    suffix = lower[len(number) :]
    try:
        return int(float(number) * SUFFIXES[suffix])
    except (KeyError, ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"not a size: {text!r}") from None


def seconds_of(text: str) -> float:
    """Seconds in a time like 10, 10s, 5m or 2h."""
    factor = {"s": 1, "m": 60, "h": 3600}.get(text[-1:].lower())
    try:
        return real(float(text[:-1]) * factor if factor else float(text), "a time")
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a time: {text!r}") from None


def parser() -> argparse.ArgumentParser:
    """The flags."""
    p = argparse.ArgumentParser(
        prog="pynvme perf",
        description="Benchmark a device. Writes destroy the data on it.",
    )
    p.add_argument("device", nargs="?", default="sim", help="01:00.0, or sim:OPTIONS")
    p.add_argument("--filename", dest="device", default=argparse.SUPPRESS, help="the device")
    p.add_argument("--name", default="perf", help="name of the job in reports")
    p.add_argument("--nsid", type=int, default=1)
    p.add_argument("--rw", "--readwrite", choices=sorted(PATTERNS), default="randread")
    p.add_argument("--rwmixread", type=int, default=50, help="per cent of reads (rw, randrw)")
    p.add_argument("--bs", "--blocksize", type=size_of, default=4096, help="bytes a command")
    p.add_argument("--iodepth", type=int, default=32, help="commands in flight, of each job")
    p.add_argument("--numjobs", type=int, default=1, help="workers, with a queue each")
    p.add_argument("--runtime", type=seconds_of, default=None, help="seconds; 10 by default")
    p.add_argument("--number_ios", type=int, default=0, help="commands of each job")
    p.add_argument("--size", type=size_of, default=0, help="bytes of the device to use; 0: all")
    p.add_argument("--offset", type=size_of, default=0, help="where they begin")
    p.add_argument("--rate-iops", "--rate_iops", type=float, default=0, help="of each job")
    p.add_argument("--verify", nargs="?", const="crc32c", choices=["crc32c", "0"], default="0")
    p.add_argument("--randseed", type=int, default=None)
    p.add_argument("--cpus_allowed", type=int, default=-1, help="CPU of the first job")
    p.add_argument("--output-format", choices=["normal", "json", "json+"], default="normal")
    p.add_argument("--output", help="file of the report instead of standard output")
    p.add_argument("--log", help="CSV file of IOPS by job and second")
    return p


def mix_of(args: argparse.Namespace) -> dict[int, int]:
    """Per cent of each opcode."""
    _, reads, writes = PATTERNS[args.rw]
    if reads < 0:
        reads, writes = args.rwmixread, 100 - args.rwmixread
    mix = {OPCODE_READ: reads, OPCODE_WRITE: writes, OPCODE_DSM: 100 - reads - writes}
    return {opcode: percent for opcode, percent in mix.items() if percent}


def region_of(args: argparse.Namespace, nvme0n1: d.Namespace, job: int) -> tuple[int, int]:
    """First LBA of a job, and the one after its last."""
    lba_bytes = nvme0n1.sector_size
    begin = args.offset // lba_bytes
    end = nvme0n1.capacity // lba_bytes
    if args.size:
        end = min(end, begin + args.size // lba_bytes)
    mix = mix_of(args)
    # Data of several writers can be verified only if they keep apart.
    if args.verify != "0" and args.numjobs > 1 and OPCODE_WRITE in mix:
        each = (end - begin) // args.numjobs
        return begin + job * each, begin + (job + 1) * each
    return begin, end


def workers_of(args: argparse.Namespace, nvme0n1: d.Namespace) -> list[IOWorker]:
    """The workers, not started."""
    lba_bytes = nvme0n1.sector_size
    if args.bs % lba_bytes or not args.bs:
        raise SystemExit(f"pynvme perf: --bs must be a multiple of {lba_bytes} bytes")
    runtime = args.runtime
    if runtime is None:
        runtime = 0 if args.number_ios else 10
    made = []
    for job in range(args.numjobs):
        begin, end = region_of(args, nvme0n1, job)
        made.append(
            IOWorker(
                nvme0n1,
                io_size=args.bs // lba_bytes,
                lba_random=PATTERNS[args.rw][0],
                op_percentage=mix_of(args),
                time=runtime,
                qdepth=args.iodepth,
                region_start=begin,
                region_end=end,
                iops=args.rate_iops,
                io_count=args.number_ios,
                output_io_per_second=[],
                _qdepth_min=1,
                _cpu=args.cpus_allowed if not job else -1,
            )
        )
    return made


def watch(workers: Sequence[IOWorker]) -> None:
    """Shows a line until all have ended."""
    on = wanted(float("inf"))
    with Progress(float("inf")) as line:
        while any(worker.running for worker in workers):
            time.sleep(0.5 if on else 0.02)
            every = [worker.snapshot for worker in workers]
            line.show(
                (
                    True,
                    min(one[1] for one in every),
                    sum(one[2] for one in every),
                    sum(one[3] for one in every),
                    sum(one[4] for one in every),
                )
            )


def write_log(path: str, workers: Sequence[IOWorker]) -> None:
    """One line a second, one column a job."""
    with Path(path).open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["second", *(f"job{i}" for i in range(len(workers)))])
        seconds = [worker.seconds for worker in workers]
        for second in range(max(map(len, seconds), default=0)):
            out.writerow([second, *(s[second] if second < len(s) else 0 for s in seconds)])


def run(args: argparse.Namespace) -> tuple[list[IOWorker], list[str]]:
    """Runs the jobs; returns them and what there was to complain about."""
    if args.randseed is not None:
        d.srand(args.randseed)
    if args.verify != "0":
        d.config(verify=True)
    nvme0 = d.Controller(args.device)
    nvme0n1 = d.Namespace(nvme0, args.nsid)
    workers = workers_of(args, nvme0n1)
    complaints: list[str] = []
    try:
        for worker in workers:
            worker.start()
        watch(workers)
    except KeyboardInterrupt:
        complaints.append("interrupted")
    for worker in workers:
        worker.stop()
    for worker in workers:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            worker.close()
        complaints += [str(one.message) for one in caught]
    return workers, complaints


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; returns the exit status."""
    args = parser().parse_args(argv)
    try:
        workers, complaints = run(args)
    except (AssertionError, ValueError, d.NvmeError) as error:
        print(f"pynvme perf: {error}", file=sys.stderr)
        return 2
    report: str | dict[str, Any]
    if args.output_format == "normal":
        report = as_text(args, workers)
    else:
        report = json.dumps(as_json(args, workers, args.output_format == "json+"), indent=2)
    if args.output:
        Path(args.output).write_text(f"{report}\n")
    else:
        print(report)
    if args.log:
        write_log(args.log, workers)
    for complaint in complaints:
        print(f"pynvme perf: {complaint}", file=sys.stderr)
    return 1 if complaints else 0
