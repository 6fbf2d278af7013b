"""Queues that scripts make with commands of their own, and Qpairs beside them."""

import struct
from collections.abc import Iterator

import pytest

import nvme as d
from nvme import raw

CREATE_SQ, CREATE_CQ, DELETE_SQ, DELETE_CQ = 1, 5, 0, 4
ENTRIES = 8
PAGE = 4096
READ = 2


@pytest.fixture
def drive(own: d.Controller) -> Iterator[d.Controller]:
    yield own
    own.reset()  # what a test has left goes


def create(nvme: d.Controller, buf: d.Buffer, offset: int, qid: int, cqid: int | None) -> None:
    """A queue at a byte of a Buffer, by a plain command."""
    buf.offset = offset
    opcode, cdw11 = (CREATE_CQ, 1) if cqid is None else (CREATE_SQ, cqid << 16 | 1)
    nvme.send_cmd(opcode, buf, cdw10=(ENTRIES - 1) << 16 | qid, cdw11=cdw11).waitdone()


def test_queues_at_offsets_of_one_buffer_by_plain_commands(drive, own_namespace):
    memory, target = d.Buffer(4 * PAGE), d.Buffer(512)
    create(drive, memory, 2 * PAGE, 3, None)
    create(drive, memory, 3 * PAGE, 3, 3)

    command = raw.Command(opc=READ, cid=9, nsid=1, prp1=target.phys_addr)
    memory[3 * PAGE : 3 * PAGE + 64] = bytes(command)
    drive[0x1000 + 2 * 3 * 4] = 1
    while not memory[2 * PAGE + 14] & 1:  # the phase tag
        _ = drive[0x1C]

    assert struct.unpack_from("<HH", memory[2 * PAGE :], 10) == (3, 9)  # SQID, CID
    for opcode in (DELETE_SQ, DELETE_CQ):
        drive.send_cmd(opcode, cdw10=3).waitdone()


def test_raw_queues_at_offsets_of_one_buffer(drive, own_namespace):
    memory = d.Buffer(4 * PAGE)
    cq = raw.CompletionQueue(drive, 5, ENTRIES, buf=memory, offset=PAGE)
    sq = raw.SubmissionQueue(drive, 5, ENTRIES, 5, buf=memory, offset=2 * PAGE)
    assert (cq.create(), sq.create()) == (0, 0)
    assert (memory.offset, memory.size) == (0, 4 * PAGE)

    sq.push(raw.Command(opc=0, cid=1, nsid=1))
    sq.ring()
    assert (cq.wait().cid, memory[2 * PAGE + 2], memory[PAGE + 12]) == (1, 1, 1)
    assert (sq.delete(), cq.delete()) == (0, 0)


def test_several_submission_queues_share_a_completion_queue(drive, own_namespace):
    cq = raw.CompletionQueue(drive, 4, 16)
    assert cq.create() == 0
    sqs = [raw.SubmissionQueue(drive, qid, ENTRIES, 4) for qid in (4, 5, 6)]
    assert [sq.create() for sq in sqs] == [0, 0, 0]

    for sq in sqs:
        sq.push(raw.Command(opc=0, cid=sq.qid + 100, nsid=1))
        sq.ring()
    done = sorted((one.sqid, one.cid, one.status) for one in (cq.wait() for _ in sqs))

    assert done == [(4, 104, 0), (5, 105, 0), (6, 106, 0)]
    assert [sq.delete() for sq in sqs] == [0, 0, 0]
    assert cq.delete() == 0


def test_an_invalid_tail_is_an_event_with_its_dword(drive):
    cq, sq = raw.CompletionQueue(drive, 2, ENTRIES), raw.SubmissionQueue(drive, 2, ENTRIES, 2)
    assert (cq.create(), sq.create()) == (0, 0)

    with pytest.warns(UserWarning, match="^AER notification is triggered: 0x10100$"):
        sq.ring(ENTRIES)
        drive.getfeatures(7).waitdone(2)


def test_a_qpair_takes_an_identifier_that_is_free(drive, own_namespace):
    cqs = [raw.CompletionQueue(drive, qid, ENTRIES) for qid in (1, 3)]
    assert [cq.create() for cq in cqs] == [0, 0]
    sq = raw.SubmissionQueue(drive, 4, ENTRIES, 1)
    assert sq.create() == 0

    qpairs = [d.Qpair(drive, 8) for _ in range(3)]

    assert [qpair.sqid for qpair in qpairs] == [2, 5, 6]
    for qpair in qpairs:
        own_namespace.read(qpair, d.Buffer(), 0).waitdone()
    sq.push(raw.Command(opc=0, cid=7, nsid=1))
    sq.ring()
    assert cqs[0].wait().cid == 7

    assert [sq.delete(), *(cq.delete() for cq in cqs)] == [0, 0, 0]
    assert [d.Qpair(drive, 8).sqid, d.Qpair(drive, 8).sqid] == [1, 1]


def test_qpairs_beside_queues_of_the_script_end_where_the_device_does():
    nvme = d.Controller("sim:size=16M,latency=none,ioqueues=3")
    cq = raw.CompletionQueue(nvme, 2, ENTRIES)
    assert cq.create() == 0

    qpairs = [d.Qpair(nvme, 8), d.Qpair(nvme, 8)]

    assert [qpair.sqid for qpair in qpairs] == [1, 3]
    with pytest.raises(d.QpairCreationError, match="no free queue"):
        d.Qpair(nvme, 8)
    assert cq.delete() == 0
    assert d.Qpair(nvme, 8).sqid == 2
