"""nvme.Namespace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from nvme import _core, admin, verify
from nvme.buffer import Buffer
from nvme.number import U64, field
from nvme.structures import NamespaceStructures

if TYPE_CHECKING:
    from nvme.controller import Controller
    from nvme.ioworker import IOWorker

__tracebackhide__ = True

T = TypeVar("T", int, str)

EFFECTS_IO = 1024  # where the IO commands begin in log 05h
LBAF = 128  # first LBA format in Identify Namespace
LBAFS = 64


class Namespace(NamespaceStructures, _core.Namespace):
    """A namespace of a controller. Prefer the fixture "nvme0n1" in test scripts.

    nvme: the Controller
    nsid: identifier of an active namespace
    nlba_verify: for scripts of later versions; memory for verification is taken as it is needed,
    for every LBA

    IO commands return the qpair, at once; its waitdone() waits for them.
    Raises NamespaceCreationError.
    """

    def __new__(cls, nvme: Controller, nsid: int = 1, nlba_verify: int = 0) -> Namespace:
        field(nlba_verify, "nlba_verify", U64)
        namespace = super().__new__(cls, nvme, nsid)
        verify.known.add(namespace)
        _ = namespace._nvme._serial  # verify_save() wants it when the drive may be off
        return namespace

    def id_data(
        self,
        byte_end: int,
        byte_begin: int | None = None,
        type: type[T] = int,  # type: ignore[assignment]
    ) -> T:
        """A field of Identify Namespace data, from byte_begin to byte_end, both included.

        byte_begin: None for a field of one byte
        type: int (little endian) or str (ASCII, padding stripped)
        """
        return self._nvme.id_data(byte_end, byte_begin, type, self.nsid, 0)

    def zns_mgmt_send(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Zone Management Send: for scripts of later versions, an NvmeError."""
        raise _core.NvmeError(f"{self!r} is no zoned namespace")

    def zns_mgmt_receive(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Zone Management Receive: for scripts of later versions, an NvmeError."""
        raise _core.NvmeError(f"{self!r} is no zoned namespace")

    def cmdname(self, opcode: int) -> str:
        """Name of an IO command."""
        return _core.io_name(opcode)

    def supports(self, opcode: int) -> bool:
        """Whether the namespace has the IO command (Commands Supported and Effects log)."""
        return self._nvme._effects(opcode, EFFECTS_IO)

    def get_lba_format(self, data_size: int = 512, meta_size: int = 0) -> int | None:
        """The first LBA format with so many bytes of data and of metadata, or None."""
        field(data_size, "data_size", U64)
        field(meta_size, "meta_size", U64)
        buf = Buffer(4096, "identify")
        self._nvme._run(admin.IDENTIFY, buf, nsid=self.nsid)
        for i in range(min(buf[25] + 1, LBAFS)):
            at = LBAF + 4 * i
            if buf.data(at + 1, at) == meta_size and 1 << buf[at + 2] == data_size:
                return i
        return None

    def format(self, data_size: int = 512, meta_size: int = 0, ses: int = 0) -> int | None:
        """Format NVM with the LBA format of these sizes; waits up to 10 minutes.

        ses: 0 no secure erase, 1 user data, 2 cryptographic
        Returns the LBA format, or None when there is no such one and nothing was done.
        """
        field(ses, "ses", 7)
        lbaf = self.get_lba_format(data_size, meta_size)
        if lbaf is not None:
            self._nvme._long(admin.FORMAT, nsid=self.nsid, cdw10=admin.format_cdw10(lbaf, ses))
            self._refresh()
        return lbaf

    def ioworker(
        self,
        io_size: int | float | Sequence[int] | dict[int, int] = 8,
        lba_align: int | float | Sequence[int] | None = None,
        lba_random: bool | int = True,
        read_percentage: int | float = 100,
        time: int | float = 0,
        qdepth: int | float = 64,
        region_start: int | float = 0,
        region_end: int | float = 0xFFFF_FFFF_FFFF_FFFF,
        iops: int | float = 0,
        io_count: int | float = 0,
        lba_start: int | float = 0,
        qprio: int = 0,
        output_io_per_second: list[int] | None = None,
        output_percentile_latency: dict[float, Any] | None = None,
        *,
        lba_step: int | None = None,
        op_percentage: dict[int, int] | None = None,
        distribution: Sequence[int] | None = None,
        ptype: int = 0,
        pvalue: int = 0,
        io_sequence: Sequence[tuple[int, int, int, int]] | None = None,
        output_cmdlog_list: list[Any] | None = None,
        output_latency_distribution_ns: list[tuple[int, int, int]] | None = None,
        iodepth: int | float | None = None,
        fw_debug: bool = False,
    ) -> IOWorker:
        """Make a worker that sends IO from a thread of its own, through a queue of its own.

        io_size: LBAs a command; or a list or range of sizes, or {size: weight}
        lba_align: LBAs that starts are multiples of; None: io_size; or a list beside io_size
        lba_random: True, False (sequential), or a percentage
        read_percentage: reads among reads and writes
        time: seconds; 0: until io_count
        qdepth: commands in flight, 2..1023
        region_start, region_end: LBAs to stay in; the end is not included. Every io_size must fit.
        A sequential worker with a region_end, and neither time nor io_count, fills it once; its
        last command is cut at the end
        iops: commands a second at most; 0: no limit
        io_count: commands in all; 0: until the time is over
        lba_start: first LBA
        qprio: priority of the submission queue, with weighted round robin
        output_io_per_second: list that receives one count a second
        output_percentile_latency: dict whose keys are percentages; values become microseconds
        lba_step: signed stride of a sequential worker
        op_percentage: {opcode: per cent}; becomes the real counts
        distribution: 100 weights, in sum 10,000, over 100 equal slices of the region
        ptype, pvalue: data of writes, as in Buffer
        io_sequence: commands to replay, (us since start, opcode, slba, nlb) each; a Flush needs no
        LBAs, a Dataset Management deallocates its own
        output_cmdlog_list: list that receives the last commands, (slba, nlb, opcode) each
        output_latency_distribution_ns: list that receives (lowest, highest, count) of each bucket
        iodepth: commands in flight, 1..MQES; stands in for qdepth
        fw_debug: a worker that fails ends at once, and leaves its queues and the commands in flight
        on the drive as they are, for a debugger: nothing is deleted or aborted. A reset, or the
        end of the Controller, gives all of it back

        Either start() it and close() it, or use it in a with block; close() returns the results.
        """
        from nvme.ioworker import IOWorker

        arguments = dict(locals())
        for name in ("self", "IOWorker"):
            del arguments[name]
        return IOWorker(self, **arguments)
