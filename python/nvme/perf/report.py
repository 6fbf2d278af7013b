"""What ``pynvme perf`` prints: a summary for people, and fio's JSON for their tools."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import nvme as d
from nvme.perf.options import OPCODE_DSM, OPCODE_READ, OPCODE_WRITE, Job
from nvme.perf.runner import Task
from nvme.perf.samples import Side, deviation_of, side_of, together

PERCENTILES = (1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 99.5, 99.9, 99.95, 99.99)
DIRECTIONS = {"read": OPCODE_READ, "write": OPCODE_WRITE, "trim": OPCODE_DSM}
NOTHING = {"min": 0, "max": 0, "mean": 0.0, "stddev": 0.0, "N": 0}


def _entries(tasks: Sequence[Task]) -> list[list[Task]]:
    """Tasks that make one entry of a report: one each, or all of a group that asked for it."""
    entries: list[list[Task]] = []
    for task in tasks:
        mate = entries[-1][0].job if entries else None
        joined = mate and mate.group_reporting and mate.group == task.job.group
        if joined and task.job.group_reporting:
            entries[-1].append(task)
        else:
            entries.append([task])
    return entries


def _side(tasks: Sequence[Task], opcode: int) -> Side:
    return together([side_of(task.worker, task.sampler, opcode) for task in tasks])


def _latency(side: Side, bins: bool) -> dict[str, Any]:
    """fio's statistics of latencies, in ns."""
    if not side.count:
        return NOTHING
    latency: dict[str, Any] = {
        "min": side.lowest,
        "max": side.highest,
        "mean": side.mean,
        "stddev": side.deviation,
        "N": side.count,
        "percentile": {f"{percent:.6f}": side.percentile(percent) for percent in PERCENTILES},
    }
    if bins:
        latency["bins"] = {str(low): n for (low, _), n in sorted(side.bins.items())}
    return latency


def _rates(side: Side) -> dict[str, Any]:
    """fio's rates by sample, which are seconds here; bw in KiB a second."""
    iops = side.samples
    each = side.bytes / side.count / 1024 if side.count else 0.0
    mean = sum(iops) / len(iops) if iops else 0.0
    deviation = deviation_of(iops)
    lowest, highest = min(iops, default=0.0), max(iops, default=0.0)
    return {
        "bw_min": round(lowest * each),
        "bw_max": round(highest * each),
        "bw_agg": 100.0 if side.count else 0.0,
        "bw_mean": mean * each,
        "bw_dev": deviation * each,
        "bw_samples": len(iops),
        "iops_min": round(lowest),
        "iops_max": round(highest),
        "iops_mean": mean,
        "iops_stddev": deviation,
        "iops_samples": len(iops),
    }


def _direction(side: Side, bins: bool) -> dict[str, Any]:
    """fio's numbers of one direction."""
    seconds = side.run_ns / 1e9
    rate = side.bytes / seconds if seconds else 0.0
    latency = _latency(side, bins)
    return {
        "io_bytes": side.bytes,
        "io_kbytes": side.bytes >> 10,
        "bw_bytes": round(rate),
        "bw": round(rate / 1024),
        "iops": side.iops,
        "runtime": round(seconds * 1000),
        "total_ios": side.count,
        "short_ios": 0,
        "drop_ios": 0,
        "slat_ns": NOTHING,
        "clat_ns": latency,
        "lat_ns": latency,
        **_rates(side),
    }


def _options(job: Job) -> dict[str, str]:
    return {
        "name": job.name,
        "filename": job.filename,
        "rw": job.rw,
        "bs": str(next(iter(job.bs[0] or {4096: 1}))),
        "iodepth": str(job.depth),
        "numjobs": str(job.numjobs),
        **{name: text for name, text in job.given.items() if name != "name"},
    }


def _verified(tasks: Sequence[Task]) -> dict[str, Any]:
    """The reading back of verified jobs."""
    done = [task.checked for task in tasks if task.checked]
    return {
        "total_ios": sum(worker.close().io_count_read for worker in done),
        "error": next((code for worker in done if (code := worker.close().error)), 0),
        "runtime": max((round(worker.run_ns / 1e6) for worker in done), default=0),
    }


def _job(tasks: Sequence[Task], bins: bool) -> dict[str, Any]:
    results = [task.worker.close() for task in tasks]
    run_ns = max(task.worker.run_ns for task in tasks)
    first = tasks[0].job
    entry = {
        "jobname": first.name,
        "groupid": first.group,
        "error": next((one.error for one in results if one.error), 0),
        "eta": 0,
        "elapsed": round(run_ns / 1e9 + 0.5),
        "job options": _options(first),
        **{name: _direction(_side(tasks, opcode), bins) for name, opcode in DIRECTIONS.items()},
        "sync": {"total_ios": 0, "lat_ns": NOTHING},
        "job_runtime": sum(round(task.worker.run_ns / 1e6) for task in tasks),
        # The driver lives in the process: it is all the user's time.
        "usr_cpu": sum(one.cpu_usage for one in results) / len(results) * 100,
        "sys_cpu": 0.0,
        "ctx": 0,
        "majf": 0,
        "minf": 0,
    }
    if any(task.checked for task in tasks):
        entry["verify"] = _verified(tasks)
    return entry


def as_json(tasks: Sequence[Task], bins: bool = False) -> dict[str, Any]:
    """The report in the shape of fio's."""
    now = time.time()
    return {
        "fio version": f"pynvme-{d.__version__}",
        "timestamp": int(now),
        "timestamp_ms": int(now * 1000),
        "time": time.ctime(now),
        "jobs": [_job(entry, bins) for entry in _entries(tasks)],
    }


# --- for people ---


def _amount(value: float, unit: str) -> str:
    for prefix, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.2f} {prefix}{unit}"
    return f"{value:.0f} {unit}"


def _us(ns: float) -> str:
    return f"{ns / 1000:.2f}"


def _lines(name: str, side: Side) -> list[str]:
    if not side.count:
        return []
    rates = _rates(side)
    seconds = side.run_ns / 1e9
    percentiles = "  ".join(f"{p}%={_us(side.percentile(p))}" for p in (50, 90, 99, 99.9, 99.99))
    return [
        f"  {name}: IOPS={_amount(side.iops, '').strip()}, "
        f"BW={_amount(side.bytes / seconds if seconds else 0, 'B/s')}, {side.count} commands "
        f"in {round(seconds * 1000)} ms",
        f"    iops: min={rates['iops_min']}, max={rates['iops_max']}, "
        f"avg={rates['iops_mean']:.2f}, stdev={rates['iops_stddev']:.2f}, "
        f"samples={rates['iops_samples']}",
        f"    lat (us): min={_us(side.lowest)}, max={_us(side.highest)}, "
        f"avg={_us(side.mean)}, stdev={_us(side.deviation)}",
        f"    percentiles (us): {percentiles}",
    ]


def _head(job: Job) -> str:
    blocks = next((f"{n}={job.given[n]}" for n in ("bssplit", "bsrange") if n in job.given), "")
    size = blocks or f"bs={next(iter(job.bs[0] or {4096: 1}))}"
    return (
        f"{job.name}: {job.filename}, rw={job.rw}, {size}, iodepth={job.depth}, "
        f"numjobs={job.numjobs}"
    )


def _entry(number: int, tasks: Sequence[Task]) -> list[str]:
    usage = [task.worker.close().cpu_usage for task in tasks]
    what = f"job {number}" if len(tasks) == 1 else f"{len(tasks)} jobs together"
    lines = [f" {what}: cpu {sum(usage) / len(usage) * 100:.0f} %"]
    for name, opcode in DIRECTIONS.items():
        lines += _lines(name, _side(tasks, opcode))
    if any(task.checked for task in tasks):
        found = _verified(tasks)
        state = "with errors" if found["error"] else "no mismatch"
        lines.append(
            f"  verify: {found['total_ios']} reads of what was written in {found['runtime']} ms, "
            f"{state}"
        )
    return lines


def as_text(tasks: Sequence[Task]) -> str:
    """The report for people."""
    lines: list[str] = []
    said = None
    for number, entry in enumerate(_entries(tasks)):
        if entry[0].job is not said:
            said = entry[0].job
            lines.append(_head(said))
        lines += _entry(number, entry)
    if len(_entries(tasks)) > 1:
        total = sum(_side([task], opcode).iops for task in tasks for opcode in DIRECTIONS.values())
        lines.append(f" all jobs: IOPS={_amount(total, '').strip()}")
    return "\n".join(lines)
