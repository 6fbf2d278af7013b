"""Methods of Controller and Namespace that return decoded structures (nvme.decode).

They wait for their command, and waitdone() never counts it. An error status of the drive raises
NvmeError, which says the status and the command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvme import _core
from nvme.number import U16, U32, field, switch

__tracebackhide__ = True

if TYPE_CHECKING:
    from nvme import decode
    from nvme.buffer import Buffer
    from nvme.controller import Controller

ALL = 0xFFFFFFFF
ERROR_ENTRIES = 256  # ELPE is an 8-bit field, zero-based


def failed(what: str, status1: int) -> _core.NvmeError:
    """The error for a command that ended with an error status; status1 includes the phase."""
    status = status1 >> 1 & 0x7FF
    text = f"ERROR status: {status >> 8:02x}/{status & 0xFF:02x} {_core.status_name(status)}"
    return _core.NvmeError(f"{what}: {text}")


class ControllerStructures:
    """What a controller says of itself, decoded."""

    if TYPE_CHECKING:

        def _execute(
            self,
            opcode: int,
            buf: _core.Buffer | None = None,
            nsid: int = 0,
            cdw10: int = 0,
            cdw11: int = 0,
            cdw12: int = 0,
            cdw13: int = 0,
            cdw14: int = 0,
            cdw15: int = 0,
            timeout: int = 0,
        ) -> tuple[int, int]: ...

    def _ask(self, opcode: int, buf: Buffer | None = None, nsid: int = 0, **cdws: int) -> int:
        """Send an admin command and wait. Returns dword 0; NvmeError at an error status."""
        cdw0, status1 = self._execute(opcode, buf, nsid=nsid, **cdws)
        if status1 >> 1 & 0x7FF:
            raise failed(f"{_core.admin_name(opcode)} ({opcode:02x})", status1)
        return cdw0

    def _log(self, lid: int, size: int, **fields: int) -> Buffer:
        from nvme.decode import read

        return read.log(self._ask, lid, size, **fields)

    def _identify(self, cns: int, **fields: int) -> Buffer:
        from nvme.decode import read

        return read.identify(self._ask, cns, **fields)

    def identify_controller(self) -> decode.IdentifyController:
        """Identify Controller (CNS 01h)."""
        from nvme import decode

        return decode.IdentifyController(self._identify(0x01))

    def identify_controller_nvm(self) -> decode.IdentifyControllerNvm:
        """Limits of the NVM Command Set (CNS 06h)."""
        from nvme import decode

        return decode.IdentifyControllerNvm(self._identify(0x06))

    def namespace_list(self, nsid: int = 0, allocated: bool = False) -> decode.NamespaceList:
        """Identifiers greater than `nsid` of active namespaces (CNS 02h), or of all allocated."""
        from nvme import decode

        cns = 0x10 if switch(allocated, "allocated") else 0x02
        return decode.NamespaceList(self._identify(cns, nsid=nsid))

    def controller_list(self, cntid: int = 0, nsid: int | None = None) -> decode.ControllerList:
        """Controllers from `cntid` on (CNS 13h), or those a namespace is attached to (CNS 12h)."""
        from nvme import decode

        cntid = field(cntid, "cntid", U16)
        if nsid is None:
            return decode.ControllerList(self._identify(0x13, cntid=cntid))
        return decode.ControllerList(self._identify(0x12, nsid=nsid, cntid=cntid))

    def smart(self, nsid: int = ALL) -> decode.SmartLog:
        """SMART / Health Information (log 02h)."""
        from nvme import decode

        return decode.SmartLog(self._log(0x02, decode.SmartLog.BYTES, nsid=nsid))

    def error_log(self, entries: int | None = None) -> decode.ErrorLog:
        """Error Information (log 01h), the newest entry first; None: all that there can be."""
        from nvme.decode import read

        if entries is None:
            entries = self.identify_controller().elpe + 1
        return read.error_log(self._ask, field(entries, "entries", ERROR_ENTRIES, 1))

    def firmware_log(self) -> decode.FirmwareLog:
        """Firmware Slot Information (log 03h)."""
        from nvme import decode

        return decode.FirmwareLog(self._log(0x03, decode.FirmwareLog.BYTES))

    def effects_log(self, csi: int = 0) -> decode.EffectsLog:
        """Commands Supported and Effects (log 05h)."""
        from nvme import decode

        csi = field(csi, "csi", 0xFF)
        return decode.EffectsLog(self._log(0x05, decode.EffectsLog.BYTES, csi=csi))

    def self_test_log(self) -> decode.SelfTestLog:
        """Device Self-test (log 06h)."""
        from nvme import decode

        return decode.SelfTestLog(self._log(0x06, decode.SelfTestLog.BYTES))

    def telemetry_log(
        self, area: int = 0, controller_initiated: bool = False, create: bool = False
    ) -> decode.TelemetryLog:
        """Telemetry (logs 07h and 08h) up to a data area, 1..4; 0: the header alone.

        create: have the controller collect the data anew, for the host-initiated log
        """
        from nvme.decode import read

        return read.telemetry_log(
            self._ask,
            field(area, "area", 4),
            controller_initiated=switch(controller_initiated, "controller_initiated"),
            create=switch(create, "create"),
        )

    def endurance_group_log(self, endgid: int = 1) -> decode.EnduranceGroupLog:
        """Endurance Group Information (log 09h)."""
        from nvme import decode

        endgid = field(endgid, "endgid", U16)
        return decode.EnduranceGroupLog(self._log(0x09, decode.EnduranceGroupLog.BYTES, lsi=endgid))

    def persistent_event_log(self) -> decode.PersistentEventLog:
        """The whole Persistent Event Log (0Dh)."""
        from nvme.decode import read

        return read.persistent_event_log(self._ask)

    def sanitize_log(self) -> decode.SanitizeLog:
        """Sanitize Status (log 81h)."""
        from nvme import decode

        return decode.SanitizeLog(self._log(0x81, decode.SanitizeLog.BYTES))

    def supported_log_pages(self) -> decode.SupportedLogPages:
        """Supported Log Pages (log 00h)."""
        from nvme import decode

        return decode.SupportedLogPages(self._log(0x00, decode.SupportedLogPages.BYTES))

    def feature_effects(self) -> decode.FeatureEffectsLog:
        """Feature Identifiers Supported and Effects (log 12h)."""
        from nvme import decode

        return decode.FeatureEffectsLog(self._log(0x12, decode.FeatureEffectsLog.BYTES))

    def feature(self, fid: int, sel: int = 0, nsid: int = 0, cdw11: int = 0) -> decode.FeatureValue:
        """A feature's value and data. sel 0 current, 1 default, 2 saved, 3 capabilities."""
        from nvme.decode import read

        return read.feature(
            self._ask,
            field(fid, "fid", 0xFF),
            sel=field(sel, "sel", 7),
            nsid=nsid,
            cdw11=field(cdw11, "cdw11", U32),
        )


class NamespaceStructures:
    """What is said of a namespace, decoded."""

    if TYPE_CHECKING:

        @property
        def _nvme(self) -> Controller: ...
        @property
        def nsid(self) -> int: ...

    def identify(self) -> decode.IdentifyNamespace:
        """Identify Namespace, NVM Command Set (CNS 00h)."""
        from nvme import decode

        return decode.IdentifyNamespace(self._nvme._identify(0x00, nsid=self.nsid))

    def identify_nvm(self) -> decode.IdentifyNamespaceNvm:
        """What is particular to the NVM Command Set (CNS 05h)."""
        from nvme import decode

        return decode.IdentifyNamespaceNvm(self._nvme._identify(0x05, nsid=self.nsid))

    def identify_independent(self) -> decode.IdentifyNamespaceIndependent:
        """What any command set has (CNS 08h)."""
        from nvme import decode

        return decode.IdentifyNamespaceIndependent(self._nvme._identify(0x08, nsid=self.nsid))

    def descriptors(self) -> decode.NamespaceDescriptors:
        """Namespace Identification Descriptors (CNS 03h)."""
        from nvme import decode

        return decode.NamespaceDescriptors(self._nvme._identify(0x03, nsid=self.nsid))
