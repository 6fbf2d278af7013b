"""The proxy itself, between two plain sockets."""

import socket
from collections.abc import Iterator

import pytest

from wire.proxy import (
    C2H_DATA,
    CAPSULE_RESP,
    HEADER,
    TO_HOST,
    TO_TARGET,
    Coalesce,
    Corrupt,
    Delay,
    Fault,
    Proxy,
    Reset,
    Split,
    Stall,
    Truncate,
)

HLEN = 24


def pdu(kind: int, data: bytes = b"", digest: bool = False) -> bytes:
    tail = b"\xdd\xdd\xdd\xdd" if digest else b""
    length = HLEN + len(data) + len(tail)
    header = HEADER.pack(kind, 2 if digest else 0, HLEN, HLEN if data else 0, length)
    return header.ljust(HLEN, b"\0") + data + tail


class Wire:
    """A host's and a target's socket with the proxy between them."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.proxy = Proxy(f"127.0.0.1:{self.listener.getsockname()[1]}")
        self.host = socket.create_connection(("127.0.0.1", int(self.proxy.address.split(":")[1])))
        self.target, _ = self.listener.accept()
        for side in (self.host, self.target):
            side.settimeout(60)

    def close(self) -> None:
        self.proxy.close()
        for side in (self.host, self.target, self.listener):
            side.close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


def receive(side: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := side.recv(size - len(data))):
        data += more
    return data


@pytest.mark.parametrize("fault", [Fault(), Split(), Split(most=9), Coalesce()])
def test_bytes_arrive_unchanged_and_in_order(wire: Wire, fault: Fault) -> None:
    wire.proxy.fault = fault
    sent = b"".join(pdu(C2H_DATA, bytes([n]) * 100) for n in range(20))

    wire.target.sendall(sent)

    assert receive(wire.host, len(sent)) == sent


def test_bytes_that_are_no_pdu_pass(wire: Wire) -> None:
    wire.host.sendall(b"GET / HTTP/1.0\r\n\r\n")

    assert receive(wire.target, 18) == b"GET / HTTP/1.0\r\n\r\n"


@pytest.mark.parametrize(
    ("part", "where"), [("payload", range(HLEN, HLEN + 64)), ("header", range(HLEN))]
)
def test_corrupt_flips_one_bit_of_the_part(wire: Wire, part: str, where: range) -> None:
    wire.proxy.fault = Corrupt(part, direction=TO_HOST)
    sent = pdu(C2H_DATA, bytes(64), digest=True)

    wire.target.sendall(sent)
    got = receive(wire.host, len(sent))

    changed = [at for at, (a, b) in enumerate(zip(sent, got, strict=True)) if a != b]
    assert len(changed) == 1
    assert changed[0] in where
    assert (sent[changed[0]] ^ got[changed[0]]).bit_count() == 1
    assert wire.proxy.fault.count == 1


def test_corrupt_leaves_other_types_and_the_other_direction_alone(wire: Wire) -> None:
    wire.proxy.fault = Corrupt(direction=TO_HOST, types=(C2H_DATA,))
    response, command = pdu(CAPSULE_RESP, b"x" * 8), pdu(C2H_DATA, b"y" * 8)

    wire.target.sendall(response)
    wire.host.sendall(command)

    assert receive(wire.host, len(response)) == response
    assert receive(wire.target, len(command)) == command


def test_a_fault_strikes_behind_those_that_pass_and_only_so_often(wire: Wire) -> None:
    wire.proxy.fault = Corrupt(direction=TO_HOST, after=2, most=1)
    sent = pdu(C2H_DATA, bytes(8))

    wire.target.sendall(sent * 5)

    got = [receive(wire.host, len(sent)) == sent for _ in range(5)]
    assert got == [True, True, False, True, True]


def test_truncate_ends_in_the_middle_by_fin(wire: Wire) -> None:
    wire.proxy.fault = Truncate(direction=TO_HOST)
    sent = pdu(C2H_DATA, bytes(64))

    wire.target.sendall(sent)

    assert len(receive(wire.host, len(sent))) < len(sent)
    assert wire.target.recv(1) == b""


def test_reset_ends_by_rst(wire: Wire) -> None:
    wire.proxy.fault = Reset(direction=TO_HOST)

    wire.target.sendall(pdu(C2H_DATA, bytes(64)))

    with pytest.raises(ConnectionResetError):
        receive(wire.host, 1000)


def test_stall_stops_one_direction_and_leaves_the_other(wire: Wire) -> None:
    wire.proxy.fault = Stall(direction=TO_HOST)
    sent = pdu(C2H_DATA, bytes(8))
    wire.target.sendall(sent)

    wire.host.sendall(sent)

    assert receive(wire.target, len(sent)) == sent
    wire.host.settimeout(0.2)
    with pytest.raises(TimeoutError):
        wire.host.recv(1)


def test_delay_of_one_pdu_keeps_the_order(wire: Wire) -> None:
    wire.proxy.fault = Delay(0.05, direction=TO_TARGET, most=1)
    sent = b"".join(pdu(C2H_DATA, bytes([n]) * 8) for n in range(3))

    wire.host.sendall(sent)

    assert receive(wire.target, len(sent)) == sent


def test_an_end_of_one_side_is_passed_on_behind_what_was_sent(wire: Wire) -> None:
    sent = pdu(C2H_DATA, bytes(8))
    wire.target.sendall(sent)
    wire.target.close()

    assert receive(wire.host, len(sent) + 1) == sent


def test_a_target_that_is_not_there_ends_the_host(wire: Wire) -> None:
    wire.listener.close()

    with socket.create_connection(("127.0.0.1", int(wire.proxy.address.split(":")[1]))) as host:
        host.settimeout(60)
        assert host.recv(1) == b""


def test_nothing_is_left_after_close() -> None:
    wire = Wire()
    wire.host.sendall(pdu(C2H_DATA, bytes(8)))
    wire.close()

    assert not wire.proxy.thread.is_alive()
    assert wire.proxy.ways == []
