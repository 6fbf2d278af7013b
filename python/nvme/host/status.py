"""The error of a command that the drive ended with an error status."""

from __future__ import annotations

from nvme import _core


class StatusError(Exception):
    """The drive ended a command with an error status.

    status: SCT << 8 | SC; what: the command; cdw0: dword 0 of the completion
    """

    def __init__(self, what: str, status1: int, cdw0: int = 0) -> None:
        self.what, self.cdw0 = what, cdw0
        self.status = status1 >> 1 & 0x7FF
        self.dnr = status1 >> 15
        super().__init__(
            f"{what}: ERROR status: {self.status >> 8:02x}/{self.status & 0xFF:02x} "
            f"{_core.status_name(self.status)}"
        )
