"""Data and headers that change on the way: with digests nothing of it is taken for good."""

import random
from collections.abc import Iterator

import pytest

import nvme as d
from wire.proxy import C2H_DATA, TO_HOST, TO_TARGET, Corrupt, Fault, Proxy

DEPTH = 32
LBAS = 8
BYTES = LBAS * 512
#: Transient Transport Error (Base 2.1, Figure 98), SCT 0.
TRANSIENT = 0x22
PDUS = 10_000
WRITE, READ = 1, 2


class Host:
    """A controller behind the network, one queue, a buffer for each command in flight."""

    def __init__(self, network: Proxy, **options: bool) -> None:
        self.nvme = d.Controller(network.address, **options)
        self.namespace = d.Namespace(self.nvme)
        self.qpair = d.Qpair(self.nvme, DEPTH + 1)
        self.buffers = [d.Buffer(BYTES) for _ in range(DEPTH)]

    def close(self) -> None:
        self.qpair.delete()
        self.namespace.close()

    def all(self, opcode: int) -> list[int]:
        """The statuses (SCT and SC) of one read (2) or write (1) for each buffer, in order.

        Neither stamps LBAs: what is written is what stands in the buffers.
        """
        statuses = [-1] * DEPTH

        def note(slot: int, status1: int) -> None:
            statuses[slot] = status1 >> 1 & 0x7FF

        for slot, buffer in enumerate(self.buffers):
            self.namespace.send_cmd(
                opcode,
                self.qpair,
                buffer,
                1,
                cdw10=slot * LBAS,
                cdw12=LBAS - 1,
                cb=lambda cdw0, status1, slot=slot: note(slot, status1),
            )
        self.qpair.waitdone(DEPTH)
        return statuses


@pytest.fixture
def host(network: Proxy) -> Iterator[Host]:
    host = Host(network, ddgst=True)
    yield host
    network.fault = Fault()
    host.close()


def content(slot: int, turn: int) -> bytes:
    return bytes([slot, turn % 251]) * (BYTES // 2)


def test_no_read_with_corrupted_data_is_taken_for_good(host: Host, network: Proxy) -> None:
    for slot, buffer in enumerate(host.buffers):
        buffer[:] = content(slot, 0)
    host.all(WRITE)
    network.fault = Corrupt(direction=TO_HOST, types=(C2H_DATA,), probability=0.9, seed=1)
    refused = taken = 0

    while network.fault.count < PDUS:
        for buffer in host.buffers:
            buffer[:] = bytes(BYTES)
        for slot, status in enumerate(host.all(READ)):
            refused += status == TRANSIENT
            if status == 0:
                taken += 1
                assert host.buffers[slot][:] == content(slot, 0)

    assert refused == network.fault.count
    assert taken > 0


def test_no_write_with_corrupted_data_is_stored(host: Host, network: Proxy) -> None:
    aim = Corrupt(direction=TO_TARGET, probability=0.9, seed=2)
    stored: dict[int, bytes] = {}
    refused = turn = 0
    network.fault = aim

    while aim.count < PDUS:
        turn += 1
        for slot, buffer in enumerate(host.buffers):
            buffer[:] = content(slot, turn)
        for slot, status in enumerate(host.all(WRITE)):
            refused += status == TRANSIENT
            if status == 0:
                stored[slot] = content(slot, turn)

    network.fault = Fault()
    host.all(READ)
    assert {slot: host.buffers[slot][:] for slot in stored} == stored
    assert refused == aim.count
    assert len(stored) == DEPTH


@pytest.mark.parametrize("direction", [TO_HOST, TO_TARGET])
@pytest.mark.filterwarnings("ignore")
def test_a_corrupted_header_ends_the_connection_and_a_reset_repairs_it(
    network: Proxy, direction: str
) -> None:
    chance = random.Random(direction)
    host = Host(network, hdgst=True)
    host.nvme.timeout = 1000
    for _ in range(10):
        after = chance.randrange(40)
        network.fault = Corrupt("header", direction=direction, after=after, most=1)

        with pytest.raises((SystemError, TimeoutError)):
            for _ in range(3):
                host.all(READ)

        assert network.fault.count == 1
        network.fault = Fault()
        host.nvme.reset()
        host.qpair = d.Qpair(host.nvme, DEPTH + 1)
        assert host.all(READ) == [0] * DEPTH
    host.close()
