"""What a job means on its device: LBAs, counts and times, checked before anything is sent."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

import nvme as d
from nvme.command_line import UsageError
from nvme.ioworker import IOWorker
from nvme.perf.options import OPCODE_DSM, OPCODE_READ, OPCODE_WRITE, Job
from nvme.perf.values import READ, TRIM, WRITE, Amount, Blocks

OPCODE_OF = {READ: OPCODE_READ, WRITE: OPCODE_WRITE, TRIM: OPCODE_DSM}
NUMBER_OF_QUEUES = 7  # feature
#: Length of a run that nothing else ends.
SECONDS = 10.0
#: NLB is a field of 16 bits.
LBAS_MAX = 65536


class Device:
    """A controller, its limits, and its namespaces as far as jobs use them."""

    def __init__(self, address: str) -> None:
        self.nvme = d.Controller(address)
        self.mdts_bytes = self.nvme.mdts
        #: Commands that a queue can hold; one entry is always empty.
        self.depth_max = self.nvme.cap & 0xFFFF
        self._namespaces: dict[int, d.Namespace] = {}

    def namespace(self, nsid: int) -> d.Namespace:
        """A namespace, opened once."""
        if nsid not in self._namespaces:
            try:
                self._namespaces[nsid] = d.Namespace(self.nvme, nsid)
            except d.NamespaceCreationError as error:
                raise UsageError(f"--nsid {nsid}: {error}") from None
        return self._namespaces[nsid]

    @property
    def namespaces(self) -> list[d.Namespace]:
        """Those that are open."""
        return list(self._namespaces.values())

    def queues(self) -> int:
        """IO queue pairs that the controller grants."""
        granted = self.nvme.getfeatures(NUMBER_OF_QUEUES).waitdone()
        return min(granted & 0xFFFF, granted >> 16) + 1


@dataclass
class Plan:
    """A worker of a job, in LBAs."""

    job: Job
    namespace: d.Namespace
    begin: int
    end: int
    sizes: dict[int, int]  # weights by LBAs
    count: int  # 0: no limit
    seconds: float  # 0: no limit
    iops: float
    cpu: int

    @property
    def unit(self) -> int:
        """LBAs that all commands are multiples of, and begin at multiples of."""
        return math.gcd(*self.sizes)

    @property
    def first(self) -> int:
        """The lowest LBA that can be used."""
        return -(-self.begin // self.unit) * self.unit

    def worker(self, **changed: Any) -> IOWorker:
        """A worker that does it."""
        sizes = list(self.sizes)
        arguments: dict[str, Any] = {
            "io_size": self.sizes if len(sizes) > 1 else sizes[0],
            "lba_random": self.job.random_percent,
            "op_percentage": self.job.mix,
            "time": self.seconds,
            "iodepth": self.job.depth,
            "region_start": self.begin,
            "region_end": self.end,
            "iops": self.iops,
            "io_count": self.count,
            "output_io_per_second": [],
            "_cpu": self.cpu,
        }
        return IOWorker(self.namespace, **{**arguments, **changed})


def _blocks(job: Job) -> tuple[str, dict[int, int]]:
    """The option that says how large blocks are, and weights by size in bytes."""
    chosen: tuple[str, Blocks] = ("bs", job.bs)
    if job.bsrange:
        chosen = ("bsrange", job.bsrange)
    if job.bssplit:
        chosen = ("bssplit", job.bssplit)
    name, blocks = job.word(chosen[0]), chosen[1]
    used = [
        blocks[direction] or Job.bs[direction]
        for direction, opcode in OPCODE_OF.items()
        if opcode in job.mix
    ]
    if any(one != used[0] for one in used):
        raise UsageError(f"{name}: a mix needs the same blocks for reads and writes")
    sizes = used[0]
    assert sizes is not None
    return name, sizes


def _check_blocks(name: str, sizes: dict[int, int], lba_bytes: int, mdts_bytes: int) -> None:
    odd = [size for size in sizes if size % lba_bytes]
    if odd:
        raise UsageError(f"{name}: {_list(odd)} must be multiples of the {lba_bytes} bytes an LBA")
    most = min(mdts_bytes, LBAS_MAX * lba_bytes)
    large = [size for size in sizes if size > most]
    if large:
        raise UsageError(
            f"{name}: {_list(large)} bytes are more than the device moves in a command, "
            f"{most} (MDTS)"
        )


def _list(sizes: list[int]) -> str:
    return ", ".join(map(str, sizes))


def _region(job: Job, number: int, capacity: int, lba_bytes: int) -> tuple[int, int]:
    """First byte of a worker, and the one after its last."""
    begin = job.offset.of(capacity) + number * job.offset_increment.of(capacity)
    for name, amount in (
        ("--offset", job.offset),
        ("--offset_increment", job.offset_increment),
        ("--size", job.size),
    ):
        if amount.bytes % lba_bytes:
            raise UsageError(
                f"{name}: {amount.bytes} is not a multiple of the {lba_bytes} bytes an LBA"
            )
    begin -= begin % lba_bytes
    if begin >= capacity:
        more = f" of job {number}, --offset_increment included," if job.offset_increment else ""
        raise UsageError(f"--offset {begin}{more} is behind the end of the device, {capacity}")
    size = job.size.of(capacity) // lba_bytes * lba_bytes
    if job.size and not size:
        raise UsageError(f"--size {job.size.percent:g}% is less than an LBA")
    return begin, min(capacity, begin + size) if size else capacity


def _check_room(job: Job, name: str, sizes: dict[int, int], begin: int, end: int) -> None:
    """Every size fits at least once."""
    large = [size for size in sizes if -(-begin // size) * size + size > end]
    if not large:
        return
    where = "--size" if job.size else "the device"
    if job.offset or job.offset_increment:
        where += ", --offset"
    raise UsageError(
        f"{name}: no block of {_list(large)} bytes fits between {begin} and {end} "
        f"({where}; blocks begin at multiples of their size)"
    )


def _count(job: Job, mean: float, moved: int) -> int:
    """Commands after which the run ends; 0: the time ends it."""
    count = job.number_ios
    if (job.size or job.io_size) and not job.time_based:
        wanted = job.io_size.of(moved) or moved
        limit = int(wanted / mean) * job.loops
        if not limit:
            raise UsageError(
                f"{job.word('io_size')} {wanted} is less than a block of {mean:g} bytes"
            )
        count = min(count, limit) if count else limit
    return count


def _seconds(job: Job, count: int) -> float:
    if job.runtime is None:
        return 0.0 if count else SECONDS
    if not job.runtime and not count:
        raise UsageError(f"{job.word('runtime')} 0 has no end without --size or --number_ios")
    return job.runtime


def _cpu(job: Job, number: int) -> int:
    if not job.cpus_allowed:
        return -1
    ours = os.sched_getaffinity(0)
    missing = [cpu for cpu in job.cpus_allowed if cpu not in ours]
    if missing:
        raise UsageError(
            f"--cpus_allowed: this process has no CPU {_list(missing)}; it has "
            f"{_list(sorted(ours))}"
        )
    return job.cpus_allowed[number % len(job.cpus_allowed)]


def plan_of(job: Job, number: int, device: Device) -> Plan:
    """The `number`-th worker of a job; UsageError names the options that do not fit."""
    namespace = device.namespace(job.nsid)
    lba_bytes = namespace.sector_size
    name, sizes = _blocks(job)
    _check_blocks(name, sizes, lba_bytes, device.mdts_bytes)
    begin, end = _region(job, number, namespace.capacity, lba_bytes)
    _check_room(job, name, sizes, begin, end)
    if job.depth > device.depth_max:
        raise UsageError(f"--iodepth {job.depth}: the device takes {device.depth_max} (MQES)")
    mean = sum(size * weight for size, weight in sizes.items()) / sum(sizes.values())
    count = _count(job, mean, end - begin)
    rates = [rate for rate in (job.rate_iops, job.rate / mean) if rate]
    return Plan(
        job=job,
        namespace=namespace,
        begin=begin // lba_bytes,
        end=end // lba_bytes,
        sizes={size // lba_bytes: weight for size, weight in sizes.items()},
        count=count,
        seconds=_seconds(job, count),
        iops=min(rates, default=0.0),
        cpu=_cpu(job, number),
    )


def check_queues(jobs: list[Job], devices: dict[str, Device]) -> None:
    """Each worker needs a queue of its own; jobs of a group run at a time."""
    for group in sorted({job.group for job in jobs}):
        for address, device in devices.items():
            wanted = sum(
                job.numjobs for job in jobs if (job.group, job.filename) == (group, address)
            )
            if wanted > (most := device.queues()):
                raise UsageError(
                    f"--numjobs: {wanted} workers at a time; the device has {most} queues"
                )


__all__ = ["Amount", "Device", "Plan", "check_queues", "plan_of"]
