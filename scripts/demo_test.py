"""Examples of test scripts: start here, copy, change.

make test TESTS=scripts/demo_test.py                       on the software SSD
make test TESTS=scripts/demo_test.py pciaddr=01:00.0       on a drive, which is OVERWRITTEN
"""

import logging
import time

import pytest

import nvme as d


def test_dump_namespace_identify_data(nvme0):
    id_buf = d.Buffer()
    nvme0.identify(id_buf, nsid=1, cns=0).waitdone()
    print(id_buf.dump(64))


def test_namespace_identify_size(nvme0n1: d.Namespace):
    assert nvme0n1.id_data(7, 0) != 0


def test_hello_world(nvme0, nvme0n1: d.Namespace):
    read_buf = d.Buffer(4096)
    data_buf = d.Buffer(4096)
    data_buf[10:21] = b"hello world"
    qpair = d.Qpair(nvme0, 16)

    def write_cb(cdw0, status1):
        nvme0n1.read(qpair, read_buf, 0, 1)

    nvme0n1.write(qpair, data_buf, 0, 1, cb=write_cb)
    qpair.waitdone(2)
    assert read_buf[10:21] == b"hello world"


def test_invalid_io_command(nvme0n1, qpair):
    with pytest.warns(UserWarning, match="ERROR status: 00/01"):
        nvme0n1.send_cmd(0xFF, qpair, nsid=1).waitdone()


@pytest.mark.parametrize("qdepth", [2, 16, 64])
def test_ioworker_beside_admin_commands(nvme0, nvme0n1, qdepth):
    smart_log = d.Buffer(512, "smart log page")
    with nvme0n1.ioworker(
        io_size=8, lba_align=8, lba_random=True, qdepth=qdepth, read_percentage=50, time=2
    ) as worker:
        for _ in range(4):
            nvme0.getlogpage(0x02, smart_log, 512).waitdone()
            logging.info("temperature: %d K", smart_log.data(2, 1))
            time.sleep(0.4)
    r = worker.close()
    logging.info("%d IOPS", (r.io_count_read + r.io_count_nonread) * 1000 // r.mseconds)


def test_write_and_verify(nvme0n1, verify):
    assert verify
    nvme0n1.ioworker(io_size=8, lba_random=False, read_percentage=0, io_count=1000).start().close()
    r = nvme0n1.ioworker(io_size=8, read_percentage=100, region_end=8000, io_count=1000)
    assert r.start().close().error == 0


def test_temperature_warning(nvme0, aer):
    triggered = []
    aer(lambda cdw0, status1: triggered.append(cdw0))
    orig = nvme0.getfeatures(4).waitdone()

    with pytest.warns(UserWarning, match="AER notification"):
        nvme0.setfeatures(4, cdw11=200).waitdone(2)

    nvme0.setfeatures(4, cdw11=orig).getlogpage(2, d.Buffer(512), 512).waitdone(2)
    assert triggered[0] >> 16 == 2  # the SMART log tells more


def test_reset_with_commands_in_flight(nvme0, nvme0n1):
    status = []
    qpair = d.Qpair(nvme0, 64)
    for i in range(50):
        nvme0n1.read(qpair, d.Buffer(), i, cb=lambda cdw0, status1: status.append(status1 >> 1))

    nvme0.reset()

    assert len(status) == 50
