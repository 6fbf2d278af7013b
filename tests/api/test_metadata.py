"""Formats with metadata: a buffer of its own, or behind each LBA; protection information."""

import warnings

import pytest

import nvme as d

PRACT, PRCHK_GUARD, PRCHK_APP, PRCHK_REF = 1 << 13, 1 << 12, 1 << 11, 1 << 10


@pytest.fixture
def drive():
    """A software SSD with formats of 8 bytes of metadata; its namespace and a queue."""
    nvme = d.Controller("sim:size=64M,ms=8,latency=none")
    namespace = d.Namespace(nvme)
    return nvme, namespace, d.Qpair(nvme, 8)


def reformat(nvme, namespace, **fields):
    nvme.format(namespace.get_lba_format(512, 8), **fields).waitdone()


def test_the_format_is_found_by_its_sizes(drive):
    _, namespace, _ = drive

    assert namespace.get_lba_format(512, 8) != namespace.get_lba_format(512, 0)
    assert namespace.get_lba_format(512, 64) is None
    assert namespace.format(512, 8) is not None
    assert namespace.sector_size == 512


def test_metadata_in_a_buffer_of_its_own(drive):
    nvme, namespace, qpair = drive
    reformat(nvme, namespace)
    data, meta = d.Buffer(2048), d.Buffer(32)
    meta[:] = bytes(range(32))
    namespace.write(qpair, data, 10, 4, mbuf=meta).waitdone()

    got = d.Buffer(64)
    namespace.read(qpair, d.Buffer(2048), 10, 4, mbuf=got).waitdone()

    assert got[:32] == bytes(range(32))
    assert got[32:] == bytes(32)


def test_a_metadata_buffer_too_small_is_an_assertion_error(drive):
    nvme, namespace, qpair = drive
    reformat(nvme, namespace)

    with pytest.raises(AssertionError, match="mbuf has 31 bytes, the transfer needs 32"):
        namespace.read(qpair, d.Buffer(2048), 0, 4, mbuf=d.Buffer(31))


def test_metadata_behind_each_lba(drive):
    nvme, namespace, qpair = drive
    reformat(nvme, namespace, mset=1)
    data = d.Buffer(520 * 3)
    for i in range(3):
        data[520 * i + 512 :] = bytes([i] * 8)
    namespace.write(qpair, data, 0, 3).waitdone()

    got = d.Buffer(520 * 3)
    namespace.read(qpair, got, 0, 3).waitdone()

    assert got[:] == data[:]
    assert got[520 + 512 : 1040] == b"\1" * 8


def test_a_buffer_without_room_for_metadata_is_an_assertion_error(drive):
    nvme, namespace, qpair = drive
    reformat(nvme, namespace, mset=1)

    with pytest.raises(AssertionError, match="the transfer needs 1560"):
        namespace.read(qpair, d.Buffer(1559), 0, 3)


@pytest.mark.parametrize("mset", [0, 1])
def test_protection_information_is_inserted_and_checked_by_the_device(drive, mset):
    nvme, namespace, qpair = drive
    reformat(nvme, namespace, mset=mset, pi=1)
    data = d.Buffer(2048, ptype=0xBEEF, pvalue=100)
    flags = PRACT | PRCHK_GUARD | PRCHK_REF

    namespace.write(qpair, data, 100, 3, flags, cdw14=100).waitdone()
    namespace.read(qpair, d.Buffer(2048), 100, 3, flags, cdw14=100).waitdone()


def test_a_wrong_application_tag_is_told(drive):
    nvme, namespace, qpair = drive
    reformat(nvme, namespace, pi=1)
    mask = 0xFFFF << 16
    namespace.write(qpair, d.Buffer(512), 7, 1, PRACT, cdw14=7, cdw15=mask | 5).waitdone()
    read = (qpair, d.Buffer(512), 7, 1, PRACT | PRCHK_APP)

    namespace.read(*read, cdw14=7, cdw15=mask | 5).waitdone()
    with pytest.warns(UserWarning, match="ERROR status: 02/83"):
        namespace.read(*read, cdw14=7, cdw15=mask | 6).waitdone()


def test_verified_data_with_metadata_reads_back(drive, verify):
    nvme, namespace, qpair = drive
    for mset in (0, 1):
        reformat(nvme, namespace, mset=mset)
        data = d.Buffer(520 * 8, ptype=0xBEEF, pvalue=100)
        namespace.write(qpair, data, 0, 8).waitdone()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            namespace.read(qpair, d.Buffer(520 * 8), 0, 8).waitdone()


def test_commands_without_lbas_of_their_own_need_no_metadata(drive):
    _, namespace, qpair = drive
    namespace.format(512, 8)
    buf = d.Buffer()
    statuses = []

    def note(cdw0, status1):
        statuses.append(status1 >> 1 & 0x7FF)

    buf.set_dsm_range(0, 0, 8)
    namespace.dsm(qpair, buf, 1, cb=note).waitdone()
    buf.set_copy_range(0, 0, 8)
    namespace.copy(qpair, buf, 1, 100, cb=note).waitdone()

    assert statuses == [0, 0]


def test_several_namespaces_at_once():
    nvme = d.Controller("sim:size=16M,ns=3,latency=none")
    namespaces = [d.Namespace(nvme, nsid) for nsid in (1, 2, 3)]
    qpair = d.Qpair(nvme, 8)
    for namespace in namespaces:
        data = d.Buffer(512)
        data[100] = namespace.nsid
        namespace.write(qpair, data, 5).waitdone()

    for namespace in namespaces:
        got = d.Buffer(512)
        namespace.read(qpair, got, 5).waitdone()
        assert got[100] == namespace.nsid

    namespaces[1].format(4096)
    assert [namespace.sector_size for namespace in namespaces] == [512, 4096, 512]
