"""Any command: admin-passthru and io-passthru."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from nvme import _core, spec
from nvme.buffer import Buffer
from nvme.command_line import UsageError
from nvme.host.features import payload
from nvme.host.session import Session
from nvme.host.word import Word, nsid, number

TO_DRIVE, FROM_DRIVE = 1, 2
#: Admin commands that only ask.
HARMLESS = {
    spec.AdminOpcode.GET_LOG_PAGE,
    spec.AdminOpcode.IDENTIFY,
    spec.AdminOpcode.GET_FEATURES,
    spec.AdminOpcode.ABORT,
    spec.AdminOpcode.SET_FEATURES,
    spec.AdminOpcode.DEVICE_SELF_TEST,
    spec.AdminOpcode.DIRECTIVE_RECEIVE,
    spec.AdminOpcode.DIRECTIVE_SEND,
    spec.AdminOpcode.SECURITY_RECEIVE,
    spec.AdminOpcode.NVME_MI_RECEIVE,
    spec.AdminOpcode.GET_LBA_STATUS,
    spec.AdminOpcode.KEEP_ALIVE,
}
HARMLESS_IO = {
    spec.IoOpcode.FLUSH,
    spec.IoOpcode.READ,
    spec.IoOpcode.COMPARE,
    spec.IoOpcode.VERIFY,
    spec.IoOpcode.RESERVATION_REPORT,
    spec.IoOpcode.IO_MANAGEMENT_RECEIVE,
    spec.IoOpcode.ZONE_MANAGEMENT_RECEIVE,
    spec.IoOpcode.CANCEL,
}


def _add(parser: argparse.ArgumentParser) -> None:
    number(parser, "-O", "--opcode", default=None, most=0xFF, help="opcode (required)")
    nsid(parser, 0, "namespace")
    number(parser, "-l", "--data-len", dest="length", help="bytes of data")
    for at in range(6):
        cdw = f"cdw{10 + at}"
        number(parser, f"-{4 + at}", f"--{cdw}", dest=cdw, help=f"dword {10 + at}")
    parser.add_argument(
        "-i", "--input-file", metavar="FILE", help="data to send, or file for what comes"
    )
    number(parser, "-p", "--prefill", default=None, most=0xFF, help="byte that fills the buffer")
    parser.add_argument("-r", "--read", action="store_true", help="data come from the drive")
    parser.add_argument("-w", "--write", action="store_true", help="data go to the drive")
    parser.add_argument("-T", "--latency", action="store_true", help="say how long it took")
    parser.add_argument("-s", action="store_true", dest="show_command", help=argparse.SUPPRESS)
    parser.add_argument("-d", action="store_true", dest="dry_run", help=argparse.SUPPRESS)


def _opcode(args: argparse.Namespace) -> int:
    if args.opcode is None:
        raise UsageError("the opcode is missing: --opcode")
    if args.opcode > 0xFF:
        raise UsageError(f"an opcode is at most 0xff, not {args.opcode:#x}")
    return int(args.opcode)


def _danger(harmless: set[int], name: Callable[[int], str]) -> Callable[[argparse.Namespace], str]:
    def danger(args: argparse.Namespace) -> str:
        opcode = _opcode(args)
        if opcode in harmless:
            return ""
        return f"{name(opcode)} ({opcode:02x}) may change or lose data"

    return danger


def _buffer(args: argparse.Namespace, to_drive: bool) -> Buffer | None:
    if not args.length:
        return None
    if to_drive and args.input_file:
        return payload(args.input_file, args.length)
    if to_drive and args.prefill is None and not sys.stdin.isatty() and not args.dry_run:
        return payload("-", args.length)
    buf = Buffer(args.length, "passthru")
    if args.prefill:
        buf[:] = bytes([args.prefill]) * args.length
    return buf


def _run(session: Session, io: bool) -> None:
    args = session.args
    opcode = _opcode(args)
    # As the specification has it, the lower bits of an opcode say which way the data go.
    to_drive = args.write or (opcode & 3 == TO_DRIVE and not args.read)
    buf = _buffer(args, to_drive)
    cdws = {f"cdw{i}": getattr(args, f"cdw{i}") for i in range(10, 16)}
    if io:
        result = session.io(opcode, args.nsid, buf, **cdws)
    else:
        result = session.admin(opcode, buf, args.nsid, **cdws)
    if session.dry:
        return
    name = _core.io_name(opcode) if io else _core.admin_name(opcode)
    head = {"opcode": opcode, "name": name, "nsid": args.nsid, "result_dword0": result}
    if args.latency:
        head["latency_us"] = (session.qpair if io else session.nvme).latest_latency
    data = b"" if buf is None or to_drive else bytes(memoryview(buf))
    if data and args.input_file:
        Path(args.input_file).write_bytes(data)
        data = b""
    title = f"NVMe command result:{result:08x} ({name})"
    if args.latency:
        title += f", latency: {head['latency_us']:.1f} us"
    session.dump(data, title, head)


WORDS = {
    "admin-passthru": Word(
        _add,
        lambda session: _run(session, io=False),
        _danger(set(HARMLESS), _core.admin_name),
        also_o="opcode",
    ),
    "io-passthru": Word(
        _add,
        lambda session: _run(session, io=True),
        _danger(set(HARMLESS_IO), _core.io_name),
        also_o="opcode",
    ),
}
