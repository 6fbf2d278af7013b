"""Rates by second and direction, and the statistics of one direction of one or more workers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from nvme.ioworker import IOWorker
from nvme.perf.options import OPCODE_READ

SECOND_NS = 1_000_000_000


class Sampler:
    """How the commands of a mix were shared out, second by second.

    The worker counts commands by second, whatever they are; what is looked up while it runs says
    which part of them were reads.
    """

    def __init__(self) -> None:
        self._seen: list[tuple[int, int]] = []

    def look(self, elapsed_s: float, ios: int, reads: int) -> None:
        """Counts so long after the start: kept once a second."""
        if elapsed_s >= len(self._seen) + 1:
            self._seen.append((ios, reads))

    def shares(self, overall: float) -> list[float]:
        """The part that were reads, of each second; `overall` where nothing is known."""
        shares, before = [], (0, 0)
        for now in self._seen:
            ios = now[0] - before[0]
            shares.append((now[1] - before[1]) / ios if ios else overall)
            before = now
        return shares


@dataclass
class Side:
    """One direction: counts, latencies in ns, commands in each whole second."""

    count: int = 0
    bytes: int = 0
    run_ns: int = 0
    lowest: int = 0
    highest: int = 0
    mean: float = 0.0
    deviation: float = 0.0
    bins: dict[tuple[int, int], int] = field(default_factory=dict)
    samples: list[float] = field(default_factory=list)

    def percentile(self, percent: float) -> int:
        """Latency that so many per cent do not exceed."""
        exact = percent / 100 * self.count
        # 99.9 is a little more than 999/1000 in binary.
        rank = math.ceil(exact - exact * 1e-12)
        seen = 0
        for (_, high), count in sorted(self.bins.items()):
            seen += count
            if seen >= rank:
                return min(high, self.highest)
        return self.highest

    @property
    def iops(self) -> float:
        """Commands a second."""
        return self.count * SECOND_NS / self.run_ns if self.run_ns else 0.0


def deviation_of(numbers: Sequence[float]) -> float:
    """Standard deviation; of less than two numbers it is 0."""
    if len(numbers) < 2:
        return 0.0
    mean = sum(numbers) / len(numbers)
    return math.sqrt(sum((number - mean) ** 2 for number in numbers) / (len(numbers) - 1))


def _samples(
    seconds: Sequence[int], sampler: Sampler, opcode: int, counts: dict[int, int]
) -> list[float]:
    """Commands of a direction in each second."""
    total = sum(counts.values())
    if counts[opcode] == total:
        return [float(count) for count in seconds]
    reads = counts.get(OPCODE_READ, 0) / total
    shares = sampler.shares(reads)
    shares += [reads] * (len(seconds) - len(shares))
    if opcode != OPCODE_READ:
        shares = [1 - share for share in shares]
    return [count * share for count, share in zip(seconds, shares, strict=False)]


def side_of(worker: IOWorker, sampler: Sampler, opcode: int) -> Side:
    """One direction of a worker that has ended."""
    rows = {row[0]: row for row in worker.opcodes}
    if not rows.get(opcode, (0, 0))[1]:
        return Side()
    _, count, lbas, lowest, mean, highest, deviation = rows[opcode]
    side = Side(
        count=count,
        bytes=lbas * worker.lba_bytes,
        run_ns=worker.run_ns,
        lowest=lowest,
        highest=highest,
        mean=mean,
        # Latencies are kept in buckets, whose middle a single one seldom is.
        deviation=deviation if lowest != highest else 0.0,
        bins={(low, high): n for low, high, n in worker.latencies_ns(opcode)},
    )
    whole = worker.run_ns // SECOND_NS
    counts = {row[0]: row[1] for row in rows.values()}
    # A run of less than a second is its own sample.
    side.samples = _samples(worker.seconds[:whole], sampler, opcode, counts) or [side.iops]
    return side


def together(sides: Sequence[Side]) -> Side:
    """One direction of several workers that ran at the same time."""
    used = [side for side in sides if side.count]
    if len(used) < 2:
        return used[0] if used else Side()
    count = sum(side.count for side in used)
    mean = sum(side.mean * side.count for side in used) / count
    squares = sum((side.deviation**2 + side.mean**2) * side.count for side in used) / count
    bins: dict[tuple[int, int], int] = {}
    for side in used:
        for bucket, n in side.bins.items():
            bins[bucket] = bins.get(bucket, 0) + n
    whole = Side(
        count=count,
        bytes=sum(side.bytes for side in used),
        run_ns=max(side.run_ns for side in used),
        lowest=min(side.lowest for side in used),
        highest=max(side.highest for side in used),
        mean=mean,
        deviation=math.sqrt(max(0.0, squares - mean**2)),
        bins=bins,
    )
    parts = zip_longest(*(side.samples for side in used), fillvalue=0.0)
    whole.samples = [sum(one) for one in parts] if whole.run_ns >= SECOND_NS else [whole.iops]
    return whole
