"""What is typed to filter a command log."""

from __future__ import annotations

from nvme.console.entries import STATUSES, Filter

HELP = "error, success, outstanding, op=02h, or a part of the line"


def parse(text: str) -> Filter:
    """A filter of words: a status, opcodes, and the rest as text. ValueError: no opcode."""
    opcodes: set[int] = set()
    status, rest = "all", []
    for word in text.split():
        key, is_valued, value = word.partition("=")
        if is_valued and key in ("op", "opcode"):
            opcodes |= {_opcode(one) for one in value.split(",")}
        elif word.lower() in STATUSES:
            status = word.lower()
        else:
            rest.append(word.lower())
    return Filter(frozenset(opcodes) if opcodes else None, status, " ".join(rest))


def _opcode(text: str) -> int:
    try:
        number = int(text[:-1], 16) if text[-1:] in "hH" else int(text, 0)
    except ValueError:
        number = -1
    if not 0 <= number <= 0xFF:
        raise ValueError(f"{text!r} is no opcode: 0..255, like 2, 0x02 or 02h")
    return number
