"""nvme.Qpair."""

from nvme import _core
from nvme.cmdlog import Log


class Qpair(Log, _core.Qpair):
    __doc__ = _core.Qpair.__doc__
