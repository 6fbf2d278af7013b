"""Our host on a target of anybody's: the one under test, or the package's own."""

import time
from collections.abc import Iterator

import pytest

import nvme as d

#: What goes within the command, and what the target must ask for.
LENGTHS = (512, 128 * 1024)
DIGESTS = [{"hdgst": True}, {"ddgst": True}, {"hdgst": True, "ddgst": True}]


@pytest.fixture
def remote(pciaddr: str) -> Iterator[str]:
    """The address of the target."""
    if not pciaddr.startswith("sim"):
        if "." not in pciaddr.partition(":")[0]:
            pytest.skip("the drive is not reached over a network")
        yield pciaddr
        return
    with d.serve("sim:size=64M,latency=none", tcp="127.0.0.1:0") as served:
        yield served.address


def write(nvme0: d.Controller) -> list[bytes]:
    """Random data of LENGTHS, at LBA 0 and 1000."""
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    buffers = [d.Buffer(length, ptype=0xBEEF, pvalue=100) for length in LENGTHS]
    for i, buffer in enumerate(buffers):
        nvme0n1.write(qpair, buffer, 1000 * i, len(buffer) // nvme0n1.sector_size).waitdone()
    return [buffer[:] for buffer in buffers]


def read(nvme0: d.Controller) -> list[bytes]:
    """What stands there."""
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    buffers = [d.Buffer(length) for length in LENGTHS]
    for i, buffer in enumerate(buffers):
        nvme0n1.read(qpair, buffer, 1000 * i, len(buffer) // nvme0n1.sector_size).waitdone()
    return [buffer[:] for buffer in buffers]


@pytest.mark.parametrize("digests", DIGESTS, ids="-".join)
def test_data_goes_both_ways_under_digests(remote: str, digests: dict[str, bool]) -> None:
    nvme0 = d.Controller(remote, **digests)

    wrote = write(nvme0)

    assert read(nvme0) == wrote


def test_digests_make_no_difference_to_what_is_stored(remote: str) -> None:
    wrote = write(d.Controller(remote, hdgst=True, ddgst=True))

    assert read(d.Controller(remote)) == wrote


@pytest.mark.parametrize("digests", [{}, DIGESTS[-1]], ids=["plain", "digests"])
def test_resets_connect_again_and_the_data_is_there(remote: str, digests: dict[str, bool]) -> None:
    nvme0 = d.Controller(remote, **digests)
    wrote = write(nvme0)

    for _ in range(3):
        nvme0.reset()
        assert nvme0[0x1C] & 1
        assert read(nvme0) == wrote


def test_a_worker_goes_on_a_new_queue_after_a_reset_has_ended_one(remote: str) -> None:
    nvme0 = d.Controller(remote)
    nvme0n1 = d.Namespace(nvme0)
    worker = nvme0n1.ioworker(io_size=8, qdepth=8, read_percentage=100, time=60).start()
    until = time.monotonic() + 60
    while not worker.progress and time.monotonic() < until:
        time.sleep(0.001)

    nvme0.reset()

    with pytest.warns(UserWarning, match="ioworker"):
        assert worker.close().error
    again = nvme0n1.ioworker(io_size=8, qdepth=8, read_percentage=50, io_count=100).start()
    result = again.close()
    assert result.io_count_read + result.io_count_write == 100
    assert not result.error


def test_verification_tells_what_another_host_has_overwritten(remote: str) -> None:
    nvme0n1 = d.Namespace(d.Controller(remote))
    nvme0n1.verify_enable()
    region = {"io_size": 8, "lba_random": False, "region_end": 256, "io_count": 32}
    assert nvme0n1.ioworker(**region, read_percentage=0).start().close().error == 0
    assert nvme0n1.ioworker(**region, read_percentage=100).start().close().error == 0

    # A namespace of its own that knows nothing of the first one's data, as another host's.
    nvme1 = d.Controller(remote)
    qpair = d.Qpair(nvme1, 4)
    d.Namespace(nvme1).write(qpair, d.Buffer(512, ptype=0xBEEF, pvalue=100), 100, 1).waitdone()

    with pytest.warns(UserWarning, match="data mismatch"):
        result = nvme0n1.ioworker(**region, read_percentage=100).start().close()
    assert result.error == 0x281


def test_discovery_leads_to_the_subsystem(remote: str) -> None:
    nvme0 = d.Controller(remote)
    serial, nqn = nvme0.id_data(23, 4, str), nvme0.id_data(1023, 768, str)

    found = [entry for entry in d.discover(remote.partition("/")[0]) if entry.subnqn == nqn]

    assert [(entry.trtype, entry.adrfam, entry.subtype) for entry in found] == [
        ("tcp", "ipv4", "nvm")
    ]
    assert d.Controller(found[0].address).id_data(23, 4, str) == serial
