"""What comes over the wire, right or wrong, in any pieces, with and without digests."""

import os
import socket
import struct
from collections.abc import Callable

import pytest

import nvme as d
from nvme.serve import Served

from .conftest import NQN
from .peer import (
    C2H_DATA,
    C2H_TERM,
    CAPSULE,
    DDGST,
    H2C_DATA,
    H2C_TERM,
    HDGST,
    ICREQ,
    ICRESP,
    IN_CAPSULE,
    LAST,
    R2T,
    RESPONSE,
    SUCCESS,
    TRANSPORT,
    ClosedError,
    Peer,
    admin,
    queue,
    sqe,
)

INVALID_HEADER, PDU_SEQUENCE, HEADER_DIGEST, OUT_OF_RANGE, LIMIT, UNSUPPORTED = range(1, 7)
TYPE_AT, FLAGS_AT, HLEN_AT, PDO_AT, PLEN_AT = range(5)
CCCID_AT, TTAG_AT, DATAL_AT = 8, 10, 16
PFV_AT, HPDA_AT, DGST_AT = 8, 10, 11
TRANSIENT = 0x22


def told_off(peer: Peer, fes: int, fei: int) -> None:
    """The target ends the connection, and says why."""
    pdu = peer.get()
    assert (pdu.type, pdu.fes, pdu.fei) == (C2H_TERM, fes, fei)
    assert peer.is_closed()


def io_queue(target: Served, **icreq: object) -> tuple[Peer, Peer]:
    """An admin queue and an I/O queue with these parameters of ICReq."""
    host = admin(target.address, NQN)
    io = Peer(target.address)
    assert io.icreq(**icreq).type == ICRESP  # type: ignore[arg-type]
    assert io.connect(NQN, 1, host.cntlid).status == 0
    return host, io


def write_entry(cid: int, size: int, kind: int = TRANSPORT) -> bytes:
    return sqe(1, cid=cid, nsid=1, sgl=(0, size, kind), cdw=(0, 0, size // 512 - 1))


def asked(io: Peer, cid: int, size: int) -> tuple[int, int, int]:
    """A write of `size` bytes: the tag, offset and length that the target asks for."""
    io.send(io.pdu(CAPSULE, write_entry(cid, size)))
    pdu = io.get()
    assert pdu.type == R2T
    number, tag, offset, length = struct.unpack("<HHII4x", pdu.header)
    assert number == cid
    return tag, offset, length


# --- what is right ---


@pytest.mark.parametrize("hdgst", [False, True])
@pytest.mark.parametrize("ddgst", [False, True])
def test_data_comes_and_goes_with_digests_and_without(
    target: Served, hdgst: bool, ddgst: bool
) -> None:
    host, io = io_queue(target, hdgst=hdgst, ddgst=ddgst)
    data = os.urandom(16384)

    assert io.write(0, data[:8192], IN_CAPSULE).status == 0
    assert io.write(16, data[8192:], TRANSPORT).status == 0
    assert io.read(0, 32).data == data
    assert host.identify().status == 0


@pytest.mark.parametrize("hpda", [0, 1, 7, 31])
def test_data_is_aligned_as_the_host_asks(target: Served, hpda: int) -> None:
    _host, io = io_queue(target, hpda=hpda, hdgst=True)
    io.write(0, b"x" * 512, IN_CAPSULE)

    io.send(io.pdu(CAPSULE, sqe(2, cid=9, nsid=1, sgl=(0, 512, TRANSPORT))))
    pdu = io.get()

    assert pdu.type == C2H_DATA
    assert pdu.pdo % ((hpda + 1) * 4) == 0
    assert pdu.data == b"x" * 512


def test_the_response_is_left_out_where_that_is_allowed(target: Served) -> None:
    host = admin(target.address, NQN)
    plain = queue(target.address, NQN, host.cntlid, 1)
    without = queue(target.address, NQN, host.cntlid, 2, sqflow=False)
    entry = sqe(2, cid=9, nsid=1, sgl=(0, 512, TRANSPORT))

    for peer in (plain, without):
        peer.send(peer.pdu(CAPSULE, entry))
    first, second, third = plain.get(), plain.get(), without.get()

    assert (first.type, first.flags, second.type) == (C2H_DATA, LAST, RESPONSE)
    assert (third.type, third.flags) == (C2H_DATA, LAST | SUCCESS)
    assert int.from_bytes(second.header[8:10], "little") == 2  # SQHD: Connect and this one
    assert without.write(0, bytes(512)).sqhd == 0xFFFF


def test_the_head_of_the_queue_goes_round(target: Served) -> None:
    host = admin(target.address, NQN)
    io = queue(target.address, NQN, host.cntlid, sqsize=3)

    heads = [io.write(0, bytes(512)).sqhd for _ in range(6)]

    assert heads == [2, 3, 0, 1, 2, 3]


@pytest.mark.parametrize("ddgst", [False, True])
def test_the_stream_may_be_cut_anywhere(target: Served, ddgst: bool) -> None:
    _host, io = io_queue(target, hdgst=True, ddgst=ddgst)
    data = os.urandom(1024)

    for byte in io.pdu(CAPSULE, write_entry(5, 1024, IN_CAPSULE), data):
        io.send(bytes([byte]))
    written = io.completion()
    tag, _, _ = asked(io, 6, 1024)
    for byte in io.data(6, tag, 0, data[::-1], LAST):
        io.send(bytes([byte]))

    assert (written.cid, written.status) == (5, 0)
    assert io.completion().status == 0
    assert io.read(0, 2).data == data[::-1]


def test_many_commands_may_come_at_once(target: Served) -> None:
    host = admin(target.address, NQN)
    io = queue(target.address, NQN, host.cntlid, sqsize=63)
    data = [bytes([number]) * 512 for number in range(60)]

    io.send(
        b"".join(
            io.pdu(
                CAPSULE,
                sqe(1, cid=number, nsid=1, sgl=(0, 512, IN_CAPSULE), cdw=(number,)),
                text,
            )
            for number, text in enumerate(data)
        )
    )
    done = sorted(io.completion().cid for _ in data)

    assert done == list(range(60))
    assert io.read(0, 60).data == b"".join(data)


def test_data_that_was_asked_for_comes_in_any_number_of_pdus(target: Served) -> None:
    _host, io = io_queue(target)
    data = os.urandom(131072)

    tag, offset, length = asked(io, 3, len(data))
    for at in range(0, len(data), 4096):
        io.send(io.data(3, tag, at, data[at : at + 4096], LAST * (at + 4096 == len(data))))

    assert (offset, length) == (0, len(data))
    assert io.completion().status == 0
    assert io.read(0, 256).data == data


def test_writes_that_wait_for_data_do_not_hold_up_others(target: Served) -> None:
    _host, io = io_queue(target)
    data = {cid: bytes([cid]) * 512 for cid in (1, 2)}

    tags = {cid: asked(io, cid, 512)[0] for cid in data}
    assert io.command(sqe(2, cid=3, nsid=1, sgl=(0, 512, TRANSPORT))).data == bytes(512)
    for cid in (2, 1):
        io.send(io.data(cid, tags[cid], 0, data[cid], LAST))
        assert io.completion().cid == cid


def test_room_for_more_than_a_command_can_move_is_no_error(target: Served) -> None:
    _host, io = io_queue(target)

    done = io.read(0, 1, room=1 << 30)

    assert (done.status, done.data) == (0, bytes(512))


def test_a_buffer_that_is_too_small_is_the_hosts_error(target: Served) -> None:
    _host, io = io_queue(target)

    done = io.read(0, 8, room=4095)

    assert (done.status, done.data) == (0x0F, b"")


def test_more_than_the_drive_can_move_is_not_asked_for(target: Served) -> None:
    _host, io = io_queue(target)

    assert io.command(write_entry(4, 131072 + 512), bytes(131072 + 512)).status == 0x02


def test_buffers_of_a_connection_are_bounded() -> None:
    """32 writes of 2 MiB are asked for a part at a time, and all get their turn."""
    drive = "sim:size=128M,latency=none,enable_s=0,mdts=2M"
    with d.serve(drive, tcp="127.0.0.1:0", nqn=NQN) as target:
        _host, io = io_queue(target)
        size, count = 2 << 20, 24
        for cid in range(count):
            io.send(io.pdu(CAPSULE, write_entry(cid, size)))
        data = bytes(1 << 16)
        done, requests = [], []
        while len(done) < count:
            pdu = io.get()
            if pdu.type == RESPONSE:
                done.append(int.from_bytes(pdu.header[12:14], "little"))
                continue
            requests.append(pdu)
            if len(requests) < 8 and not done:
                continue
            for request in requests:
                cid, tag, _, _ = struct.unpack("<HHII4x", request.header)
                for at in range(0, size, len(data)):
                    io.send(io.data(cid, tag, at, data, LAST * (at + len(data) == size)))
            requests = []

        assert sorted(done) == list(range(count))


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        (sqe(1, cid=1, nsid=1, sgl=(0, 512, 0x00)), 0x11),
        (sqe(1, cid=1, nsid=1, sgl=(0, 512, 0x40)), 0x11),
        (sqe(2, cid=1, nsid=1, sgl=(0, 512, IN_CAPSULE)), 0x11),
        (sqe(1, cid=1, nsid=1, sgl=(1, 512, IN_CAPSULE)), 0x16),
        (sqe(1, cid=1, nsid=1, sgl=(0, 512, IN_CAPSULE)), 0x0F),
        (sqe(1, cid=1, nsid=1, sgl=(0, 512, TRANSPORT), flags=0), 0x02),
        (sqe(1, cid=1, nsid=1, sgl=(0, 512, TRANSPORT), flags=0x80), 0x02),
    ],
)
def test_data_pointers_that_are_not_for_fabrics_are_refused(
    target: Served, entry: bytes, status: int
) -> None:
    _host, io = io_queue(target)

    assert io.command(entry).status == status
    assert io.read(0, 1).status == 0


# --- digests that are wrong ---


def test_data_with_a_wrong_digest_is_not_written(target: Served) -> None:
    _host, io = io_queue(target, ddgst=True)
    good = b"g" * 512
    assert io.write(0, good).status == 0

    io.send(io.pdu(CAPSULE, write_entry(7, 512, IN_CAPSULE), b"b" * 512, data_digest=1))
    in_capsule = io.completion()
    tag, _, _ = asked(io, 8, 512)
    io.send(io.data(8, tag, 0, b"b" * 512, LAST, data_digest=1))
    asked_for = io.completion()

    assert (in_capsule.status, asked_for.status) == (TRANSIENT, TRANSIENT)
    assert io.read(0, 1).data == good


def test_one_wrong_digest_of_several_pdus_spoils_the_write(target: Served) -> None:
    _host, io = io_queue(target, ddgst=True)

    tag, _, _ = asked(io, 8, 1024)
    io.send(io.data(8, tag, 0, b"b" * 512, 0, data_digest=1))
    io.send(io.data(8, tag, 512, b"b" * 512, LAST))

    assert io.completion().status == TRANSIENT
    assert io.read(0, 2).data == bytes(1024)


def test_a_wrong_header_digest_ends_the_connection(target: Served) -> None:
    host, io = io_queue(target, hdgst=True)

    io.send(io.pdu(CAPSULE, write_entry(7, 512), header_digest=0x12345678))

    told_off(io, HEADER_DIGEST, 0x12345678)
    assert host.identify().status == 0


# --- PDUs that are wrong ---


def wrong_icreq(pfv: int = 0, hpda: int = 0, dgst: int = 0, plen: int = 128) -> bytes:
    return struct.pack("<BBBBIHBBI112x", ICREQ, 0, 128, 0, plen, pfv, hpda, dgst, 0)


FIRST: list[tuple[bytes, int, int]] = [
    (wrong_icreq(pfv=1), UNSUPPORTED, PFV_AT),
    (wrong_icreq(hpda=32), INVALID_HEADER, HPDA_AT),
    (wrong_icreq(dgst=4), INVALID_HEADER, DGST_AT),
    (wrong_icreq(plen=129), INVALID_HEADER, PLEN_AT),
    (wrong_icreq(plen=0xFFFFFFFF), INVALID_HEADER, PLEN_AT),
    (wrong_icreq(plen=127), INVALID_HEADER, PLEN_AT),
    (struct.pack("<BBBBI", ICREQ, 0, 127, 0, 128), INVALID_HEADER, HLEN_AT),
    (struct.pack("<BBBBI", CAPSULE, 0, 72, 0, 72) + bytes(64), PDU_SEQUENCE, TYPE_AT),
    (struct.pack("<BBBBI", H2C_DATA, 0, 24, 24, 28) + bytes(20), PDU_SEQUENCE, TYPE_AT),
    (struct.pack("<BBBBI", ICRESP, 0, 128, 0, 128), INVALID_HEADER, TYPE_AT),
    (struct.pack("<BBBBI", 0xFF, 0, 24, 0, 24), INVALID_HEADER, TYPE_AT),
    (b"GET / HTTP/1.1\r\n\r\n", INVALID_HEADER, TYPE_AT),
]


@pytest.mark.parametrize(("what", "fes", "fei"), FIRST)
def test_a_first_pdu_that_is_no_icreq_is_told_off(
    target: Served, what: bytes, fes: int, fei: int
) -> None:
    with Peer(target.address) as peer:
        peer.send(what)

        told_off(peer, fes, fei)
    assert admin(target.address, NQN).identify().status == 0


def header(kind: int, size: int, flags: int = 0, pdo: int = 0, hlen: int = 72) -> bytes:
    return struct.pack("<BBBBI", kind, flags, hlen, pdo, size)


LATER: list[tuple[bytes, int, int]] = [
    (wrong_icreq(), PDU_SEQUENCE, TYPE_AT),
    (header(CAPSULE, 72, hlen=71), INVALID_HEADER, HLEN_AT),
    (header(CAPSULE, 71), INVALID_HEADER, PLEN_AT),
    (header(CAPSULE, 72 + 8193, pdo=72), INVALID_HEADER, PLEN_AT),
    (header(CAPSULE, 0xFFFFFFFF, pdo=72), INVALID_HEADER, PLEN_AT),
    (header(CAPSULE, 72 + 512, pdo=71), INVALID_HEADER, PDO_AT),
    (header(CAPSULE, 72 + 512, pdo=74), INVALID_HEADER, PDO_AT),
    (header(CAPSULE, 76, pdo=76), INVALID_HEADER, PDO_AT),
    (header(CAPSULE, 72, flags=HDGST), INVALID_HEADER, FLAGS_AT),
    (header(CAPSULE, 72 + 512, flags=DDGST, pdo=72), INVALID_HEADER, FLAGS_AT),
    (header(H2C_DATA, 24, hlen=24), INVALID_HEADER, PLEN_AT),
    (header(H2C_TERM, 24 + 129, hlen=24), INVALID_HEADER, PLEN_AT),
    (header(R2T, 24, hlen=24), INVALID_HEADER, TYPE_AT),
]


@pytest.mark.parametrize(("what", "fes", "fei"), LATER)
def test_a_wrong_header_is_told_off(target: Served, what: bytes, fes: int, fei: int) -> None:
    host, io = io_queue(target)

    io.send(what)

    told_off(io, fes, fei)
    assert host.identify().status == 0


@pytest.mark.parametrize(
    ("data", "fes", "fei"),
    [
        (lambda io, tag: io.data(3, tag + 1, 0, bytes(512), LAST), INVALID_HEADER, TTAG_AT),
        (lambda io, tag: io.data(3, 0xFFFF, 0, bytes(512), LAST), INVALID_HEADER, TTAG_AT),
        (lambda io, tag: io.data(4, tag, 0, bytes(512), LAST), INVALID_HEADER, CCCID_AT),
        (lambda io, tag: io.data(3, tag, 512, bytes(512), LAST), OUT_OF_RANGE, 0),
        (lambda io, tag: io.data(3, tag, 0, bytes(1028), LAST), OUT_OF_RANGE, 0),
        (lambda io, tag: io.data(3, tag, 0, bytes(512), 0, datal=8), INVALID_HEADER, DATAL_AT),
        (lambda io, tag: io.data(3, tag, 0, bytes(512), LAST), INVALID_HEADER, FLAGS_AT),
        (lambda io, tag: io.data(3, tag, 0, bytes(1024), 0), INVALID_HEADER, FLAGS_AT),
        (lambda io, tag: io.data(3, tag, 0, bytes((256 << 10) + 4), 0), LIMIT, 0),
    ],
)
def test_data_nobody_asked_for_is_told_off(
    target: Served, data: Callable[[Peer, int], bytes], fes: int, fei: int
) -> None:
    host, io = io_queue(target)
    tag, _, _ = asked(io, 3, 1024)

    try:
        io.send(data(io, tag))
    except ConnectionError:
        pytest.fail("the target closed without a word")

    told_off(io, fes, fei)
    assert host.identify().status == 0


def test_data_for_a_command_that_is_done_is_told_off(target: Served) -> None:
    _host, io = io_queue(target)
    tag, _, _ = asked(io, 3, 512)
    io.send(io.data(3, tag, 0, bytes(512), LAST))
    io.completion()

    io.send(io.data(3, tag, 0, bytes(512), LAST))

    told_off(io, INVALID_HEADER, TTAG_AT)


def test_more_commands_than_the_queue_has_entries_are_told_off(target: Served) -> None:
    host = admin(target.address, NQN)
    io = queue(target.address, NQN, host.cntlid, sqsize=3)

    for cid in range(4):
        asked(io, cid, 512)
    io.send(io.pdu(CAPSULE, write_entry(9, 512)))

    told_off(io, PDU_SEQUENCE, 0)


def test_a_host_may_give_up(target: Served) -> None:
    host, io = io_queue(target)

    io.send(struct.pack("<BBBBIHI10x", H2C_TERM, 0, 24, 0, 24 + 72, 1, 2) + bytes(72))

    assert io.is_closed()
    assert host.identify().status == 0


def test_a_thousand_half_open_connections_disturb_nobody(target: Served) -> None:
    host, io = io_queue(target)
    half_open = []
    for number in range(1000):
        try:
            peer = Peer(target.address)
        except OSError:
            break  # this process has no descriptor left
        if number % 3 == 1:
            peer.send(b"\0\0")
        elif number % 3 == 2:
            peer.icreq()
        half_open.append(peer)

    assert io.write(0, b"y" * 512).status == 0
    assert io.read(0, 1).data == b"y" * 512
    assert host.identify().status == 0
    for peer in half_open:
        peer.socket.close()


def test_a_peer_that_does_not_read_holds_up_only_itself(target: Served) -> None:
    host = admin(target.address, NQN)
    greedy = queue(target.address, NQN, host.cntlid, 1, sqsize=127)
    other = queue(target.address, NQN, host.cntlid, 2)
    entry = [
        greedy.pdu(
            CAPSULE,
            sqe(2, cid=cid, nsid=1, sgl=(0, 131072, TRANSPORT), cdw=(0, 0, 255)),
        )
        for cid in range(120)
    ]

    greedy.send(b"".join(entry))

    assert other.read(0, 8).status == 0
    assert sorted(greedy.completion_of_many(120)) == list(range(120))


def test_a_connection_reset_by_the_peer_leaves_nothing_behind(target: Served) -> None:
    host = admin(target.address, NQN)
    for _ in range(20):
        io = queue(target.address, NQN, host.cntlid)
        asked(io, 1, 4096)
        io.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        io.socket.close()
        while target.connections > 1:
            pass

    assert host.identify().status == 0


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_are_survived(target: Served, seed: int) -> None:
    import random

    stream = random.Random(seed)
    host, io = io_queue(target, hdgst=bool(seed & 1), ddgst=bool(seed & 2))

    valid = io.pdu(CAPSULE, write_entry(1, 512, IN_CAPSULE), bytes(512))
    spoilt = bytearray(valid * 4)
    for _ in range(8):
        spoilt[stream.randrange(len(spoilt))] = stream.randrange(256)
    try:
        io.send(bytes(spoilt) + stream.randbytes(64))
        io.socket.shutdown(socket.SHUT_WR)
        while True:
            io.get()
    except (ClosedError, ConnectionError, AssertionError):
        pass

    assert host.identify().status == 0
