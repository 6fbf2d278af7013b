"""Commands in words: a line of what and where, and what the dwords mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from nvme import _core

FABRICS = 0x7F
#: IO commands with SLBA in CDW10 and 11; the first ones also have NLB in CDW12.
_WITH_NLB = frozenset((0x01, 0x02, 0x04, 0x05, 0x08, 0x0C, 0x7D))
_WITH_SLBA = _WITH_NLB | {0x19, 0x79, 0x7A}
_SELECT = ("current", "default", "saved", "capabilities")
_SELF_TESTS = {1: "short", 2: "extended", 0xE: "vendor's", 0xF: "abort"}
_SANITIZE = {1: "exit failure mode", 2: "block erase", 3: "overwrite", 4: "crypto erase"}
_NS_ATTACH = ("attach", "detach")
_NS_MANAGE = ("create", "delete")


class Where(NamedTuple):
    """LBAs of a command; None: it has none."""

    slba: int | None
    nlb: int | None


class Words(NamedTuple):
    """A command in words: what follows its name in a line, and its dwords one by one."""

    line: str
    details: list[str]


def name(sqe: Sequence[int], admin: bool) -> str:
    """Name of the command."""
    opcode = sqe[0] & 0xFF
    if opcode == FABRICS:
        return _core.fctype_name(sqe[1] & 0xFF)
    return _core.admin_name(opcode) if admin else _core.io_name(opcode)


def status_name(sqe: Sequence[int], status: int) -> str:
    """Name of SCT << 8 | SC, as this command's completion has it."""
    fabrics = sqe[0] & 0xFF == FABRICS
    return _core.fabrics_status_name(status) if fabrics else _core.status_name(status)


def where(sqe: Sequence[int], admin: bool) -> Where:
    """Which LBAs it is about."""
    opcode = sqe[0] & 0xFF
    if admin or opcode not in _WITH_SLBA:
        return Where(None, None)
    nlb = (sqe[12] & 0xFFFF) + 1 if opcode in _WITH_NLB else None
    return Where(sqe[11] << 32 | sqe[10], nlb)


def _one_of(names: Sequence[str] | dict[int, str], number: int) -> str:
    if isinstance(names, dict):
        return names.get(number, f"{number} (reserved)")
    return names[number] if number < len(names) else f"{number} (reserved)"


# --- admin commands: cdw10 to cdw15 as c[0] to c[5] ---


def _queue_id(c: Sequence[int]) -> Words:
    return Words(f"queue {c[0] & 0xFFFF}", [f"cdw10 {c[0]:08x}: queue {c[0] & 0xFFFF}"])


def _create_sq(c: Sequence[int]) -> Words:
    line = f"queue {c[0] & 0xFFFF}, {(c[0] >> 16) + 1} entries"
    priority = ("urgent", "high", "medium", "low")[c[1] >> 1 & 3]
    return Words(
        line,
        [
            f"cdw10 {c[0]:08x}: {line}",
            f"cdw11 {c[1]:08x}: completion queue {c[1] >> 16}, priority {priority}"
            + (", contiguous" if c[1] & 1 else ""),
        ],
    )


def _create_cq(c: Sequence[int]) -> Words:
    line = f"queue {c[0] & 0xFFFF}, {(c[0] >> 16) + 1} entries"
    interrupt = f"vector {c[1] >> 16}" if c[1] & 2 else "no interrupts"
    return Words(
        line,
        [
            f"cdw10 {c[0]:08x}: {line}",
            f"cdw11 {c[1]:08x}: {interrupt}" + (", contiguous" if c[1] & 1 else ""),
        ],
    )


def _get_log(c: Sequence[int]) -> Words:
    lid, offset = c[0] & 0xFF, c[3] << 32 | c[2]
    length = ((c[1] & 0xFFFF) << 16 | c[0] >> 16) + 1 << 2
    line = f"log {lid:02x}h {_core.log_name(lid)}, {length} bytes"
    if offset:
        line += f" from {offset}"
    rae = ", events retained" if c[0] >> 15 & 1 else ""
    return Words(
        line,
        [
            f"cdw10 {c[0]:08x}: log {lid:02x}h {_core.log_name(lid)}, "
            f"specific field {c[0] >> 8 & 0x7F}{rae}",
            f"cdw11 {c[1]:08x}: {length} bytes, specific identifier {c[1] >> 16}",
            f"cdw13:12 {c[3]:08x}:{c[2]:08x}: offset {offset}",
        ],
    )


def _identify(c: Sequence[int]) -> Words:
    line = f"CNS {c[0] & 0xFF:02x}h"
    return Words(
        line,
        [
            f"cdw10 {c[0]:08x}: {line}, controller {c[0] >> 16}",
            f"cdw11 {c[1]:08x}: command set {c[1] >> 24}, specific identifier {c[1] & 0xFFFF}",
        ],
    )


def _abort(c: Sequence[int]) -> Words:
    line = f"queue {c[0] & 0xFFFF} command {c[0] >> 16}"
    return Words(line, [f"cdw10 {c[0]:08x}: {line}"])


def _feature(c: Sequence[int]) -> str:
    return f"feature {c[0] & 0xFF:02x}h {_core.feature_name(c[0] & 0xFF)}"


def _set_features(c: Sequence[int]) -> Words:
    saved = ", saved" if c[0] >> 31 else ""
    return Words(
        f"{_feature(c)} = {c[1]:#x}{saved}",
        [f"cdw10 {c[0]:08x}: {_feature(c)}{saved}", f"cdw11 {c[1]:08x}: value"],
    )


def _get_features(c: Sequence[int]) -> Words:
    line = f"{_feature(c)}, {_one_of(_SELECT, c[0] >> 8 & 7)} value"
    return Words(line, [f"cdw10 {c[0]:08x}: {line}"])


def _commit(c: Sequence[int]) -> Words:
    line = f"slot {c[0] & 7}, action {c[0] >> 3 & 7}"
    return Words(line, [f"cdw10 {c[0]:08x}: {line}"])


def _download(c: Sequence[int]) -> Words:
    line = f"{c[0] + 1 << 2} bytes at {c[1] << 2}"
    return Words(
        line,
        [f"cdw10 {c[0]:08x}: {c[0] + 1 << 2} bytes", f"cdw11 {c[1]:08x}: offset {c[1] << 2}"],
    )


def _choice(names: Sequence[str] | dict[int, str], mask: int) -> Callable[[Sequence[int]], Words]:
    def words(c: Sequence[int]) -> Words:
        line = _one_of(names, c[0] & mask)
        return Words(line, [f"cdw10 {c[0]:08x}: {line}"])

    return words


def _format(c: Sequence[int]) -> Words:
    line = f"LBA format {c[0] & 0xF}, protection {c[0] >> 5 & 7}, erase {c[0] >> 9 & 7}"
    return Words(line, [f"cdw10 {c[0]:08x}: {line}"])


_ADMIN: dict[int, Callable[[Sequence[int]], Words]] = {
    0x00: _queue_id,
    0x01: _create_sq,
    0x02: _get_log,
    0x04: _queue_id,
    0x05: _create_cq,
    0x06: _identify,
    0x08: _abort,
    0x09: _set_features,
    0x0A: _get_features,
    0x0D: _choice(_NS_MANAGE, 0xF),
    0x10: _commit,
    0x11: _download,
    0x14: _choice(_SELF_TESTS, 0xF),
    0x15: _choice(_NS_ATTACH, 0xF),
    0x80: _format,
    0x84: _choice(_SANITIZE, 7),
}


# --- IO commands ---


def _lbas(sqe: Sequence[int], at: Where) -> Words:
    line = f"LBA {at.slba:#x}"
    details = [f"cdw11:10 {sqe[11]:08x}:{sqe[10]:08x}: LBA {at.slba}"]
    if at.nlb is not None:
        line += f" + {at.nlb}"
        flags = [text for bit, text in ((31, "limited retry"), (30, "FUA")) if sqe[12] >> bit & 1]
        details.append(f"cdw12 {sqe[12]:08x}: " + ", ".join([f"{at.nlb} LBAs", *flags]))
    return Words(line, details)


def _ranges(sqe: Sequence[int]) -> Words:
    line = f"{(sqe[10] & 0xFF) + 1} ranges"
    kinds = [
        text for bit, text in ((2, "deallocate"), (1, "write"), (0, "read")) if sqe[11] >> bit & 1
    ]
    return Words(
        line,
        [
            f"cdw10 {sqe[10]:08x}: {line}",
            f"cdw11 {sqe[11]:08x}: " + (", ".join(kinds) or "no attribute"),
        ],
    )


def words(sqe: Sequence[int], admin: bool) -> Words:
    """A command in words."""
    opcode = sqe[0] & 0xFF
    if opcode == FABRICS:
        return Words("", [])
    if admin:
        tell = _ADMIN.get(opcode)
        return tell(sqe[10:16]) if tell else Words("", [])
    at = where(sqe, admin)
    if at.slba is not None:
        return _lbas(sqe, at)
    return _ranges(sqe) if opcode == 0x09 else Words("", [])
