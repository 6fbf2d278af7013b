"""Device Self-test and Sanitize Status: log pages 06h and 81h."""

from __future__ import annotations

from nvme.decode.bits import Bit, Bits
from nvme.decode.field import Flags, Raw, Reserved, Uint, Views
from nvme.decode.unit import HOURS, SECONDS, SIXTY_FIVE_THOUSANDTHS
from nvme.decode.view import View

STC = {
    0: "none",
    1: "short",
    2: "extended",
    3: "host-initiated refresh",
    14: "vendor specific",
}
RESULTS = {
    0: "completed without error",
    1: "aborted by a Device Self-test command",
    2: "aborted by a Controller Level Reset",
    3: "aborted as a namespace was removed",
    4: "aborted by Format NVM",
    5: "a fatal or unknown error",
    6: "a segment failed, it is not known which",
    7: "segments failed, the first is SEGN",
    8: "aborted, reason not known",
    9: "aborted by a sanitize operation",
    15: "no entry",
}
UNUSED = 15


class Dsto(Bits, bits=8):
    """Current Device Self-test Operation."""

    dstos = Bit(0, "Device Self-test Operation Status", 4, STC)


class Dstc(Bits, bits=8):
    """Current Device Self-test Completion."""

    dstpc = Bit(0, "Device Self-test Per cent Complete", 7)


class Dsts(Bits, bits=8):
    """Device Self-test Status."""

    dstr = Bit(0, "Device Self-test Result", 4, RESULTS)
    stc = Bit(4, "Self-test Code", 4, STC)


class Vdi(Bits, bits=8):
    """Valid Diagnostic Information."""

    nsidv = Bit(0, "NSID Valid")
    flbav = Bit(1, "FLBA Valid")
    sctv = Bit(2, "SCT Valid")
    scv = Bit(3, "SC Valid")


class SelfTestResult(View, size=28, section="Base 2.1, figure 213"):
    """Self-test Result."""

    dsts = Flags(0, 1, Dsts)
    segn = Uint(1, 1, "Segment Number")
    vdi = Flags(2, 1, Vdi)
    rsvd3 = Reserved(3, 1)
    poh = Uint(4, 8, "Power On Hours", HOURS)
    nsid = Uint(12, 4, "Namespace Identifier", base=16)
    flba = Uint(16, 8, "Failing LBA")
    sct = Uint(24, 1, "Status Code Type")
    sc = Uint(25, 1, "Status Code", base=16)
    vs = Raw(26, 2, "Vendor Specific")

    def note(self, name: str, value: int) -> str:
        return f"({RESULTS.get(self.dsts.dstr, 'reserved')})" if name == "dsts" else ""


class SelfTestLog(View, size=564, section="Base 2.1, 5.1.12.1.7"):
    """Device Self-test."""

    dsto = Flags(0, 1, Dsto)
    dstc = Flags(1, 1, Dstc)
    rsvd2 = Reserved(2, 2)
    result = Views(4, SelfTestResult, 20, "Results, the newest first", lambda view: view.results)

    @property
    def running(self) -> bool:
        """Whether an operation is in progress; DSTC has its per cent."""
        return self.dsto.dstos != 0

    @property
    def results(self) -> int:
        """How many results there are."""
        used = [i for i, each in enumerate(self.result, 1) if each.dsts.dstr != UNUSED]
        return used[-1] if used else 0


SOS = {
    0: "never sanitized",
    1: "completed",
    2: "in progress",
    3: "failed",
    4: "completed, and deallocated although No-Deallocate was asked",
}


class Sstat(Bits, bits=16):
    """Sanitize Status."""

    sos = Bit(0, "Sanitize Operation Status", 3, SOS)
    opc = Bit(3, "Overwrite Passes Completed", 5)
    gde = Bit(8, "Global Data Erased")
    mvcncld = Bit(9, "Media Verification Canceled")


class Scdw10(Bits, bits=32):
    """Sanitize Command Dword 10."""

    sanact = Bit(
        0,
        "Sanitize Action",
        3,
        {
            1: "exit failure mode",
            2: "block erase",
            3: "overwrite",
            4: "crypto erase",
            5: "exit media verification",
        },
    )
    ause = Bit(3, "Allow Unrestricted Sanitize Exit")
    owpass = Bit(4, "Overwrite Pass Count; 0: 16", 4)
    oipbp = Bit(8, "Overwrite Invert Pattern Between Passes")
    ndas = Bit(9, "No-Deallocate After Sanitize")
    emvs = Bit(10, "Enter Media Verification State")


class Ssi(Bits, bits=8):
    """Sanitize State Information."""

    sans = Bit(0, "Sanitize State", 4)
    fails = Bit(4, "Failure State", 4)


NO_ESTIMATE = 0xFFFFFFFF
IDLE = 0xFFFF


class SanitizeLog(View, size=512, section="Base 2.1, 5.1.12.1.33"):
    """Sanitize Status."""

    sprog = Uint(0, 2, "Sanitize Progress; 65535: none runs", SIXTY_FIVE_THOUSANDTHS)
    sstat = Flags(2, 2, Sstat)
    scdw10 = Flags(4, 4, Scdw10)
    eto = Uint(8, 4, "Estimated Time For Overwrite", SECONDS)
    etbe = Uint(12, 4, "Estimated Time For Block Erase", SECONDS)
    etce = Uint(16, 4, "Estimated Time For Crypto Erase", SECONDS)
    etodmm = Uint(20, 4, "Estimated Time For Overwrite with No-Deallocate", SECONDS)
    etbenmm = Uint(24, 4, "Estimated Time For Block Erase with No-Deallocate", SECONDS)
    etcenmm = Uint(28, 4, "Estimated Time For Crypto Erase with No-Deallocate", SECONDS)
    etpvds = Uint(32, 4, "Estimated Time For Post-Verification Deallocation State", SECONDS)
    ssi = Flags(36, 1, Ssi)
    rsvd37 = Reserved(37, 475)

    @property
    def running(self) -> bool:
        """Whether a sanitize operation is in progress."""
        return self.sstat.sos == 2

    @property
    def percent(self) -> float:
        """How much of it is done, 0 to 100."""
        return 100.0 * self.sprog / 65536 if self.running else 100.0

    def note(self, name: str, value: int) -> str:
        if name == "sprog":
            return "(none runs)" if value == IDLE else f"({100 * value / 65536:.2f} %)"
        return "(no estimate)" if name.startswith("et") and value == NO_ESTIMATE else ""
