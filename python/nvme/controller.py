"""nvme.Controller."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakSet

from nvme import _core, admin, events, fabric, hang, hmb, warn
from nvme.buffer import Buffer
from nvme.cmdlog import Log
from nvme.number import U32, field, optional_callable
from nvme.pcie import Pcie
from nvme.structures import ControllerStructures

__tracebackhide__ = True

T = TypeVar("T", int, str)

DEFAULT_ADDRESS = "sim"
LONG_MS = 600_000  # what Format and firmware may take
FIRMWARE_PIECE = 4096


opened: WeakSet[Controller] = WeakSet()


def address(addr: str | bytes | os.PathLike[str] | os.PathLike[bytes], name: str = "addr") -> str:
    """An address as str; an empty one is the software SSD. `name`: of the argument it is."""
    if not isinstance(addr, str | bytes | os.PathLike):
        raise TypeError(f"{name} must be an address, not {type(addr)}")
    path = addr if isinstance(addr, bytes) else os.fspath(addr)
    raw = path.encode(errors="backslashreplace") if isinstance(path, str) else path
    text = raw.decode(errors="backslashreplace")
    if "\0" in text:
        raise _core.NvmeEnumerateError(f"{text!r} is no address of a device")
    return text or DEFAULT_ADDRESS


class Controller(admin.Commands, ControllerStructures, Log, _core.Controller):
    """An NVMe controller and its admin queue. Prefer the fixture "nvme0" in test scripts.

    addr: b"01:00.0" or "0000:01:00.0" (PCIe), "sim" or "sim:size=20G,..." (the software SSD of
    this process; `pynvme sim --help`), b"127.0.0.1", "host:4420/nqn..." or
    "trtype:TCP traddr:..." (NVMe/TCP), or a Pcie. Empty: the software SSD.
    nvme_init_func: called with the controller instead of the standard initialisation, at the
    start and after every reset.

    Of an NVMe/TCP address, or in it, as in "host:4420?hdgst=1&kato_s=5":
    hostnqn, hostid: of this host
    hdgst, ddgst: digests of headers and of data; a target that has none is an error
    kato_s: Keep Alive Timeout in seconds, 30 by default, 0 for none
    timeout_s: for a connection to come about, 5 by default
    queue_size, nr_io_queues: at most, entries of an IO queue and IO queues
    In an address, %XX stands for a character that would end a value, as in a URL: %26 for &.

    With ddgst, leave a buffer alone until its write is done: data goes to the network from where
    it lies, and what changes between its digest and its sending (as when a second write of the same
    buffer stamps it for verification) makes the target answer 00/22, Transient Transport Error.

    n[off] reads a 32-bit register, n[off] = v writes it. Commands return self, at once;
    waitdone() waits for them.

    Raises NvmeEnumerateError when the address reaches no NVMe controller; the text says why.
    """

    _aer_cb: events.AerCallback | None = None
    _hmb: list[Buffer] | None = None

    def __new__(
        cls,
        addr: str | bytes | Pcie = b"",
        nvme_init_func: Callable[[Controller], Any] | None = None,
        *,
        hostnqn: str | None = None,
        hostid: str | None = None,
        hdgst: bool | None = None,
        ddgst: bool | None = None,
        kato_s: int | None = None,
        timeout_s: int | None = None,
        queue_size: int | None = None,
        nr_io_queues: int | None = None,
    ) -> Controller:
        where = addr if isinstance(addr, Pcie) else address(addr)
        given = fabric.options(
            hostnqn=hostnqn,
            hostid=hostid,
            hdgst=hdgst,
            ddgst=ddgst,
            kato_s=kato_s,
            timeout_s=timeout_s,
            queue_size=queue_size,
            nr_io_queues=nr_io_queues,
        )
        # Before: an initialisation may hang, too.
        hang.report_to_stderr()
        self = super().__new__(cls, where, nvme_init_func, given)
        opened.add(self)
        return self

    # --- events ---

    def _on_event(self, *fields: int) -> None:
        event = events.Event(*fields)
        if event.kind == events.VERIFY:
            self.mismatches.append(events.mismatch(event))
        else:
            events.report(event, self._aer_cb)

    @property
    def mismatches(self) -> deque[events.Mismatch]:
        """The last 1,000 reads that did not match what was written."""
        if not hasattr(self, "_mismatches"):
            self._mismatches: deque[events.Mismatch] = deque(maxlen=1000)
        return self._mismatches

    def register_aer_cb(self, func: events.AerCallback | None) -> None:
        """Have `func(cdw0, status1)` called when an AER completes; None: nobody.

        Prefer the fixture "aer", which takes it back at the end of the test.
        """
        optional_callable(func, "func")
        self._aer_cb = func

    @cached_property
    def _serial(self) -> str:
        """Serial number, as the initialisation found it, or else as it is when first asked for."""
        return self._sn or self.id_data(23, 4, str)

    # --- commands of the tool: they wait, and waitdone() never counts them ---

    def _run(self, opcode: int, buf: Buffer | None = None, **fields: int) -> int:
        """Send an admin command and wait for it; an error status is a warning. Returns CDW0."""
        cdw0, status1 = self._execute(opcode, buf, **fields)
        warn.status(status1, f"{_core.admin_name(opcode)} ({opcode:02x})")
        return cdw0

    def id_data(
        self,
        byte_end: int,
        byte_begin: int | None = None,
        type: type[T] = int,  # type: ignore[assignment]
        nsid: int = 0,
        cns: int = 1,
    ) -> T:
        """A field of Identify data, from byte_begin to byte_end, both included.

        byte_begin: None for a field of one byte
        type: int (little endian) or str (ASCII, padding stripped)
        """
        buf = Buffer(4096, "identify")
        self._run(admin.IDENTIFY, buf, nsid=nsid, cdw10=field(cns, "cns", 0xFF))
        return buf.data(byte_end, byte_begin, type)

    def supports(self, opcode: int) -> bool:
        """Whether the controller has the admin command (Commands Supported and Effects log)."""
        return self._effects(opcode, 0)

    def _effects(self, opcode: int, first: int) -> bool:
        field(opcode, "opcode", 0xFF)
        buf = Buffer(4096, "effects")
        self._run(admin.GET_LOG_PAGE, buf, nsid=0xFFFFFFFF, cdw10=1023 << 16 | 5)
        return bool(buf.data(first + opcode * 4) & 1)

    def cmdname(self, opcode: int) -> str:
        """Name of an admin command."""
        return _core.admin_name(opcode)

    def downfw(self, filename: str | os.PathLike[str], slot: int = 0, action: int = 1) -> None:
        """Download a firmware image in 4 KiB pieces and commit it.

        slot: 0 leaves the choice to the device
        action: Commit Action; 1 activates it at the next reset
        """
        commit = admin.commit_cdw10(slot, action)
        if not isinstance(filename, str | os.PathLike):
            raise TypeError(f"filename must be a path, not {type(filename)}")
        try:
            image = Path(filename).read_bytes()
        except ValueError as why:  # a zero byte, or what no encoding has
            raise ValueError(f"filename is none of a file: {why}") from None
        buf = Buffer(FIRMWARE_PIECE, "firmware")
        for offset in range(0, len(image), FIRMWARE_PIECE):
            piece = image[offset : offset + FIRMWARE_PIECE]
            dwords = (len(piece) + 3) // 4
            buf[:] = piece + bytes(dwords * 4 - len(piece))
            self._long(admin.FW_DOWNLOAD, buf, cdw10=dwords - 1, cdw11=offset // 4)
        self._long(admin.FW_COMMIT, None, cdw10=commit)

    def _long(self, opcode: int, buf: Buffer | None = None, **fields: int) -> int:
        """_run() for a command that may take minutes, without a warning of its lateness."""
        timeout = self.timeout
        self.timeout = max(timeout, LONG_MS)
        try:
            return self._run(opcode, buf, timeout=LONG_MS, **fields)
        finally:
            self.timeout = timeout

    def enable_hmb(self) -> int:
        """Give the device the host memory it prefers (HMPRE). Returns its bytes; 0: none wanted."""
        return hmb.enable(self)

    def disable_hmb(self) -> None:
        """Take the host memory buffer back."""
        hmb.disable(self)

    # --- resets, and the steps for a nvme_init_func ---

    def reset(self) -> None:
        """Controller reset: CC.EN 1 -> 0 -> 1, then initialise again.

        Commands in flight end with 00/08, IO qpairs are stale afterwards.
        """
        self._reset(0)

    def disable(self) -> None:
        """CC.EN = 0, and wait for CSTS.RDY = 0."""
        self._step("disable")

    def init_adminq(self) -> None:
        """Set AQA, ASQ and ACQ up."""
        self._step("setup_adminq")

    def enable(self, cc: int = 0) -> None:
        """Write CC with EN = 1 (0: the standard CC); does not wait."""
        self._step("enable", field(cc, "cc", U32))

    def wait_csts(self, rdy: bool = True) -> None:
        """Wait for CSTS.RDY, within CAP.TO (CRTO)."""
        self._step("wait_ready", field(rdy, "rdy", 1))

    def init_ctrl(self) -> None:
        """Identify the controller, for the driver's own use."""
        self._step("identify")

    def init_queues(self) -> None:
        """Set Number of Queues to what can be had."""
        self._step("init_queues")

    def init_aers(self) -> None:
        """Post the driver's Asynchronous Event Requests."""
        self._step("post_aers")
