"""The admin commands of nvme.Controller, field by field (Base 2.1, chapter 5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from nvme._core import Buffer

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


def _dwords(size: int) -> int:
    """Dwords as the zero-based field has them; a size of 0 is the device's to refuse."""
    return (size // 4 - 1) & 0xFFFFFFFF


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
        return self.send_cmd(ABORT, cdw10=cid << 16 | sqid, cb=cb)

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
        return self.send_cmd(IDENTIFY, buf, nsid, cdw10=cntid << 16 | cns, cdw11=csi << 24, cb=cb)

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
        cdw10 = sel << 8 | fid
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
        cdw10 = sv << 31 | fid
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
        if size is None:
            size = len(buf) & ~3
        assert size % 4 == 0, f"size must be a multiple of 4, not {size}"
        assert offset % 4 == 0, f"offset must be a multiple of 4, not {offset}"
        numd = _dwords(size)
        return self.send_cmd(
            GET_LOG_PAGE,
            buf,
            nsid,
            cdw10=(numd & 0xFFFF) << 16 | lid,
            cdw11=numd >> 16,
            cdw12=offset & 0xFFFFFFFF,
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
        cdw10 = (lbaf & 0xF) | mset << 4 | pi << 5 | pil << 8 | ses << 9 | lbaf >> 4 << 12
        return self.send_cmd(FORMAT, None, nsid, cdw10, cb=cb)

    def sanitize(self, option: int = 2, pattern: int = 0x5AA5A55A, cb: Callback = None) -> Self:
        """Sanitize (5.1.22). option: CDW10; 2 block, 3 overwrite, 4 crypto erase."""
        return self.send_cmd(SANITIZE, cdw10=option, cdw11=pattern, cb=cb)

    def dst(self, stc: int = 1, nsid: int = 0xFFFFFFFF, cb: Callback = None) -> Self:
        """Device Self-test (5.1.5). stc 1 short, 2 extended, 0xf abort."""
        return self.send_cmd(SELF_TEST, None, nsid, stc, cb=cb)

    def fw_download(
        self, buf: Buffer, offset: int, size: int | None = None, cb: Callback = None
    ) -> Self:
        """Firmware Image Download (5.1.9): `size` bytes (None: all of buf) to `offset`.

        Both are rounded down to dwords.
        """
        numd = _dwords(len(buf) if size is None else size)
        return self.send_cmd(FW_DOWNLOAD, buf, cdw10=numd, cdw11=offset // 4, cb=cb)

    def fw_commit(self, slot: int, action: int, cb: Callback = None) -> Self:
        """Firmware Commit (5.1.8).

        slot: 0 leaves the choice to the device
        action: 0 store; 1 store, and activate at the next reset; 2 activate the slot at the next
        reset; 3 activate it at once
        """
        return self.send_cmd(FW_COMMIT, cdw10=action << 3 | slot, cb=cb)

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
        cdw10 = secp << 24 | spsp << 8 | nssf
        length = len(buf) if size is None else size
        return self.send_cmd(SECURITY_SEND, buf, cdw10=cdw10, cdw11=length, cb=cb)

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
        cdw10 = secp << 24 | spsp << 8 | nssf
        length = len(buf) if size is None else size
        return self.send_cmd(SECURITY_RECEIVE, buf, cdw10=cdw10, cdw11=length, cb=cb)

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
        return self.send_cmd(
            MI_SEND, buf, cdw10=mtype << 11, cdw11=opcode, cdw12=dword0, cdw13=dword1, cb=cb
        )

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
        return self.send_cmd(
            MI_RECEIVE, buf, cdw10=mtype << 11, cdw11=opcode, cdw12=dword0, cdw13=dword1, cb=cb
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
        return self.send_cmd(NS_MANAGEMENT, buf, nsid, sel, csi << 24, cb=cb)

    def ns_attachment(self, sel: int, buf: Buffer, nsid: int, cb: Callback = None) -> Self:
        """Namespace Attachment (5.1.20). sel 0 attach, 1 detach; buf: a controller list."""
        return self.send_cmd(NS_ATTACHMENT, buf, nsid, sel, cb=cb)

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
        if size is None:
            size = len(buf) if buf is not None else 0
        numd = _dwords(size) if size else 0
        cdw11 = dspec << 16 | dtype << 8 | doper
        return self.send_cmd(opcode, buf, nsid, numd, cdw11, cdw12, cb=cb)
