"""The memory of a target's connections is bounded, and no host takes what others need."""

import resource
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

import nvme as d
from nvme.serve import Served

from .conftest import NQN
from .peer import (
    CAPSULE,
    DISCOVERY,
    IN_CAPSULE,
    R2T,
    TRANSPORT,
    ClosedError,
    Peer,
    admin,
    queue,
    sqe,
)

SSD = "sim:size=128M,latency=none,enable_s=0,mdts=2M"
MIB = 1 << 20
BUSY, INVALID_FIELD = 0x181, 0x02
SQSIZE = 1022
HALF_OPEN = 1000
#: The kernel's, and the interpreter's at the other end: not of the budget.
OUTSIDE_BYTES = 24 << 10


@pytest.fixture
def small() -> Iterator[Served]:
    """Memory for a few queues of a thousand entries, and for buffers of some writes of 2 MiB."""
    with d.serve(SSD, tcp="127.0.0.1:0", nqn=NQN, memory_mib=32) as served:
        yield served


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def greeted(address: str) -> Peer:
    peer = Peer(address)
    peer.icreq()
    return peer


def until_nothing_is_taken(target: Served) -> None:
    while target.connections or target.memory_bytes:
        pass


def test_a_queue_that_memory_does_not_suffice_for_has_to_wait(small: Served) -> None:
    host = admin(small.address, NQN)
    taken = [queue(small.address, NQN, host.cntlid, 1, sqsize=SQSIZE)]
    while True:
        late = greeted(small.address)
        done = late.connect(NQN, len(taken) + 1, host.cntlid, sqsize=SQSIZE)
        if done.status:
            break
        taken.append(late)

    assert done.status == BUSY
    assert 1 <= len(taken) <= 3
    assert small.memory_bytes <= 32 * MIB
    assert late.connect(NQN, len(taken) + 1, host.cntlid, sqsize=1).status in (0, BUSY)
    assert taken[0].read(0, 8).status == 0
    taken.pop().socket.close()
    again = greeted(small.address)
    while again.connect(NQN, len(taken) + 1, host.cntlid, sqsize=SQSIZE).status:
        pass
    assert again.read(0, 8).status == 0


def test_an_admin_queue_has_to_wait_likewise_and_leaves_no_controller_behind(
    small: Served,
) -> None:
    hosts = []
    while True:
        peer = greeted(small.address)
        if status := peer.connect(NQN, sqsize=SQSIZE).status:
            break
        hosts.append(peer)

    assert status == BUSY
    for _ in range(300):  # more often than there are controllers
        assert peer.connect(NQN, sqsize=SQSIZE).status == BUSY
    for host in (peer, *hosts):
        host.socket.close()
    until_nothing_is_taken(small)
    more = [greeted(small.address) for _ in range(len(hosts) + 1)]
    assert [host.connect(NQN, sqsize=1).status for host in more] == [0] * len(more)


def test_all_memory_is_given_back(small: Served) -> None:
    host = admin(small.address, NQN)
    io = queue(small.address, NQN, host.cntlid, sqsize=127)
    assert io.write(0, bytes(2 * MIB)).status == 0
    assert io.read(0, 4096).status == 0
    assert io.write(0, bytes(8192), IN_CAPSULE).status == 0
    assert small.memory_bytes > 3 * MIB

    io.socket.close()
    host.socket.close()

    until_nothing_is_taken(small)


def hoard(io: Peer, size: int, count: int) -> int:
    """Writes whose data never comes; how many the target has made room for."""
    for cid in range(count):
        entry = sqe(1, cid=cid, nsid=1, sgl=(0, size, TRANSPORT), cdw=(0, 0, size // 512 - 1))
        io.send(io.pdu(CAPSULE, entry))
    io.socket.settimeout(1)
    granted = 0
    try:
        while True:
            assert io.get().type == R2T
            granted += 1
    except TimeoutError:
        return granted


def test_a_host_that_hoards_buffers_leaves_the_others_theirs(small: Served) -> None:
    host, greedy = admin(small.address, NQN), admin(small.address, NQN)
    io = queue(small.address, NQN, host.cntlid, sqsize=31)
    hog = queue(small.address, NQN, greedy.cntlid, sqsize=31)

    granted = hoard(hog, 2 * MIB, 31)

    assert 1 <= granted < 15
    assert small.memory_bytes <= 32 * MIB
    data = bytes(range(256)) * (2 * MIB // 256)
    for _ in range(3):
        assert io.write(0, data).status == 0
        assert io.read(0, 4096).data == data
    assert host.identify().status == 0


def test_a_command_that_waits_for_the_memory_of_others_goes_on_when_they_leave() -> None:
    with d.serve(
        "sim:size=128M,latency=none,enable_s=0,mdts=16M",
        tcp="127.0.0.1:0",
        nqn=NQN,
        memory_mib=32,
    ) as target:
        host, greedy = admin(target.address, NQN), admin(target.address, NQN)
        io = queue(target.address, NQN, host.cntlid, sqsize=31)
        hog = queue(target.address, NQN, greedy.cntlid, sqsize=31)
        assert hoard(hog, 16 * MIB, 1) == 1
        large = sqe(1, cid=9, nsid=1, sgl=(0, 16 * MIB, TRANSPORT), cdw=(0, 0, 32767))
        io.send(io.pdu(CAPSULE, large))
        assert host.identify().status == 0

        hog.socket.close()

        pdu = io.get()
        assert pdu.type == R2T
        io.send_data(pdu, bytes(16 * MIB))
        assert io.completion().status == 0


def test_nobody_gets_a_large_buffer_before_it_has_connected(small: Served) -> None:
    peer = greeted(small.address)
    connect = bytearray(sqe(0x7F, cid=3, nsid=1, sgl=(0, 8193, TRANSPORT)))

    assert peer.command(bytes(connect), bytes(8193)).status == INVALID_FIELD
    connect[32:36] = struct.pack("<I", 8192)
    peer.send(peer.pdu(CAPSULE, bytes(connect)))
    assert peer.get().type == R2T


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Enough of them for both ends of many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4 * HALF_OPEN, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("nqn", [NQN, DISCOVERY])
def test_a_thousand_hosts_that_ask_for_long_queues_disturb_nobody(
    descriptors: None, nqn: str
) -> None:
    with d.serve(SSD, tcp="127.0.0.1:0", nqn=NQN, memory_mib=64) as target:
        host = admin(target.address, NQN)
        io = queue(target.address, NQN, host.cntlid)
        before = resident_bytes()
        peers = []
        refused = closed = 0

        for _ in range(HALF_OPEN):
            peers.append(Peer(target.address))
            try:
                peers[-1].icreq()
                status = peers[-1].connect(nqn, sqsize=SQSIZE if nqn == NQN else 126).status
            except (ClosedError, ConnectionError):
                closed += 1
                continue
            assert status in (0, BUSY)
            refused += status == BUSY
            assert target.memory_bytes <= 64 * MIB

        assert refused > HALF_OPEN / 2
        assert closed < HALF_OPEN / 2
        assert resident_bytes() - before < 64 * MIB + HALF_OPEN * OUTSIDE_BYTES
        assert io.write(0, b"y" * 512).status == 0
        assert io.read(0, 1).data == b"y" * 512
        assert host.identify().status == 0
        for peer in peers:
            peer.socket.close()


@pytest.mark.parametrize("memory_mib", [0, 15])
def test_too_little_memory_is_no_setting(memory_mib: int) -> None:
    with pytest.raises(ValueError, match="memory must be at least 16777216 bytes"):
        d.serve("sim", tcp="127.0.0.1:0", memory_mib=memory_mib)


def test_the_least_memory_suffices_for_a_script() -> None:
    with d.serve("sim:size=64M", tcp="127.0.0.1:0", memory_mib=16) as target:
        namespace = d.Namespace(d.Controller(target.address))
        result = namespace.ioworker(io_size=256, io_count=200, qdepth=16).start().close()

        assert result.error == 0
        namespace.close()
