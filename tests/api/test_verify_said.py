"""What is said of a read that does not match: it is the host's finding, and not the drive's."""

import pytest

import nvme as d

READ = 2


@pytest.fixture(autouse=True)
def checked():
    d.config(verify=True)
    yield
    d.config(verify=False)


def mismatching_read(own, namespace, qpair, cb=None):
    """A read of LBA 40 whose data the drive has damaged on its way."""
    buf = d.Buffer(4096)
    namespace.write(qpair, buf, 36, 8).waitdone()
    with d.sim(own).fault("bitflip", opcode=READ, admin=False, times=1):
        namespace.read(qpair, buf, 36, 8, cb=cb).waitdone()
    return own.mismatches[-1]


def test_a_mismatch_is_said_to_be_the_hosts_finding(own, own_namespace, caplog):
    with (
        d.Qpair(own, 16) as qpair,
        pytest.warns(
            UserWarning, match="^ERROR status: 02/81, host: data mismatch, LBA 0x"
        ) as said,
    ):
        found = mismatching_read(own, own_namespace, qpair)

    crcs = f"CRC expected 0x{found.crc_expected:08x}, got 0x{found.crc_got:08x}"
    verdict = f"host: data mismatch, LBA 0x{found.lba:x}, {crcs}"
    assert 36 <= found.lba < 44
    assert found.crc_expected != found.crc_got
    assert f"{verdict}: Read (02)" in str(said[0].message)
    assert str(found).startswith(verdict)
    assert verdict in caplog.text


def test_the_command_log_keeps_what_the_drive_has_said(own, own_namespace):
    statuses = []
    with d.Qpair(own, 16) as qpair:
        mismatching_read(
            own,
            own_namespace,
            qpair,
            cb=lambda cdw0, status1: statuses.append(status1 >> 1 & 0x7FF),
        )
        assert qpair.cmdlog_entries(1)[0].status == 0

    assert statuses == [0x281]


def test_an_error_of_the_drive_is_not_the_hosts(own, own_namespace):
    with (
        d.Qpair(own, 16) as qpair,
        d.sim(own).fault(admin=False, opcode=READ, status=0x281),
        pytest.warns(UserWarning, match="^ERROR status: 02/81, Unrecovered Read Error: Read"),
    ):
        own_namespace.read(qpair, d.Buffer(), 0).waitdone()
        assert qpair.cmdlog_entries(1)[0].status == 0x281


def test_the_bytes_of_a_mismatch_of_a_worker_are_those_that_came(own, own_namespace):
    own_namespace.ioworker(
        io_count=100,
        lba_random=False,
        read_percentage=0,
        region_end=800,
        ptype=32,
        pvalue=0x5A5A5A5A,
    ).start().close()
    with (
        d.sim(own).fault("misdirected", opcode=READ, admin=False, nth=3, times=1, value=8),
        pytest.warns(UserWarning, match="host: data mismatch"),
    ):
        worker = own_namespace.ioworker(io_count=20, lba_random=False, region_end=800).start()
        worker.close()

    error = worker.errors[0]
    assert error.stamp != error.lba
    assert error.data == error.stamp.to_bytes(8, "little") + b"\x5a" * 56
