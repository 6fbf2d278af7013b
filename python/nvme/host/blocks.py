"""Commands for one range of blocks: read, write, compare, verify, write-zeroes, flush ..."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nvme import decode, spec
from nvme.buffer import Buffer
from nvme.command_line import UsageError
from nvme.decode import read as reading
from nvme.host.session import Session
from nvme.host.word import U16, U32, U64, Word, nsid, number

NVM = spec.IoOpcode
#: Bits of dword 12.
LIMITED_RETRY, FUA, PRINFO, STC, DEAC = 31, 30, 26, 24, 25


def _add_range(parser: argparse.ArgumentParser) -> None:
    nsid(parser)
    number(parser, "-s", "--start-block", dest="slba", most=U64, help="first LBA")
    number(
        parser,
        "-c",
        "--block-count",
        dest="nlb",
        most=U16,
        help="LBAs less one, as in the command: 0 is one LBA",
    )


def _add_protection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-l", "--limited-retry", action="store_true", help="limited retry")
    parser.add_argument("-f", "--force-unit-access", action="store_true", dest="fua", help="FUA")
    number(parser, "-p", "--prinfo", most=15, help="protection information: action and checks")
    number(parser, "-r", "--ref-tag", most=U32, help="initial reference tag")
    number(parser, "-m", "--app-tag-mask", most=U16, help="application tag mask")
    number(parser, "-a", "--app-tag", most=U16, help="application tag")
    parser.add_argument("-C", "--storage-tag-check", action="store_true", help="check storage tag")


def _add_data(parser: argparse.ArgumentParser) -> None:
    _add_range(parser)
    _add_protection(parser)
    number(
        parser, "-z", "--data-size", dest="size", default=None, help="bytes (default: the LBAs')"
    )
    parser.add_argument("-d", "--data", metavar="FILE", help="data (default: standard in/output)")
    number(parser, "-D", "--dsm", most=0xFF, help="dataset management attributes")
    number(parser, "-T", "--dir-type", dest="dtype", most=15, help="directive type")
    number(parser, "-S", "--dir-spec", dest="dspec", most=U16, help="directive specific field")
    parser.add_argument("--latency", action="store_true", help="say how long it took")
    parser.add_argument("-w", action="store_true", dest="dry_run", help=argparse.SUPPRESS)


def _cdws(args: argparse.Namespace) -> dict[str, int]:
    """Dwords 10 to 15 of a command for a range."""
    get = vars(args).get
    cdw12 = args.nlb | int(get("limited_retry") or 0) << LIMITED_RETRY
    cdw12 |= int(get("fua") or 0) << FUA | int(get("prinfo") or 0) << PRINFO
    cdw12 |= int(get("storage_tag_check") or 0) << STC | int(get("deac") or 0) << DEAC
    cdw12 |= int(get("dtype") or 0) << 20
    return {
        "cdw10": args.slba & U32,
        "cdw11": args.slba >> 32,
        "cdw12": cdw12,
        "cdw13": int(get("dspec") or 0) << 16 | int(get("dsm") or 0),
        "cdw14": int(get("ref_tag") or 0),
        "cdw15": int(get("app_tag_mask") or 0) << 16 | int(get("app_tag") or 0),
    }


def _block_bytes(session: Session, nsid: int) -> int:
    """Bytes that an LBA takes in the data buffer."""
    ns = decode.IdentifyNamespace(reading.identify(session.ask, 0x00, nsid))
    used = ns.format_in_use
    return used.data_bytes + (used.ms if ns.flbas.mset else 0)


def _size(session: Session) -> int:
    args = session.args
    least = _block_bytes(session, args.nsid) * (args.nlb + 1)
    if not least:
        raise UsageError(f"namespace {args.nsid} is not there")
    if args.size is not None and args.size < least:
        raise UsageError(f"{args.nlb + 1} LBAs have {least} bytes, --data-size is {args.size}")
    return least if args.size is None else int(args.size)


def _said(session: Session, name: str, **facts: int) -> None:
    if session.args.latency and not session.dry:
        took = session.qpair.latest_latency
        session.say(f" latency: {name}: {took:.1f} us", latency_us=took, **facts)
    elif session.format == "json":
        session.say(f"{name}: Success", **facts)
    elif not session.dry:
        print(f"{name}: Success", file=sys.stderr)


def _read(session: Session) -> None:
    args = session.args
    size = _size(session)
    buf = Buffer(size, "read")
    session.io(NVM.READ, args.nsid, buf, **_cdws(args))
    if session.dry:
        return
    data = bytes(memoryview(buf))
    if session.format == "json" and not args.data:
        session.dump(data, "", {"nsid": args.nsid, "slba": args.slba, "nlb_zero_based": args.nlb})
        return
    if args.data:
        Path(args.data).write_bytes(data)
    else:
        session.write(data)
    _said(session, "read", data_size_bytes=size)


def _sent(session: Session) -> Buffer:
    """The data to be sent: of the file, or of standard input; short data are an error."""
    size = _size(session)
    buf = Buffer(size, "data")
    if session.dry and not session.args.data:
        return buf
    path = session.args.data
    data = Path(path).read_bytes() if path else sys.stdin.buffer.read(size)
    if len(data) < size:
        raise UsageError(f"{path or 'standard input'} has only {len(data)} of {size} bytes")
    buf[:] = data[:size]
    return buf


def _send(opcode: spec.IoOpcode, name: str) -> Word:
    def run(session: Session) -> None:
        buf = _sent(session)
        session.io(opcode, session.args.nsid, buf, **_cdws(session.args))
        _said(session, name, data_size_bytes=len(buf))

    danger = _overwrites if opcode == NVM.WRITE else None
    return Word(_add_data, run, danger)


def _overwrites(args: argparse.Namespace) -> str:
    last = args.slba + args.nlb
    return f"LBAs {args.slba} to {last} of namespace {args.nsid} are overwritten"


def _range(opcode: spec.IoOpcode, name: str, protected: bool, destroys: bool) -> Word:
    def add(parser: argparse.ArgumentParser) -> None:
        _add_range(parser)
        if protected:
            _add_protection(parser)
        if opcode == NVM.WRITE_ZEROES:
            parser.add_argument("-d", "--deac", action="store_true", help="deallocate")

    def run(session: Session) -> None:
        session.io(opcode, session.args.nsid, None, **_cdws(session.args))
        args = session.args
        facts = {"nsid": args.nsid, "slba": args.slba, "nlb_zero_based": args.nlb}
        session.say(f"NVME {name} Success", **facts)

    return Word(add, run, _overwrites if destroys else None)


def _add_flush(parser: argparse.ArgumentParser) -> None:
    nsid(parser, 1, "namespace; 0xffffffff: all")


def _flush(session: Session) -> None:
    session.io(NVM.FLUSH, session.args.nsid)
    session.say("NVMe Flush: success", nsid=session.args.nsid)


WORDS = {
    "read": Word(_add_data, _read),
    "write": _send(NVM.WRITE, "write"),
    "compare": _send(NVM.COMPARE, "compare"),
    "verify": _range(NVM.VERIFY, "Verify", protected=True, destroys=False),
    "write-zeroes": _range(NVM.WRITE_ZEROES, "Write Zeroes", protected=True, destroys=True),
    "write-uncor": _range(
        NVM.WRITE_UNCORRECTABLE, "Write Uncorrectable", protected=False, destroys=True
    ),
    "flush": Word(_add_flush, _flush),
}
