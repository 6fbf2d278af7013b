"""What every word has: its parser, the session it works in, its output and its exit code."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from nvme.command_line import EXIT_CODES, TROUBLE, Parser, guarded, whole

if TYPE_CHECKING:
    from nvme.host.session import Session
    from nvme.host.words import Entry

FORMATS = ("normal", "json", "binary")
U16, U32, U64 = 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
DEVICE = "address: 01:00.0, sim, sim:OPTIONS ... (default: sim, the software SSD)"


class Word(NamedTuple):
    """How a word is implemented.

    add: adds its options to the parser
    run: does it; an error status of the drive and bad arguments are exceptions
    danger: what is lost by it; it asks on a terminal, and needs --yes elsewhere
    also_o: what -o means beside an output format, as older nvme-cli has it
    """

    add: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Session], None]
    danger: Callable[[argparse.Namespace], str] | None = None
    also_o: str = ""


class OutputOption(argparse.Action):
    """-o: an output format, or what it was before there were formats everywhere."""

    def __init__(self, *args: Any, also: str = "", parse: Any = str, **more: Any) -> None:
        super().__init__(*args, **more)
        self.also, self.parse = also, parse

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option: str | None = None,
    ) -> None:
        if values in FORMATS:
            namespace.format = values
        elif self.also and option == "-o":
            try:
                setattr(namespace, self.also, self.parse(values))
            except (ValueError, argparse.ArgumentTypeError) as why:
                parser.error(f"-o: {why}")
        else:
            parser.error(f"{option}: must be one of {', '.join(FORMATS)}, not {values!r}")


def number(
    parser: argparse.ArgumentParser,
    *flags: str,
    default: int | None = 0,
    most: int = U32,
    help: str,
    **more: Any,
) -> None:
    """An option that takes a number, decimal or 0x..."""
    parser.add_argument(
        *flags, type=whole(0, most), default=default, metavar="NUM", help=help, **more
    )


def numbers(text: str) -> list[int]:
    """A comma-separated list of numbers."""
    try:
        found = [int(each, 0) for each in text.split(",") if each]
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be numbers with commas, not {text!r}") from None
    if not found or min(found) < 0:
        raise argparse.ArgumentTypeError(f"must be numbers with commas, not {text!r}")
    return found


def nsid(parser: argparse.ArgumentParser, default: int | None = 1, help: str = "") -> None:
    """-n, the namespace."""
    number(parser, "-n", "--namespace-id", dest="nsid", default=default, help=help or "namespace")


def build(word: str, entry: Entry, what: Word) -> Parser:
    """The parser of a word."""
    parser = Parser(
        prog=f"pynvme {word}",
        description=f"{entry.help[0].upper()}{entry.help[1:]}. Also: pynvme {entry.also}.",
        epilog=EXIT_CODES,
    )
    parser.add_argument("device", nargs="?", default="sim", help=DEVICE)
    what.add(parser)
    taken = parser._option_string_actions
    parse: Any = int_of if what.also_o and what.also_o != "output_file" else str
    parser.add_argument(
        "-o",
        "--output-format",
        action=OutputOption,
        dest="format",
        default="normal",
        also=what.also_o,
        parse=parse,
        metavar="FMT",
        help=", ".join(FORMATS),
    )
    for flags, dest, text in (
        (("-H", "--human-readable"), "human", "with a line for each bit field"),
        (("-b", "--raw-binary"), "binary", "the bytes as they are"),
        (("-v", "--verbose"), "verbose", "more, for nvme-cli's sake as -H"),
        (("--show-command",), "show_command", "the commands too, on standard error"),
        (("--dry-run",), "dry_run", "the commands instead of sending them"),
        (("--yes", "--force"), "yes", "do not ask"),
    ):
        free = [flag for flag in flags if flag not in taken]
        if dest == "yes" and not what.danger:
            parser.add_argument(*free, action="store_true", dest=dest, help=argparse.SUPPRESS)
        elif free:
            parser.add_argument(*free, action="store_true", dest=dest, help=text)
    limit = ["--timeout"] if "-t" in taken else ["-t", "--timeout"]
    number(parser, *limit, default=None, help="milliseconds that a command may take")
    return parser


def int_of(text: str) -> int:
    """A number, decimal or 0x..."""
    return whole(0, U64)(text)


def run(word: str, entry: Entry, argv: Sequence[str]) -> int:
    """Do a word; returns the exit code."""
    prog = f"pynvme {word}"
    what: Word = import_module(f"nvme.host.{entry.module}").WORDS[word]
    args = build(word, entry, what).parse_args(argv)
    return guarded(prog, lambda: _do(prog, what, args))


def _do(prog: str, what: Word, args: argparse.Namespace) -> int:
    from nvme.host.session import Session, StatusError

    session = Session(prog, args)
    try:
        if what.danger:
            session.confirm(what.danger(args))
        what.run(session)
        session.finish()
    except StatusError as error:
        session.failed(error)
        return TROUBLE
    finally:
        session.close()
    return 0
