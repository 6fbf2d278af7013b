"""Firmware: fw-download and fw-commit."""

from __future__ import annotations

import argparse
from pathlib import Path

from nvme import admin, decode, spec
from nvme.buffer import Buffer
from nvme.command_line import UsageError
from nvme.decode import read
from nvme.host.progress import Line
from nvme.host.session import LONG_MS, Session, StatusError
from nvme.host.word import Word, number

PIECE_BYTES = 4096
#: Statuses of a commit that did what was asked, but needs something more.
THEN = {
    spec.Status.FIRMWARE_ACTIVATION_REQUIRES_CONVENTIONAL_RESET: "a conventional reset",
    spec.Status.FIRMWARE_ACTIVATION_REQUIRES_NVM_SUBSYSTEM_RESET: "an NVM subsystem reset",
    spec.Status.FIRMWARE_ACTIVATION_REQUIRES_CONTROLLER_LEVEL_RESET: "a controller reset",
}
STORES = (0, 1)


def _add_download(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-f", "--fw", required=True, metavar="FILE", help="firmware image")
    number(parser, "-x", "--xfer", default=0, help="bytes a command (0: what the drive prefers)")
    number(parser, "-O", "--offset", default=0, help="where it begins, dwords")
    parser.add_argument("-p", "--progress", action="store_true", help="shown on a terminal anyway")
    parser.add_argument(
        "-i", "--ignore-ovr", action="store_true", help="go on over an Overlapping Range"
    )


def _piece(session: Session) -> int:
    """Bytes a command: what was asked for, or the drive's granularity."""
    wanted = int(session.args.xfer)
    if wanted % 4:
        raise UsageError("--xfer must be a multiple of 4")
    if wanted:
        return wanted
    fwug = decode.IdentifyController(read.identify(session.ask, 0x01)).fwug
    return PIECE_BYTES * fwug if fwug not in (0, 0xFF) else PIECE_BYTES


def _download(session: Session) -> None:
    args = session.args
    image = Path(args.fw).read_bytes()
    if not image:
        raise UsageError(f"{args.fw} is empty")
    image += bytes(-len(image) % 4)
    piece = _piece(session)
    with Line("fw-download") as line:
        for at in range(0, len(image), piece):
            part = image[at : at + piece]
            buf = Buffer(len(part), "firmware")
            buf[:] = part
            try:
                session.admin_within(
                    session.timeout or LONG_MS,
                    admin.FW_DOWNLOAD,
                    buf,
                    cdw10=len(part) // 4 - 1,
                    cdw11=args.offset + at // 4,
                )
            except StatusError as error:
                if not (args.ignore_ovr and error.status == spec.Status.OVERLAPPING_RANGE):
                    raise
            line.portion(at + len(part), len(image))
    session.say("Firmware download success", image_bytes=len(image), xfer_bytes=piece)


def _add_commit(parser: argparse.ArgumentParser) -> None:
    number(parser, "-s", "--slot", most=7, help="slot; 0: the drive chooses")
    number(
        parser,
        "-a",
        "--action",
        most=7,
        help="0 store, 1 store and activate at the next reset, 2 activate at the next reset, "
        "3 activate at once",
    )
    number(parser, "-b", "--bpid", most=1, help="boot partition, for actions 6 and 7")


def _commit_danger(args: argparse.Namespace) -> str:
    if args.action in STORES:
        return f"fw-commit overwrites the firmware of slot {args.slot or 'the drive chooses'}"
    return "fw-commit changes the firmware that runs"


def _commit(session: Session) -> None:
    args = session.args
    cdw10 = args.bpid << 31 | args.action << 3 | args.slot
    needs = ""
    result = 0
    try:
        result = session.during(
            "fw-commit",
            lambda: session.admin_within(
                session.timeout or LONG_MS, admin.FW_COMMIT, None, cdw10=cdw10
            ),
        )
    except StatusError as error:
        if error.status not in THEN:
            raise
        needs, result = THEN[spec.Status(error.status)], error.cdw0
    said = f"Success committing firmware action:{args.action} slot:{args.slot}"
    session.say(
        f"{said}, but it needs {needs}" if needs else said,
        action=args.action,
        slot=args.slot,
        bpid=args.bpid,
        needs=needs,
        result_dword0=result,
    )


WORDS = {
    "fw-download": Word(_add_download, _download, also_o="offset"),
    "fw-commit": Word(_add_commit, _commit, _commit_danger),
}
