"""What scripts may write for the arguments of a worker, made what its engine takes."""

from __future__ import annotations

import math
import operator
import struct
from collections.abc import Iterable, Sequence
from typing import Any

from nvme.number import real

OPCODE_FLUSH = 0
OPCODE_WRITE = 1
OPCODE_READ = 2
OPCODE_DSM = 9
LBA_END = 2**64 - 1
#: The longest run.
HOURS_MAX = 1000


def whole(value: Any, name: str) -> int:
    """A whole number; scripts compute them with floats."""
    if isinstance(value, float):
        assert math.isfinite(value), f"{name} must be a number, not {value}"
        return int(value)
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a number, not {type(value)}") from None


def number(value: Any, name: str) -> float:
    try:
        return real(value, name)
    except ValueError as error:
        raise AssertionError(str(error)) from None


def unsigned(value: Any, name: str, highest: int = LBA_END) -> int:
    found = whole(value, name)
    assert 0 <= found <= highest, f"{name} must be 0..{highest}, not {value}"
    return found


def depth(qdepth: Any, iodepth: Any, mqes: int) -> int:
    """Commands in flight: qdepth with the limits of 1.0, or iodepth with those of the device."""
    if iodepth is not None:
        found = whole(iodepth, "iodepth")
        assert 1 <= found <= mqes, f"iodepth must be 1..{mqes} (MQES), not {iodepth}"
        return found
    found = whole(qdepth, "qdepth")
    assert 2 <= found <= 1023, f"qdepth must be 2..1023, not {qdepth}"
    return found


def sizes(io_size: Any, lba_align: Any) -> bytes:
    """Triples of size, alignment and weight."""
    if isinstance(io_size, dict):
        lbas = [whole(size, "io_size") for size in io_size]
        weights = [unsigned(weight, "io_size", 2**32 - 1) for weight in io_size.values()]
    elif isinstance(io_size, Iterable):
        lbas = [whole(size, "io_size") for size in io_size]
        weights = [1] * len(lbas)
    else:
        lbas, weights = [whole(io_size, "io_size")], [1]
    if lba_align is None:
        aligns = lbas
    elif isinstance(lba_align, Iterable):
        aligns = [whole(align, "lba_align") for align in lba_align]
        assert len(aligns) == len(lbas), "lba_align must have one entry for each io_size"
    else:
        aligns = [whole(lba_align, "lba_align")] * len(lbas)
    assert lbas, "io_size must not be empty"
    assert all(1 <= size <= 65536 for size in lbas), "io_size must be 1..65536 LBAs"
    assert all(1 <= align < 2**32 for align in aligns), "lba_align must be at least 1 LBA"
    assert any(weights), "io_size: all weights are zero"
    return b"".join(
        struct.pack("<III", *triple) for triple in zip(lbas, aligns, weights, strict=True)
    )


def ops(read_percentage: Any, op_percentage: dict[int, int] | None) -> bytes:
    """Pairs of opcode and weight."""
    if op_percentage is None:
        reads = unsigned(read_percentage, "read_percentage", 100)
        weights = {OPCODE_READ: reads, OPCODE_WRITE: 100 - reads}
    else:
        weights = {
            unsigned(opcode, "op_percentage", 255): unsigned(weight, "op_percentage", 100)
            for opcode, weight in op_percentage.items()
        }
        assert sum(weights.values()) == 100, "op_percentage must sum up to 100 per cent"
    # One that never comes need not be chosen from.
    return b"".join(struct.pack("<II", *pair) for pair in weights.items() if pair[1])


def slices(distribution: Sequence[int] | None) -> bytes | None:
    if distribution is None:
        return None
    weights = [unsigned(weight, "distribution", 10000) for weight in distribution]
    assert len(weights) == 100, f"distribution must have 100 weights, not {len(weights)}"
    assert sum(weights) == 10000, f"distribution must sum up to 10000, not {sum(weights)}"
    return struct.pack("<100H", *weights)


def replay(io_sequence: Sequence[tuple[int, int, int, int]] | None) -> bytes | None:
    """Quadruples of ns since the start, LBA, LBAs and opcode."""
    if io_sequence is None:
        return None
    packed = []
    for when, code, slba, nlb in io_sequence:
        at_us = number(when, "io_sequence: a time")
        assert 0 <= at_us <= HOURS_MAX * 3600e6, (
            f"io_sequence: times must be 0..{HOURS_MAX} hours, not {at_us:g} us"
        )
        opcode = unsigned(code, "io_sequence: an opcode", 255)
        # A range of a Dataset Management may be that long.
        longest = 2**32 - 1 if opcode == OPCODE_DSM else 65536
        count = unsigned(nlb, "io_sequence: a count of LBAs", longest)
        assert count or opcode == OPCODE_FLUSH, "io_sequence: a command of no LBAs"
        slba = unsigned(slba, "io_sequence: an LBA")
        packed.append(struct.pack("<QQII", round(at_us * 1000), slba, count, opcode))
    assert packed, "io_sequence must not be empty"
    return b"".join(packed)


def random_percent(lba_random: Any) -> int:
    if isinstance(lba_random, bool):
        return 100 if lba_random else 0
    return unsigned(lba_random, "lba_random", 100)


def span(
    time: Any, io_count: Any, region_end: Any, lba_random: Any, lba_step: Any, io_sequence: Any
) -> dict[str, Any]:
    """Where a worker goes, and when it has got there."""
    seconds = number(time, "time")
    assert 0 <= seconds <= HOURS_MAX * 3600, f"time must be 0..{HOURS_MAX} hours, not {seconds:g} s"
    count = unsigned(io_count, "io_count")
    end = min(whole(region_end, "region_end"), LBA_END)
    random = random_percent(lba_random)
    if lba_step is not None:
        lba_step = whole(lba_step, "lba_step")
        assert -(2**63) <= lba_step < 2**63, f"lba_step is too large: {lba_step}"
    endless = not (seconds or count or io_sequence is not None)
    # A sequential worker with a region to fill has an end of its own.
    fills = endless and not random and lba_step is None and end != LBA_END
    assert fills or not endless, "either time or io_count is needed"
    return {
        "time_ns": round(seconds * 1e9),
        "io_count": count,
        "region_end": end,
        "random_percent": random,
        "lba_step": lba_step,
        "once": fills,
    }


def outputs(**given: Any) -> None:
    """What receives results must be able to: a run of a day is not lost at its end."""
    for name, value in given.items():
        wanted = dict if name in ("output_percentile_latency", "op_percentage") else list
        if value is not None and not isinstance(value, wanted):
            raise TypeError(f"{name} must be a {wanted.__name__}, not {type(value)}")
    for percent in given["output_percentile_latency"] or ():
        share = number(percent, "a percentile")
        assert 0 < share < 100, f"a percentile must be above 0 and below 100, not {percent}"
