"""Features: get-feature and set-feature."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nvme import admin, decode, spec
from nvme.buffer import Buffer
from nvme.command_line import UsageError
from nvme.decode import read
from nvme.decode.features import data_bytes
from nvme.host.session import Session, StatusError
from nvme.host.word import Word, nsid, number

#: Features of one namespace.
OF_A_NAMESPACE = {
    spec.Feature.LBA_RANGE_TYPE,
    spec.Feature.ERROR_RECOVERY,
    spec.Feature.NAMESPACE_WRITE_PROTECTION_CONFIG,
}
SELECTED = {0: "Current", 1: "Default", 2: "Saved", 3: "Supported capabilities"}


def _nsid(args: argparse.Namespace, fid: int) -> int:
    if args.nsid is not None:
        return int(args.nsid)
    return int(fid in OF_A_NAMESPACE)


def _add_get(parser: argparse.ArgumentParser) -> None:
    number(parser, "-f", "--feature-id", dest="fid", default=None, most=0xFF, help="feature")
    nsid(parser, None, "namespace (default: 1 for features of a namespace, else 0)")
    number(
        parser,
        "-s",
        "--sel",
        most=7,
        help="0 current, 1 default, 2 saved, 3 capabilities",
    )
    number(parser, "-l", "--data-len", dest="length", default=None, help="bytes (default: its own)")
    number(parser, "-c", "--cdw11", help="dword 11")
    number(parser, "-U", "--uuid-index", dest="uuid", most=0x7F, help="UUID index")


def _ask(session: Session, fid: int) -> decode.FeatureValue:
    args = session.args
    return read.feature(
        session.admin,
        fid,
        sel=args.sel,
        nsid=_nsid(args, fid),
        cdw11=args.cdw11,
        uuid=args.uuid,
        size=args.length,
    )


def _title(session: Session, found: decode.FeatureValue) -> str:
    said = SELECTED.get(session.args.sel, f"select {session.args.sel}")
    return f"get-feature:{found.fid:#04x} ({found.name}), {said} value:{int(found.value):#010x}"


def _get(session: Session) -> None:
    if session.args.fid is None:
        _get_all(session)
        return
    found = _ask(session, session.args.fid)
    if session.dry:
        return
    if session.format == "normal":
        print(_title(session, found))
        data = found.data.lines(bits=session.human) if found.data is not None else []
        print("\n".join([*(found.value.lines() if session.human else ()), *data]), end="")
        print("\n" * bool(session.human or data), end="")
    else:
        data = b"" if found.data is None else bytes(found.data)
        session.show(found, raw=data or int(found.value).to_bytes(4, "little"))


def _get_all(session: Session) -> None:
    """Every feature that the drive has."""
    if session.format == "binary":
        raise UsageError("binary output needs -f")
    found = []
    for fid in spec.Feature:
        try:
            found.append(_ask(session, fid))
        except StatusError:
            continue  # one that this drive does not have
    if session.dry:
        return
    if session.format == "json":
        features = [each.asdict(bits=session.human, units=True) for each in found]
        session.json({"features": features})
        return
    for each in found:
        print(_title(session, each))
        if session.human:
            print("\n".join(each.value.lines()))


def _add_set(parser: argparse.ArgumentParser) -> None:
    number(parser, "-f", "--feature-id", dest="fid", most=0xFF, required=True, help="feature")
    number(parser, "-v", "-V", "--value", default=None, help="the new value, dword 11")
    number(parser, "-c", "--cdw12", help="dword 12")
    nsid(parser, None, "namespace (default: 1 for features of a namespace, else 0)")
    number(parser, "-l", "--data-len", dest="length", default=None, help="bytes of data")
    parser.add_argument("-d", "--data", metavar="FILE", help="the data (- : standard input)")
    parser.add_argument("-s", "--save", action="store_true", help="keep it over power cycles")
    number(parser, "-U", "--uuid-index", dest="uuid", most=0x7F, help="UUID index")


def payload(path: str | None, length: int | None, least: int = 0) -> Buffer | None:
    """A buffer of `length` bytes with what is in a file; None if there is nothing to send."""
    data = b""
    if path == "-":
        data = sys.stdin.buffer.read()
    elif path:
        data = Path(path).read_bytes()
    size = length if length is not None else max(len(data), least)
    if not size:
        return None
    if path and len(data) < size:
        raise UsageError(f"{path} has only {len(data)} of {size} bytes")
    buf = Buffer(size, "data")
    buf[:] = data[:size]
    return buf


def _set(session: Session) -> None:
    args = session.args
    if args.value is None and not args.data:
        raise UsageError("a new value is missing: -v, or -d for a feature with data")
    value = args.value or 0
    buf = payload(args.data, args.length if args.length else None)
    if buf is not None and len(buf) < data_bytes(args.fid):
        raise UsageError(f"feature {args.fid:#04x} has {data_bytes(args.fid)} bytes of data")
    result = session.admin(
        admin.SET_FEATURES,
        buf,
        _nsid(args, args.fid),
        cdw10=int(args.save) << 31 | args.fid,
        cdw11=value,
        cdw12=args.cdw12,
        cdw14=args.uuid,
    )
    name = spec.Feature.text_of(args.fid)
    session.say(
        f"set-feature:{args.fid:#04x} ({name}), value:{value:#010x}, cdw12:{args.cdw12:#010x}, "
        f"save:{int(args.save)}, result:{result:#010x}",
        fid=args.fid,
        name=name,
        value=value,
        cdw12=args.cdw12,
        save=int(args.save),
        result_dword0=result,
    )


WORDS = {
    "get-feature": Word(_add_get, _get),
    "set-feature": Word(_add_set, _set),
}
