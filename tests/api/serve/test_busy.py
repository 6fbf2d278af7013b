"""Connections that end while they are busy."""

import socket
import struct

from nvme.serve import Served

from .conftest import NQN
from .peer import CAPSULE, admin, queue, sqe

FLUSH = 0x00


def flush(cid: int) -> bytes:
    return sqe(FLUSH, cid=cid, nsid=1)


def test_a_host_that_leaves_amid_its_commands_is_gone_at_once(target: Served) -> None:
    host = admin(target.address, NQN)
    for i in range(200):
        io = queue(target.address, NQN, host.cntlid, sqsize=127)
        for cid in range(40):
            io.send(io.pdu(CAPSULE, flush(cid)))
        if i % 2:
            io.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        io.socket.close()
        while target.connections > 1:
            pass

    assert host.identify().status == 0
    assert target.connections == 1
