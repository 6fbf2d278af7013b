"""A word at work: the drive it opened, the commands it sent, and what it says."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from nvme import _core
from nvme.cmdlog import printable
from nvme.command_line import UsageError, complain

if TYPE_CHECKING:
    from nvme.buffer import Buffer
    from nvme.controller import Controller
    from nvme.namespace import Namespace
    from nvme.qpair import Qpair

#: What Format and firmware may take, in milliseconds.
LONG_MS = 600_000
QUEUE_DEPTH = 4
DUMP_WIDTH = 16


class StatusError(Exception):
    """The drive ended a command with an error status.

    status: SCT << 8 | SC; what: the command
    """

    def __init__(self, what: str, status1: int, cdw0: int = 0) -> None:
        self.what, self.cdw0 = what, cdw0
        self.status = status1 >> 1 & 0x7FF
        self.dnr = status1 >> 15
        super().__init__(
            f"{what}: ERROR status: {self.status >> 8:02x}/{self.status & 0xFF:02x} "
            f"{_core.status_name(self.status)}"
        )


class Shown(Protocol):
    """What output can show: a view, a list of views, a feature's value."""

    def asdict(self, *, bits: bool = False, units: bool = False) -> dict[str, Any]: ...
    def lines(self, bits: bool = True, indent: str = "") -> list[str]: ...


class Session:
    """One run of a word. The drive is opened by the first command that goes to it."""

    def __init__(self, prog: str, args: argparse.Namespace) -> None:
        self.prog, self.args = prog, args
        self.human = args.human or getattr(args, "verbose", False) is True
        self.format = "binary" if getattr(args, "binary", False) else args.format
        self.timeout: int | None = args.timeout
        self.commands: list[dict[str, Any]] = []
        self._nvme: Controller | None = None
        self._qpair: Qpair | None = None

    # --- the drive ---

    @property
    def nvme(self) -> Controller:
        """The controller."""
        if self._nvme is None:
            import nvme as d

            self._nvme = d.Controller(self.args.device)
            if self.timeout:
                self._nvme.timeout = self.timeout
        return self._nvme

    @property
    def qpair(self) -> Qpair:
        """A queue for I/O commands."""
        if self._qpair is None:
            import nvme as d

            self._qpair = d.Qpair(self.nvme, QUEUE_DEPTH)
        return self._qpair

    def namespace(self, nsid: int) -> Namespace:
        """A namespace for I/O commands."""
        import nvme as d

        return d.Namespace(self.nvme, nsid)

    def close(self) -> None:
        """Give everything back."""
        if self._qpair is not None:
            self._qpair.delete()
        self._qpair = self._nvme = None

    # --- commands ---

    def admin(self, opcode: int, buf: Buffer | None = None, nsid: int = 0, **cdws: int) -> int:
        """Send an admin command and wait. Returns dword 0; StatusError at an error status."""
        return self.admin_within(self.timeout or 0, opcode, buf, nsid, **cdws)

    def admin_within(
        self, timeout: int, opcode: int, buf: Buffer | None = None, nsid: int = 0, **cdws: int
    ) -> int:
        """The same, with a limit in milliseconds; 0: the usual one."""
        name = _core.admin_name(opcode)
        if not self._announce("admin", opcode, name, nsid, buf, cdws):
            return 0
        return self._send(timeout, opcode, buf, nsid, cdws)

    def ask(self, opcode: int, buf: Buffer | None = None, nsid: int = 0, **cdws: int) -> int:
        """admin() for what a word must know before its own command; sent by --dry-run, too."""
        return self._send(self.timeout or 0, opcode, buf, nsid, cdws)

    def _send(
        self, timeout: int, opcode: int, buf: Buffer | None, nsid: int, cdws: dict[str, int]
    ) -> int:
        nvme = self.nvme
        usual = nvme.timeout
        nvme.timeout = max(usual, timeout)
        try:
            cdw0, status1 = nvme._execute(opcode, buf, nsid=nsid, timeout=timeout, **cdws)
        finally:
            nvme.timeout = usual
        if status1 >> 1 & 0x7FF:
            raise StatusError(f"{_core.admin_name(opcode)} ({opcode:02x})", status1, cdw0)
        return cdw0

    def io(
        self,
        opcode: int,
        nsid: int,
        buf: Buffer | None = None,
        **cdws: int,
    ) -> int:
        """Send an I/O command as it is and wait. Returns dword 0, or raises StatusError."""
        name = _core.io_name(opcode)
        if not self._announce("io", opcode, name, nsid, buf, cdws):
            return 0
        ended: list[tuple[int, int]] = []
        namespace = self.namespace(1 if nsid in (0, 0xFFFFFFFF) else nsid)
        try:
            namespace.send_cmd(
                opcode,
                self.qpair,
                buf,
                nsid,
                cb=lambda cdw0, status1: ended.append((cdw0, status1)),
                **cdws,
            ).waitdone()
        finally:
            namespace.close()
        cdw0, status1 = ended[0]
        if status1 >> 1 & 0x7FF:
            raise StatusError(f"{name} ({opcode:02x})", status1, cdw0)
        return cdw0

    def _announce(
        self,
        queue: str,
        opcode: int,
        name: str,
        nsid: int,
        buf: Buffer | None,
        cdws: dict[str, int],
    ) -> bool:
        """Show a command if that is wanted. Returns whether to send it."""
        fields = {"opcode": opcode, "nsid": nsid}
        fields |= {f"cdw{i}": cdws.get(f"cdw{i}", 0) for i in range(10, 16)}
        fields["data_len_bytes"] = len(buf) if buf is not None else 0
        self.commands.append({"queue": queue, "name": name, **fields})
        if self.args.show_command and not self.args.dry_run:
            print("\n".join(self._command_lines(self.commands[-1])), file=sys.stderr)
        return not self.args.dry_run

    @staticmethod
    def _command_lines(command: dict[str, Any]) -> list[str]:
        found = [f"{command['name']} ({command['queue']} queue)"]
        for field, value in command.items():
            if field not in ("name", "queue"):
                width = 2 if field == "opcode" else 8
                found.append(f"  {field:<14} : {value:0{width}x}")
        return found

    @property
    def dry(self) -> bool:
        """Whether commands are only shown."""
        return bool(self.args.dry_run)

    # --- questions ---

    def confirm(self, what: str) -> None:
        """Ask before something is lost; UsageError if nobody agrees."""
        if not what or self.args.yes or self.dry:
            return
        text = f"{what} on {printable(self.args.device)}"
        if not sys.stdin.isatty():
            raise UsageError(f"{text}: nothing was done; say --yes if that is meant")
        sys.stderr.write(f"{self.prog}: {text}. Go on? [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise UsageError("nothing was done")

    # --- output ---

    def show(self, what: Shown, title: str = "", raw: bytes | None = None) -> None:
        """A structure, in the format that was asked for."""
        if self.dry:
            return
        if self.format == "binary":
            self.write(bytes(what) if raw is None else raw)  # type: ignore[call-overload]
        elif self.format == "json":
            self.json(what.asdict(bits=self.human, units=True))
        else:
            lines = what.lines(bits=self.human)
            print("\n".join([title, *lines] if title else lines))

    def json(self, what: dict[str, Any]) -> None:
        """A dict as JSON."""
        print(json.dumps(what, indent=2))

    def write(self, data: bytes) -> None:
        """Bytes on standard output."""
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def dump(self, data: bytes, title: str, head: dict[str, Any], rest: Any = None) -> None:
        """Raw bytes: a hexdump, or JSON with them in hexadecimal behind `head`."""
        if self.dry:
            return
        if self.format == "binary":
            self.write(data)
        elif self.format == "json":
            decoded = {} if rest is None else {"decoded": rest.asdict(bits=self.human, units=True)}
            self.json({**head, "data_len_bytes": len(data), "data": data.hex(), **decoded})
        else:
            print(title)
            print("\n".join(hexdump(data)))
            if rest is not None:
                print("\n".join(rest.lines(bits=self.human)))

    def say(self, text: str, **facts: Any) -> None:
        """What came of a command: a line, or the facts as JSON."""
        if self.dry:
            return
        if self.format == "json":
            self.json({"result": text, **facts})
        else:
            print(text)

    def failed(self, error: StatusError) -> None:
        """Report an error status of the drive; with JSON on standard output, too."""
        complain(self.prog, error)
        if self.format == "json":
            self.json(
                {
                    "error": str(error),
                    "command": error.what,
                    "status": error.status,
                    "status_text": _core.status_name(error.status),
                    "dnr": error.dnr,
                    "result_dword0": error.cdw0,
                }
            )

    def finish(self) -> None:
        """At the end: the commands that were not sent."""
        if not self.dry:
            return
        if self.format == "json":
            self.json({"dry_run": True, "commands": self.commands})
        else:
            for command in self.commands:
                print("\n".join(self._command_lines(command)))

    # --- long commands ---

    def during(
        self, what: str, work: Callable[[], int], look: Callable[[], str] | None = None
    ) -> int:
        """Do what may take minutes, and say on a terminal how far it is."""
        from nvme.host.progress import Ticker

        with Ticker(what, look):
            return work()


def hexdump(data: bytes) -> list[str]:
    """Lines of an offset, 16 bytes, and the text that they are."""
    found = []
    for at in range(0, len(data), DUMP_WIDTH):
        row = data[at : at + DUMP_WIDTH]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        found.append(f'{at:04x}: {row.hex(" "):<{DUMP_WIDTH * 3}} "{text}"')
    return found
