"""Identify: id-ctrl, id-ns, list-ns and their kin."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from nvme import decode
from nvme.decode import read
from nvme.host.session import Session, hexdump
from nvme.host.word import U16, Word, nsid, number

CNS_NS, CNS_CTRL, CNS_ACTIVE, CNS_DESCRIPTORS = 0x00, 0x01, 0x02, 0x03
CNS_NS_CSI, CNS_CTRL_CSI, CNS_NS_INDEPENDENT = 0x05, 0x06, 0x08
CNS_ALLOCATED, CNS_NS_ALLOCATED, CNS_NS_CTRLS, CNS_CTRLS = 0x10, 0x11, 0x12, 0x13


def _nothing(parser: argparse.ArgumentParser) -> None:
    pass


def _vendor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-v", "--vendor-specific", action="store_true", dest="vendor", help="vendor bytes, too"
    )


def _with_vendor(session: Session, view: decode.View, title: str) -> None:
    session.show(view, title)
    vendor = getattr(view, "vs", b"")
    if session.args.vendor and session.format == "normal" and not session.dry:
        print("vs:")
        print("\n".join(hexdump(vendor)))


def _id_ctrl(session: Session) -> None:
    view = decode.IdentifyController(read.identify(session.admin, CNS_CTRL))
    _with_vendor(session, view, "NVME Identify Controller:")


def _add_id_ns(parser: argparse.ArgumentParser) -> None:
    nsid(parser)
    _vendor(parser)
    parser.add_argument("--all", action="store_true", help="also one that is not attached")


def _id_ns(session: Session) -> None:
    cns = CNS_NS_ALLOCATED if session.args.all or session.args.yes else CNS_NS
    view = decode.IdentifyNamespace(read.identify(session.admin, cns, session.args.nsid))
    _with_vendor(session, view, f"NVME Identify Namespace {session.args.nsid}:")


def _of_namespace(
    cns: int, kind: Callable[[bytes], decode.View | decode.NamespaceDescriptors], title: str
) -> Word:
    def run(session: Session) -> None:
        data = bytes(memoryview(read.identify(session.admin, cns, session.args.nsid)))
        session.show(kind(data), f"{title} {session.args.nsid}:")

    return Word(nsid, run)


def _nvm_id_ctrl(session: Session) -> None:
    view = decode.IdentifyControllerNvm(read.identify(session.admin, CNS_CTRL_CSI))
    session.show(view, "NVMe Identify Controller NVM:")


def _add_list_ns(parser: argparse.ArgumentParser) -> None:
    nsid(parser, 1, "first identifier of the list")
    parser.add_argument("-a", "--all", action="store_true", help="not only the attached ones")


def _list_ns(session: Session) -> None:
    cns = CNS_ALLOCATED if session.args.all else CNS_ACTIVE
    start = max(0, session.args.nsid - 1)
    listed = decode.NamespaceList(read.identify(session.admin, cns, start))
    if session.format == "normal" and not session.dry:
        for i, each in enumerate(listed):
            print(f"[{i:>4}]:{each:#x}")
    else:
        session.show(listed)


def _add_list_ctrl(parser: argparse.ArgumentParser) -> None:
    nsid(parser, None, "only controllers that this namespace is attached to")
    number(parser, "-c", "--cntid", most=U16, help="first identifier of the list")


def _list_ctrl(session: Session) -> None:
    args = session.args
    cns = CNS_CTRLS if args.nsid is None else CNS_NS_CTRLS
    listed = decode.ControllerList(
        read.identify(session.admin, cns, args.nsid or 0, cntid=args.cntid)
    )
    if session.format == "normal" and not session.dry:
        print(f"num of ctrls present: {len(listed)}")
        for i, each in enumerate(listed):
            print(f"[{i:>4}]:{each:#x}")
    else:
        session.show(listed)


WORDS = {
    "id-ctrl": Word(_vendor, _id_ctrl),
    "id-ns": Word(_add_id_ns, _id_ns),
    "nvm-id-ctrl": Word(_nothing, _nvm_id_ctrl),
    "nvm-id-ns": _of_namespace(
        CNS_NS_CSI, decode.IdentifyNamespaceNvm, "NVMe NVM Identify Namespace"
    ),
    "cmdset-ind-id-ns": _of_namespace(
        CNS_NS_INDEPENDENT,
        decode.IdentifyNamespaceIndependent,
        "NVMe I/O Command Set Independent Identify Namespace",
    ),
    "ns-descs": _of_namespace(
        CNS_DESCRIPTORS,
        decode.NamespaceDescriptors,
        "NVME Namespace Identification Descriptors NS",
    ),
    "list-ns": Word(_add_list_ns, _list_ns),
    "list-ctrl": Word(_add_list_ctrl, _list_ctrl),
}
