"""Telemetry: log pages 07h and 08h."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nvme.decode.field import Raw, Reserved, Uint
from nvme.decode.unit import BLOCKS_512
from nvme.decode.view import View, taken

if TYPE_CHECKING:
    from typing_extensions import Buffer as Bytes

BLOCK = 512


class TelemetryHeader(View, size=512, section="Base 2.1, 5.1.12.1.8"):
    """Telemetry Log header.

    Host-initiated (07h): thdgn is the host's generation number, ths the scope. Controller-
    initiated (08h): the byte of thdgn has the scope.
    """

    lid = Uint(0, 1, "Log Page Identifier", base=16)
    rsvd1 = Reserved(1, 4)
    ieee = Uint(5, 3, "IEEE OUI Identifier", base=16)
    dalb1 = Uint(8, 2, "Data Area 1 Last Block", BLOCKS_512)
    dalb2 = Uint(10, 2, "Data Area 2 Last Block", BLOCKS_512)
    dalb3 = Uint(12, 2, "Data Area 3 Last Block", BLOCKS_512)
    rsvd14 = Reserved(14, 2)
    dalb4 = Uint(16, 4, "Data Area 4 Last Block", BLOCKS_512)
    rsvd20 = Reserved(20, 360)
    ths = Uint(380, 1, "Telemetry Host-Initiated Scope")
    thdgn = Uint(381, 1, "Telemetry Host-Initiated Data Generation Number")
    tcda = Uint(382, 1, "Telemetry Controller-Initiated Data Available")
    tcdgn = Uint(383, 1, "Telemetry Controller-Initiated Data Generation Number")
    rid = Raw(384, 128, "Reason Identifier")

    def area_bytes(self, area: int) -> int:
        """Bytes of the log up to the end of a data area, 1..4; the header included."""
        last = (self.dalb1, self.dalb2, self.dalb3, self.dalb4)
        return BLOCK + BLOCK * max(last[:area])


class TelemetryLog:
    """A telemetry log: `header`, and `data`, the bytes behind it as far as they were read.

    Raises ValueError if there are fewer bytes than the header's 512.
    """

    TITLE = "Telemetry Log"

    def __init__(self, data: Bytes) -> None:
        self._data = taken(data, TelemetryHeader.BYTES, self.TITLE)
        self.header = TelemetryHeader(self._data)

    @property
    def data(self) -> bytes:
        """What is behind the header; the vendor knows what it means."""
        return self._data[BLOCK:]

    def __bytes__(self) -> bytes:
        return self._data

    def asdict(self, *, bits: bool = False, units: bool = False) -> dict[str, Any]:
        """The header's fields, and how many bytes there are behind it."""
        return {**self.header.asdict(bits=bits, units=units), "data_bytes": len(self.data)}

    def lines(self, bits: bool = True, indent: str = "") -> list[str]:
        """The header's table, and how much there is behind it."""
        return [*self.header.lines(bits, indent), f"{indent}{'data':<10}: {len(self.data)} B"]

    def __repr__(self) -> str:
        return "\n".join([self.TITLE, *self.lines(indent="  ")])
