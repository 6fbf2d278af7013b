"""Every size up to MDTS, at every dword offset: what was written is what is read."""

import random
import time

import pytest

import nvme as d

PAGE = 4096
DEFAULT_LARGEST = 128 << 10  # where the device has no limit


@pytest.mark.parametrize(
    "total", [16 << 20, pytest.param(1 << 30, marks=pytest.mark.long)], ids=["16MiB", "1GiB"]
)
def test_every_size_at_every_dword_offset_comes_back(nvme0, nvme0n1, qpair, total, record_property):
    lba = nvme0n1.sector_size
    largest = min(nvme0.mdts, DEFAULT_LARGEST) // lba
    capacity = nvme0n1.capacity // lba
    source = d.Buffer(PAGE + largest * lba, ptype=0xBEEF, pvalue=100)
    target = d.Buffer(PAGE + largest * lba)
    written, found = memoryview(source), memoryview(target)
    choose = random.Random(total)
    done = turn = 0
    begin_s = time.monotonic()

    while done < total:
        count = 1 + turn % largest
        size = count * lba
        source.offset, target.offset = turn * 4 % PAGE, turn * 12 % PAGE
        slba = choose.randrange(capacity - count)
        nvme0n1.write(qpair, source, slba, count).waitdone()
        nvme0n1.read(qpair, target, slba, count).waitdone()
        begin, at = source.offset, target.offset
        assert written[begin : begin + size] == found[at : at + size], (turn, slba, count)
        done += size
        turn += 1

    assert turn >= largest
    record_property("compared", f"{done / 2**20:,.0f} MiB")
    record_property("commands", turn * 2)
    record_property("time", f"{time.monotonic() - begin_s:.1f} s")
