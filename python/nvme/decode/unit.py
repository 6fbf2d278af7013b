"""Units of the raw integers: how a table shows them, and how the key of a dict ends."""

from __future__ import annotations

from typing import NamedTuple


class Unit(NamedTuple):
    """What one step of a raw integer stands for.

    symbol: what a table shows behind the value
    key: what JSON has at the end of a field's name, behind "_"
    """

    symbol: str
    key: str


PERCENT = Unit("%", "percent")
KELVIN = Unit("K", "kelvin")
MINUTES = Unit("min", "minutes")
HOURS = Unit("h", "hours")
SECONDS = Unit("s", "seconds")
HALF_SECONDS = Unit("x 500 ms", "500ms")
TENTHS = Unit("x 100 ms", "100ms")
MS = Unit("ms", "ms")
US = Unit("us", "us")
BYTES = Unit("B", "bytes")
LBAS = Unit("LBAs", "lbas")
#: A field that says one less than it means.
LBAS_0 = Unit("LBAs (+ 1)", "lbas_zero_based")
ZERO_BASED = Unit("(+ 1)", "zero_based")
DATA_UNITS = Unit("x 512,000 B", "512000_bytes")
GB = Unit("x 10^9 B", "gigabytes")
PAGES_4K = Unit("x 4 KiB", "4kib")
UNITS_16B = Unit("x 16 B", "16_bytes")
UNITS_64K = Unit("x 64 KiB", "64kib")
UNITS_128K = Unit("x 128 KiB", "128kib")
BLOCKS_512 = Unit("x 512 B", "512_bytes")
#: The unit is CAP.MPSMIN.
LOG2_PAGES = Unit("(2^n pages)", "log2_pages")
LOG2_BYTES = Unit("(2^n B)", "log2_bytes")
SIXTY_FIVE_THOUSANDTHS = Unit("/ 65,536", "per_65536")


def celsius(kelvin: int) -> str:
    """A temperature for people; nothing for 0, which stands for "not reported"."""
    return f"{kelvin - 273} C" if kelvin else ""
