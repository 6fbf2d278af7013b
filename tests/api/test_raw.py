"""nvme.raw: queues, commands and data pointers by hand, and illegal moves."""

import time
import warnings

import pytest

import nvme as d
from nvme import raw

QID = 5

INVALID_FIELD = 0x002
INVALID_PRP_OFFSET = 0x013
INVALID_CQ = 0x100
INVALID_QID = 0x101
INVALID_QSIZE = 0x102
INVALID_DELETION = 0x10C
DNR = 1 << 14


@pytest.fixture
def queues(nvme0):
    """A pair of queues with eight entries each."""
    cq = raw.CompletionQueue(nvme0, QID, 8)
    sq = raw.SubmissionQueue(nvme0, QID, 8, QID)
    assert (cq.create(), sq.create()) == (0, 0)
    yield sq, cq
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sq.delete()
        cq.delete()


def execute(queues, command):
    sq, cq = queues
    sq.push(command)
    sq.ring()
    return cq.wait()


def test_a_hand_built_read_returns_what_was_written(nvme0n1, qpair, queues):
    source, target = d.Buffer(512, ptype=0xBEEF, pvalue=100), d.Buffer(512)
    nvme0n1.write(qpair, source, 3).waitdone()

    completion = execute(queues, raw.Command(opc=2, cid=77, nsid=1, prp1=target.phys_addr, cdw10=3))

    assert (completion.status, completion.cid, completion.sqid) == (0, 77, QID)
    assert target[:] == source[:]


def test_hand_built_queues_go_round(nvme0n1, queues):
    target = d.Buffer(512)

    for cid in range(30):
        completion = execute(
            queues, raw.Command(opc=2, cid=cid, nsid=1, prp1=target.phys_addr, cdw10=cid)
        )
        assert (completion.status, completion.cid) == (0, cid)
        assert completion.sqhd == (cid + 1) % 8


@pytest.mark.parametrize("offset", [0, 4, 2048])
@pytest.mark.parametrize("pages", [1, 2, 5])
def test_a_prp_list_by_hand(nvme0n1, qpair, queues, offset, pages):
    size = pages * 4096
    lbas = size // nvme0n1.sector_size
    source, target = d.Buffer(size, ptype=0xBEEF, pvalue=100), d.Buffer(size + 4096)
    nvme0n1.write(qpair, source, 0, lbas).waitdone()
    prp1, prp2 = raw.prps(target.phys_addr + offset, size, d.Buffer())

    completion = execute(queues, raw.Command(opc=2, nsid=1, prp1=prp1, prp2=prp2, cdw12=lbas - 1))

    assert completion.status == 0
    assert target[offset : offset + size] == source[:]


@pytest.mark.parametrize("sgl", [raw.Sgl, raw.Sgl()])
@pytest.mark.parametrize(
    ("kind", "address", "make"),
    [
        (0x0, 0x123456789A, lambda sgl: sgl.data_block(0x123456789A, 0x1000)),
        (0x1, 0, lambda sgl: sgl.bit_bucket(0x1000)),
        (0x2, 0x123456789A, lambda sgl: sgl.segment(0x123456789A, 0x1000)),
        (0x3, 0x123456789A, lambda sgl: sgl.segment(0x123456789A, 0x1000, last=True)),
    ],
)
def test_descriptors_have_the_layout_of_the_specification(sgl, kind, address, make):
    assert make(sgl) == address.to_bytes(8, "little") + bytes((0, 0x10, 0, 0, 0, 0, 0, kind << 4))


def test_an_sgl_by_hand(nvme0, nvme0n1, qpair, queues):
    if not nvme0.id_data(539, 536) & 3:
        pytest.skip("the device has no SGLs")
    source, target = d.Buffer(1024, ptype=0xBEEF, pvalue=100), d.Buffer(2048)
    nvme0n1.write(qpair, source, 0, 2).waitdone()
    segment = d.Buffer()
    segment[0:] = raw.Sgl.data_block(target.phys_addr + 1000, 600) + raw.Sgl.data_block(
        target.phys_addr, 424
    )

    completion = execute(
        queues,
        raw.Command(
            opc=2,
            nsid=1,
            psdt=1,
            sgl1=raw.Sgl.segment(segment.phys_addr, 32, last=True),
            cdw12=1,
        ),
    )

    assert completion.status == 0
    assert target[1000:1600] + target[:424] == source[:]


def test_a_prp_list_with_an_offset_is_refused(nvme0n1, queues):
    lists, target = d.Buffer(), d.Buffer(4 * 4096)
    address = raw.prp_list(lists, [target.phys_addr + 4096 + 16, target.phys_addr + 8192])

    completion = execute(
        queues,
        raw.Command(
            opc=2,
            nsid=1,
            prp1=target.phys_addr,
            prp2=address,
            cdw12=3 * 4096 // nvme0n1.sector_size - 1,
        ),
    )

    assert completion.status in (INVALID_PRP_OFFSET, INVALID_FIELD)


def test_an_invalid_doorbell_value_is_an_event(nvme0, queues, aer):
    got = []
    aer(lambda cdw0, status1: got.append(cdw0))
    sq, _ = queues

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sq.ring(8)
        deadline = time.monotonic() + 60
        while not got and time.monotonic() < deadline:
            nvme0.getfeatures(7).waitdone()

    assert got[0] & 0xFFFF == 0x0100  # error: invalid doorbell write value
    log = d.Buffer(512)
    nvme0.getlogpage(1, log, 512).waitdone()


def test_an_identifier_in_use_is_refused(nvme0, queues):
    assert raw.CompletionQueue(nvme0, QID, 8).create() == INVALID_QID
    assert raw.SubmissionQueue(nvme0, QID, 8, QID).create() == INVALID_QID


def test_a_submission_queue_without_its_completion_queue_is_refused(nvme0):
    assert raw.SubmissionQueue(nvme0, QID + 1, 8, QID + 1).create() == INVALID_CQ


def test_identifier_zero_is_refused(nvme0):
    assert raw.CompletionQueue(nvme0, 0, 8).create() == INVALID_QID


def test_a_queue_of_one_entry_is_refused(nvme0):
    assert raw.CompletionQueue(nvme0, QID, 1).create() == INVALID_QSIZE


def test_a_completion_queue_goes_last(queues):
    _, cq = queues

    assert cq.delete() == INVALID_DELETION


def test_the_buffer_of_a_queue_may_be_deleted(nvme0, nvme0n1):
    cq = raw.CompletionQueue(nvme0, QID, 8)
    sq = raw.SubmissionQueue(nvme0, QID, 8, QID)
    assert (cq.create(), sq.create()) == (0, 0)
    sq.buf = cq.buf = d.Buffer(16)

    sq.ring(3)
    time.sleep(0.05)

    nvme0.reset()
    assert nvme0.getfeatures(7).waitdone()


def test_a_command_is_64_bytes_of_what_was_given():
    entry = bytes(
        raw.Command(1, 2, 3, fuse=1, psdt=2, cdw2=4, cdw3=5, mptr=6, prp1=7, prp2=8, cdw10=9)
    )

    assert len(entry) == 64
    assert entry[:4] == bytes([1, 2 << 6 | 1, 2, 0])
    assert entry[24] == 7
    assert entry[32] == 8
    assert entry[40] == 9


def test_waiting_for_a_device_that_is_gone_says_so(own):
    cq = raw.CompletionQueue(own, QID, 8)
    assert cq.create() == 0
    d.sim(own).remove()

    with pytest.raises(SystemError, match="gone|removed"):
        cq.wait(60)


def test_what_may_succeed_later_may_be_retried(nvme0, queues):
    status = nvme0._execute(raw.DELETE_CQ, cdw10=QID)[1] >> 1

    assert status & 0x7FF == INVALID_DELETION
    assert not status & DNR


@pytest.mark.parametrize(
    "timeout", [float("nan"), float("inf"), -1, 1e12, pytest.param(10**400, id="huge"), "1"]
)
def test_waiting_for_what_is_no_time_is_an_error_at_once(queues, timeout):
    _, cq = queues

    with pytest.raises((ValueError, TypeError), match="^timeout "):
        cq.wait(timeout)


def test_waiting_no_time_is_a_look(queues):
    _, cq = queues

    with pytest.raises(TimeoutError, match=f"no completion in queue {QID} after 0 sec"):
        cq.wait(0)
