"""Persistent Event Log, log page 0Dh: header and events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from nvme.decode.event_data import DATA, EventBytes, PowerOnReset, SetFeatureEvent
from nvme.decode.field import Raw, Reserved, Text, Uint
from nvme.decode.unit import BYTES, HOURS, MS
from nvme.decode.view import View, taken

if TYPE_CHECKING:
    from typing_extensions import Buffer as Bytes

TYPES = {
    0x01: "SMART / Health Log Snapshot",
    0x02: "Firmware Commit",
    0x03: "Timestamp Change",
    0x04: "Power-on or Reset",
    0x05: "NVM Subsystem Hardware Error",
    0x06: "Change Namespace",
    0x07: "Format NVM Start",
    0x08: "Format NVM Completion",
    0x09: "Sanitize Start",
    0x0A: "Sanitize Completion",
    0x0B: "Set Feature",
    0x0C: "Telemetry Log Created",
    0x0D: "Thermal Excursion",
    0x0E: "Sanitize Media Verification",
    0xDE: "Vendor Specific",
    0xDF: "TCG Defined",
}


class PersistentEventHeader(View, size=512, section="Base 2.1, 5.1.12.1.14"):
    """Persistent Event Log header."""

    lid = Uint(0, 1, "Log Page Identifier", base=16)
    rsvd1 = Reserved(1, 3)
    tnev = Uint(4, 4, "Total Number of Events")
    tll = Uint(8, 8, "Total Log Length", BYTES)
    rv = Uint(16, 1, "Log Revision")
    rsvd17 = Reserved(17, 1)
    lhl = Uint(18, 2, "Log Header Length, behind this field", BYTES)
    ts = Uint(20, 8, "Timestamp", base=16)
    poh = Uint(28, 16, "Power on Hours", HOURS)
    pcc = Uint(44, 8, "Power Cycle Count")
    vid = Uint(52, 2, "PCI Vendor ID", base=16)
    ssvid = Uint(54, 2, "PCI Subsystem Vendor ID", base=16)
    sn = Text(56, 20, "Serial Number")
    mn = Text(76, 40, "Model Number")
    subnqn = Text(116, 256, "NVM Subsystem NVMe Qualified Name", "utf-8")
    gen = Uint(372, 2, "Generation Number")
    rci = Uint(374, 4, "Reporting Context Information", base=16)
    rsvd378 = Reserved(378, 102)
    seb = Raw(480, 32, "Supported Events Bitmap")


class PersistentEvent(View, size=24, section="Base 2.1, figure 228"):
    """Persistent Event: the header; `vendor` and `data` are what follows it.

    data is a view of the event's own structure, or EventBytes where there is none or the event is
    shorter than it.
    """

    __slots__ = ("data", "vendor")
    data: View | EventBytes | PowerOnReset | SetFeatureEvent
    vendor: bytes

    etype = Uint(0, 1, "Event Type", base=16)
    etyper = Uint(1, 1, "Event Type Revision")
    ehl = Uint(2, 1, "Event Header Length, behind this field", BYTES)
    ehai = Uint(3, 1, "Event Header Additional Info", base=16)
    cntlid = Uint(4, 2, "Controller Identifier", base=16)
    ets = Uint(6, 8, "Event Timestamp", MS)
    pelpid = Uint(14, 2, "Port Identifier")
    rsvd16 = Reserved(16, 4)
    vsil = Uint(20, 2, "Vendor Specific Information Length", BYTES)
    el = Uint(22, 2, "Event Length, behind the header", BYTES)

    def __init__(self, data: Bytes) -> None:
        super().__init__(data)
        raw = taken(data, self.BYTES, self.TITLE)
        body = raw[self.header_bytes : self.header_bytes + self.el]
        object.__setattr__(self, "vendor", body[: self.vsil])
        object.__setattr__(self, "data", self._decoded(body[self.vsil :]))

    @property
    def header_bytes(self) -> int:
        """Bytes of the header; at least the 24 that there always are."""
        return max(self.BYTES, 3 + self.ehl)

    @property
    def total_bytes(self) -> int:
        """Bytes of the event with its header."""
        return self.header_bytes + self.el

    @property
    def text(self) -> str:
        """The type in words."""
        return TYPES.get(self.etype, "reserved")

    def _decoded(self, body: bytes) -> Any:
        kind = DATA.get(self.etype)
        try:
            return kind(body) if kind else EventBytes(body)
        except ValueError:
            return EventBytes(body)

    def asdict(self, *, bits: bool = False, units: bool = False) -> dict[str, Any]:
        found = super().asdict(bits=bits, units=units)
        if self.vendor:
            found["vendor"] = self.vendor.hex()
        data = self.data.asdict(bits=bits, units=units)
        return {**found, "type": self.text, "data": data}

    def note(self, name: str, value: int) -> str:
        return f"({self.text})" if name == "etype" else ""

    def lines(self, bits: bool = True, indent: str = "") -> list[str]:
        return [*super().lines(bits, indent), *self.data.lines(bits, indent + "  ")]


class PersistentEventLog(Sequence[PersistentEvent]):
    """The Persistent Event Log: `header`, and a sequence of events, the newest first.

    The events end where TNEV, TLL or the data do; an event that reaches beyond the data is left
    out and `damaged` says so. Raises ValueError if there are fewer bytes than the header's 512.
    """

    TITLE = "Persistent Event Log"

    def __init__(self, data: Bytes) -> None:
        self._data = taken(data, PersistentEventHeader.BYTES, self.TITLE)
        self.header = PersistentEventHeader(self._data)
        #: What is wrong with the log; '' if nothing is.
        self.damaged = ""
        self._found = tuple(self._events(self._data[: self.header.tll] or self._data))

    def _events(self, data: bytes) -> list[PersistentEvent]:
        found: list[PersistentEvent] = []
        at = max(PersistentEventHeader.BYTES, 20 + self.header.lhl)
        while len(found) < self.header.tnev:
            if at + PersistentEvent.BYTES > len(data):
                self.damaged = f"{self.header.tnev} events announced, {len(found)} are there"
                break
            event = PersistentEvent(data[at:])
            if at + event.total_bytes > len(data):
                self.damaged = f"the event at byte {at} reaches beyond the data"
                break
            found.append(event)
            at += event.total_bytes
        return found

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> PersistentEvent: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[PersistentEvent]: ...
    def __getitem__(self, index: int | slice) -> PersistentEvent | Sequence[PersistentEvent]:
        return self._found[index]

    def __bytes__(self) -> bytes:
        return self._data

    def asdict(self, *, bits: bool = False, units: bool = False) -> dict[str, Any]:
        """The header and the events, and what is wrong with them, if anything is."""
        found: dict[str, Any] = {
            "header": self.header.asdict(bits=bits, units=units),
            "events": [each.asdict(bits=bits, units=units) for each in self._found],
        }
        return {**found, "damaged": self.damaged} if self.damaged else found

    def lines(self, bits: bool = True, indent: str = "") -> list[str]:
        """The tables of the header and of the events."""
        found = self.header.lines(bits, indent)
        for i, each in enumerate(self._found):
            found += [f"{indent}event[{i}]", *each.lines(bits, indent + "  ")]
        return [*found, f"{indent}damaged: {self.damaged}"] if self.damaged else found

    def __repr__(self) -> str:
        return "\n".join([self.TITLE, *self.lines(indent="  ")])
