"""Resets of every kind, with commands in flight and objects alive."""

import threading
import time
import warnings

import pytest

import nvme as d
from nvme import _core

RESETS = {
    "controller": lambda nvme: nvme.reset(),
    "flr": lambda nvme: d.Pcie(nvme).flr(),
    "hot": lambda nvme: d.Pcie(nvme).reset(),
    "subsystem": lambda nvme: d.Subsystem(nvme).reset(),
}


@pytest.fixture(params=RESETS)
def reset(request, nvme0):
    if request.param == "subsystem" and not nvme0.cap >> 36 & 1:
        pytest.skip("the device has no NVM subsystem reset (CAP.NSSRS)")
    return RESETS[request.param]


@pytest.fixture(autouse=True)
def quiet():
    """Commands cut by a reset end with 00/08, which is no news here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "ERROR status: 00/0[78]")
        yield


def test_the_controller_works_after_a_reset(nvme0, nvme0n1, reset, buf):
    reset(nvme0)

    assert nvme0[0x1C] & 1 == 1
    assert nvme0.id_data(23, 4, str)
    with d.Qpair(nvme0, 8) as qpair:
        nvme0n1.read(qpair, buf, 0).waitdone()


def test_data_survives_a_reset(nvme0, nvme0n1, reset):
    source, target = d.Buffer(512, ptype=0xBEEF, pvalue=100), d.Buffer(512)
    with d.Qpair(nvme0, 8) as qpair:
        nvme0n1.write(qpair, source, 9).waitdone()
        nvme0n1.flush(qpair).waitdone()

    reset(nvme0)

    with d.Qpair(nvme0, 8) as qpair:
        nvme0n1.read(qpair, target, 9).waitdone()
    assert target[:] == source[:]


def test_a_stale_qpair_says_so_and_deletes_cleanly(nvme0, nvme0n1, reset, buf):
    qpair = d.Qpair(nvme0, 8)

    reset(nvme0)

    with pytest.raises(SystemError, match="reset|stale"):
        nvme0n1.read(qpair, buf, 0)
    with pytest.raises(SystemError, match="reset|stale"):
        qpair.waitdone()
    before = _core.counts()["qpairs"]
    qpair.delete()
    assert _core.counts()["qpairs"] == before - 1


def test_commands_in_flight_end_as_aborted(nvme0, nvme0n1, reset):
    got = []
    qpair = d.Qpair(nvme0, 64)
    for i in range(100):
        nvme0n1.read(qpair, d.Buffer(4096), i, 8, cb=lambda cdw0, status1: got.append(status1))

    reset(nvme0)

    assert len(got) == 100
    assert {status1 >> 1 & 0x7FF for status1 in got} <= {0x000, 0x007, 0x008}


def test_admin_commands_in_flight_get_their_callbacks_there_and_then(nvme0, reset):
    got = []
    for _ in range(20):
        nvme0.getfeatures(7, cb=lambda cdw0, status1: got.append(status1))

    reset(nvme0)

    assert len(got) == 20


def test_nothing_of_before_counts_after_a_reset(nvme0, reset):
    nvme0.getfeatures(7)
    reset(nvme0)
    nvme0.timeout = 20
    try:
        with pytest.raises(TimeoutError):
            nvme0.waitdone()
    finally:
        nvme0.timeout = 5000


def test_aers_are_posted_after_a_reset(nvme0, reset):
    reset(nvme0)

    posted = [e for e in nvme0.cmdlog_entries() if e.opcode == 0x0C and e.status is None]
    assert len(posted) == min(8, nvme0.id_data(259) + 1)


def test_old_objects_still_work(nvme0, nvme0n1, pcie, subsystem, reset, buf):
    capacity = nvme0n1.capacity

    for _ in range(3):
        reset(nvme0)

    assert nvme0n1.capacity == capacity
    assert pcie.cap_offset(0x10) is not None
    subsystem.shutdown_notify()
    nvme0.reset()


def test_a_wait_in_another_thread_ends_with_an_error(own, own_namespace):
    qpair = d.Qpair(own, 8)
    errors = []

    def wait():
        try:
            qpair.waitdone(5)
        except SystemError as error:
            errors.append(error)

    with d.sim(own).fault("drop", admin=False):
        own_namespace.read(qpair, d.Buffer(), 0)
        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.05)
        own.reset()
        thread.join(60)

    assert not thread.is_alive()
    assert len(errors) == 1


def test_cc_en_by_hand_takes_all_queues_down_and_the_admin_queue_up(own):
    own.timeout = 100
    qpair = d.Qpair(own, 8)
    cc = own[0x14]

    own[0x14] = cc & ~1
    with pytest.raises(SystemError, match="reset|stale"):
        qpair.waitdone()
    own.wait_csts(rdy=False)
    own[0x14] = cc
    own.wait_csts(rdy=True)

    assert own.getfeatures(7).waitdone()


def test_resets_under_load_leave_nothing_behind(own, own_namespace):
    before = _core.counts()
    for _ in range(20):
        qpair = d.Qpair(own, 32)
        for i in range(50):
            own_namespace.write(qpair, d.Buffer(4096), i * 8, 8)
        own.reset()
        del qpair

    after = _core.counts()
    for name in ("commands", "buffers", "qpairs", "requests"):
        assert after[name] == before[name], name


def test_namespaces_see_what_changed_over_a_power_cycle(own, own_namespace):
    own_namespace.format(4096)

    d.Subsystem(own).power_cycle(0.1)

    assert own_namespace.sector_size == 4096
