"""Log pages."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nvme import decode, spec
from nvme.command_line import UsageError
from nvme.decode import read
from nvme.decode.entries import Entries
from nvme.host.progress import Line
from nvme.host.session import Session
from nvme.host.word import U16, U32, U64, Word, nsid, number

SMART, ERROR, FIRMWARE, EFFECTS, SELF_TEST = 0x02, 0x01, 0x03, 0x05, 0x06
ENDURANCE, SUPPORTED, FEATURES, SANITIZE = 0x09, 0x00, 0x12, 0x81

#: Views of log pages that have one size.
VIEWS: dict[int, type[decode.View] | type[Entries[Any]]] = {
    SUPPORTED: decode.SupportedLogPages,
    ERROR: decode.ErrorLog,
    SMART: decode.SmartLog,
    FIRMWARE: decode.FirmwareLog,
    0x04: decode.NamespaceList,
    EFFECTS: decode.EffectsLog,
    SELF_TEST: decode.SelfTestLog,
    0x07: decode.TelemetryHeader,
    0x08: decode.TelemetryHeader,
    ENDURANCE: decode.EnduranceGroupLog,
    FEATURES: decode.FeatureEffectsLog,
    SANITIZE: decode.SanitizeLog,
}


def _log(lid: int, view: type[decode.View], title: str) -> Callable[[Session], None]:
    def run(session: Session) -> None:
        fields = {
            name: getattr(session.args, name)
            for name in ("nsid", "csi", "lsi", "rae")
            if hasattr(session.args, name)
        }
        data = read.log(session.admin, lid, view.BYTES, **fields)
        session.show(view(data), title)

    return run


def _nothing(parser: argparse.ArgumentParser) -> None:
    pass


def _add_smart(parser: argparse.ArgumentParser) -> None:
    nsid(parser, U32, "namespace, if the drive counts for each (default: 0xffffffff, all)")


def _add_error(parser: argparse.ArgumentParser) -> None:
    number(
        parser, "-e", "--log-entries", dest="entries", default=64, most=U16, help="newest entries"
    )


def _error(session: Session) -> None:
    entries = session.args.entries
    if not entries:
        raise UsageError("-e must be at least 1")
    most = decode.IdentifyController(read.identify(session.ask, 0x01)).elpe + 1
    session.show(read.error_log(session.admin, min(entries, most)), "Error Log Entries:")


def _add_effects(parser: argparse.ArgumentParser) -> None:
    number(parser, "-c", "--csi", most=0xFF, help="I/O command set")


def _add_self_test(parser: argparse.ArgumentParser) -> None:
    number(parser, "-e", "--dst-entries", dest="entries", default=20, help="newest results")


def _self_test(session: Session) -> None:
    log = decode.SelfTestLog(read.log(session.admin, SELF_TEST, decode.SelfTestLog.BYTES))
    entries = session.args.entries
    if entries < len(log.result):
        # The results beyond are made to say that they are none.
        kept = 4 + entries * decode.SelfTestResult.BYTES
        unused = (b"\x0f" + bytes(decode.SelfTestResult.BYTES - 1)) * (20 - entries)
        log = decode.SelfTestLog(bytes(log)[:kept] + unused)
    session.show(log, "Device Self Test Log:")


def _add_rae(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-r", "--rae", action="store_true", help="retain the asynchronous event")


def _add_events(parser: argparse.ArgumentParser) -> None:
    number(
        parser,
        "-a",
        "--action",
        default=None,
        most=2,
        help="0 read, 1 establish a context and read, 2 release (default: all three)",
    )
    number(parser, "-l", "--log_len", "--log-len", dest="length", help="bytes at most (0: all)")


def _events(session: Session) -> None:
    args = session.args
    if args.action is not None:
        size = max(512, args.length + 3 & ~3) if args.action < 2 else 512
        data = read.log(session.admin, read.PERSISTENT_EVENT, size, lsp=args.action)
        if args.action < 2:
            session.show(decode.PersistentEventLog(data), "Persistent Event Log:")
        return
    with Line("persistent event log") as line:
        log = read.persistent_event_log(session.admin, args.length, line.portion)
    session.show(log, "Persistent Event Log:")


def _add_telemetry(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-O", "--output-file", metavar="FILE", help="where the log goes (default: only the header)"
    )
    number(parser, "-g", "--host-generate", default=1, most=1, help="1: collect the data anew")
    parser.add_argument(
        "-c", "--controller-init", action="store_true", help="the controller-initiated log"
    )
    number(parser, "-d", "--data-area", default=3, most=4, help="up to data area 1..4")


def _telemetry(session: Session) -> None:
    args = session.args
    if not args.data_area:
        raise UsageError("-d must be 1..4")
    wanted = args.output_file or session.format == "binary"
    with Line("telemetry log") as line:
        log = read.telemetry_log(
            session.admin,
            args.data_area if wanted else 0,
            controller_initiated=args.controller_init,
            create=bool(args.host_generate),
            progress=line.portion,
        )
    if args.output_file and not session.dry:
        Path(args.output_file).write_bytes(bytes(log))
    if not (args.output_file and session.format == "binary"):
        session.show(log, "Telemetry Log:")


def _add_endurance(parser: argparse.ArgumentParser) -> None:
    number(parser, "-g", "--group-id", dest="lsi", default=1, most=U16, help="endurance group")


def _add_get_log(parser: argparse.ArgumentParser) -> None:
    number(parser, "-i", "--log-id", dest="lid", most=0xFF, required=True, help="log page")
    number(parser, "-l", "--log-len", dest="length", default=None, help="bytes (default: its own)")
    nsid(parser, U32, "namespace (default: 0xffffffff)")
    number(parser, "-L", "--lpo", default=0, most=U64, help="offset in bytes")
    number(parser, "-s", "--lsp", most=0x7F, help="log specific parameter")
    number(parser, "-S", "--lsi", most=U16, help="log specific identifier")
    number(parser, "-U", "--uuid-index", dest="uuid", most=0x7F, help="UUID index")
    number(parser, "-y", "--csi", most=0xFF, help="command set")
    parser.add_argument("-O", "--ot", action="store_true", help="the offset is an index")
    _add_rae(parser)


def _get_log(session: Session) -> None:
    args = session.args
    view = VIEWS.get(args.lid)
    length = args.length
    if length is None:
        length = getattr(view, "BYTES", 512) if view else 512
    if not length or length % 4 or args.lpo % 4:
        raise UsageError("-l and --lpo must be multiples of 4, and -l not 0")
    fields = {name: int(getattr(args, name)) for name in ("lsp", "lsi", "rae", "uuid", "csi", "ot")}
    data = bytes(
        memoryview(
            read.log(session.admin, args.lid, length, nsid=args.nsid, offset=args.lpo, **fields)
        )
    )
    decoded = None
    if view and not args.lpo and len(data) >= getattr(view, "BYTES", 64):
        decoded = view(data)
    head = {"log_id": args.lid, "name": spec.LogPage.text_of(args.lid), "nsid": args.nsid}
    title = f"log-id:{args.lid:#x} ({head['name']}) namespace-id:{args.nsid:#x}"
    session.dump(data, title, {**head, "offset_bytes": args.lpo}, decoded)


WORDS = {
    "smart-log": Word(_add_smart, _log(SMART, decode.SmartLog, "Smart Log:")),
    "error-log": Word(_add_error, _error),
    "fw-log": Word(_nothing, _log(FIRMWARE, decode.FirmwareLog, "Firmware Log:")),
    "effects-log": Word(_add_effects, _log(EFFECTS, decode.EffectsLog, "Command Effects Log:")),
    "self-test-log": Word(_add_self_test, _self_test),
    "sanitize-log": Word(_add_rae, _log(SANITIZE, decode.SanitizeLog, "Sanitize Log:")),
    "persistent-event-log": Word(_add_events, _events),
    "telemetry-log": Word(_add_telemetry, _telemetry, also_o="output_file"),
    "endurance-log": Word(
        _add_endurance, _log(ENDURANCE, decode.EnduranceGroupLog, "Endurance Group Log:")
    ),
    "supported-log-pages": Word(
        _nothing, _log(SUPPORTED, decode.SupportedLogPages, "Supported Log Pages:")
    ),
    "fid-support-effects-log": Word(
        _nothing, _log(FEATURES, decode.FeatureEffectsLog, "FID Supported and Effects Log:")
    ),
    "get-log": Word(_add_get_log, _get_log, also_o="lpo"),
}
