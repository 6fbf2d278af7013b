"""nvme.IOWorker: what Namespace.ioworker() returns."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from nvme import _core, ioworker_args, warn
from nvme.cmdlog import decode
from nvme.dotdict import DotDict
from nvme.ioworker_args import LBA_END, OPCODE_READ, OPCODE_WRITE
from nvme.progress import Progress

if TYPE_CHECKING:
    from nvme.namespace import Namespace

__all__ = ["OPCODE_READ", "OPCODE_WRITE", "IOWorker"]

#: How long close() waits between two looks at the terminal.
LOOK_SECONDS = 0.2
#: A worker that nobody closed is given so long to end what is in flight.
DRAIN_SECONDS = 30
#: results.error of host ERROR -n is this plus n: no SCT << 8 | SC is as large.
HOST_ERROR = 0x8000


class IOWorker:
    """Sends IO from a thread of its own, through a queue pair of its own.

    Made by Namespace.ioworker(), whose parameters it takes. Either start() it and close() it,
    or use it in a with block.
    """

    _worker: _core.Worker
    _started = False
    _results: DotDict | None = None

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
        output_latency_distribution_ns: list[tuple[int, int, int]] | None = None,
        iodepth: Any = None,
        fw_debug: bool = False,
        _cpu: int = -1,
    ) -> None:
        span = ioworker_args.span(time, io_count, region_end, lba_random, lba_step, io_sequence)
        iops = ioworker_args.number(iops, "iops")
        assert iops >= 0, f"iops must not be negative, but is {iops:g}"
        ioworker_args.outputs(
            output_io_per_second=output_io_per_second,
            output_percentile_latency=output_percentile_latency,
            op_percentage=op_percentage,
            output_cmdlog_list=output_cmdlog_list,
            output_latency_distribution_ns=output_latency_distribution_ns,
        )
        self._per_second = output_io_per_second
        self._percentiles = output_percentile_latency
        self._op_percentage = op_percentage
        self._recent = output_cmdlog_list
        self._latencies = output_latency_distribution_ns
        self._time = span["time_ns"] / 1e9
        self._errors: list[DotDict] = []
        self._seconds: list[int] | None = None
        self._raw: dict[str, Any] = {}
        #: Bytes of data in an LBA.
        self.lba_bytes = namespace.sector_size
        replays = io_sequence is not None
        self._worker = _core.Worker(
            namespace,
            sizes=None if replays else ioworker_args.sizes(io_size, lba_align),
            ops=None if replays else ioworker_args.ops(read_percentage, op_percentage),
            slices=ioworker_args.slices(distribution),
            replay=ioworker_args.replay(io_sequence),
            region_start=ioworker_args.unsigned(region_start, "region_start"),
            lba_start=ioworker_args.unsigned(lba_start, "lba_start"),
            **span,
            iops=iops,
            qdepth=ioworker_args.depth(qdepth, iodepth, namespace._nvme.cap & 0xFFFF),
            qprio=ioworker_args.unsigned(qprio, "qprio", 3),
            ptype=ptype,
            pvalue=pvalue,
            per_second=output_io_per_second is not None,
            nrecent=len(output_cmdlog_list) if output_cmdlog_list is not None else 0,
            cpu=_cpu,
            fw_debug=fw_debug,
        )

    def __repr__(self) -> str:
        if not hasattr(self, "_worker"):
            return "<ioworker: refused>"
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

        status (SCT << 8 | SC), opcode, nsid, slba, nlb, latency_us; command, with the drive's own
        status; by_host: whether status is what the host found instead; and for a mismatch
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
        error: SCT << 8 | SC of the first failure; 8000h + n for host ERROR -n; or 0
        host_error: -n when the host ended the worker (-1 start, -2 io_size above MDTS, -3 timeout,
        -4 overdue, -5 memory), or 0
        why: what failed, in words, and for fw_debug the qpair left on the drive; or ""
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
            self._worker.report()
            self._results = self._collect()
            # At the line of the script that called close(), or left the with block.
            for text in self._failures():
                warn.say(text)
            if frozen := self._raw["frozen_ns"]:
                warn.stall(frozen / 1e9)
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
        raw = self._read()
        seconds = raw["run_ns"] / 1e9
        results = DotDict(
            io_count_read=raw["reads"],
            io_count_write=raw["writes"],
            io_count_nonread=raw["writes"] + raw["others"],
            mseconds=max(1, round(seconds * 1000)),
            latency_max_us=raw["max_ns"] / 1000,
            latency_average_us=raw["mean_ns"] / 1000,
            error=self._error_code(),
            host_error=raw["fault"],
            why="; ".join(self._failures()),
            cpu_usage=min(1.0, raw["cpu_ns"] / raw["run_ns"]) if raw["run_ns"] else 0.0,
        )
        if self._per_second is not None:
            self._seconds = worker.per_second()
            self._per_second[:] = self._seconds
            results.iops_consistency = self.iops_consistency() if self._seconds else 0.0
        if self._percentiles is not None:
            for percent in self._percentiles:
                self._percentiles[percent] = worker.percentile(percent) / 1000
        if self._latencies is not None:
            self._latencies[:] = worker.latencies()
        if self._op_percentage is not None:
            counts = {opcode: count for opcode, count, *_ in worker.opcodes()}
            for opcode in self._op_percentage:
                self._op_percentage[opcode] = counts.get(int(opcode), 0)
        if self._recent is not None:
            recent = worker.recent()
            self._recent[: len(recent)] = recent
        return results

    @staticmethod
    def _error(record: bytes, judged: int, mismatch: tuple[Any, ...] | None) -> DotDict:
        (entry,) = decode(record, 1)
        error = DotDict(
            status=judged or entry.status,
            by_host=bool(judged),
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

    def _read(self) -> dict[str, Any]:
        self._raw = self._worker.result()
        self._errors = [self._error(*entry) for entry in self._worker.errors()]
        return self._raw

    def _error_code(self) -> int:
        if self._raw["failed"]:
            return int(self._raw["status"])
        return HOST_ERROR - int(self._raw["fault"]) if self._raw["fault"] else 0

    def _failures(self) -> list[str]:
        """What went wrong, of the host and of the device."""
        raw = self._raw
        texts = []
        if raw["fault"]:
            texts.append(f"ioworker host ERROR {raw['fault']}: {raw['why']}")
        if raw["failed"]:
            texts.append(self._bad_status())
        if raw["left_sqid"]:
            texts[-1] += f"; qpair {raw['left_sqid']} is left on the drive until a reset (fw_debug)"
        return texts

    def _bad_status(self) -> str:
        """The first error status, and whose it is: what the host found is no word of the drive."""
        status = self._raw["status"]
        error = self._errors[0] if self._errors else None
        if error is None or not error.by_host:
            text = f"ioworker device ERROR status: {warn.describe(status)}"
            if self._raw["why"] and not self._raw["fault"]:
                text += f": {self._raw['why']}"
        elif "lba" in error:
            text = (
                f"ioworker ERROR status: {status >> 8:02x}/{status & 0xFF:02x}, host: data "
                f"mismatch, LBA 0x{error.lba:x}, CRC expected 0x{error.crc_expected:08x}, "
                f"got 0x{error.crc_got:08x}, stamp LBA 0x{error.stamp:x}"
            )
        else:
            name = _core.status_name(status)
            text = f"ioworker ERROR status: {status >> 8:02x}/{status & 0xFF:02x}, host: {name}"
        return f"{text}: {error.command}" if error else text

    def __del__(self) -> None:
        if not self._started or self._results is not None or sys.is_finalizing():
            return
        try:
            self._worker.stop()
            if not self._worker.join(DRAIN_SECONDS):
                return
            self._read()
        except SystemError:
            return  # of another process, or closed by the end of this one
        texts = self._failures()
        for text in texts:
            warn.say(f"{text} (the worker was never closed)")
        if not texts:
            warnings.warn(f"{self!r} was never closed", ResourceWarning, 2, source=self)
