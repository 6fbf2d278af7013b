"""``pynvme serve``: software SSDs at an NVMe/TCP address, until a signal comes."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from nvme.command_line import EXIT_CODES, Parser, UsageError, guarded, whole
from nvme.serve import MEMORY_MIB, PORT, Served

PROG = "pynvme serve"
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
        "--memory-mib",
        type=whole(16, 1 << 20),
        default=MEMORY_MIB,
        metavar="MIB",
        help="for all connections together; a host that asks for more is told to wait "
        "(default: %(default)s)",
    )
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
        target = Served(
            addresses, args.tcp, args.nqn, args.allow_host, args.threads, args.memory_mib
        )
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
