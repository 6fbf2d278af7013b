"""How associations end, and what becomes of commands that have not ended by then."""

import os
import socket
import struct
from pathlib import Path

import pytest

import nvme as d
from nvme.serve import Served

from .conftest import NQN
from .peer import (
    C2H_TERM,
    CAPSULE,
    CC,
    DISCOVERY,
    ENABLE,
    R2T,
    RESPONSE,
    TRANSPORT,
    ClosedError,
    Completion,
    Pdu,
    Peer,
    admin,
    queue,
    sqe,
)

ABORTED_SQ_DELETION = 0x08
MIB = 1 << 20
KATO_MS = 200


def kato_ms(host: Peer) -> int:
    return host.command(sqe(0x0A, cid=host.next_cid(), cdw=(0x0F,))).cdw0


# --- Keep Alive ---


@pytest.mark.parametrize("nqn", [NQN, DISCOVERY])
@pytest.mark.parametrize(
    ("asked", "got"),
    [
        (0, 0),
        (1, 100),
        (99_900, 99_900),
        (99_901, 100_000),
        (0xFFFFFFFF, 4_294_967_200),
        (4_294_967_201, 4_294_967_200),
        (4_294_967_200, 4_294_967_200),
    ],
)
def test_a_keep_alive_timeout_is_rounded_up_to_the_granularity(
    target: Served, nqn: str, asked: int, got: int
) -> None:
    by_connect = admin(target.address, nqn, kato_ms=asked)
    by_feature = admin(target.address, nqn)
    by_feature.command(sqe(0x09, cid=5, cdw=(0x0F, asked)))

    assert (kato_ms(by_connect), kato_ms(by_feature)) == (got, got)
    assert int.from_bytes(by_connect.identify().data[320:322], "little") == 1  # KAS: 100 ms


@pytest.mark.parametrize("nqn", [NQN, DISCOVERY])
def test_the_keep_alive_timer_does_not_run_before_the_controller_is_enabled(
    target: Served, nqn: str
) -> None:
    with Peer(target.address) as early:
        early.icreq()
        assert early.connect(nqn, kato_ms=KATO_MS).status == 0

        # The later of two has run out of its time: so would the earlier one have.
        assert admin(target.address, NQN, kato_ms=2 * KATO_MS).is_closed()
        early.enable()
        assert early.identify().status == 0
        assert early.is_closed()


def test_the_keep_alive_timer_stops_with_the_controller_and_begins_anew_with_it(
    target: Served,
) -> None:
    host = admin(target.address, NQN, kato_ms=KATO_MS)

    assert host.property_set(CC, 0).status == 0
    assert admin(target.address, NQN, kato_ms=2 * KATO_MS).is_closed()
    host.enable()
    assert host.identify().status == 0
    assert host.is_closed()


def test_the_keep_alive_timer_does_not_run_after_a_shutdown(target: Served) -> None:
    host = admin(target.address, NQN, kato_ms=KATO_MS)

    host.property_set(CC, ENABLE | 1 << 14)
    assert admin(target.address, NQN, kato_ms=2 * KATO_MS).is_closed()

    assert host.property_get(CC).cdw0 == ENABLE | 1 << 14


def test_a_machine_that_vanishes_is_noticed_without_a_keep_alive_timeout(target: Served) -> None:
    host = admin(target.address, NQN)
    name = host.socket.getsockname()

    ends = []
    for number in map(int, os.listdir("/proc/self/fd")):
        try:
            end = socket.socket(fileno=os.dup(number))
        except OSError:
            continue
        with end:
            try:
                is_ours = end.getpeername() == name
            except OSError:
                continue
            if is_ours:
                ends.append(
                    [
                        end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                        end.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
                        end.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
                        end.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
                    ]
                )

    assert ends == [[1, 30, 10, 3]]


# --- resets ---


def download(cid: int, size: int = 2 * MIB) -> bytes:
    """Firmware Image Download."""
    return sqe(0x11, cid=cid, sgl=(0, size, TRANSPORT), cdw=(size // 4 - 1, 0))


def test_a_reset_ends_commands_that_the_drive_has_not_begun() -> None:
    """Those that wait for a buffer at once, those that wait for their data with that."""
    count = 20
    drive = "sim:size=16M,latency=none,enable_s=0,mdts=2M"
    with d.serve(drive, tcp="127.0.0.1:0", nqn=NQN) as target:
        host = admin(target.address, NQN)
        for cid in range(100, 100 + count):
            host.send(host.pdu(CAPSULE, download(cid)))
        host.send(host.pdu(CAPSULE, sqe(0x0A, cid=7, cdw=(7,))))
        asked: dict[int, int] = {}
        while (pdu := host.get()).type == R2T:
            cid, tag, _, _ = struct.unpack("<HHII4x", pdu.header)
            asked[cid] = tag
        assert Completion.of(pdu.header).cid == 7
        waiting = set(range(100, 100 + count)) - asked.keys()
        assert asked
        assert waiting

        entry = struct.pack("<BBHB35xB3xIQ8x", 0x7F, 0x40, 9, 0, 0, CC, 0)
        host.send(host.pdu(CAPSULE, entry))
        ended = {done.cid: done.status for done in (host.completion() for _ in range(len(waiting)))}
        reset = host.completion()

        assert ended == dict.fromkeys(waiting, ABORTED_SQ_DELETION)
        assert (reset.cid, reset.status) == (9, 0)
        host.enable()
        cid, tag = asked.popitem()
        host.send_data(
            Pdu(R2T, 0, 0, struct.pack("<HHII4x", cid, tag, 0, 2 * MIB), b""), bytes(2 * MIB)
        )
        done = host.completion()
        assert (done.cid, done.status) == (cid, ABORTED_SQ_DELETION)
        assert host.identify().status == 0


# --- PDUs that are wrong ---


def test_nothing_follows_the_word_that_ends_a_connection(target: Served) -> None:
    """A command that ends while C2HTermReq is on its way is not answered behind it."""
    host = admin(target.address, NQN)
    other = queue(target.address, NQN, host.cntlid, 2)
    io = Peer(target.address)
    io.icreq()
    assert io.connect(NQN, 1, host.cntlid, sqsize=127).status == 0
    large = [
        sqe(2, cid=cid, nsid=1, sgl=(0, 131072, TRANSPORT), cdw=(0, 0, 255)) for cid in range(120)
    ]
    with target.ssd.fault(opcode=0, delay=0.3):
        # The slow one first; then more than the connection takes; then what no host sends.
        io.send(io.pdu(CAPSULE, sqe(0, cid=200, nsid=1)))
        io.send(b"".join(io.pdu(CAPSULE, entry) for entry in large))
        io.send(struct.pack("<BBBBI", 0xFF, 0, 24, 0, 24))
        assert other.command(sqe(0, cid=1, nsid=1)).status == 0  # as slow, and begun later

    heard = []
    try:
        while True:
            heard.append(io.get())
    except ClosedError:
        pass
    kinds = [pdu.type for pdu in heard]
    assert kinds.count(C2H_TERM) == 1
    assert kinds[-1] == C2H_TERM
    assert 200 not in {Completion.of(pdu.header).cid for pdu in heard if pdu.type == RESPONSE}


# --- addresses ---


@pytest.mark.filterwarnings("ignore:.*is open to other machines")
@pytest.mark.parametrize(
    ("host", "family", "text"), [("127.0.0.1", "ipv4", "127.0.0.1"), ("[::1]", "ipv6", "::1")]
)
def test_discovery_names_the_address_in_the_hosts_family(host: str, family: str, text: str) -> None:
    if not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")
    with d.serve("sim:size=16M", tcp="[::]:0", nqn=NQN) as target:
        port = target.address.rpartition(":")[2]

        (entry,) = d.discover(f"{host}:{port}")

        assert (entry.adrfam, entry.traddr, entry.trsvcid) == (family, text, port)
        assert d.Controller(entry.address)[0x1C] & 1
