"""The command line: ``pynvme sim | perf | setup | reset | cmdlog | identify``."""

from __future__ import annotations

import argparse
import contextlib
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

SETUP = Path(__file__).with_name("setup.sh")
RECORDS = "/dev/shm"


def _setup(action: str, addresses: Sequence[str]) -> int:
    import subprocess

    return subprocess.run(["bash", SETUP, action, *addresses], check=False).returncode


def _sim(args: argparse.Namespace) -> int:
    from nvme import _core

    print("Options of the software SSD, as in 'sim:size=20G,mdts=256K':\n")
    print(_core.sim_help())
    return 0


def _record_of(what: str) -> Path:
    """The file of a process, by its number; or the newest one."""
    pattern = f"pynvme-*-{what}-*.cmdlog" if what else "pynvme-*.cmdlog"
    found = []
    for path in Path(RECORDS).glob(pattern):
        # The folder is everybody's: there may be links, and files that go at any time.
        with contextlib.suppress(OSError):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                found.append((status.st_mtime, path))
    if not found:
        raise SystemExit(f"pynvme: no command log {pattern} in {RECORDS}")
    return max(found)[1]


def _cmdlog(args: argparse.Namespace) -> int:
    from nvme import _core
    from nvme.cmdlog import newest_first, printable

    path = Path(args.file) if "/" in args.file else _record_of(args.file)
    try:
        pid, alive, _, slots = _core.cmdlog_file(str(path))
    except OSError as why:
        raise SystemExit(f"pynvme: {printable(str(why))}") from None
    print(f"{printable(str(path))}: process {pid}, {'running' if alive else 'gone'}")
    for address, sqid, _, closed_ns, records in slots:
        entries = newest_first(records, sqid)
        state = ", deleted" if closed_ns else ""
        print(f"{printable(address)} qpair {sqid}{state}: {len(entries)} commands, newest first")
        for entry in entries[: args.count or None]:
            print(f"  {entry}")
    return 0


def _identify(args: argparse.Namespace) -> int:
    import nvme as d

    nvme0 = d.Controller(args.address)
    print(f"{nvme0.addr}: {nvme0.id_data(63, 24, str)}")
    print(f"  serial number    {nvme0.id_data(23, 4, str)}")
    print(f"  firmware         {nvme0.id_data(71, 64, str)}")
    version = nvme0[8]
    print(f"  NVMe version     {version >> 16}.{version >> 8 & 0xFF}")
    listed = d.Buffer(4096)
    nvme0.identify(listed, cns=2).waitdone()
    for i in range(0, 4096, 4):
        nsid = listed.data(i + 3, i)
        if not nsid:
            break
        nvme0n1 = d.Namespace(nvme0, nsid)
        print(f"  namespace {nsid:<6} {nvme0n1.capacity} bytes in LBAs of {nvme0n1.sector_size}")
        nvme0n1.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pynvme", description="Test NVMe SSDs.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "sim", help="options of the software SSD; 'sim firmware' makes an image", add_help=False
    )
    commands.add_parser("perf", help="a quick benchmark of any device", add_help=False)
    for name, text in (
        ("setup", "take drives from the kernel, so that they can be tested"),
        ("reset", "give drives back to the kernel"),
        ("status", "which NVMe drives there are, and who drives them"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("address", nargs="*", help="like 01:00.0; all drives if not given")
    command = commands.add_parser("cmdlog", help="recent commands of a process, also a dead one")
    command.add_argument("file", nargs="?", default="", help="file or process; the newest one")
    command.add_argument("-n", "--count", type=int, default=0, help="commands of each queue")
    command = commands.add_parser("identify", help="what a device says of itself")
    command.add_argument("address", nargs="?", default="sim", help="like 01:00.0, or sim:size=1G")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    argv = sys.argv[1:] if argv is None else list(argv)
    if argv[:1] == ["perf"]:
        from nvme.perf import main as perf

        return perf(argv[1:])
    if argv[:2] == ["sim", "firmware"]:
        from nvme.simfw import main as firmware

        return firmware(argv[2:])
    args, rest = _parser().parse_known_args(argv)
    if args.command == "sim":
        return _sim(args)
    if rest:
        _parser().parse_args(argv)
    actions = {"setup": "bind", "reset": "release", "status": "status"}
    if args.command in actions:
        return _setup(actions[args.command], args.address)
    return {"cmdlog": _cmdlog, "identify": _identify}[args.command](args)


if __name__ == "__main__":
    sys.exit(main())
