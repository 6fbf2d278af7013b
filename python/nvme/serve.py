"""Software SSDs for others: an NVMe/TCP target in a script."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from nvme import _core
from nvme.software_ssd import SoftwareSsd

PORT = 4420
#: Memory for the connections of a target.
MEMORY_MIB = 1024


class ServedSsd(SoftwareSsd):
    """One of the software SSDs of a Served target."""

    def power(self, on: bool) -> None:
        """Cut the power: all hosts lose the drive. Switch it on: they can connect again."""
        self._power_ssd(on)


def _options(address: str) -> str:
    """What is behind ``sim:``; only a software SSD can be served."""
    scheme, _, options = address.partition(":")
    if scheme != "sim":
        raise ValueError(
            f"{address!r} cannot be served: only software SSDs can, like 'sim:size=1G'"
        )
    return options


class Served:
    """Software SSDs while they are served; a context manager. serve() makes it."""

    def __init__(
        self,
        addresses: Sequence[str],
        tcp: str,
        nqns: Sequence[str] = (),
        allow_hosts: Sequence[str] = (),
        threads: int = 1,
        memory_mib: int = MEMORY_MIB,
    ) -> None:
        if not addresses:
            raise ValueError("there is no SSD to serve")
        if len(nqns) > len(addresses):
            raise ValueError(f"{len(nqns)} NQNs for {len(addresses)} SSDs")
        names = [*nqns, *[None] * (len(addresses) - len(nqns))]
        ssds = list(zip(map(_options, addresses), names, strict=True))
        self._target = _core.Target(tcp, ssds, list(allow_hosts), threads, memory_mib << 20)
        #: The handles of the SSDs, in order.
        self.ssds = [ServedSsd(self._target, number) for number in range(len(ssds))]
        if self._target.public:
            warnings.warn(
                f"{self.address} is open to other machines: NVMe/TCP has no password, "
                "and the name that --allow-host asks for is no secret",
                stacklevel=3,
            )

    @property
    def address(self) -> str:
        """Where hosts connect to; a Controller takes it."""
        return self._target.address

    @property
    def ssd(self) -> ServedSsd:
        """The handle of the (first) SSD: its faults, its power, its counters."""
        return self.ssds[0]

    @property
    def connections(self) -> int:
        """How many connections hosts have at present: one for each queue."""
        return self._target.connections

    @property
    def memory_bytes(self) -> int:
        """Memory that connections have at present, out of `memory_mib`."""
        return self._target.memory_bytes

    def close(self) -> None:
        """End all connections, and write what media=file holds. Once more does nothing."""
        self._target.close()

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def serve(
    address: str,
    *addresses: str,
    tcp: str | None = None,
    nqn: str | Sequence[str] = (),
    allow_hosts: str | Sequence[str] = (),
    threads: int = 1,
    memory_mib: int = MEMORY_MIB,
) -> Served:
    """Show software SSDs to hosts, until the with block ends.

        with d.serve("sim:size=1G", tcp="127.0.0.1:0") as target:
            nvme0 = d.Controller(target.address)

    address: of a software SSD, "sim:..."; more of them make more subsystems
    tcp: where to listen, port 0 is any free one; by default 127.0.0.1:4420
    nqn: names of the subsystems, in order; by default each SSD's own
    allow_hosts: the NQNs of hosts that may connect; all may if there is none
    threads: event loops
    memory_mib: at least 16, for all connections together: their commands and buffers (a queue of
        128 entries takes about 1.2 MiB, more while it moves large data). A host that asks for more
        is answered by Controller Busy.
    Errors: ValueError for a wrong option, NvmeError when the port is taken
    """
    nqns = [nqn] if isinstance(nqn, str) else nqn
    hosts = [allow_hosts] if isinstance(allow_hosts, str) else allow_hosts
    where = tcp or f"127.0.0.1:{PORT}"
    return Served([address, *addresses], where, nqns, hosts, threads, memory_mib)
