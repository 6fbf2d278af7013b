"""The admin commands of nvme.Controller, field by field (Base 2.1, chapter 5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from nvme._core import Buffer
from nvme.number import U16, U32, U64, field

__tracebackhide__ = True

Callback: TypeAlias = Callable[..., Any] | None

GET_LOG_PAGE = 0x02
IDENTIFY = 0x06
ABORT = 0x08
SET_FEATURES = 0x09
GET_FEATURES = 0x0A
ASYNC_EVENT = 0x0C
NS_MANAGEMENT = 0x0D
FW_COMMIT = 0x10
FW_DOWNLOAD = 0x11
SELF_TEST = 0x14
NS_ATTACHMENT = 0x15
DIRECTIVE_SEND = 0x19
DIRECTIVE_RECEIVE = 0x1A
MI_SEND = 0x1D
MI_RECEIVE = 0x1E
FORMAT = 0x80
SECURITY_SEND = 0x81
SECURITY_RECEIVE = 0x82
SANITIZE = 0x84

DATA_BYTES = 4096  # of Identify data, and of what has its size
DWORDS_BYTES = 4 << 32  # that a zero-based number of dwords can say


def _dwords(size: int) -> int:
    """Dwords as the zero-based field has them; a size of 0 is the device's to refuse."""
    return (size // 4 - 1) & U32


def _is_buffer(buf: Any) -> None:
    if not isinstance(buf, Buffer):
        raise TypeError(f"buf must be a Buffer, not {type(buf)}")


def _has_room(buf: Buffer, what: str) -> None:
    _is_buffer(buf)
    if buf.size < DATA_BYTES:
        raise ValueError(f"buf has {buf.size} bytes, {what} needs {DATA_BYTES}")


def _size(buf: Buffer, size: int | None, high: int = DWORDS_BYTES) -> int:
    """Bytes to transfer: `size`, which buf must have, or None: all of buf."""
    _is_buffer(buf)
    if size is None:
        return buf.size
    size = field(size, "size", high)
    if size > buf.size:
        raise ValueError(f"buf has {buf.size} bytes, size is {size}")
    return size


def format_cdw10(lbaf: int, ses: int, mset: int = 0, pi: int = 0, pil: int = 0) -> int:
    """Format NVM, command dword 10."""
    lbaf = field(lbaf, "lbaf", 0x3F)
    return (
        (lbaf & 0xF)
        | field(mset, "mset", 1) << 4
        | field(pi, "pi", 7) << 5
        | field(pil, "pil", 1) << 8
        | field(ses, "ses", 7) << 9
        | lbaf >> 4 << 12
    )


def commit_cdw10(slot: int, action: int) -> int:
    """Firmware Commit, command dword 10."""
    return field(action, "action", 7) << 3 | field(slot, "slot", 7)


def _security(secp: int, spsp: int, nssf: int) -> int:
    """Security Send and Receive, command dword 10."""
    fields = field(secp, "secp", 0xFF) << 24 | field(spsp, "spsp", U16) << 8
    return fields | field(nssf, "nssf", 0xFF)


class Commands:
    """Admin commands. All return self, at once; ``cb(cdw0, status1)`` is called at completion."""

    if TYPE_CHECKING:

        def send_cmd(
            self,
            opcode: int,
            buf: Buffer | None = None,
            nsid: int = 0,
            cdw10: int = 0,
            cdw11: int = 0,
            cdw12: int = 0,
            cdw13: int = 0,
            cdw14: int = 0,
            cdw15: int = 0,
            cb: Callback = None,
        ) -> Self: ...

    def abort(self, cid: int, sqid: int = 0, cb: Callback = None) -> Self:
        """Abort command `cid` of submission queue `sqid` (Base 2.1, 5.1.1)."""
        cdw10 = field(cid, "cid", U16) << 16 | field(sqid, "sqid", U16)
        return self.send_cmd(ABORT, cdw10=cdw10, cb=cb)

    def aer(self, cb: Callback = None) -> Self:
        """Asynchronous Event Request (5.1.2). The driver posts its own: see register_aer_cb()."""
        return self.send_cmd(ASYNC_EVENT, cb=cb)

    def identify(
        self,
        buf: Buffer,
        nsid: int = 0,
        cns: int = 1,
        cntid: int | Callback = 0,
        csi: int = 0,
        cb: Callback = None,
    ) -> Self:
        """Identify (5.1.13): 4096 bytes into buf. cns 0 namespace, 1 controller, 2 active list.

        A callback may also come fourth, where scripts for pynvme 1.0 have it.
        """
        if cntid is None or callable(cntid):
            fourth: Any = cntid
            cntid, cb = 0, cb or fourth
        _has_room(buf, "Identify")
        cdw10 = field(cntid, "cntid", U16) << 16 | field(cns, "cns", 0xFF)
        cdw11 = field(csi, "csi", 0xFF) << 24
        return self.send_cmd(IDENTIFY, buf, nsid, cdw10=cdw10, cdw11=cdw11, cb=cb)

    def getfeatures(
        self,
        fid: int,
        cdw11: int = 0,
        cdw12: int = 0,
        cdw13: int = 0,
        cdw14: int = 0,
        cdw15: int = 0,
        sel: int = 0,
        buf: Buffer | None = None,
        cb: Callback = None,
    ) -> Self:
        """Get Features (5.1.11). sel 0 current, 1 default, 2 saved, 3 capabilities."""
        cdw10 = field(sel, "sel", 7) << 8 | field(fid, "fid", 0xFF)
        return self.send_cmd(GET_FEATURES, buf, 1, cdw10, cdw11, cdw12, cdw13, cdw14, cdw15, cb)

    def setfeatures(
        self,
        fid: int,
        cdw11: int = 0,
        cdw12: int = 0,
        cdw13: int = 0,
        cdw14: int = 0,
        cdw15: int = 0,
        sv: int = 0,
        buf: Buffer | None = None,
        cb: Callback = None,
    ) -> Self:
        """Set Features (5.1.25) for all namespaces. sv 1 saves the value over power cycles."""
        cdw10 = field(sv, "sv", 1) << 31 | field(fid, "fid", 0xFF)
        return self.send_cmd(
            SET_FEATURES, buf, 0xFFFFFFFF, cdw10, cdw11, cdw12, cdw13, cdw14, cdw15, cb
        )

    def getlogpage(
        self,
        lid: int,
        buf: Buffer,
        size: int | None = None,
        offset: int = 0,
        nsid: int = 0xFFFFFFFF,
        cb: Callback = None,
    ) -> Self:
        """Get Log Page (5.1.12): `size` bytes from `offset` of log `lid` into buf.

        size: None for as many as the buffer holds
        Size and offset must be multiples of 4 (AssertionError).
        """
        lid = field(lid, "lid", 0xFF)
        offset = field(offset, "offset", U64)
        size = _size(buf, size) if size is not None else _size(buf, None) & ~3
        assert size % 4 == 0, f"size must be a multiple of 4, not {size}"
        assert offset % 4 == 0, f"offset must be a multiple of 4, not {offset}"
        if not size:
            raise ValueError(f"size must be 4..{DWORDS_BYTES}, not 0")
        numd = _dwords(size)
        return self.send_cmd(
            GET_LOG_PAGE,
            buf,
            nsid,
            cdw10=(numd & U16) << 16 | lid,
            cdw11=numd >> 16,
            cdw12=offset & U32,
            cdw13=offset >> 32,
            cb=cb,
        )

    def format(
        self,
        lbaf: int = 0,
        ses: int = 0,
        nsid: int = 1,
        cb: Callback = None,
        *,
        mset: int = 0,
        pi: int = 0,
        pil: int = 0,
    ) -> Self:
        """Format NVM (5.1.10).

        lbaf: LBA format
        ses: 0 no secure erase, 1 user data, 2 cryptographic
        mset: 1 metadata at the end of the data, 0 in a buffer of its own
        pi: protection information type 0..3
        pil: 1 protection information in the first bytes of the metadata
        """
        return self.send_cmd(FORMAT, None, nsid, format_cdw10(lbaf, ses, mset, pi, pil), cb=cb)

    def sanitize(self, option: int = 2, pattern: int = 0x5AA5A55A, cb: Callback = None) -> Self:
        """Sanitize (5.1.22). option: CDW10; 2 block, 3 overwrite, 4 crypto erase."""
        cdw10, cdw11 = field(option, "option", U32), field(pattern, "pattern", U32)
        return self.send_cmd(SANITIZE, cdw10=cdw10, cdw11=cdw11, cb=cb)

    def dst(self, stc: int = 1, nsid: int = 0xFFFFFFFF, cb: Callback = None) -> Self:
        """Device Self-test (5.1.5). stc 1 short, 2 extended, 0xf abort."""
        return self.send_cmd(SELF_TEST, None, nsid, field(stc, "stc", 0xF), cb=cb)

    def fw_download(
        self, buf: Buffer, offset: int, size: int | None = None, cb: Callback = None
    ) -> Self:
        """Firmware Image Download (5.1.9): `size` bytes (None: all of buf) to `offset`.

        Both are rounded down to dwords.
        """
        numd = _dwords(_size(buf, size))
        cdw11 = field(offset, "offset", DWORDS_BYTES - 1) // 4
        return self.send_cmd(FW_DOWNLOAD, buf, cdw10=numd, cdw11=cdw11, cb=cb)

    def fw_commit(self, slot: int, action: int, cb: Callback = None) -> Self:
        """Firmware Commit (5.1.8).

        slot: 0 leaves the choice to the device
        action: 0 store; 1 store, and activate at the next reset; 2 activate the slot at the next
        reset; 3 activate it at once
        """
        return self.send_cmd(FW_COMMIT, cdw10=commit_cdw10(slot, action), cb=cb)

    def security_send(
        self,
        buf: Buffer,
        spsp: int,
        secp: int = 1,
        nssf: int = 0,
        size: int | None = None,
        cb: Callback = None,
    ) -> Self:
        """Security Send (5.1.24). secp: protocol; spsp: its specific field; size: bytes."""
        cdw10 = _security(secp, spsp, nssf)
        cdw11 = _size(buf, size, U32)
        return self.send_cmd(SECURITY_SEND, buf, cdw10=cdw10, cdw11=cdw11, cb=cb)

    def security_receive(
        self,
        buf: Buffer,
        spsp: int,
        secp: int = 1,
        nssf: int = 0,
        size: int | None = None,
        cb: Callback = None,
    ) -> Self:
        """Security Receive (5.1.23). secp: protocol; spsp: its specific field; size: bytes."""
        cdw10 = _security(secp, spsp, nssf)
        cdw11 = _size(buf, size, U32)
        return self.send_cmd(SECURITY_RECEIVE, buf, cdw10=cdw10, cdw11=cdw11, cb=cb)

    def mi_send(
        self,
        opcode: int,
        dword0: int = 0,
        dword1: int = 0,
        buf: Buffer | None = None,
        mtype: int = 1,
        cb: Callback = None,
    ) -> Self:
        """NVMe-MI Send (5.1.19): a management request, `opcode` with its two dwords."""
        return self._mi(MI_SEND, opcode, dword0, dword1, buf, mtype, cb)

    def mi_receive(
        self,
        opcode: int,
        dword0: int = 0,
        dword1: int = 0,
        buf: Buffer | None = None,
        mtype: int = 1,
        cb: Callback = None,
    ) -> Self:
        """NVMe-MI Receive (5.1.18): a management request that returns data."""
        return self._mi(MI_RECEIVE, opcode, dword0, dword1, buf, mtype, cb)

    def _mi(
        self,
        command: int,
        opcode: int,
        dword0: int,
        dword1: int,
        buf: Buffer | None,
        mtype: int,
        cb: Callback,
    ) -> Self:
        return self.send_cmd(
            command,
            buf,
            cdw10=field(mtype, "mtype", 0xF) << 11,
            cdw11=field(opcode, "opcode", U32),
            cdw12=field(dword0, "dword0", U32),
            cdw13=field(dword1, "dword1", U32),
            cb=cb,
        )

    def ns_management(
        self,
        sel: int,
        buf: Buffer | None = None,
        nsid: int = 0,
        csi: int = 0,
        cb: Callback = None,
    ) -> Self:
        """Namespace Management (5.1.21). sel 0 create (CDW0 is the new nsid), 1 delete."""
        sel, cdw11 = field(sel, "sel", 0xF), field(csi, "csi", 0xFF) << 24
        if buf is not None:
            _has_room(buf, "Namespace Management")
        return self.send_cmd(NS_MANAGEMENT, buf, nsid, sel, cdw11, cb=cb)

    def ns_attachment(self, sel: int, buf: Buffer, nsid: int, cb: Callback = None) -> Self:
        """Namespace Attachment (5.1.20). sel 0 attach, 1 detach; buf: a controller list."""
        _has_room(buf, "Namespace Attachment")
        return self.send_cmd(NS_ATTACHMENT, buf, nsid, field(sel, "sel", 0xF), cb=cb)

    def directive_send(
        self,
        buf: Buffer | None,
        nsid: int,
        dtype: int,
        doper: int,
        dspec: int = 0,
        cdw12: int = 0,
        size: int | None = None,
        cb: Callback = None,
    ) -> Self:
        """Directive Send (5.1.7): operation `doper` of directive `dtype`."""
        return self._directive(DIRECTIVE_SEND, buf, nsid, dtype, doper, dspec, cdw12, size, cb)

    def directive_receive(
        self,
        buf: Buffer | None,
        nsid: int,
        dtype: int,
        doper: int,
        dspec: int = 0,
        cdw12: int = 0,
        size: int | None = None,
        cb: Callback = None,
    ) -> Self:
        """Directive Receive (5.1.6): operation `doper` of directive `dtype`."""
        return self._directive(DIRECTIVE_RECEIVE, buf, nsid, dtype, doper, dspec, cdw12, size, cb)

    def _directive(
        self,
        opcode: int,
        buf: Buffer | None,
        nsid: int,
        dtype: int,
        doper: int,
        dspec: int,
        cdw12: int,
        size: int | None,
        cb: Callback,
    ) -> Self:
        wanted = field(size or 0, "size", DWORDS_BYTES)
        size = _size(buf, size) if buf is not None else wanted
        numd = _dwords(size) if size else 0
        cdw11 = field(dspec, "dspec", U16) << 16 | field(dtype, "dtype", 0xFF) << 8
        cdw11 |= field(doper, "doper", 0xFF)
        return self.send_cmd(opcode, buf, nsid, numd, cdw11, cdw12, cb=cb)
