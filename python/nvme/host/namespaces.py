"""Namespace management and attachment."""

from __future__ import annotations

import argparse

from nvme import admin, decode
from nvme.buffer import Buffer
from nvme.command_line import UsageError
from nvme.decode import read
from nvme.decode.field import Field
from nvme.decode.id_ns import IdentifyNamespace
from nvme.decode.lists import CONTROLLERS
from nvme.host.session import LONG_MS, Session
from nvme.host.word import U16, U32, U64, Word, number, numbers

CREATE, DELETE, ATTACH, DETACH = 0, 1, 0, 1
SI = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def _bytes(text: str) -> int:
    """A size as 100G: powers of ten, as drives are sold."""
    unit = text[-1:].upper()
    digits = text[:-1] if unit in "KMGT" and unit else text
    if not digits.isdigit() or not int(digits):
        raise argparse.ArgumentTypeError(f"must be a size like 100G, not {text!r}")
    return int(digits) * SI[unit if unit in SI else ""]


def _add_create(parser: argparse.ArgumentParser) -> None:
    number(parser, "-s", "--nsze", default=None, most=U64, help="size, LBAs")
    number(parser, "-c", "--ncap", default=None, most=U64, help="capacity, LBAs (default: --nsze)")
    parser.add_argument("-S", "--nsze-si", type=_bytes, metavar="SIZE", help="size, as 100G")
    parser.add_argument("-C", "--ncap-si", type=_bytes, metavar="SIZE", help="capacity, as 100G")
    number(parser, "-f", "--flbas", default=None, most=0xFF, help="LBA format (default: 0)")
    number(parser, "-d", "--dps", most=0xFF, help="data protection settings")
    number(parser, "-m", "--nmic", most=0xFF, help="1: may be attached to several controllers")
    number(parser, "-a", "--anagrp-id", dest="anagrpid", help="ANA group")
    number(parser, "-i", "--nvmset-id", dest="nvmsetid", most=U16, help="NVM set")
    number(parser, "-g", "--endg-id", dest="endgid", most=U16, help="endurance group")
    number(parser, "-b", "--block-size", default=None, help="bytes of an LBA, instead of --flbas")
    number(parser, "-y", "--csi", most=0xFF, help="command set")


def _formats(session: Session) -> decode.IdentifyNamespace:
    """The LBA formats that any namespace has (NSID FFFFFFFFh)."""
    return decode.IdentifyNamespace(read.identify(session.ask, 0x00, U32))


def _create(session: Session) -> None:
    args = session.args
    flbas = args.flbas or 0
    block = 512
    if args.block_size is not None or args.nsze_si or args.ncap_si:
        formats = _formats(session)
        if args.block_size is not None:
            sizes = [each.data_bytes for each in formats.lbaf[: formats.nlbaf + 1]]
            if args.block_size not in sizes:
                raise UsageError(f"no format with {args.block_size} bytes; there are {sizes}")
            flbas = sizes.index(args.block_size)
        block = formats.lbaf[flbas & 0xF].data_bytes or block
    nsze = args.nsze_si // block if args.nsze_si else args.nsze
    if not nsze:
        raise UsageError("the size is missing: --nsze or --nsze-si")
    ncap = args.ncap_si // block if args.ncap_si else args.ncap
    ncap = nsze if ncap is None else ncap
    values: dict[Field[int], int] = {
        IdentifyNamespace.nsze: nsze,
        IdentifyNamespace.ncap: ncap,
        IdentifyNamespace.anagrpid: args.anagrpid,
        IdentifyNamespace.nvmsetid: args.nvmsetid,
        IdentifyNamespace.endgid: args.endgid,
    }
    buf = Buffer(IdentifyNamespace.BYTES, "namespace")
    for field, value in values.items():
        buf[field.offset : field.end] = value.to_bytes(field.width, "little")
    buf[IdentifyNamespace.flbas.offset] = flbas
    buf[IdentifyNamespace.dps.offset] = args.dps
    buf[IdentifyNamespace.nmic.offset] = args.nmic
    made = session.admin_within(
        session.timeout or LONG_MS,
        admin.NS_MANAGEMENT,
        buf,
        cdw10=CREATE,
        cdw11=args.csi << 24,
    )
    session.say(
        f"create-ns: Success, created nsid:{made}",
        nsid=made,
        nsze_lbas=nsze,
        ncap_lbas=ncap,
        flbas=flbas,
    )


def _one(parser: argparse.ArgumentParser) -> None:
    number(parser, "-n", "--namespace-id", dest="nsid", required=True, help="namespace")


def _delete_danger(args: argparse.Namespace) -> str:
    where = "all namespaces" if args.nsid == U32 else f"namespace {args.nsid}"
    return f"delete-ns erases {where}"


def _delete(session: Session) -> None:
    nsid = session.args.nsid
    session.admin_within(session.timeout or LONG_MS, admin.NS_MANAGEMENT, None, nsid, cdw10=DELETE)
    session.say(f"delete-ns: Success, deleted nsid:{nsid}", nsid=nsid)


def _add_attach(parser: argparse.ArgumentParser) -> None:
    _one(parser)
    parser.add_argument(
        "-c",
        "--controllers",
        type=numbers,
        metavar="LIST",
        help="controller identifiers with commas (default: this controller's)",
    )


def _attach(session: Session, sel: int, name: str) -> None:
    args = session.args
    controllers = args.controllers
    if controllers is None:
        controllers = [decode.IdentifyController(read.identify(session.ask, 0x01)).cntlid]
    if len(controllers) > CONTROLLERS or max(controllers) > U16:
        raise UsageError(f"at most {CONTROLLERS} controllers, each at most {U16:#x}")
    buf = Buffer(decode.ControllerList.BYTES, "controllers")
    listed = [len(controllers), *controllers]
    buf[: 2 * len(listed)] = b"".join(each.to_bytes(2, "little") for each in listed)
    session.admin(admin.NS_ATTACHMENT, buf, args.nsid, cdw10=sel)
    session.say(f"{name}: Success, nsid:{args.nsid}", nsid=args.nsid, controllers=controllers)


WORDS = {
    "create-ns": Word(_add_create, _create),
    "delete-ns": Word(_one, _delete, _delete_danger),
    "attach-ns": Word(_add_attach, lambda session: _attach(session, ATTACH, "attach-ns")),
    "detach-ns": Word(
        _add_attach,
        lambda session: _attach(session, DETACH, "detach-ns"),
        lambda args: f"detach-ns takes namespace {args.nsid} from its users",
    ),
}
