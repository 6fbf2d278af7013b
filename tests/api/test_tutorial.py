"""The examples of the manual, with nothing added but their missing imports and arguments."""

import logging
import time

import pytest
from pytemperature import k2c

import nvme as d


def test_dump_namespace_identify_data(nvme0):
    id_buf = d.Buffer()
    nvme0.identify(id_buf, nsid=0xFFFF_FFFF, cns=1).waitdone()
    print(id_buf.dump())


def test_identify_and_print_the_whole_buffer(nvme0):
    id_buf = d.Buffer(4096)
    nvme0.identify(id_buf, nsid=0xFFFFFFFF, cns=1)
    nvme0.waitdone()
    print(id_buf.dump())
    assert id_buf[:] != bytes(4096)


def test_namespace_identify_size(nvme0n1: d.Namespace):
    assert nvme0n1.id_data(7, 0) != 0


def test_hello_world(nvme0, nvme0n1: d.Namespace):
    read_buf = d.Buffer(512)
    data_buf = d.Buffer(512)
    data_buf[10:21] = b"hello world"
    qpair = d.Qpair(nvme0, 16)  # create IO SQ/CQ pair, with 16 queue-depth
    assert read_buf[10:21] != b"hello world"

    def write_cb(cdw0, status1):  # command callback function
        nvme0n1.read(qpair, read_buf, 0, 1)

    nvme0n1.write(qpair, data_buf, 0, 1, cb=write_cb)
    qpair.waitdone(2)
    assert read_buf[10:21] == b"hello world"


def test_invalid_io_command_0xff(nvme0, nvme0n1):
    q = d.Qpair(nvme0, 8)
    with pytest.warns(UserWarning, match="ERROR status: 00/01"):
        nvme0n1.send_cmd(0xFF, q, nsid=1).waitdone()


def test_controller_class_examples(nvme0):
    assert nvme0[0] == nvme0.cap & 0xFFFFFFFF
    assert nvme0[0x1C] & 1 == 1
    assert nvme0.id_data(23, 4, str)
    assert isinstance(nvme0.supports(0x18), bool)
    assert nvme0.supports(0x06)


def test_ioworker_with_temperature(nvme0, nvme0n1):
    """The manual's example, shortened from 30 seconds to one."""
    smart_log = d.Buffer(512, "smart log page")
    with nvme0n1.ioworker(
        io_size=8, lba_align=16, lba_random=True, qdepth=16, read_percentage=0, time=1
    ):
        for _ in range(3):
            nvme0.getlogpage(0x02, smart_log, 512).waitdone()
            ktemp = smart_log.data(2, 1)
            logging.info("temperature: %0.2f degreeC", k2c(ktemp))
            time.sleep(0.2)
    assert 0 < k2c(ktemp) < 100
