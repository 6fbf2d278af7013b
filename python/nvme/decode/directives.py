"""Return Parameters of directives: Base 2.1, section 8.1.8."""

from nvme.decode.field import Raw, Reserved, Uint
from nvme.decode.unit import LBAS
from nvme.decode.view import View


class IdentifyDirective(View, size=4096, section="Base 2.1, 8.1.8.2"):
    """Identify Directive, Return Parameters."""

    supported = Raw(0, 32, "Directives Supported, a bit a type")
    enabled = Raw(32, 32, "Directives Enabled")
    persistent = Raw(64, 32, "Directives Persistent Across Controller Level Resets")
    rsvd96 = Reserved(96, 4000)


class StreamsDirective(View, size=32, section="Base 2.1, 8.1.8.3"):
    """Streams Directive, Return Parameters."""

    msl = Uint(0, 2, "Max Streams Limit")
    nssa = Uint(2, 2, "NVM Subsystem Streams Available")
    nsso = Uint(4, 2, "NVM Subsystem Streams Open")
    nssc = Uint(6, 1, "NVM Subsystem Stream Capability", base=16)
    rsvd7 = Reserved(7, 9)
    sws = Uint(16, 4, "Stream Write Size", LBAS)
    sgs = Uint(20, 2, "Stream Granularity Size, in stream write sizes")
    nsa = Uint(22, 2, "Namespace Streams Allocated")
    nso = Uint(24, 2, "Namespace Streams Open")
    rsvd26 = Reserved(26, 6)
