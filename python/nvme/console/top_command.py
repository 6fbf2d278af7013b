"""``pynvme top``: what sessions do, for people."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence

from nvme.command_line import EXIT_CODES, Parser, UsageError, guarded, whole
from nvme.console import describe, view
from nvme.console.feed import Feed
from nvme.console.rates import Rates

PROG = "pynvme top"


def once(what: str, interval_ms: int, closed: bool, as_json: bool) -> str:
    """What there is, with the rates of an interval."""
    feed, rates = Feed(), Rates()
    before = feed.snapshot()
    if what and not view.chosen(before, what).sessions:
        known = view.known(before.sessions)
        raise UsageError(f"no session or controller {what!r}; known are {known}")
    rates.iostat(view.chosen(before, what))
    time.sleep(interval_ms / 1e3)
    snapshot = view.chosen(feed.snapshot(), what)
    if not as_json:
        return view.plain(view.look(snapshot, rates, closed))
    found = {"iostat": rates.iostat(snapshot)} | describe.tree(snapshot, closed)
    return json.dumps(found, indent=2)


def is_terminal() -> bool:
    """Whether somebody sits there."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _main(argv: Sequence[str]) -> int:
    parser = Parser(
        prog=PROG,
        description="Sessions, their controllers and queues, live, and the commands of a queue. It "
        "only reads files: no session notices, and those that hang or were killed show as well.",
        epilog=EXIT_CODES,
    )
    parser.add_argument(
        "what",
        nargs="?",
        default="",
        metavar="SESSION|ADDRESS",
        help="only this one: number of its process, or address of a controller",
    )
    parser.add_argument(
        "-i",
        "--interval",
        type=whole(100, 60000, "ms"),
        default=1000,
        metavar="MS",
        help="between two looks (default: %(default)s)",
    )
    parser.add_argument("--once", action="store_true", help="plain text, as into a pipe")
    parser.add_argument("--json", action="store_true", help="as docs/console.md has it, once")
    parser.add_argument("--all", action="store_true", help="deleted queues and closed controllers")
    args = parser.parse_args(argv)
    if args.once or args.json or not is_terminal():
        print(once(args.what, args.interval, args.all, args.json))
        return 0
    try:
        from nvme.console.top import Top
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "textual":
            raise
        raise UsageError(
            "needs the package textual: pip install 'pynvme[top]', or ./install.sh in a checkout; "
            "with --once it needs nothing"
        ) from None
    Top(args.what, args.interval, args.all).run()
    return 0


def main(argv: Sequence[str]) -> int:
    """``pynvme top``; returns the exit code."""
    return guarded(PROG, lambda: _main(argv))
