"""``pynvme cmdlog``: the command logs that processes leave, found and printed."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nvme import _core
from nvme.cmdlog import newest_first, printable
from nvme.command_line import EXIT_CODES, Parser, UsageError, guarded, whole

PROG = "pynvme cmdlog"
#: As src/nvme/cmdlog/read.c has it.
FOLDER_SETTING = "PYNVME_CMDLOG_DIR"
FOLDER = "/dev/shm"
#: User, process, when it started, of the name of a log.
NAME = re.compile(r"pynvme-(\d+)-(\d+)-\d+\.cmdlog$")


class Session(NamedTuple):
    """The log of a process; the newest one is the largest."""

    changed_ns: int
    path: Path
    pid: int


def folder() -> Path:
    """Where processes leave their logs."""
    return Path(os.environ.get(FOLDER_SETTING) or FOLDER)


def user() -> int:
    """Whose logs they are: with sudo, those of who called it."""
    caller = os.environ.get("SUDO_UID", "")
    return int(caller) if os.geteuid() == 0 and caller.isdecimal() else os.getuid()


def sessions() -> list[Session]:
    """The caller's own, newest first."""
    caller = user()
    found = []
    try:
        paths = sorted(folder().iterdir())
    except OSError as error:
        raise UsageError(f"{folder()}: {error.strerror}") from None
    for path in paths:
        name = NAME.match(path.name)
        if not name or int(name[1]) != caller:
            continue
        try:
            status = path.lstat()
        except OSError:
            continue  # it is everybody's folder: files go at any time
        # Anybody can write a file with such a name there, or a link.
        if stat.S_ISREG(status.st_mode) and status.st_uid in (caller, os.geteuid()):
            found.append(Session(status.st_mtime_ns, path, int(name[2])))
    return sorted(found, reverse=True)


def _chosen(what: str) -> Path:
    """The file of a process, by its number; or the newest one."""
    if "/" in what:
        return Path(what)
    own = sessions()
    if what:
        named = [one for one in own if str(one.pid) == what or one.path.name == what]
        if not named:
            known = ", ".join(str(one.pid) for one in own) or "none"
            raise UsageError(f"no command log of process {what!r} in {folder()}; known are {known}")
        own = named
    if not own:
        raise UsageError(f"no command log of user {user()} in {folder()}")
    return own[0].path


def _list() -> None:
    own = sessions()
    if not own:
        print(f"no command log of user {user()} in {folder()}")
    for one in own:
        when = time.strftime("%F %T", time.localtime(one.changed_ns / 1e9))
        try:
            pid, alive, _, slots = _core.cmdlog_file(str(one.path))
        except OSError as why:
            print(f"{one.pid:>8}  unreadable  {when}  {printable(why.strerror or '')}")
            continue
        state = "running" if alive else "gone"
        devices = ", ".join(dict.fromkeys(printable(slot[0]) for slot in slots)) or "no queue"
        print(f"{pid:>8}  {state:<10}  {when}  {devices}  {printable(str(one.path))}")


def _print(path: Path, count: int) -> None:
    try:
        pid, alive, _, slots = _core.cmdlog_file(str(path))
    except OSError as why:
        raise UsageError(printable(why.strerror or "")) from None
    print(f"{printable(str(path))}: process {pid}, {'running' if alive else 'gone'}")
    for address, sqid, _, closed_ns, records in slots:
        entries = newest_first(records, sqid)
        state = ", deleted" if closed_ns else ""
        print(f"{printable(address)} qpair {sqid}{state}: {len(entries)} commands, newest first")
        for entry in entries[: count or None]:
            print(f"  {entry}")


def _main(argv: Sequence[str]) -> int:
    parser = Parser(
        prog=PROG,
        description="Recent commands of a process that uses pynvme, of one that has ended too.",
        epilog=EXIT_CODES,
    )
    parser.add_argument(
        "process",
        nargs="?",
        default="",
        help="its number, or the path of a file (default: the newest of your own)",
    )
    parser.add_argument(
        "-n",
        "--count",
        type=whole(0, 1 << 20, "commands"),
        default=0,
        metavar="N",
        help="commands of each queue; 0: all that are kept (default: %(default)s)",
    )
    parser.add_argument(
        "-l",
        "--list",
        action="store_true",
        help="your own: process, whether it runs, when the file last changed, devices, file",
    )
    args = parser.parse_args(argv)
    if args.list:
        _list()
    else:
        _print(_chosen(args.process), args.count)
    return 0


def main(argv: Sequence[str]) -> int:
    """Run it; returns the exit code."""
    return guarded(PROG, lambda: _main(argv))
