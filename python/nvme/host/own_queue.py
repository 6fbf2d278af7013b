"""A queue pair for one command at a time whose every field is the user's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvme import raw
from nvme.buffer import Buffer
from nvme.command_line import UsageError
from nvme.host.status import StatusError

if TYPE_CHECKING:
    from nvme.controller import Controller

QID, DEPTH = 1, 2
LIST_ENTRIES = raw.PAGE // 8


class OwnQueue:
    """Queues of identifier 1; use it in a with block, while no Qpair is open.

    Raises StatusError if the drive refuses them.
    """

    def __init__(self, nvme: Controller) -> None:
        self._cq = raw.CompletionQueue(nvme, QID, DEPTH)
        self._sq = raw.SubmissionQueue(nvme, QID, DEPTH, QID)
        self._lists = Buffer(raw.PAGE, "PRP list")

    def __enter__(self) -> OwnQueue:
        if status := self._cq.create():
            raise StatusError("Create I/O Completion Queue (05)", status << 1)
        if status := self._sq.create():
            self._cq.delete()
            raise StatusError("Create I/O Submission Queue (01)", status << 1)
        return self

    def __exit__(self, *exc: object) -> None:
        self._sq.delete()
        self._cq.delete()

    def run(
        self, command: raw.Command, buf: Buffer | None, mbuf: Buffer | None, timeout_s: float
    ) -> raw.Completion:
        """Point a command at its data, send it, and wait."""
        if buf is not None:
            if len(buf) > LIST_ENTRIES * raw.PAGE:
                raise UsageError(f"at most {LIST_ENTRIES * raw.PAGE} bytes with such a command")
            prp1, prp2 = raw.prps(buf.phys_addr, len(buf), self._lists)
            command.dptr = prp1.to_bytes(8, "little") + prp2.to_bytes(8, "little")
        if mbuf is not None:
            command.mptr = mbuf.phys_addr
        self._sq.push(command)
        self._sq.ring()
        return self._cq.wait(timeout_s)
