"""Software SSDs for others: an NVMe/TCP target, in a script or as ``pynvme serve``."""

from __future__ import annotations

import argparse
import signal
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from nvme import _core
from nvme.command_line import EXIT_CODES, Parser, UsageError, guarded, whole
from nvme.software_ssd import SoftwareSsd

PROG = "pynvme serve"
PORT = 4420
#: Keys of a fault whose value is no whole number.
REAL_KEYS = ("delay", "probability")
DESCRIPTION = """Show software SSDs to hosts over NVMe/TCP: to Linux, to SPDK, to other scripts.

Each SSD is an NVM subsystem, and a discovery controller names them all. Every host gets a
controller of its own. Ends with Ctrl-C or SIGTERM; what media=file holds is there next time."""
EXAMPLES = """examples:
  pynvme serve sim:size=1G
  nvme connect -t tcp -a 127.0.0.1 -s 4420 -n nqn.2019-08.org.pynvme:sim:PYNVME0000000001

  pynvme serve --tcp 127.0.0.1:0 sim:media=file,file=disk.img fault=opcode=2,nth=100,status=0x281

'pynvme sim' lists the options of an SSD. A fault is what SoftwareSsd.fault() takes in a script.
"""


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
    ) -> None:
        if not addresses:
            raise ValueError("there is no SSD to serve")
        if len(nqns) > len(addresses):
            raise ValueError(f"{len(nqns)} NQNs for {len(addresses)} SSDs")
        names = [*nqns, *[None] * (len(addresses) - len(nqns))]
        ssds = list(zip(map(_options, addresses), names, strict=True))
        self._target = _core.Target(tcp, ssds, list(allow_hosts), threads)
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
) -> Served:
    """Show software SSDs to hosts, until the with block ends.

        with d.serve("sim:size=1G", tcp="127.0.0.1:0") as target:
            nvme0 = d.Controller(target.address)

    address: of a software SSD, "sim:..."; more of them make more subsystems
    tcp: where to listen, port 0 is any free one; by default 127.0.0.1:4420
    nqn: names of the subsystems, in order; by default each SSD's own
    allow_hosts: the NQNs of hosts that may connect; all may if there is none
    threads: event loops
    Errors: ValueError for a wrong option, NvmeError when the port is taken
    """
    nqns = [nqn] if isinstance(nqn, str) else nqn
    hosts = [allow_hosts] if isinstance(allow_hosts, str) else allow_hosts
    return Served([address, *addresses], tcp or f"127.0.0.1:{PORT}", nqns, hosts, threads)


def _number(key: str, text: str) -> float:
    try:
        return float(text) if key in REAL_KEYS else int(text, 0)
    except ValueError:
        raise UsageError(f"fault: {key} must be a number, not {text!r}") from None


def fault_of(text: str) -> dict[str, Any]:
    """ "opcode=2,nth=3,drop" as keywords of SoftwareSsd.fault()."""
    found: dict[str, Any] = {}
    for item in text.split(","):
        key, is_valued, value = item.partition("=")
        found[key] = _number(key, value) if is_valued else True
    if "admin" in found:
        found["admin"] = bool(found["admin"])
    return found


def _parser() -> Parser:
    parser = Parser(
        prog=PROG,
        description=DESCRIPTION,
        epilog=EXAMPLES + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--tcp",
        default=f"127.0.0.1:{PORT}",
        metavar="ADDRESS:PORT",
        help="where to listen (default: %(default)s); port 0: any free one",
    )
    parser.add_argument(
        "--nqn", action="append", default=[], help="name of the subsystem; repeated for more SSDs"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NQN",
        help="a host that may connect, repeated; without it all may",
    )
    parser.add_argument("--threads", type=whole(1, 64), default=1, help="event loops (default: 1)")
    parser.add_argument(
        "what",
        nargs="+",
        metavar="sim:OPTIONS | fault=...",
        help="software SSDs, and faults of all of them",
    )
    return parser


@contextmanager
def _until_a_signal() -> Iterator[threading.Event]:
    """An event that SIGINT or SIGTERM sets, from the first moment on."""
    ended = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: ended.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _main(argv: Sequence[str]) -> int:
    args = _parser().parse_args(argv)
    faults = [fault_of(word[6:]) for word in args.what if word.startswith("fault=")]
    addresses = [word for word in args.what if not word.startswith("fault=")]
    if not addresses:
        raise UsageError("there is no SSD to serve, like 'sim:size=1G'")
    with ExitStack() as stack:
        ended = stack.enter_context(_until_a_signal())
        target = Served(addresses, args.tcp, args.nqn, args.allow_host, args.threads)
        stack.enter_context(target)
        for ssd in target.ssds:
            for fault in faults:
                try:
                    stack.enter_context(ssd.fault(**fault))
                except TypeError as error:
                    raise UsageError(f"fault: {error}") from None
        print(f"serving {', '.join(addresses)} at {target.address}", flush=True)
        ended.wait()
    return 0


def main(argv: Sequence[str]) -> int:
    """``pynvme serve``; returns the exit code."""
    return guarded(PROG, lambda: _main(argv))
