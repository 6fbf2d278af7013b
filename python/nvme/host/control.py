"""The controller itself: registers, resets, self-test."""

from __future__ import annotations

import argparse
import time
from typing import Any

from nvme import admin, decode
from nvme.decode import read
from nvme.decode.self_test import STC
from nvme.host.progress import Line
from nvme.host.session import Session
from nvme.host.word import U32, Word, nsid, number

PMR = 0xE00
SHORT, EXTENDED, ABORT = 1, 2, 0xF
LOOK_SECONDS = 1.0


def _nothing(parser: argparse.ArgumentParser) -> None:
    pass


def _read(session: Session, start: int, size: int) -> bytes:
    nvme = session.nvme
    return b"".join(nvme[start + at].to_bytes(4, "little") for at in range(0, size, 4))


class _Both:
    """Registers, and those of the persistent memory region if there is one."""

    def __init__(self, registers: decode.Registers, pmr: decode.PmrRegisters | None) -> None:
        self._views = [each for each in (registers, pmr) if each is not None]

    def asdict(self, *, bits: bool = False, units: bool = False) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for each in self._views:
            found |= each.asdict(bits=bits, units=units)
        return found

    def lines(self, bits: bool = True, indent: str = "") -> list[str]:
        return [line for each in self._views for line in each.lines(bits, indent)]

    def __bytes__(self) -> bytes:
        return b"".join(bytes(each) for each in self._views)


def _show_regs(session: Session) -> None:
    if session.dry:
        return  # no command is sent
    registers = decode.Registers(_read(session, 0, decode.Registers.BYTES))
    pmr = None
    if registers.cap.pmrs:
        pmr = decode.PmrRegisters(_read(session, PMR, decode.PmrRegisters.BYTES))
    session.show(_Both(registers, pmr))


def _reset(session: Session) -> None:
    if not session.dry:
        session.nvme.reset()
    session.say("controller reset")


def _subsystem_reset(session: Session) -> None:
    import nvme as d

    if not session.dry:
        d.Subsystem(session.nvme).reset()
    session.say("NVM subsystem reset")


def _add_self_test(parser: argparse.ArgumentParser) -> None:
    nsid(parser, U32, "namespace; 0: none (default: 0xffffffff, all)")
    number(
        parser,
        "-s",
        "--self-test-code",
        dest="stc",
        most=15,
        help="1 short, 2 extended, 15 abort, 0 only say what runs",
    )
    parser.add_argument("-w", "--wait", action="store_true", help="until the test is over")


def _log(session: Session) -> decode.SelfTestLog:
    return decode.SelfTestLog(read.log(session.admin, 0x06, decode.SelfTestLog.BYTES))


def _self_test(session: Session) -> None:
    args = session.args
    if args.stc:
        session.admin(admin.SELF_TEST, None, args.nsid, cdw10=args.stc)
    if session.dry:
        return
    if args.wait and args.stc != ABORT:
        _wait(session)
    log = _log(session)
    if not args.stc or (args.wait and args.stc != ABORT):
        session.show(log, "Device Self Test Log:")
        return
    said = "aborted" if args.stc == ABORT else f"{STC.get(args.stc, f'code {args.stc}')} started"
    session.say(f"device self-test: {said}", stc=args.stc, dsto=int(log.dsto))


def _wait(session: Session) -> None:
    """Until no test runs; Ctrl-C leaves it running."""
    with Line("device self-test") as line:
        while (log := _log(session)).running:
            line.show(f"{log.dstc.dstpc} %")
            time.sleep(LOOK_SECONDS)


WORDS = {
    "show-regs": Word(_nothing, _show_regs),
    "ctrl-reset": Word(_nothing, _reset),
    "subsystem-reset": Word(_nothing, _subsystem_reset),
    "device-self-test": Word(_add_self_test, _self_test),
}
