"""Commands above 128 KiB: PRP lists in chained pages, from the driver's to the drive's end."""

import random
from collections.abc import Iterator

import pytest

import nvme as d

PAGE = 4096
MIB = 1 << 20
LISTED = 512  # entries in a page of a PRP list

#: Pages after the first: the driver's own space and beyond, then pages of list filled up.
AFTER_FIRST = [31, 32, 33, 511, 512, 513, 1022, 1023, 1024, 1534, 1535, 2 * MIB // PAGE - 1]
LONGEST = 64 * MIB // PAGE


@pytest.fixture(scope="module")
def nvme() -> Iterator[d.Controller]:
    nvme = d.Controller("sim:size=128M,lba=4096,mdts=64M,latency=none")
    yield nvme
    del nvme


def assert_comes_back(nvme: d.Controller, slba: int, count: int, offset: int) -> None:
    namespace, qpair = d.Namespace(nvme), d.Qpair(nvme, 8)
    size = count * namespace.sector_size
    source, target = d.Buffer(size + PAGE), d.Buffer(size + PAGE)
    memoryview(source)[offset : offset + size] = random.Random(size).randbytes(size)
    source.offset = target.offset = offset

    namespace.write(qpair, source, slba, count).waitdone()
    namespace.read(qpair, target, slba, count).waitdone()

    assert (
        memoryview(source)[: offset + size][offset:] == memoryview(target)[: offset + size][offset:]
    )
    assert not any(memoryview(target)[:offset])
    assert not any(memoryview(target)[offset + size :])
    qpair.delete()


@pytest.mark.parametrize("offset", [0, 4, PAGE - 4])
@pytest.mark.parametrize("after", AFTER_FIRST)
def test_a_list_of_every_length_around_its_pages_carries_data(nvme, after, offset):
    """An offset makes the first page a part of one, and the transfer end within a page."""
    assert_comes_back(nvme, 0, after + (offset == 0), offset)


@pytest.mark.parametrize("offset", [0, PAGE - 4])
def test_64_mib_come_back(nvme, offset):
    assert_comes_back(nvme, 16, LONGEST, offset)


def test_one_lba_above_64_mib_is_refused(nvme):
    namespace, qpair = d.Namespace(nvme), d.Qpair(nvme, 8)

    assert nvme.mdts == 64 * MIB
    with pytest.warns(UserWarning, match="ERROR status: 00/02"):
        namespace.read(qpair, d.Buffer((LONGEST + 1) * PAGE), 0, LONGEST + 1).waitdone()
    qpair.delete()


@pytest.mark.parametrize("count", [65535, 65536])
def test_without_mdts_the_most_that_a_command_can_say_comes_back(count):
    nvme = d.Controller("sim:size=64M,lba=512,mdts=0,latency=none")

    assert nvme.id_data(77) == 0
    assert_comes_back(nvme, 1, count, 0)


def test_neighbours_of_a_long_write_stay(nvme):
    namespace, qpair = d.Namespace(nvme), d.Qpair(nvme, 8)
    edge, data = d.Buffer(PAGE, ptype=32, pvalue=0xA5A5A5A5), d.Buffer(LISTED * 2 * PAGE)

    for slba in (99, 100 + LISTED * 2):
        namespace.write(qpair, edge, slba, 1).waitdone()
    namespace.write(qpair, data, 100, LISTED * 2).waitdone()

    for slba in (99, 100 + LISTED * 2):
        found = d.Buffer(PAGE)
        namespace.read(qpair, found, slba, 1).waitdone()
        assert found[8:-8] == edge[8:-8]  # the driver stamps the rest
    qpair.delete()
