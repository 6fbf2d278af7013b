"""Security protocols and directives."""

from __future__ import annotations

import argparse
from typing import Any

from nvme import admin, decode
from nvme.buffer import Buffer
from nvme.command_line import UsageError
from nvme.host.features import payload
from nvme.host.session import Session
from nvme.host.word import U16, Word, nsid, number

IDENTIFY, STREAMS = 0, 1
PARAMETERS, ENABLE, ALLOCATE = 1, 1, 3


def _add_security(parser: argparse.ArgumentParser) -> None:
    nsid(parser, 0, "namespace")
    number(parser, "-p", "--secp", most=0xFF, help="security protocol")
    number(parser, "-s", "--spsp", most=U16, help="its specific field")
    number(parser, "-N", "--nssf", most=0xFF, help="NVMe security specific field")


def _add_send(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-f", "--file", required=True, metavar="FILE", help="the payload (- : standard input)"
    )
    _add_security(parser)
    number(parser, "-t", "--tl", default=None, help="bytes to send (default: the file's)")


def _security_cdw10(args: argparse.Namespace) -> int:
    return int(args.secp << 24 | args.spsp << 8 | args.nssf)


def _security_send(session: Session) -> None:
    args = session.args
    buf = payload(args.file, args.tl)
    if buf is None:
        raise UsageError(f"{args.file} is empty")
    result = session.admin(
        admin.SECURITY_SEND, buf, args.nsid, cdw10=_security_cdw10(args), cdw11=len(buf)
    )
    session.say("NVME Security Send Command Success", size_bytes=len(buf), result_dword0=result)


def _add_receive(parser: argparse.ArgumentParser) -> None:
    number(parser, "-x", "--size", default=512, help="bytes of the buffer")
    _add_security(parser)
    number(parser, "-t", "--al", default=None, help="allocation length (default: --size)")


def _security_recv(session: Session) -> None:
    args = session.args
    if not args.size:
        raise UsageError("-x must be at least 1")
    buf = Buffer(args.size, "security")
    length = args.size if args.al is None else args.al
    if length > args.size:
        raise UsageError("the allocation length must not be more than --size")
    session.admin(admin.SECURITY_RECEIVE, buf, args.nsid, cdw10=_security_cdw10(args), cdw11=length)
    head = {"secp": args.secp, "spsp": args.spsp, "nssf": args.nssf}
    session.dump(buf[:length], "NVME Security Receive Command Success", head)


def _add_directive(parser: argparse.ArgumentParser) -> None:
    nsid(parser)
    number(parser, "-l", "--data-len", dest="length", default=None, help="bytes of data")
    number(parser, "-D", "--dir-type", dest="dtype", most=0xFF, help="0 identify, 1 streams")
    number(parser, "-S", "--dir-spec", dest="dspec", most=U16, help="directive specific field")
    number(parser, "-O", "--dir-oper", dest="doper", most=0xFF, help="operation")


def _add_dir_send(parser: argparse.ArgumentParser) -> None:
    _add_directive(parser)
    number(parser, "-T", "--target-dir", dest="target", most=0xFF, help="directive to enable")
    number(parser, "-e", "--endir", most=1, help="1 enable, 0 disable the target")
    parser.add_argument("-i", "--input-file", metavar="FILE", help="data (- : standard input)")


def _dir_cdw11(args: argparse.Namespace) -> int:
    return int(args.dspec << 16 | args.dtype << 8 | args.doper)


def _dir_send(session: Session) -> None:
    args = session.args
    cdw12 = 0
    if args.dtype == IDENTIFY and args.doper == ENABLE:
        cdw12 = args.target << 8 | args.endir
    buf = payload(args.input_file, args.length)
    result = session.admin(
        admin.DIRECTIVE_SEND,
        buf,
        args.nsid,
        cdw10=(len(buf) + 3) // 4 - 1 if buf is not None else 0,
        cdw11=_dir_cdw11(args),
        cdw12=cdw12,
    )
    session.say(
        f"dir-send: type {args.dtype:#x}, operation {args.doper:#x}, spec {args.dspec:#x}, "
        f"nsid {args.nsid:#x}, result {result:#x}",
        dtype=args.dtype,
        doper=args.doper,
        dspec=args.dspec,
        nsid=args.nsid,
        result_dword0=result,
    )


def _add_dir_receive(parser: argparse.ArgumentParser) -> None:
    _add_directive(parser)
    number(parser, "-r", "--req-resource", dest="resources", most=U16, help="streams to allocate")


def _dir_receive(session: Session) -> None:
    args = session.args
    views: dict[tuple[int, int], Any] = {
        (IDENTIFY, PARAMETERS): decode.IdentifyDirective,
        (STREAMS, PARAMETERS): decode.StreamsDirective,
    }
    view = views.get((args.dtype, args.doper))
    allocate = args.dtype == STREAMS and args.doper == ALLOCATE
    size = args.length
    if size is None:
        size = view.BYTES if view else 0 if allocate else 4096
    buf = Buffer(size, "directive") if size else None
    result = session.admin(
        admin.DIRECTIVE_RECEIVE,
        buf,
        args.nsid,
        cdw10=(size + 3) // 4 - 1 if size else 0,
        cdw11=_dir_cdw11(args),
        cdw12=args.resources if allocate else 0,
    )
    head = {"dtype": args.dtype, "doper": args.doper, "nsid": args.nsid, "result_dword0": result}
    data = b"" if buf is None else bytes(memoryview(buf))
    decoded = view(data) if view and len(data) >= view.BYTES else None
    title = f"dir-receive: type {args.dtype:#x}, operation {args.doper:#x}, result {result:#x}"
    if decoded is not None and session.format == "normal" and not session.human:
        session.show(decoded, title)
    else:
        session.dump(data, title, head, decoded)


WORDS = {
    "security-send": Word(
        _add_send, _security_send, lambda args: "security-send may lock the drive or its data"
    ),
    "security-recv": Word(_add_receive, _security_recv),
    "dir-send": Word(_add_dir_send, _dir_send),
    "dir-receive": Word(_add_dir_receive, _dir_receive),
}
