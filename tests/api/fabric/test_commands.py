"""Commands over NVMe/TCP: data in the capsule or on request, with digests and without."""

import time
import warnings

import pytest

import nvme as d
from nvme import raw

from .peer import SUBSYSTEM, Connection, Target

DIGESTS = [{}, {"hdgst": True}, {"ddgst": True}, {"hdgst": True, "ddgst": True}]
TARGETS = [
    {},
    {"success": True},
    {"piece": 1000},
    {"piece": 1000, "success": True},
    {"grant": 3000},
    {"cpda": 31},
    {"ioccsz": 4},
    {"maxh2cdata": 4096, "grant": 10_000},
]


def random_buffer(size: int) -> d.Buffer:
    return d.Buffer(size, ptype=0xBEEF, pvalue=100)


@pytest.mark.parametrize("digests", DIGESTS, ids=str)
@pytest.mark.parametrize("manners", TARGETS, ids=str)
def test_what_is_written_is_read_whatever_the_manners_of_the_target(manners, digests):
    with Target(**manners) as target:
        nvme0 = d.Controller(target.address, **digests)
        nvme0n1 = d.Namespace(nvme0)
        qpair = d.Qpair(nvme0, 16)
        wrote, read = random_buffer(65536), d.Buffer(65536)
        for lba_count in (1, 8, 9, 16, 128):
            nvme0n1.write(qpair, wrote, 7, lba_count).waitdone()
            nvme0n1.read(qpair, read, 7, lba_count).waitdone()
            assert read[: lba_count * 512] == wrote[: lba_count * 512]
            assert target.media[7 * 512 :][: lba_count * 512] == wrote[: lba_count * 512]
        assert not target.terms


def test_a_read_leaves_the_rest_of_a_larger_buffer_alone(target):
    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    buf = d.Buffer(4096, ptype=32, pvalue=0xA5A5A5A5)
    nvme0n1.read(qpair, buf, 0, 1).waitdone()
    assert buf[:512] == bytes(512)
    assert buf[512:] == b"\xa5" * 3584


def test_the_descriptor_of_a_command_has_the_length_of_its_data(target):
    nvme0 = d.Controller(target.address)
    buf = d.Buffer(40960)
    nvme0.identify(buf).waitdone()
    nvme0.getlogpage(2, buf, 512).waitdone()
    lengths = {c.opcode: c.length for queue, c in target.commands if queue.qid == 0}
    assert lengths[0x06] == 4096
    assert lengths[0x02] == 512


def test_data_of_an_admin_command_beyond_a_capsule_waits_for_the_target(target):
    nvme0 = d.Controller(target.address)
    buf = random_buffer(65536)
    nvme0.fw_download(buf, 0).waitdone()
    sent = [c for _, c in target.commands if c.opcode == 0x11]
    assert [c.in_capsule for c in sent] == [False]
    nvme0.fw_download(buf, 0, 8192).waitdone()
    sent = [c for _, c in target.commands if c.opcode == 0x11]
    assert [c.in_capsule for c in sent] == [False, True]
    assert sent[1].data == buf[:8192]


@pytest.mark.parametrize(("lba_count", "in_capsule"), [(8, True), (9, False)])
def test_data_goes_into_the_capsule_as_far_as_there_is_room(target, lba_count, in_capsule):
    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    nvme0n1.write(qpair, random_buffer(8192), 0, lba_count).waitdone()
    assert [c.in_capsule for queue, c in target.commands if c.opcode == 1 and queue.qid] == [
        in_capsule
    ]


def test_many_commands_wait_for_a_few_places(target):
    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 4)
    buf = random_buffer(512 * 100)
    done = []
    for lba in range(100):
        piece = d.Buffer(512)
        piece[:] = buf[lba * 512 : lba * 512 + 512]
        nvme0n1.write(qpair, piece, lba, cb=lambda cdw0, status1: done.append(status1 >> 1))
    qpair.waitdone(100)
    assert done == [0] * 100


def test_waitdone_reaps_exactly_what_it_is_asked_for(target):
    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    buf, done = d.Buffer(512), []
    for _ in range(8):
        nvme0n1.read(qpair, buf, 0, cb=lambda cdw0, status1: done.append(status1))
    qpair.waitdone(3)
    assert len(done) == 3
    qpair.waitdone(5)
    assert len(done) == 8


def test_an_error_status_is_a_warning(target):
    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    with pytest.warns(UserWarning, match="ERROR status: 00/80"):
        nvme0n1.read(qpair, d.Buffer(512), target.lbas).waitdone()


def test_registers_are_properties(target):
    nvme0 = d.Controller(target.address)
    assert nvme0[0] | nvme0[4] << 32 == nvme0.cap
    assert nvme0[8] == 0x20100
    cc = nvme0[0x14]
    nvme0[0x14] = cc | 1 << 11
    assert nvme0[0x14] == cc | 1 << 11
    with pytest.raises(d.NvmeError, match="Property Get of 24h: the target answered 00/02"):
        nvme0[0x24]


def test_the_command_log_names_fabrics_commands(target, capsys):
    nvme0 = d.Controller(target.address)
    nvme0.cmdlog()
    printed = capsys.readouterr().out
    for name in ("Connect", "Property Get", "Property Set", "Identify"):
        assert f" {name} (" in printed


def test_the_log_of_a_queue_begins_with_the_first_command_of_the_script(target):
    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    assert qpair.cmdlog_entries() == []
    nvme0n1.flush(qpair).waitdone()
    assert [(entry.name, entry.cid) for entry in qpair.cmdlog_entries()] == [("Flush", 0)]


def test_a_completion_that_is_there_is_reaped_before_it_is_late(target):
    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    nvme0.timeout = 20
    nvme0n1.flush(qpair)
    time.sleep(0.1)  # to be late is what this is about
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        qpair.waitdone()


def test_an_async_event_reaches_its_callback(target):
    nvme0 = d.Controller(target.address)
    heard = []
    nvme0.register_aer_cb(lambda cdw0, status1: heard.append(cdw0))
    nvme0.id_data(0)  # in order behind the requests for events
    admin = target.of(0)
    admin.complete(admin.held.pop(0), 0, 0x10100)
    with pytest.warns(UserWarning, match="AER notification is triggered"):
        nvme0.id_data(0)
        while not heard:
            nvme0.id_data(0)
    assert heard == [0x10100]


def test_a_worker_reads_and_writes(target):
    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    worker = nvme0n1.ioworker(io_size=8, lba_align=8, qdepth=8, read_percentage=50, io_count=500)
    result = worker.start().close()
    assert result.io_count_read + result.io_count_nonread == 500
    assert result.error == 0


def test_a_command_that_is_not_answered_is_late(target):
    def silent(connection: Connection, command: object) -> bool:
        return connection.qid == 1

    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    nvme0.timeout = 100
    target.hook = silent
    nvme0n1.read(qpair, d.Buffer(512), 0)
    with (
        pytest.warns(UserWarning, match="drive timeout: 0.1 sec, qpair: 1"),
        pytest.raises(TimeoutError, match="pynvme timeout: 0.6 sec"),
    ):
        qpair.waitdone()


def test_a_queue_says_goodbye_where_that_is_possible(target):
    nvme0 = d.Controller(target.address)
    d.Qpair(nvme0, 16).delete()
    assert [c.fctype for queue, c in target.commands if queue.qid == 1] == [0x01, 0x08]
    target.ofcs = 0
    nvme0.reset()
    d.Qpair(nvme0, 16).delete()
    assert [c.fctype for queue, c in target.commands if queue.qid == 1] == [0x01, 0x08, 0x01]


def test_what_a_fabric_has_no_notion_of_is_said(target):
    nvme0 = d.Controller(target.address)
    qpair = d.Qpair(nvme0, 16)
    with pytest.raises(d.NvmeError, match="has no PCI config space"):
        d.Pcie(nvme0)
    for use in (qpair.msix_isset, qpair.msix_clear, qpair.msix_mask, qpair.msix_unmask):
        with pytest.raises(d.NvmeError, match="has no interrupts"):
            use()
    with pytest.raises(d.NvmeError, match="has no interrupts"):
        qpair.wait_int(1)
    with pytest.raises(d.NvmeError, match="has no power of its own: give Subsystem"):
        d.Subsystem(nvme0).power_cycle(1)
    with pytest.raises(d.NvmeError, match="has no ring of queue 9 in memory"):
        raw.SubmissionQueue(nvme0, 9, 8, 9)
    with pytest.raises(TypeError):
        d.sim(nvme0)
    assert nvme0.addr == f"{target.host}/{SUBSYSTEM}"
