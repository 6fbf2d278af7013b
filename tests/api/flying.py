"""A command whose end is an exception of the script."""

import nvme as d


class Oops(Exception):
    """What a callback of a command raises."""


def fly(nvme: d.Controller, namespace: d.Namespace, raises: type[Exception]) -> d.Qpair:
    """Leave a read in flight whose end raises: in its callback, or as a warning made an error."""

    def cb(cdw0: int, status1: int) -> None:
        raise Oops

    qpair = d.Qpair(nvme, 8)
    with d.sim(nvme).fault("drop", admin=False):
        namespace.read(qpair, d.Buffer(), 0, cb=cb if raises is Oops else None)
    return qpair
