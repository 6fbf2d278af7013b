"""The command line: ``pynvme sim | perf | serve | setup | reset ...``, and nvme-cli's words."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from nvme.command_line import EXIT_CODES, TROUBLE, Parser, UsageError, guarded
from nvme.host import words as nvme_cli

SETUP = Path(__file__).with_name("setup.sh")
NSIDS_IN_LIST = 1024
ADDRESS_HELP = "01:00.0, or sim:OPTIONS, which 'pynvme sim' lists"


# --- drives and the kernel ---


def _drives_parser(name: str, text: str) -> Parser:
    parser = Parser(prog=f"pynvme {name}", description=text, epilog=EXIT_CODES)
    parser.add_argument(
        "address", nargs="*", help="like 01:00.0 (default: every drive that this can be done to)"
    )
    return parser


def _run_setup(action: str, addresses: Sequence[str]) -> int:
    import subprocess

    done = subprocess.run(["bash", SETUP, action, *addresses], check=False)
    return TROUBLE if done.returncode else 0


def _setup(name: str, text: str, action: str, argv: Sequence[str]) -> int:
    parser = _drives_parser(name, text)
    return guarded(parser.prog, lambda: _run_setup(action, parser.parse_args(argv).address))


def _take(argv: Sequence[str]) -> int:
    return _setup("setup", "Take drives from the kernel, so that they can be tested.", "bind", argv)


def _give_back(argv: Sequence[str]) -> int:
    return _setup("reset", "Give drives back to the kernel.", "release", argv)


def _status(argv: Sequence[str]) -> int:
    parser = _drives_parser("status", "Which NVMe drives there are, and who drives them.")
    parser.add_argument("--json", action="store_true", help="an object; needs no root")
    return guarded(parser.prog, lambda: _show_drives(parser.parse_args(argv)))


def _show_drives(args: argparse.Namespace) -> int:
    from nvme import drives

    if not args.json:
        return _run_setup("status", args.address)
    return TROUBLE if drives.show(SETUP, args.address) else 0


# --- the software SSD ---


def _sim(argv: Sequence[str]) -> int:
    if argv[:1] == ["firmware"]:
        from nvme.simfw import main as firmware

        return firmware(argv[1:])
    return guarded("pynvme sim", lambda: _list_options(argv))


def _list_options(argv: Sequence[str]) -> int:
    from nvme import _core

    strange = [word for word in argv if word not in ("-h", "--help", "help")]
    if strange:
        raise UsageError(
            f"unknown: {strange[0]!r}; without an argument it lists the options of the software "
            "SSD, and 'firmware' makes an image for it"
        )
    print("Options of the software SSD, as in 'sim:size=20G,mdts=256K':\n")
    print(_core.sim_help())
    print("'pynvme sim firmware --help': make a firmware image for it.")
    return 0


# --- the rest ---


def _identify(argv: Sequence[str]) -> int:
    parser = Parser(
        prog="pynvme identify", description="What a device says of itself.", epilog=EXIT_CODES
    )
    parser.add_argument("address", nargs="?", default="sim", help=ADDRESS_HELP)
    return guarded(parser.prog, lambda: _show(parser.parse_args(argv).address))


def _discover(argv: Sequence[str]) -> int:
    parser = Parser(
        prog="pynvme discover",
        description="The subsystems that an NVMe/TCP target offers; referrals are followed once.",
        epilog=EXIT_CODES,
    )
    parser.add_argument("address", help="like 192.168.1.7, or host:8009")
    parser.add_argument("--json", action="store_true", help="a list of objects")
    return guarded(parser.prog, lambda: _show_log(parser.parse_args(argv)))


def _show_log(args: argparse.Namespace) -> int:
    import json

    import nvme as d

    log = d.discover(args.address)
    if args.json:
        print(json.dumps([entry._asdict() | {"address": entry.address} for entry in log], indent=2))
        return 0
    for entry in log:
        print(f"{entry.subtype:<9} {entry.trtype} {entry.address}")
    return 0


def _show(address: str) -> int:
    import nvme as d

    nvme0 = d.Controller(address)
    print(f"{nvme0.addr}: {nvme0.id_data(63, 24, str)}")
    print(f"  serial number    {nvme0.id_data(23, 4, str)}")
    print(f"  firmware         {nvme0.id_data(71, 64, str)}")
    version = nvme0[8]
    print(f"  NVMe version     {version >> 16}.{version >> 8 & 0xFF}")
    listed = d.Buffer(4 * NSIDS_IN_LIST)
    nvme0.identify(listed, cns=2).waitdone()
    for i in range(0, 4 * NSIDS_IN_LIST, 4):
        nsid = listed.data(i + 3, i)
        if not nsid:
            break
        nvme0n1 = d.Namespace(nvme0, nsid)
        print(f"  namespace {nsid:<6} {nvme0n1.capacity} bytes in LBAs of {nvme0n1.sector_size}")
        nvme0n1.close()
    return 0


def _perf(argv: Sequence[str]) -> int:
    from nvme.perf import main

    return main(argv)


def _serve(argv: Sequence[str]) -> int:
    from nvme.serve_command import main

    return main(argv)


def _cmdlog(argv: Sequence[str]) -> int:
    from nvme.sessions import main

    return main(argv)


def _console(argv: Sequence[str]) -> int:
    from nvme.console.command import main

    return main(argv)


def _top(argv: Sequence[str]) -> int:
    from nvme.console.top_command import main

    return main(argv)


class Command(NamedTuple):
    """A row of the table of commands; each guards itself."""

    run: Callable[[Sequence[str]], int]
    help: str


COMMANDS = {
    "sim": Command(_sim, "options of the software SSD; 'sim firmware' makes an image for it"),
    "perf": Command(_perf, "a quick benchmark of any device, with fio's options and job files"),
    "serve": Command(_serve, "show software SSDs to hosts over NVMe/TCP"),
    "setup": Command(_take, "take drives from the kernel, so that they can be tested"),
    "reset": Command(_give_back, "give drives back to the kernel"),
    "status": Command(_status, "which NVMe drives there are, and who drives them"),
    "cmdlog": Command(_cmdlog, "recent commands of a process, also a dead one"),
    "top": Command(_top, "what sessions do, live: controllers, queues, rates, commands"),
    "console": Command(_console, "what sessions do, as JSON-RPC for editors and scripts"),
    "identify": Command(_identify, "what a device says of itself"),
    "discover": Command(_discover, "the subsystems that an NVMe/TCP target offers"),
}


def _parser() -> argparse.ArgumentParser:
    """Only for the help: each command looks at its own arguments."""
    lines = "\n".join(f"  {name:<10}{command.help}" for name, command in COMMANDS.items())
    return Parser(
        prog="pynvme",
        usage="pynvme COMMAND [ARGUMENT...]",
        description=f"Test NVMe SSDs.\n\ncommands:\n{lines}\n\n"
        f"nvme-cli's words, in the spelling of its versions 2 and 3:\n{nvme_cli.table()}",
        epilog=f"'pynvme COMMAND --help' tells more. {EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _none(argv: Sequence[str]) -> int:
    """What is said where there is no command."""
    name = argv[0] if argv else ""
    if name in ("-h", "--help", "help"):
        _parser().print_help()
        return 0
    near = difflib.get_close_matches(name, [*COMMANDS, *nvme_cli.WORDS], 1)
    hint = f"did you mean {near[0]}? " if near else ""
    what = f"unknown command {name!r}: {hint}" if name else "a command is missing: "
    raise UsageError(f"{what}known are {', '.join(COMMANDS)}, and nvme-cli's words")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    if nvme_cli.known(words):
        return guarded("pynvme", lambda: nvme_cli.main(words))
    if words and words[0] in COMMANDS:
        return COMMANDS[words[0]].run(words[1:])
    return guarded("pynvme", lambda: _none(words))


if __name__ == "__main__":
    sys.exit(main())
