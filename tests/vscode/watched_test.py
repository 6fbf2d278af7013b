"""What the browser watches: a queue whose depth goes up and down, an error, a worker."""

import time

import pytest

import nvme as d

#: The session is killed long before that.
TIME_S = 1200
MOST = 12
PAUSE_S = 0.4


def test_watched(nvme0: d.Controller, nvme0n1: d.Namespace, qpair: d.Qpair, buf: d.Buffer):
    until = time.monotonic() + TIME_S
    bad = d.sim(nvme0).fault(admin=False, opcode=2, slba=100, nlb=1, status=0x281)
    worker = nvme0n1.ioworker(
        io_size=8, qdepth=32, iops=1000, time=TIME_S, read_percentage=70, region_start=8192
    )
    with bad, worker:
        count = 0
        while time.monotonic() < until:
            count = count % MOST + 1
            for i in range(count):
                nvme0n1.read(qpair, buf, i * 8, 8)
            time.sleep(PAUSE_S)  # so that somebody sees them outstanding
            qpair.waitdone(count)
            if count == MOST:  # again and again: only the last 2,048 commands are kept
                with pytest.warns(UserWarning, match="ERROR status: 02/81"):
                    nvme0n1.read(qpair, buf, 96, 8).waitdone()
            nvme0.smart()
