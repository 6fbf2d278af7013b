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


def test_controller_class_examples_on_the_software_ssd(own, capsys):
    assert own.supports(0x18) is False
    assert own.supports(0x80) is True
    id_buf = d.Buffer()
    own.identify(id_buf).waitdone()
    assert id_buf.dump(64).startswith("buffer\n00000000  36 1b ")

    assert own.cmdlog(2) is None

    assert capsys.readouterr().out.splitlines()[0].count("Identify (06) sqid:0") == 1


def test_buffer_class_examples():
    b = d.Buffer(1024, "example")
    b[0] = 0x5A
    b[1:3] = [1, 2]
    b[4:] = [10, 11, 12, 13]
    assert b.dump(16) == (
        "example\n00000000  5a 01 02 00 0a 0b 0c 0d  00 00 00 00 00 00 00 00   Z..............."
    )
    assert b[:8:2] == b"Z\x02\n\x0c"
    assert b.data(2) == 2
    assert b[2] == 2
    assert b.data(2, 0) == 0x02015A
    assert len(b) == 1024
    assert repr(b) == "<buffer name: example>"
    b[8:] = b"xyc"
    assert b.dump(16) == (
        "example\n00000000  5a 01 02 00 0a 0b 0c 0d  78 79 63 00 00 00 00 00   Z.......xyc....."
    )


def test_dsm_range_of_the_class_examples():
    b = d.Buffer()
    b.set_dsm_range(1, 0x1234567887654321, 0xABCDEF12)
    lines = b.dump(64).splitlines()
    assert lines[0] == "buffer"
    assert lines[2] == (
        "00000010  00 00 00 00 12 ef cd ab  21 43 65 87 78 56 34 12   ........!Ce.xV4."
    )


def test_ioworker_features_example(nvme0n1):
    """Of the chapter on features, shortened from 10 seconds to one."""
    r = (
        nvme0n1.ioworker(
            io_size=8, lba_align=8, lba_random=True, qdepth=16, read_percentage=100, time=1
        )
        .start()
        .close()
    )
    print(r.io_count_read)
    print(r.mseconds)
    print("IOPS: %dK/s\n", r.io_count_read / r.mseconds)
    assert r.io_count_read > 0
    assert r.mseconds >= 1000


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
