"""What ``pynvme perf`` prints: a summary for people, and fio's JSON for their tools."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

import nvme as d
from nvme.ioworker import OPCODE_READ, OPCODE_WRITE, IOWorker

PERCENTILES = (1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 99.5, 99.9, 99.95, 99.99)
OPCODE_DSM = 9
DIRECTIONS = {"read": OPCODE_READ, "write": OPCODE_WRITE, "trim": OPCODE_DSM}


def _latency(worker: IOWorker, opcode: int, bins: bool) -> dict[str, Any]:
    """fio's statistics of latencies, in ns."""
    found = [entry for entry in worker.opcodes if entry[0] == opcode and entry[1]]
    if not found:
        return {"min": 0, "max": 0, "mean": 0.0, "stddev": 0.0, "N": 0}
    _, count, _, lowest, mean, highest, deviation = found[0]
    latency: dict[str, Any] = {
        "min": lowest,
        "max": highest,
        "mean": mean,
        "stddev": deviation,
        "N": count,
    }
    latency["percentile"] = {
        f"{percent:.6f}": worker.percentile_ns(percent, opcode) for percent in PERCENTILES
    }
    if bins:
        latency["bins"] = {str(low): n for low, _, n in worker.latencies_ns(opcode)}
    return latency


def _direction(worker: IOWorker, opcode: int, lba_bytes: int, bins: bool) -> dict[str, Any]:
    """fio's numbers of one direction."""
    count = lbas = 0
    for entry in worker.opcodes:
        if entry[0] == opcode:
            count, lbas = entry[1], entry[2]
    seconds = worker.run_ns / 1e9 if count else 0.0
    moved = lbas * lba_bytes
    rate = moved / seconds if seconds else 0.0
    iops = count / seconds if seconds else 0.0
    latency = _latency(worker, opcode, bins)
    samples = worker.seconds if count else []
    nothing = {"min": 0, "max": 0, "mean": 0.0, "stddev": 0.0, "N": 0}
    return {
        "io_bytes": moved,
        "io_kbytes": moved >> 10,
        "bw_bytes": round(rate),
        "bw": round(rate / 1024),
        "iops": iops,
        "runtime": round(seconds * 1000),
        "total_ios": count,
        "short_ios": 0,
        "drop_ios": 0,
        "slat_ns": nothing,
        "clat_ns": latency,
        "lat_ns": latency,
        "iops_min": min(samples, default=0),
        "iops_max": max(samples, default=0),
        "iops_mean": sum(samples) / len(samples) if samples else 0.0,
        "iops_samples": len(samples),
    }


def _job(args: argparse.Namespace, worker: IOWorker, number: int, bins: bool) -> dict[str, Any]:
    results = worker.close()
    return {
        "jobname": args.name,
        "groupid": number,
        "error": results.error,
        "eta": 0,
        "elapsed": round(worker.run_ns / 1e9 + 0.5),
        "job options": {
            "name": args.name,
            "filename": args.device,
            "rw": args.rw,
            "bs": str(args.bs),
            "iodepth": str(args.iodepth),
            "numjobs": str(args.numjobs),
        },
        **{
            name: _direction(worker, opcode, worker.lba_bytes, bins)
            for name, opcode in DIRECTIONS.items()
        },
        "sync": {"total_ios": 0, "lat_ns": {"min": 0, "max": 0, "mean": 0.0, "stddev": 0.0}},
        "job_runtime": round(worker.run_ns / 1e6),
        # The driver lives in the process: it is all the user's time.
        "usr_cpu": results.cpu_usage * 100,
        "sys_cpu": 0.0,
        "ctx": 0,
        "majf": 0,
        "minf": 0,
    }


def as_json(
    args: argparse.Namespace, workers: Sequence[IOWorker], bins: bool = False
) -> dict[str, Any]:
    """The report in the shape of fio's."""
    now = time.time()
    return {
        "fio version": f"pynvme-{d.__version__}",
        "timestamp": int(now),
        "timestamp_ms": int(now * 1000),
        "time": time.ctime(now),
        "jobs": [_job(args, worker, i, bins) for i, worker in enumerate(workers)],
    }


def _amount(value: float, unit: str) -> str:
    for prefix, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.2f} {prefix}{unit}"
    return f"{value:.0f} {unit}"


def _us(ns: float) -> str:
    return f"{ns / 1000:.2f}"


def _lines(name: str, worker: IOWorker, opcode: int) -> list[str]:
    numbers = _direction(worker, opcode, worker.lba_bytes, False)
    if not numbers["total_ios"]:
        return []
    latency = numbers["clat_ns"]
    shown = (50, 90, 99, 99.9, 99.99)
    percentiles = "  ".join(f"{p}%={_us(latency['percentile'][f'{p:.6f}'])}" for p in shown)
    return [
        f"  {name}: IOPS={_amount(numbers['iops'], '').strip()}, "
        f"BW={_amount(numbers['bw_bytes'], 'B/s')}, {numbers['total_ios']} commands "
        f"in {numbers['runtime']} ms",
        f"    lat (us): min={_us(latency['min'])}, max={_us(latency['max'])}, "
        f"avg={_us(latency['mean'])}, stdev={_us(latency['stddev'])}",
        f"    percentiles (us): {percentiles}",
    ]


def as_text(args: argparse.Namespace, workers: Sequence[IOWorker]) -> str:
    """The report for people."""
    lines = [
        f"{args.name}: {args.device}, rw={args.rw}, bs={args.bs}, iodepth={args.iodepth}, "
        f"numjobs={args.numjobs}"
    ]
    total = 0.0
    for number, worker in enumerate(workers):
        results = worker.close()
        lines.append(f" job {number}: cpu {results.cpu_usage * 100:.0f} %")
        for name, opcode in DIRECTIONS.items():
            lines += _lines(name, worker, opcode)
        if worker.run_ns:
            total += (results.io_count_read + results.io_count_nonread) / (worker.run_ns / 1e9)
    if len(workers) > 1:
        lines.append(f" all jobs: IOPS={_amount(total, '').strip()}")
    return "\n".join(lines)
