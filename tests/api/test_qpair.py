"""nvme.Qpair: creation, deletion, order of life."""

import gc
import time

import pytest

import nvme as d


def mqes(nvme):
    return nvme.cap & 0xFFFF


def live(name):
    gc.collect()
    return d._core.counts()[name]


def test_depths_from_two_to_the_maximum_work(nvme0, nvme0n1, buf):
    for depth in (2, 3, 7, min(1024, mqes(nvme0) + 1)):
        with d.Qpair(nvme0, depth) as qpair:
            for _ in range(depth + 3):
                nvme0n1.read(qpair, buf, 0)
            qpair.waitdone(depth + 3)


@pytest.mark.parametrize("depth", [0, 1, 70_000, -1, 2**32, 2**70])
def test_an_impossible_depth_is_a_creation_error(nvme0, depth):
    with pytest.raises(d.QpairCreationError):
        d.Qpair(nvme0, depth)


def test_a_depth_above_mqes_is_a_creation_error(nvme0):
    with pytest.raises(d.QpairCreationError, match="depth|MQES|entries"):
        d.Qpair(nvme0, mqes(nvme0) + 2)


def test_a_priority_without_weighted_round_robin_is_a_creation_error(nvme0):
    assert nvme0[0x14] >> 11 & 7 == 0
    for prio in (1, 3, 4, -1, 2**64):
        with pytest.raises(d.QpairCreationError):
            d.Qpair(nvme0, 8, prio)


def test_identifiers_are_shown(nvme0):
    with d.Qpair(nvme0, 8) as qpair:
        assert qpair.sqid >= 1
        assert repr(qpair) == f"<qpair: {qpair.sqid}>"


def test_sixteen_queues_work_at_once(nvme0, nvme0n1, buf):
    granted = (nvme0.getfeatures(7).waitdone() & 0xFFFF) + 1
    if granted < 16:
        pytest.skip(f"the device has {granted} queues")

    qpairs = [d.Qpair(nvme0, 8) for _ in range(16)]
    for qpair in qpairs:
        nvme0n1.read(qpair, buf, 0)
    for qpair in qpairs:
        qpair.waitdone()

    assert len({qpair.sqid for qpair in qpairs}) == 16


def test_no_free_queue_is_a_creation_error_and_a_freed_one_is_used_again(nvme0):
    qpairs = []
    with pytest.raises(d.QpairCreationError):
        for _ in range(200):
            qpairs.append(d.Qpair(nvme0, 2))
    sqid = qpairs.pop().sqid

    assert d.Qpair(nvme0, 2).sqid == sqid


@pytest.mark.parametrize("opcodes", [(0,), (0, 4)], ids=["submission queue", "both queues"])
def test_a_queue_that_a_script_deleted_by_hand_gives_its_number_back(own, opcodes):
    qpair = d.Qpair(own, 8)
    sqid = qpair.sqid
    for opcode in opcodes:
        own.send_cmd(opcode, cdw10=sqid).waitdone()

    with pytest.raises(d.QpairDeletionError, match="01/01"):
        qpair.delete()

    with d.Qpair(own, 8) as again:
        assert again.sqid == sqid


def test_a_queue_goes_with_its_last_reference(nvme0):
    before = live("qpairs")
    qpair = d.Qpair(nvme0, 8)
    assert live("qpairs") == before + 1

    del qpair

    assert live("qpairs") == before


def test_delete_may_be_called_twice(nvme0, nvme0n1, buf):
    qpair = d.Qpair(nvme0, 8)
    qpair.delete()
    qpair.delete()

    with pytest.raises(SystemError, match="deleted"):
        qpair.waitdone()
    with pytest.raises(SystemError, match="deleted"):
        nvme0n1.read(qpair, buf, 0)


def test_a_queue_dropped_with_commands_in_flight_takes_them_along(nvme0, nvme0n1):
    before = live("commands")
    qpair = d.Qpair(nvme0, 64)
    for i in range(100):
        nvme0n1.read(qpair, d.Buffer(4096), i)

    del qpair

    assert live("commands") == before


def test_a_callback_that_holds_its_queue_does_not_keep_it_for_ever(nvme0, nvme0n1, buf):
    before = live("qpairs")

    def make():
        qpair = d.Qpair(nvme0, 8)
        nvme0n1.read(qpair, buf, 0, cb=lambda cdw0, status1: qpair.sqid)

    make()

    assert live("qpairs") == before


def test_a_buffer_dropped_with_its_command_in_flight_stays_until_the_end(nvme0, nvme0n1, qpair):
    before = live("buffers")
    nvme0n1.read(qpair, d.Buffer(4096), 0)
    assert live("buffers") == before + 1

    qpair.waitdone()

    assert live("buffers") == before


@pytest.mark.parametrize("order", ["cqn", "qcn", "nqc", "ncq", "cnq", "qnc"])
def test_objects_may_go_in_any_order(order):
    nvme = d.Controller("sim:size=64M")
    objects = {"c": nvme, "q": d.Qpair(nvme, 8), "n": d.Namespace(nvme)}
    objects["n"].read(objects["q"], d.Buffer(), 0)
    nvme.getfeatures(7)
    del nvme

    for key in order:
        del objects[key]
        gc.collect()


@pytest.mark.parametrize("queues", [1000, pytest.param(10_000, marks=pytest.mark.long)])
def test_queues_leave_nothing_behind(nvme0, nvme0n1, buf, queues, record_property):
    gc.collect()
    before = d._core.counts()
    begin = time.monotonic()

    for _ in range(queues):
        qpair = d.Qpair(nvme0, 8)
        nvme0n1.read(qpair, buf, 0)
        del qpair

    after = d._core.counts()
    after.pop("chunks")
    for name, count in after.items():
        assert count == before[name] or name == "recorder_slots", name
    record_property("qpairs", queues)
    record_property("time", f"{time.monotonic() - begin:.1f} s")


def test_a_qpair_needs_a_controller():
    with pytest.raises(TypeError, match="nvme must be a Controller"):
        d.Qpair(None, 8)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'depth'"):
        d.Qpair(None)
