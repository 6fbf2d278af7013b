"""Data that a host puts further behind the header than it has to, in any pieces."""

import os
import time

import pytest

from nvme.serve import Served

from .conftest import NQN
from .peer import CAPSULE, IN_CAPSULE, LAST, R2T, TRANSPORT, Pdu, admin, queue, sqe

H2C_HEADER, CAPSULE_HEADER = 24, 72
BLOCK = 512
#: Data of this size go where they belong without a copy in between; of the other one they do not.
SIZES = (BLOCK, 32 << 10)


def write(kind: int, size: int) -> bytes:
    return sqe(1, cid=7, nsid=1, sgl=(0, size, kind), cdw=(0, 0, size // BLOCK - 1))


def tag_of(r2t: Pdu) -> int:
    assert r2t.type == R2T
    return int.from_bytes(r2t.header[2:4], "little")


@pytest.mark.parametrize("pad", [4, 100])
@pytest.mark.parametrize("cut", [0, 2, 300])
@pytest.mark.parametrize("size", SIZES)
def test_padding_is_no_data(target: Served, size: int, cut: int, pad: int) -> None:
    host = admin(target.address, NQN)
    io = queue(target.address, NQN, host.cntlid)
    data = os.urandom(size)

    io.send(io.pdu(CAPSULE, write(TRANSPORT, size)))
    pdu = io.data(
        *(7, tag_of(io.get()), 0, b"p" * pad + data, LAST), pdo=H2C_HEADER + pad, datal=size
    )
    io.send(pdu[: H2C_HEADER + cut])
    time.sleep(0.01)  # they come in pieces
    io.send(pdu[H2C_HEADER + cut :])

    assert io.completion().status == 0
    assert io.read(0, size // BLOCK).data == data


@pytest.mark.parametrize("pad", [4, 100])
def test_padding_of_a_capsule_is_no_data(target: Served, pad: int) -> None:
    host = admin(target.address, NQN)
    io = queue(target.address, NQN, host.cntlid)
    data = os.urandom(BLOCK)

    entry = write(IN_CAPSULE, BLOCK)
    io.send(io.pdu(CAPSULE, entry, b"p" * pad + data, pdo=CAPSULE_HEADER + pad))

    assert io.completion().status == 0
    assert io.read(0, 1).data == data
