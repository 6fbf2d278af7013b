"""``pynvme console``: what sessions do, for programs."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Sequence

from nvme.command_line import EXIT_CODES, Parser, UsageError, guarded
from nvme.console.rpc import Server

PROG = "pynvme console"


def _main(argv: Sequence[str]) -> int:
    parser = Parser(
        prog=PROG,
        description="Sessions, controllers, queues, command logs and rates as JSON-RPC, for "
        "editors and scripts; docs/console.md has the protocol. It only reads files, and no "
        "session notices. 'pynvme top' shows the same to people.",
        epilog=EXIT_CODES,
    )
    parser.add_argument(
        "--stdio",
        action="store_true",
        help="serve on standard input and output until the input ends",
    )
    args = parser.parse_args(argv)
    if not args.stdio:
        raise UsageError("say --stdio: there is no other way to serve")
    # What libraries print must not stand between the answers.
    sink = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Told to end, or the client is gone: all the same, that is the end.
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        Server(sys.stdin.fileno(), sink).run()
    return 0


def main(argv: Sequence[str]) -> int:
    """``pynvme console``; returns the exit code."""
    return guarded(PROG, lambda: _main(argv))
