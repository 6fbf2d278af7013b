"""A test script to begin with: copy it, and replace what the tests do.

make test TESTS=scripts/template_test.py ARGS=--nvme-strict                     on the software SSD
make test TESTS=scripts/template_test.py ARGS=--nvme-strict pciaddr=01:00.0     on a drive

A drive is OVERWRITTEN.

With --nvme-strict a test fails of everything that it does not say it expects: an error status, a
timeout, an event, a failed worker, wrong data. Without it these are warnings, as in pynvme 1.0.
"""

import pytest

import nvme as d


@pytest.fixture(autouse=True)
def every_read_is_checked(verify: bool) -> None:
    """Data that reads back differently is an error status; see nvme0.mismatches."""
    assert verify


def test_what_was_written_reads_back(nvme0n1: d.Namespace, qpair: d.Qpair):
    buf = d.Buffer(4096)

    nvme0n1.write(qpair, buf, 0, 8).waitdone()
    nvme0n1.read(qpair, buf, 0, 8).waitdone()

    assert buf.data_head == 0  # the LBA's number, stamped by write()


def test_a_workload_ends_without_an_error(nvme0n1: d.Namespace):
    with nvme0n1.ioworker(io_size=8, read_percentage=0, lba_random=False, time=1):
        pass
    worker = nvme0n1.ioworker(io_size=8, lba_random=False, time=1).start()

    assert worker.close().error == 0


def test_an_error_that_is_expected(nvme0n1: d.Namespace, qpair: d.Qpair):
    beyond = nvme0n1.capacity // nvme0n1.sector_size

    with pytest.warns(UserWarning, match="ERROR status: 00/80"):  # LBA Out of Range
        nvme0n1.read(qpair, d.Buffer(512), beyond).waitdone()


def test_the_drive_is_not_too_hot(nvme0: d.Controller):
    smart = d.Buffer(512)

    nvme0.getlogpage(2, smart, 512).waitdone()

    assert smart.data(2, 1) < 273 + 70
