"""Values of options, in fio's notation: sizes, times, percentages, lists for each direction."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from typing import NamedTuple

SUFFIXES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}
NUMBER = re.compile(r"(0x[0-9a-f]+|[-+]?[0-9.]+(?:e[-+]?[0-9]+)?)([kmgtp]?)(?:i?b|i)?$")
TIMES = {
    "us": 1e-6, "usec": 1e-6, "ms": 1e-3, "msec": 1e-3, "": 1, "s": 1, "sec": 1,
    "m": 60, "h": 3600, "d": 86400,
}  # fmt: skip
BYTES_MAX = 1 << 62
#: Longer runs are refused by the workers.
SECONDS_MAX = 1000 * 3600
#: Sizes between the two ends of a range, at most.
RANGE_MAX = 4096
#: Directions, in the order of fio's lists.
READ, WRITE, TRIM = range(3)
NDIRECTIONS = 3


def real_of(text: str, what: str, highest: float = BYTES_MAX) -> float:
    """A number with fio's suffixes: k is 1,024, m 1,024 k, and so on."""
    found = NUMBER.match(text.lower())
    try:
        if not found:
            raise ValueError
        digits, suffix = found.groups()
        number = int(digits, 16) if digits.startswith("0x") else float(digits)
        value = number * SUFFIXES[suffix]
        if not 0 <= value <= highest:
            raise ValueError
        return value
    except ValueError:
        raise argparse.ArgumentTypeError(f"not {what}: {text!r}") from None


def size_of(text: str) -> int:
    """Bytes in a size like 512, 4k, 1M, 20g or 0x1000."""
    return int(real_of(text, "a size"))


def count_of(lowest: int, highest: int) -> Callable[[str], int]:
    """A parser of whole numbers within limits; 1k is 1,024."""
    what = f"a number of {lowest}..{highest}"

    def parse(text: str) -> int:
        number = real_of(text, what, highest)
        if number < lowest or number != int(number):
            raise argparse.ArgumentTypeError(f"not {what}: {text!r}")
        return int(number)

    return parse


def seconds_of(text: str) -> float:
    """Seconds in a time like 10, 10s, 500ms, 5m, 2h or 1d."""
    found = re.match(r"([0-9.]+)([a-z]*)$", text.lower())
    try:
        if not found:
            raise ValueError
        seconds = float(found[1]) * TIMES[found[2]]
        if not seconds <= SECONDS_MAX:
            raise argparse.ArgumentTypeError(f"longer than 1000 hours: {text!r}")
        return seconds
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(f"not a time: {text!r}") from None


def flag_of(text: str) -> bool:
    """fio's booleans: 0 and 1, or false and true."""
    try:
        return {"0": False, "false": False, "1": True, "true": True}[text.lower()]
    except KeyError:
        raise argparse.ArgumentTypeError(f"not 0 or 1: {text!r}") from None


class Amount(NamedTuple):
    """So many bytes, or so many per cent of something."""

    bytes: int = 0
    percent: float = 0.0

    def of(self, total: int) -> int:
        """Bytes, when the whole is so many."""
        return int(total * self.percent / 100) if self.percent else self.bytes

    def __bool__(self) -> bool:
        return bool(self.bytes or self.percent)


def amount_of(text: str) -> Amount:
    """A size, or a percentage like 20%."""
    if not text.endswith("%"):
        return Amount(size_of(text))
    try:
        percent = float(text[:-1])
        if not (math.isfinite(percent) and 0 <= percent <= 100):
            raise ValueError
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a percentage of 0%..100%: {text!r}") from None
    return Amount(percent=percent)


def _parts(text: str, what: str) -> list[str]:
    """The entries of one of fio's lists for reads, writes and trims."""
    parts = text.split(",")
    if len(parts) > NDIRECTIONS or not any(parts):
        raise argparse.ArgumentTypeError(f"not {what}, nor up to three with commas: {text!r}")
    return parts


def rate_of(text: str) -> float:
    """Commands a second: a number, or one for each direction, which are added up."""
    parts = _parts(text, "a rate")
    return float(sum(real_of(part, "a rate") for part in parts if part))


#: Weights by size in bytes, of reads, writes and trims; None: not given.
Blocks = tuple[dict[int, int] | None, ...]


def _directions(text: str, parse: Callable[[str], dict[int, int]]) -> Blocks:
    """fio's lists: what is left out at the end is as the last one, what is empty as by default."""
    parts = _parts(text, "a size")
    found = [parse(part) if part else None for part in parts]
    return tuple(found + [found[-1]] * (NDIRECTIONS - len(found)))


def _block(text: str) -> int:
    size = size_of(text)
    if not size:
        raise argparse.ArgumentTypeError(f"a block of no bytes: {text!r}")
    return size


def blocks_of(text: str) -> Blocks:
    """bs: a size, or "reads,writes,trims"."""
    return _directions(text, lambda part: {_block(part): 1})


def _range(text: str) -> dict[int, int]:
    ends = re.split("[-:]", text)
    if len(ends) != 2:
        raise argparse.ArgumentTypeError(f"not a range like 4k-64k: {text!r}")
    low, high = sorted(map(_block, ends))
    if high // low > RANGE_MAX:
        raise argparse.ArgumentTypeError(f"more than {RANGE_MAX} sizes: {text!r}")
    return dict.fromkeys(range(low, high + 1, low), 1)


def ranges_of(text: str) -> Blocks:
    """bsrange: sizes that are multiples of the lower end, as in 4k-64k."""
    return _directions(text.replace("/", ","), _range)


def _split(text: str) -> dict[int, int]:
    """Weights in hundredths of a per cent; a size without a percentage shares what is left."""
    given: dict[int, int] = {}
    open_ones = []
    for part in text.split(":"):
        size, _, percent = part.partition("/")
        if percent:
            weight = round(_percent(percent, text) * 100)
            given[_block(size)] = given.get(_block(size), 0) + weight
        else:
            open_ones.append(_block(size))
    left = 10000 - sum(given.values())
    if left < 0 or (left and not open_ones):
        raise argparse.ArgumentTypeError(
            f"the percentages of {text!r} sum up to {(10000 - left) / 100:g}, not 100"
        )
    for i, block in enumerate(open_ones):
        share = left // len(open_ones) + (i < left % len(open_ones))
        given[block] = given.get(block, 0) + share
    return {size: weight for size, weight in given.items() if weight}


def _percent(text: str, whole: str) -> float:
    try:
        percent = float(text.removesuffix("%"))
        if not 0 <= percent <= 100:
            raise ValueError
        return percent
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a percentage: {text!r} in {whole!r}") from None


def splits_of(text: str) -> Blocks:
    """bssplit: sizes and percentages, as in 4k/60:64k/40."""
    return _directions(text, _split)


def cpus_of(text: str) -> list[int]:
    """A list like 0-3,6."""
    cpus: list[int] = []
    for part in text.split(","):
        ends = part.split("-")
        if not 1 <= len(ends) <= 2 or not all(end.strip().isdecimal() for end in ends):
            raise argparse.ArgumentTypeError(f"not a list of CPUs like 0-3,6: {text!r}")
        first, last = int(ends[0]), int(ends[-1])
        if not first <= last < 65536:
            raise argparse.ArgumentTypeError(f"not a list of CPUs like 0-3,6: {text!r}")
        cpus += range(first, last + 1)
    return cpus
