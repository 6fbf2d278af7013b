"""What loses all data: format and sanitize."""

from __future__ import annotations

import argparse
import time

from nvme import admin, decode
from nvme.command_line import UsageError
from nvme.decode import read
from nvme.host.progress import Line
from nvme.host.session import LONG_MS, Session
from nvme.host.word import U32, Word, nsid, number

ALL = U32
LOOK_SECONDS = 1.0
SANACT = {
    "exit-failure": 1,
    "start-block-erase": 2,
    "start-overwrite": 3,
    "start-crypto-erase": 4,
    "exit-media-verif": 5,
}


def _add_format(parser: argparse.ArgumentParser) -> None:
    nsid(parser, 1, "namespace; 0xffffffff: all")
    number(parser, "-l", "--lbaf", default=None, most=63, help="LBA format (default: the same)")
    number(parser, "-s", "--ses", most=7, help="0 no secure erase, 1 user data, 2 cryptographic")
    number(parser, "-i", "--pi", default=None, most=7, help="protection information type")
    number(parser, "-p", "--pil", default=None, most=1, help="1: in the first bytes")
    number(parser, "-m", "--ms", default=None, most=1, help="1: metadata behind the data")
    number(parser, "-b", "--block-size", default=None, help="bytes of data, instead of --lbaf")
    parser.add_argument("-r", "--reset", action="store_true", help="reset the controller after it")


def _format_danger(args: argparse.Namespace) -> str:
    where = "all namespaces" if args.nsid == ALL else f"namespace {args.nsid}"
    return f"format erases the data of {where}"


def _format_of(session: Session, ns: decode.IdentifyNamespace) -> int:
    """The LBA format that was asked for."""
    args = session.args
    if args.lbaf is not None and args.block_size is not None:
        raise UsageError("either --lbaf or --block-size")
    if args.lbaf is not None:
        return int(args.lbaf)
    if args.block_size is None:
        return ns.flbas.index
    for i, each in enumerate(ns.lbaf[: ns.nlbaf + 1]):
        if each.data_bytes == args.block_size and not each.ms:
            return i
    sizes = sorted({each.data_bytes for each in ns.lbaf if each.data_bytes})
    raise UsageError(f"no format with {args.block_size} bytes and no metadata; there are {sizes}")


def _format(session: Session) -> None:
    args = session.args
    asked = 1 if args.nsid == ALL else args.nsid
    ns = decode.IdentifyNamespace(read.identify(session.ask, 0x00, asked))
    lbaf = _format_of(session, ns)
    pi = ns.dps.pit if args.pi is None else args.pi
    pil = ns.dps.pip if args.pil is None else args.pil
    mset = ns.flbas.mset if args.ms is None else args.ms
    cdw10 = lbaf & 0xF | mset << 4 | pi << 5 | pil << 8 | args.ses << 9 | lbaf >> 4 << 12

    def left() -> str:
        now = session.nvme.id_data(32, nsid=asked, cns=0)
        return f"{now & 0x7F} % left" if now & 0x80 else ""

    session.during(
        "format",
        lambda: session.admin_within(
            session.timeout or LONG_MS, admin.FORMAT, None, args.nsid, cdw10=cdw10
        ),
        left,
    )
    if args.reset and not session.dry:
        session.nvme.reset()
    session.say(
        f"Success formatting namespace:{args.nsid:x}",
        nsid=args.nsid,
        lbaf=lbaf,
        ses=args.ses,
        pi=pi,
        pil=pil,
        mset=mset,
    )


def _sanact(text: str) -> int:
    if text in SANACT:
        return SANACT[text]
    if text.isdigit() and int(text) in SANACT.values():
        return int(text)
    raise argparse.ArgumentTypeError(f"must be 1..5, or one of {', '.join(SANACT)}, not {text!r}")


def _add_sanitize(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-a",
        "--sanact",
        type=_sanact,
        required=True,
        metavar="ACTION",
        help="1 exit failure mode, 2 block erase, 3 overwrite, 4 crypto erase, or "
        + ", ".join(SANACT),
    )
    parser.add_argument("-u", "--ause", action="store_true", help="allow an unrestricted exit")
    number(parser, "-n", "--owpass", most=15, help="overwrite passes; 0: 16")
    parser.add_argument("-i", "--oipbp", action="store_true", help="invert between passes")
    parser.add_argument("-d", "--no-dealloc", action="store_true", help="no deallocation after it")
    number(parser, "-p", "--ovrpat", help="overwrite pattern")
    parser.add_argument("-w", "--wait", action="store_true", help="until it is over")


def _sanitize_danger(args: argparse.Namespace) -> str:
    return "sanitize erases all data of the drive" if args.sanact in (2, 3, 4) else ""


def _log(session: Session) -> decode.SanitizeLog:
    return decode.SanitizeLog(read.log(session.admin, 0x81, decode.SanitizeLog.BYTES, rae=1))


def _sanitize(session: Session) -> None:
    args = session.args
    cdw10 = args.sanact | args.ause << 3 | args.owpass << 4
    cdw10 |= args.oipbp << 8 | args.no_dealloc << 9
    session.admin(admin.SANITIZE, None, 0, cdw10=cdw10, cdw11=args.ovrpat)
    if session.dry:
        return
    if args.wait:
        with Line("sanitize") as line:
            while (log := _log(session)).running:
                line.show(f"{log.percent:.1f} %")
                time.sleep(LOOK_SECONDS)
        session.show(log, "Sanitize Log:")
        return
    session.say("sanitize started", sanact=args.sanact, cdw10=cdw10, ovrpat=args.ovrpat)


WORDS = {
    "format": Word(_add_format, _format, _format_danger),
    "sanitize": Word(_add_sanitize, _sanitize, _sanitize_danger),
}
