"""Targets that break the protocol, by what the host says to them, and what the script hears."""

import struct
from collections.abc import Callable

import pytest

import nvme as d

from .peer import (
    C2H_DATA,
    C2H_TERM,
    CH,
    CQE,
    DATA,
    DDGST,
    H2C_DATA,
    HDGST,
    IC_RESP,
    LAST,
    R2T,
    RESPONSE,
    SUCCESS,
    Command,
    Connection,
    Target,
)

INVALID, SEQUENCE, HEADER_DIGEST, OUT_OF_RANGE, LIMIT = 1, 2, 3, 4, 5
LBAS = 16

Lie = Callable[[Connection, Command], bytes]


def data(
    connection: Connection,
    command: Command,
    at: int = 0,
    length: int = 8192,
    flags: int = LAST,
    cccid: int | None = None,
    **wrong: int,
) -> bytes:
    specific = DATA.pack(command.cid if cccid is None else cccid, 0, at, length)
    return connection.pdu(C2H_DATA, specific, bytes(length), flags, **wrong)


def r2t(
    connection: Connection, command: Command, at: int = 0, length: int = 8192, **wrong: int
) -> bytes:
    cccid = wrong.pop("cccid", command.cid)
    return connection.pdu(R2T, DATA.pack(cccid, 1, at, length), **wrong)


def response(connection: Connection, command: Command, cid: int, **wrong: int) -> bytes:
    return connection.pdu(RESPONSE, CQE.pack(0, 0xFFFF, 0, cid, 0), **wrong)


READ_LIES: dict[str, tuple[Lie, int, int]] = {
    "a type that hosts send": (lambda c, r: c.pdu(H2C_DATA, bytes(16)), INVALID, 0),
    "a type that nobody sends": (lambda c, r: c.pdu(0x0A, bytes(16)), INVALID, 0),
    "a second greeting": (lambda c, r: c.pdu(IC_RESP, bytes(120)), SEQUENCE, 0),
    "a short header": (lambda c, r: response(c, r, r.cid, hlen=23), INVALID, 2),
    "a long header": (lambda c, r: response(c, r, r.cid, hlen=25), INVALID, 2),
    "a short response": (lambda c, r: response(c, r, r.cid, plen=23), INVALID, 4),
    "a long response": (lambda c, r: response(c, r, r.cid, plen=25), INVALID, 4),
    "an endless response": (lambda c, r: response(c, r, r.cid, plen=0xFFFFFFFF), INVALID, 4),
    "an unknown command": (lambda c, r: response(c, r, r.cid ^ 1), INVALID, 20),
    "a command beyond all": (lambda c, r: response(c, r, 0xFFFF), INVALID, 20),
    "data of an unknown command": (lambda c, r: data(c, r, cccid=r.cid ^ 1), INVALID, 8),
    "data of a command beyond all": (lambda c, r: data(c, r, cccid=0xFFFF), INVALID, 8),
    "data too long": (lambda c, r: data(c, r, length=8193), OUT_OF_RANGE, 0),
    "data behind the end": (lambda c, r: data(c, r, 8192, 1), OUT_OF_RANGE, 0),
    "data that wraps around": (lambda c, r: data(c, r, 0xFFFFFFFF, 2), OUT_OF_RANGE, 0),
    "data out of order": (lambda c, r: data(c, r, 4096, 4096), INVALID, 12),
    "data twice": (lambda c, r: data(c, r, flags=0) + data(c, r), INVALID, 12),
    "half of it twice": (
        lambda c, r: data(c, r, 0, 4096, 0) + data(c, r, 0, 4096),
        INVALID,
        12,
    ),
    "data inside the header": (lambda c, r: data(c, r, pdo=20), INVALID, 3),
    "data at an odd offset": (lambda c, r: data(c, r, pdo=26), INVALID, 3),
    "a PDU shorter than its data": (lambda c, r: data(c, r, plen=8215), INVALID, 4),
    "a PDU longer than its data": (lambda c, r: data(c, r, plen=8217), INVALID, 4),
    "success before the last data": (lambda c, r: data(c, r, flags=SUCCESS), INVALID, 1),
    "a digest of the header": (lambda c, r: data(c, r, flags=LAST | HDGST), INVALID, 1),
    "a digest of the data": (lambda c, r: data(c, r, flags=LAST | DDGST), INVALID, 1),
    "an R2T for a read": (lambda c, r: r2t(c, r), INVALID, 8),
}
WRITE_LIES: dict[str, tuple[Lie, int, int]] = {
    "an R2T for an unknown command": (lambda c, r: r2t(c, r, cccid=r.cid ^ 1), INVALID, 8),
    "an R2T for a command beyond all": (lambda c, r: r2t(c, r, cccid=0xFFFF), INVALID, 8),
    "an R2T for too much": (lambda c, r: r2t(c, r, 0, 8193), OUT_OF_RANGE, 0),
    "an R2T behind the end": (lambda c, r: r2t(c, r, 8192, 1), OUT_OF_RANGE, 0),
    "an R2T that wraps around": (lambda c, r: r2t(c, r, 0xFFFFFFFF, 2), OUT_OF_RANGE, 0),
    "an R2T out of order": (lambda c, r: r2t(c, r, 4096, 4096), INVALID, 12),
    "an R2T for nothing": (lambda c, r: r2t(c, r, 0, 0), INVALID, 16),
    "two R2Ts at once": (lambda c, r: r2t(c, r, 0, 4096) + r2t(c, r, 4096, 4096), LIMIT, 0),
    "a long R2T": (lambda c, r: r2t(c, r, plen=25), INVALID, 4),
    "data of a write": (lambda c, r: data(c, r), INVALID, 8),
    "an answer instead of the R2T's data": (
        lambda c, r: r2t(c, r) + response(c, r, r.cid),
        SEQUENCE,
        0,
    ),
}


def lie_to(target: Target, opcode: int, lie: Lie) -> None:
    """Send one command of 8 KiB, and have it answered by the lie."""

    def hook(connection: Connection, command: Command) -> bool:
        if connection.qid <= 0 or command.opcode != opcode:
            return False
        connection.send(lie(connection, command))
        return True

    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    buf = d.Buffer(LBAS * 512, ptype=32, pvalue=0xA5A5A5A5)
    guard = d.Buffer(4096, ptype=32, pvalue=0x5A5A5A5A)
    target.hook = hook
    send = nvme0n1.read if opcode == 2 else nvme0n1.write
    with (
        pytest.warns(UserWarning, match="gone"),
        pytest.raises(SystemError, match="the target sent .* answered by H2CTermReq"),
    ):
        send(qpair, buf, 0, LBAS).waitdone()
    queue = [c for c, command in target.commands if command.opcode == opcode][-1]
    queue.thread.join(60)
    assert guard[:] == b"\x5a" * 4096
    target.hook = None
    nvme0.reset()
    qpair = d.Qpair(nvme0, 16)
    nvme0n1.read(qpair, buf, 0, LBAS).waitdone()


@pytest.mark.parametrize("lie", READ_LIES)
def test_a_read_that_is_answered_by_a_lie(target, lie):
    answer, fes, fei = READ_LIES[lie]
    lie_to(target, 2, answer)
    assert target.terms == [(fes, fei)]


@pytest.mark.parametrize("lie", WRITE_LIES)
def test_a_write_that_is_answered_by_a_lie(target, lie):
    answer, fes, fei = WRITE_LIES[lie]
    lie_to(target, 1, answer)
    assert target.terms == [(fes, fei)]


def test_a_target_that_terminates_is_quoted(target):
    def hook(connection: Connection, command: Command) -> bool:
        if connection.qid == 1 and command.opcode == 2:
            term = CH.pack(C2H_TERM, 0, 24, 0, 24 + 72) + struct.pack("<HI10x", 4, 0)
            connection.send(term + bytes(72))
            return True
        return False

    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    target.hook = hook
    with (
        pytest.warns(UserWarning, match="gone"),
        pytest.raises(SystemError, match=r"C2HTermReq, FES 04h \(data transfer out of range\)"),
    ):
        nvme0n1.read(qpair, d.Buffer(512), 0).waitdone()


@pytest.mark.parametrize("success", [False, True])
@pytest.mark.parametrize("at", [0, 100, 511])
def test_data_that_was_corrupted_fails_its_command(success, at):
    with Target(success=success) as target:
        corrupt = []

        def hook(connection: Connection, command: Command) -> bool:
            if connection.qid == 1 and command.opcode == 2 and corrupt:
                honest = connection.send

                def send(out: bytes) -> None:
                    raw = bytearray(out)
                    raw[24 + at] ^= 1
                    honest(bytes(raw))

                connection.send = send  # type: ignore[method-assign]
                connection._io(command)
                connection.send = honest  # type: ignore[method-assign]
                return True
            return False

        nvme0 = d.Controller(target.address, ddgst=True)
        nvme0n1 = d.Namespace(nvme0)
        qpair = d.Qpair(nvme0, 16)
        target.hook = hook
        nvme0n1.read(qpair, d.Buffer(512), 0).waitdone()
        corrupt.append(True)
        with pytest.warns(UserWarning, match="ERROR status: 00/22"):
            nvme0n1.read(qpair, d.Buffer(512), 0).waitdone()
        corrupt.clear()
        nvme0n1.read(qpair, d.Buffer(512), 0).waitdone()


@pytest.mark.parametrize("at", [0, 8, 23, 24])
def test_a_header_that_was_corrupted_ends_the_connection(target, at):
    received: list[int] = []

    def hook(connection: Connection, command: Command) -> bool:
        if connection.qid != 1 or command.opcode != 0:
            return False
        raw = bytearray(response(connection, command, command.cid))
        raw[at] ^= 0x10
        received.append(int.from_bytes(raw[24:28], "little"))
        connection.send(bytes(raw))
        return True

    nvme0 = d.Controller(target.address, hdgst=True)
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    nvme0n1.flush(qpair).waitdone()
    queue = target.of(1)
    target.hook = hook
    with pytest.warns(UserWarning, match="gone"), pytest.raises(SystemError, match="H2CTermReq"):
        nvme0n1.flush(qpair).waitdone()
    queue.thread.join(60)
    # A type that nobody knows is refused before anybody knows where its digest is.
    assert target.terms == [(HEADER_DIGEST, received[0]) if at else (INVALID, 0)]


@pytest.mark.parametrize("flow_control", [True, False])
def test_a_response_left_out_under_flow_control_is_told_once(capfd, flow_control):
    with Target(success=True, flow_control=flow_control) as target:
        nvme0 = d.Controller(target.address)
        nvme0n1 = d.Namespace(nvme0)
        qpair = d.Qpair(nvme0, 16)
        for _ in range(3):
            nvme0n1.read(qpair, d.Buffer(512), 0).waitdone()

    told = [line for line in capfd.readouterr().err.splitlines() if "SUCCESS" in line]
    assert ["qpair 1:" in line for line in told] == [False, True] * flow_control


def test_a_success_without_the_data_is_none(target):
    def hook(connection: Connection, command: Command) -> bool:
        if connection.qid != 1 or command.opcode != 2:
            return False
        connection.send(data(connection, command, 0, 4096))
        connection.complete(command)
        return True

    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    target.hook = hook
    with pytest.warns(UserWarning, match="ERROR status: 00/04"):
        nvme0n1.read(qpair, d.Buffer(8192), 0, LBAS).waitdone()
    target.hook = None
    nvme0n1.read(qpair, d.Buffer(8192), 0, LBAS).waitdone()
