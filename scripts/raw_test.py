"""Illegal moves, made by hand with nvme.raw, and what a drive must answer.

Status values are SCT << 8 | SC of the NVMe Base specification.
"""

import time

import pytest

import nvme as d
from nvme import raw

QID = 7
INVALID_PRP_OFFSET, INVALID_FIELD = 0x013, 0x002
INVALID_QID, INVALID_QSIZE = 0x101, 0x102


@pytest.fixture
def queues(nvme0):
    cq = raw.CompletionQueue(nvme0, QID, 16)
    sq = raw.SubmissionQueue(nvme0, QID, 16, QID)
    assert cq.create() == 0
    assert sq.create() == 0
    yield sq, cq
    sq.delete()
    cq.delete()


def test_a_read_by_hand(nvme0n1, qpair, queues):
    sq, cq = queues
    buf = d.Buffer()

    sq.push(raw.Command(opc=0x02, cid=11, nsid=1, prp1=buf.phys_addr, cdw10=0, cdw12=0))
    sq.ring()
    completion = cq.wait()

    assert (completion.cid, completion.status) == (11, 0)


def test_a_doorbell_value_beyond_the_ring(nvme0, queues, aer):
    sq, _ = queues
    events = []
    aer(lambda cdw0, status1: events.append(cdw0))

    with pytest.warns(UserWarning, match="AER notification"):
        sq.ring(16)
        deadline = time.monotonic() + 5
        while not events and time.monotonic() < deadline:
            nvme0.getfeatures(7).waitdone()

    assert events[0] & 7 == 0  # error status
    assert events[0] >> 8 & 0xFF == 1  # invalid doorbell write value
    nvme0.getlogpage(1, d.Buffer(512), 64).waitdone()  # clears the event


def test_a_prp_list_entry_with_an_offset(nvme0n1, queues):
    sq, cq = queues
    buf, lists = d.Buffer(3 * 4096), d.Buffer()
    bad = [buf.phys_addr + 4096 + 8, buf.phys_addr + 8192]
    lbas = 3 * 4096 // nvme0n1.sector_size

    sq.push(
        raw.Command(
            opc=2, nsid=1, prp1=buf.phys_addr, prp2=raw.prp_list(lists, bad), cdw12=lbas - 1
        )
    )
    sq.ring()

    assert cq.wait().status in (INVALID_PRP_OFFSET, INVALID_FIELD)


def test_a_queue_identifier_in_use(nvme0, queues):
    assert raw.CompletionQueue(nvme0, QID, 16).create() == INVALID_QID


def test_a_queue_of_one_entry(nvme0):
    assert raw.CompletionQueue(nvme0, QID, 1).create() == INVALID_QSIZE
