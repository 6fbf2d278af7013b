"""Commands for several ranges of blocks: dsm and copy."""

from __future__ import annotations

import argparse
import struct

from nvme import spec
from nvme.buffer import Buffer
from nvme.command_line import UsageError
from nvme.host.session import Session
from nvme.host.word import U32, U64, Word, nsid, number, numbers

NVM = spec.IoOpcode
MOST = 256
DSM_RANGE, COPY_RANGE = struct.Struct("<IIQ"), struct.Struct("<8xQH14x")
READ, WRITE, DEALLOCATE = 1, 2, 4


def _list(parser: argparse.ArgumentParser, *flags: str, help: str, required: bool = True) -> None:
    parser.add_argument(*flags, type=numbers, required=required, metavar="LIST", help=help)


def _add_dsm(parser: argparse.ArgumentParser) -> None:
    nsid(parser)
    _list(parser, "-s", "--slbs", help="first LBA of each range, with commas")
    _list(parser, "-b", "--blocks", help="LBAs of each range")
    _list(parser, "-a", "--ctx-attrs", help="context attributes of each", required=False)
    parser.add_argument("-d", "--ad", action="store_true", help="deallocate")
    parser.add_argument("-w", "--idw", action="store_true", help="integral dataset for writes")
    parser.add_argument("-r", "--idr", action="store_true", help="integral dataset for reads")
    number(parser, "-c", "--cdw11", default=None, help="dword 11, instead of -d, -w and -r")


def _attributes(args: argparse.Namespace) -> int:
    if args.cdw11 is not None:
        return int(args.cdw11)
    return int(args.ad * DEALLOCATE | args.idw * WRITE | args.idr * READ)


def _dsm_danger(args: argparse.Namespace) -> str:
    if not _attributes(args) & DEALLOCATE:
        return ""
    return f"the data of {len(args.slbs)} ranges of namespace {args.nsid} are deallocated"


def _checked(args: argparse.Namespace, most: int) -> None:
    """The lists are of one length, and their numbers fit."""
    if len(args.slbs) != len(args.blocks):
        raise UsageError(f"{len(args.slbs)} first LBAs, but {len(args.blocks)} counts")
    if len(args.slbs) > MOST:
        raise UsageError(f"at most {MOST} ranges")
    if max(args.slbs) > U64 or max(args.blocks) > most:
        raise UsageError(f"an LBA is at most {U64:#x}, a count {most:#x}")


def _dsm(session: Session) -> None:
    args = session.args
    _checked(args, U32)
    contexts = args.ctx_attrs or [0] * len(args.slbs)
    if len(contexts) != len(args.slbs) or max(contexts) > U32:
        raise UsageError("a context attribute a range, each of 32 bits")
    data = b"".join(map(DSM_RANGE.pack, contexts, args.blocks, args.slbs))
    buf = Buffer(len(data), "ranges")
    buf[:] = data
    cdw11 = _attributes(args)
    session.io(NVM.DATASET_MANAGEMENT, args.nsid, buf, cdw10=len(args.slbs) - 1, cdw11=cdw11)
    session.say("NVMe DSM: success", nsid=args.nsid, ranges=len(args.slbs), attributes=cdw11)


def _add_copy(parser: argparse.ArgumentParser) -> None:
    nsid(parser)
    number(
        parser, "-d", "--sdlba", default=None, most=U64, required=True, help="first LBA to write"
    )
    _list(parser, "-s", "--slbs", help="first LBA of each range, with commas")
    _list(parser, "-b", "--blocks", help="LBAs of each range less one")
    parser.add_argument("-l", "--limited-retry", action="store_true", help="limited retry")
    parser.add_argument("-f", "--force-unit-access", action="store_true", dest="fua", help="FUA")
    number(parser, "-p", "--prinfow", most=15, help="protection information of the write")
    number(parser, "-P", "--prinfor", most=15, help="protection information of the reads")
    number(parser, "-r", "--ref-tag", most=U32, help="initial reference tag of the write")
    number(parser, "-a", "--app-tag", most=0xFFFF, help="application tag of the write")
    number(parser, "-m", "--app-tag-mask", most=0xFFFF, help="application tag mask of the write")


def _copy_danger(args: argparse.Namespace) -> str:
    count = sum(args.blocks) + len(args.blocks)
    return f"{count} LBAs from {args.sdlba} of namespace {args.nsid} are overwritten"


def _copy(session: Session) -> None:
    args = session.args
    _checked(args, 0xFFFF)
    data = b"".join(map(COPY_RANGE.pack, args.slbs, args.blocks))
    buf = Buffer(len(data), "ranges")
    buf[:] = data
    cdw12 = len(args.slbs) - 1 | args.prinfor << 12 | args.prinfow << 26
    cdw12 |= args.fua << 30 | args.limited_retry << 31
    session.io(
        NVM.COPY,
        args.nsid,
        buf,
        cdw10=args.sdlba & U32,
        cdw11=args.sdlba >> 32,
        cdw12=cdw12,
        cdw14=args.ref_tag,
        cdw15=args.app_tag_mask << 16 | args.app_tag,
    )
    session.say("NVMe Copy: success", nsid=args.nsid, sdlba=args.sdlba, ranges=len(args.slbs))


WORDS = {
    "dsm": Word(_add_dsm, _dsm, _dsm_danger),
    "copy": Word(_add_copy, _copy, _copy_danger),
}
