"""Views of the structures that a drive returns: typed, read-only, readable.

    >>> ctrl = nvme0.identify_controller()
    >>> ctrl.mn, ctrl.mdts, ctrl.oacs.fnvms
    >>> print(nvme0.smart())
    >>> decode.SmartLog(buf)                # or of bytes from anywhere

Attributes have the specification's abbreviations in lower case. They are the raw integers of the
wire (text for serial number and the like, bytes for identifiers); a bit field is an integer whose
parts are attributes, and a structure within a structure is a view again. asdict() has all of it,
repr() is a table with units and what the fields mean.

A view takes any bytes-like object that has at least the structure's bytes, and copies them;
ValueError if there are fewer. No content makes it fail: lengths that lead beyond the data end a
list, and its `damaged` says so.
"""

from nvme.decode.bits import Bit, Bits
from nvme.decode.directives import IdentifyDirective, StreamsDirective
from nvme.decode.events import PersistentEvent, PersistentEventHeader, PersistentEventLog
from nvme.decode.features import FeatureValue
from nvme.decode.field import Field
from nvme.decode.id_ctrl import IdentifyController, IdentifyControllerNvm, PowerStateDescriptor
from nvme.decode.id_ns import (
    IdentifyNamespace,
    IdentifyNamespaceIndependent,
    IdentifyNamespaceNvm,
    LbaFormat,
)
from nvme.decode.lists import (
    ControllerList,
    NamespaceDescriptor,
    NamespaceDescriptors,
    NamespaceList,
)
from nvme.decode.logs import (
    EffectsLog,
    ErrorEntry,
    ErrorLog,
    FeatureEffectsLog,
    FirmwareLog,
    SupportedLogPages,
)
from nvme.decode.registers import PmrRegisters, Registers
from nvme.decode.self_test import SanitizeLog, SelfTestLog, SelfTestResult
from nvme.decode.smart import EnduranceGroupLog, SmartLog
from nvme.decode.telemetry import TelemetryHeader, TelemetryLog
from nvme.decode.view import View

__all__ = [
    "Bit",
    "Bits",
    "ControllerList",
    "EffectsLog",
    "EnduranceGroupLog",
    "ErrorEntry",
    "ErrorLog",
    "FeatureEffectsLog",
    "FeatureValue",
    "Field",
    "FirmwareLog",
    "IdentifyController",
    "IdentifyControllerNvm",
    "IdentifyDirective",
    "IdentifyNamespace",
    "IdentifyNamespaceIndependent",
    "IdentifyNamespaceNvm",
    "LbaFormat",
    "NamespaceDescriptor",
    "NamespaceDescriptors",
    "NamespaceList",
    "PersistentEvent",
    "PersistentEventHeader",
    "PersistentEventLog",
    "PmrRegisters",
    "PowerStateDescriptor",
    "Registers",
    "SanitizeLog",
    "SelfTestLog",
    "SelfTestResult",
    "SmartLog",
    "StreamsDirective",
    "SupportedLogPages",
    "TelemetryHeader",
    "TelemetryLog",
    "View",
]
