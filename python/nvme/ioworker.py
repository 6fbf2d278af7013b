"""nvme.IOWorker: what Namespace.ioworker() returns."""

from __future__ import annotations

import math
import operator
import struct
import warnings
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from nvme import _core
from nvme.cmdlog import decode
from nvme.dotdict import DotDict
from nvme.number import real
from nvme.progress import Progress

if TYPE_CHECKING:
    from nvme.namespace import Namespace

OPCODE_WRITE = 1
OPCODE_READ = 2
LBA_END = 2**64 - 1
#: The longest run.
HOURS_MAX = 1000
#: How long close() waits between two looks at the terminal.
LOOK_SECONDS = 0.2


def _int(value: Any, name: str) -> int:
    """A whole number; scripts compute them with floats."""
    if isinstance(value, float):
        assert math.isfinite(value), f"{name} must be a number, not {value}"
        return int(value)
    return operator.index(value)


def _real(value: Any, name: str) -> float:
    try:
        return real(value, name)
    except ValueError as error:
        raise AssertionError(str(error)) from None


def _unsigned(value: Any, name: str, highest: int = LBA_END) -> int:
    number = _int(value, name)
    assert 0 <= number <= highest, f"{name} must be 0..{highest}, not {value}"
    return number


def _sizes(io_size: Any, lba_align: Any) -> bytes:
    """Triples of size, alignment and weight."""
    if isinstance(io_size, dict):
        sizes = [_int(size, "io_size") for size in io_size]
        weights = [_unsigned(weight, "io_size", 2**32 - 1) for weight in io_size.values()]
    elif isinstance(io_size, Iterable):
        sizes = [_int(size, "io_size") for size in io_size]
        weights = [1] * len(sizes)
    else:
        sizes, weights = [_int(io_size, "io_size")], [1]
    if lba_align is None:
        aligns = sizes
    elif isinstance(lba_align, Iterable):
        aligns = [_int(align, "lba_align") for align in lba_align]
        assert len(aligns) == len(sizes), "lba_align must have one entry for each io_size"
    else:
        aligns = [_int(lba_align, "lba_align")] * len(sizes)
    assert sizes, "io_size must not be empty"
    assert all(1 <= size <= 65536 for size in sizes), "io_size must be 1..65536 LBAs"
    assert all(1 <= align < 2**32 for align in aligns), "lba_align must be at least 1 LBA"
    assert any(weights), "io_size: all weights are zero"
    return b"".join(
        struct.pack("<III", *triple) for triple in zip(sizes, aligns, weights, strict=True)
    )


def _ops(read_percentage: Any, op_percentage: dict[int, int] | None) -> bytes:
    """Pairs of opcode and weight."""
    if op_percentage is None:
        reads = _unsigned(read_percentage, "read_percentage", 100)
        weights = {OPCODE_READ: reads, OPCODE_WRITE: 100 - reads}
    else:
        weights = {
            _unsigned(opcode, "op_percentage", 255): _unsigned(weight, "op_percentage", 100)
            for opcode, weight in op_percentage.items()
        }
        assert sum(weights.values()) == 100, "op_percentage must sum up to 100 per cent"
    # One that never comes need not be chosen from.
    return b"".join(struct.pack("<II", *pair) for pair in weights.items() if pair[1])


def _slices(distribution: Sequence[int] | None) -> bytes | None:
    if distribution is None:
        return None
    weights = [_unsigned(weight, "distribution", 10000) for weight in distribution]
    assert len(weights) == 100, f"distribution must have 100 weights, not {len(weights)}"
    assert sum(weights) == 10000, f"distribution must sum up to 10000, not {sum(weights)}"
    return struct.pack("<100H", *weights)


def _replay(io_sequence: Sequence[tuple[int, int, int, int]] | None) -> bytes | None:
    if io_sequence is None:
        return None
    packed = []
    for at_us, opcode, slba, nlb in io_sequence:
        assert 0 <= at_us <= HOURS_MAX * 3600e6, (
            f"io_sequence: times must be 0..{HOURS_MAX} hours, not {at_us} us"
        )
        at_ns = _unsigned(at_us * 1000, "io_sequence")
        count = _unsigned(nlb, "io_sequence", 65536)
        assert count, "io_sequence: a command of no LBAs"
        slba = _unsigned(slba, "io_sequence")
        packed.append(struct.pack("<QQII", at_ns, slba, count, _unsigned(opcode, "opcode", 255)))
    assert packed, "io_sequence must not be empty"
    return b"".join(packed)


def _random_percent(lba_random: Any) -> int:
    if isinstance(lba_random, bool):
        return 100 if lba_random else 0
    return _unsigned(lba_random, "lba_random", 100)


class IOWorker:
    """Sends IO from a thread of its own, through a queue pair of its own.

    Made by Namespace.ioworker(), whose parameters it takes. Either start() it and close() it,
    or use it in a with block.
    """

    def __init__(
        self,
        namespace: Namespace,
        *,
        io_size: Any = 8,
        lba_align: Any = None,
        lba_random: Any = True,
        read_percentage: Any = 100,
        time: Any = 0,
        qdepth: Any = 64,
        region_start: Any = 0,
        region_end: Any = LBA_END,
        iops: Any = 0,
        io_count: Any = 0,
        lba_start: Any = 0,
        qprio: Any = 0,
        output_io_per_second: list[int] | None = None,
        output_percentile_latency: dict[float, Any] | None = None,
        lba_step: Any = None,
        op_percentage: dict[int, int] | None = None,
        distribution: Sequence[int] | None = None,
        ptype: int = 0,
        pvalue: int = 0,
        io_sequence: Sequence[tuple[int, int, int, int]] | None = None,
        output_cmdlog_list: list[Any] | None = None,
        _qdepth_min: int = 2,
        _cpu: int = -1,
    ) -> None:
        time = _real(time, "time")
        assert 0 <= time <= HOURS_MAX * 3600, f"time must be 0..{HOURS_MAX} hours, not {time:g} s"
        count = _unsigned(io_count, "io_count")
        assert time > 0 or count or io_sequence is not None, "either time or io_count is needed"
        depth = _int(qdepth, "qdepth")
        assert _qdepth_min <= depth <= 1023, f"qdepth must be {_qdepth_min}..1023, not {qdepth}"
        iops = _real(iops, "iops")
        assert iops >= 0, f"iops must not be negative, but is {iops:g}"
        for percent in output_percentile_latency or ():
            assert 0 < percent < 100, f"a percentile must be above 0 and below 100, not {percent}"
        if lba_step is not None:
            lba_step = _int(lba_step, "lba_step")
            assert -(2**63) <= lba_step < 2**63, f"lba_step is too large: {lba_step}"
        self._per_second = output_io_per_second
        self._percentiles = output_percentile_latency
        self._op_percentage = op_percentage
        self._recent = output_cmdlog_list
        self._time = time
        self._results: DotDict | None = None
        self._errors: list[DotDict] = []
        self._seconds: list[int] | None = None
        self._started = False
        self._raw: dict[str, Any] = {}
        #: Bytes of data in an LBA.
        self.lba_bytes = namespace.sector_size
        self._worker = _core.Worker(
            namespace,
            sizes=None if io_sequence is not None else _sizes(io_size, lba_align),
            ops=None if io_sequence is not None else _ops(read_percentage, op_percentage),
            slices=_slices(distribution),
            replay=_replay(io_sequence),
            region_start=_unsigned(region_start, "region_start"),
            region_end=min(_int(region_end, "region_end"), LBA_END),
            lba_start=_unsigned(lba_start, "lba_start"),
            random_percent=_random_percent(lba_random),
            lba_step=lba_step,
            time_ns=round(time * 1e9),
            io_count=count,
            iops=iops,
            qdepth=depth,
            qprio=_unsigned(qprio, "qprio", 3),
            ptype=ptype,
            pvalue=pvalue,
            per_second=output_io_per_second is not None,
            nrecent=len(output_cmdlog_list) if output_cmdlog_list is not None else 0,
            cpu=_cpu,
        )

    def __repr__(self) -> str:
        running, percent, ios, _, _ = self._worker.progress
        state = "running" if running else "ended" if self._results else "not started"
        return f"<ioworker: {state}, {percent:.0f} %, {ios} commands>"

    def start(self) -> Self:
        """Start sending; returns at once."""
        self._worker.start()
        self._started = True
        return self

    def __enter__(self) -> Self:
        return self if self._started else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._worker.stop()
        self._finish()

    def stop(self) -> None:
        """Ask it to issue no more commands; returns at once."""
        self._worker.stop()

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return bool(self._worker.progress[0])

    @property
    def progress(self) -> float:
        """How much of its time or of its commands is done, 0..100."""
        return self._worker.progress[1]

    @property
    def snapshot(self) -> tuple[bool, float, int, int, int]:
        """Running, per cent done, commands, reads and bytes, as of a tenth of a second ago."""
        return self._worker.progress

    @property
    def seconds(self) -> list[int]:
        """Commands that ended in each second, when output_io_per_second was given."""
        return self._seconds or []

    @property
    def run_ns(self) -> int:
        """How long it ran; after close()."""
        return int(self._raw["run_ns"])

    @property
    def start_ns(self) -> int:
        """When it started, on the clock of the command log; after close()."""
        return int(self._raw["start_ns"])

    @property
    def stall_ns(self) -> int:
        """The longest that the machine kept its thread from running; after close()."""
        return int(self._raw["stall_ns"])

    @property
    def opcodes(self) -> list[tuple[int, int, int, int, float, int, float]]:
        """For each opcode: itself, count, LBAs; min, mean, max, deviation in ns; after close()."""
        return self._worker.opcodes()

    def percentile_ns(self, percent: float, opcode: int | None = None) -> int:
        """Latency that so many per cent of the commands do not exceed; after close()."""
        return self._worker.percentile(percent, opcode)

    def latencies_ns(self, opcode: int | None = None) -> list[tuple[int, int, int]]:
        """The histogram: lowest ns, highest ns and count of each bucket in use; after close()."""
        return self._worker.latencies(opcode)

    @property
    def errors(self) -> list[DotDict]:
        """The first failed commands; of reads that did not match also what was expected.

        status (SCT << 8 | SC), opcode, nsid, slba, nlb, latency_us, command; and for a mismatch
        lba, stamp (the LBA number found in the data), token, crc_expected, crc_got, bad_lbas,
        data (the first 64 bytes of the LBA), and first_difference: the first byte known to be
        wrong, or None when only the CRC tells.
        """
        return self._errors

    def close(self) -> DotDict:
        """Wait for the end. Returns the results; they are also there when called again.

        io_count_read, io_count_write, io_count_nonread: commands that ended well
        mseconds: duration
        latency_max_us, latency_average_us
        error: SCT << 8 | SC of the first failure, or 0
        cpu_usage: of one CPU, 0..1
        """
        return self._finish()

    def iops_consistency(self, slowest_percentage: float = 99.9) -> float:
        """The rate of the slowest second, all but so many per cent left out, to the mean rate."""
        assert self._seconds, "no counts by second: give output_io_per_second a list"
        assert 0 < slowest_percentage < 100, "the percentage must be above 0 and below 100"
        falling = sorted(self._seconds, reverse=True)
        mean = sum(falling) / len(falling)
        slowest = falling[int(len(falling) * slowest_percentage) // 100]
        return slowest / mean if mean else 0.0

    def _finish(self) -> DotDict:
        """close(), called by a method that scripts call."""
        if self._results is None:
            assert self._started, "the worker has not been started"
            self._wait()
            self._results = self._collect()
            self._warn()
        return self._results

    def _wait(self) -> None:
        try:
            with Progress(self._time) as line:
                while not self._worker.join(LOOK_SECONDS):
                    line.show(self._worker.progress)
        except BaseException:
            # Ctrl-C, or a warning made an error: nothing goes on behind the script's back.
            self._worker.stop()
            raise

    def _collect(self) -> DotDict:
        worker = self._worker
        self._raw = raw = worker.result()
        seconds = raw["run_ns"] / 1e9
        results = DotDict(
            io_count_read=raw["reads"],
            io_count_write=raw["writes"],
            io_count_nonread=raw["writes"] + raw["others"],
            mseconds=max(1, round(seconds * 1000)),
            latency_max_us=raw["max_ns"] / 1000,
            latency_average_us=raw["mean_ns"] / 1000,
            error=raw["status"] if raw["failed"] else 0,
            cpu_usage=min(1.0, raw["cpu_ns"] / raw["run_ns"]) if raw["run_ns"] else 0.0,
        )
        if self._per_second is not None:
            self._seconds = worker.per_second()
            self._per_second[:] = self._seconds
            results.iops_consistency = self.iops_consistency() if self._seconds else 0.0
        if self._percentiles is not None:
            for percent in self._percentiles:
                self._percentiles[percent] = worker.percentile(percent) / 1000
            results.latency_distribution = worker.latencies()
        if self._op_percentage is not None:
            counts = {opcode: count for opcode, count, *_ in worker.opcodes()}
            for opcode in self._op_percentage:
                self._op_percentage[opcode] = counts.get(_int(opcode, "op_percentage"), 0)
        if self._recent is not None:
            recent = worker.recent()
            self._recent[: len(recent)] = recent
        self._errors = [self._error(*entry) for entry in worker.errors()]
        return results

    @staticmethod
    def _error(record: bytes, mismatch: tuple[Any, ...] | None) -> DotDict:
        (entry,) = decode(record, 1)
        error = DotDict(
            status=entry.status,
            opcode=entry.opcode,
            nsid=entry.nsid,
            slba=entry.cdw10 | entry.cdw11 << 32,
            nlb=(entry.cdw12 & 0xFFFF) + 1,
            latency_us=entry.latency_us,
            command=entry,
        )
        if mismatch:
            lba, stamp, token, expected, got, bad, data = mismatch
            wrong = (lba ^ stamp).to_bytes(8, "little")
            first = next((at for at, byte in enumerate(wrong) if byte), None)
            error.update(
                lba=lba,
                stamp=stamp,
                token=token,
                crc_expected=expected,
                crc_got=got,
                bad_lbas=bad,
                data=data,
                first_difference=first,
            )
        return error

    def _warn(self) -> None:
        raw = self._raw
        # The line of the script that called close(), or left the with block.
        level = 4
        if raw["fault"]:
            warnings.warn(f"ioworker host ERROR {raw['fault']}: {raw['why']}", stacklevel=level)
        if raw["failed"]:
            status = raw["status"]
            text = f"{status >> 8:02x}/{status & 0xFF:02x}, {_core.status_name(status)}"
            if raw["why"] and not raw["fault"]:
                text += f": {raw['why']}"
            for error in self._errors[:1]:
                text += f": {error.command}"
                if "lba" in error:
                    text += (
                        f": LBA {error.lba}: CRC {error.crc_got:08x}h instead of "
                        f"{error.crc_expected:08x}h, stamped as LBA {error.stamp}"
                    )
            warnings.warn(f"ioworker device ERROR status: {text}", stacklevel=level)
