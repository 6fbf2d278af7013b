"""AERs, timeouts, and devices that misbehave."""

import contextlib
import logging
import time
import warnings

import pytest

import nvme as d

from .patience import at_best

SMART_TEMPERATURE = 0x020101  # log 02h, temperature threshold, SMART / health


def raise_temperature_event(nvme):
    """Lower the threshold below the temperature, and back."""
    nvme.setfeatures(4, cdw11=200)


def restore_threshold(nvme):
    buf = d.Buffer(512)
    nvme.setfeatures(4, cdw11=400).getlogpage(2, buf, 512).waitdone(2)


@pytest.fixture
def slow(nvme0):
    """A short timeout."""
    nvme0.timeout = 300
    yield nvme0
    nvme0.timeout = 5000


def test_an_aer_is_logged_warned_of_and_called_back(nvme0, aer, caplog):
    got = []
    aer(lambda cdw0, status1: got.append((cdw0, status1 >> 1)))

    with pytest.warns(UserWarning, match="^AER notification is triggered: 0x20101$"):
        raise_temperature_event(nvme0)
        nvme0.waitdone(2)

    restore_threshold(nvme0)
    assert got == [(SMART_TEMPERATURE, 0)]
    assert "0x20101" in caplog.text
    assert caplog.records[0].levelno == logging.WARNING


def test_an_aer_is_posted_again(nvme0):
    for _ in range(6):
        with pytest.warns(UserWarning, match="AER notification"):
            raise_temperature_event(nvme0)
            nvme0.waitdone(2)
        restore_threshold(nvme0)


def test_an_aer_counts_once_nothing_else_is_outstanding(nvme0):
    with pytest.warns(UserWarning, match="AER notification"):
        raise_temperature_event(nvme0)
        nvme0.waitdone(2)
    restore_threshold(nvme0)


def test_100_aborts_and_the_4_aers_that_they_end_satisfy_waitdone_104(nvme0):
    aers = min(8, nvme0.id_data(259) + 1)
    for cid in range(100):
        nvme0.abort(cid)

    with pytest.warns(UserWarning, match="ERROR status: 00/07") as said:
        nvme0.waitdone(100 + aers)

    assert len(said) == aers
    assert all(warning.filename == __file__ for warning in said)
    assert {str(warning.message) for warning in said} == {
        "AER notification is triggered: ERROR status: 00/07, Command Abort Requested"
    }
    posted = [e for e in nvme0.cmdlog_entries() if e.opcode == 0x0C and e.status is None]
    assert len(posted) == aers


def test_an_aborted_aer_is_called_back_too(own):
    got = []
    own.register_aer_cb(lambda cdw0, status1: got.append((cdw0, status1 >> 1 & 0x7FF)))
    (aer, *_) = [e.cid for e in own.cmdlog_entries() if e.opcode == 0x0C]

    with pytest.warns(UserWarning, match="^AER notification is triggered: ERROR status: 00/07"):
        own.abort(aer).waitdone(2)

    assert got == [(0, 7)]


def test_an_aer_of_the_script_beyond_the_limit_is_refused(nvme0):
    with pytest.warns(UserWarning, match="ERROR status: 01/05"):
        nvme0.aer().waitdone()


def test_a_failed_assertion_in_an_aer_callback_is_a_warning(nvme0, aer):
    def cb(cdw0, status1):
        raise AssertionError("too hot")

    aer(cb)
    with pytest.warns(UserWarning, match="ASSERT: too hot"):
        raise_temperature_event(nvme0)
        nvme0.waitdone(2)
    restore_threshold(nvme0)


def test_no_callback_is_left_by_the_fixture(nvme0):
    assert nvme0._aer_cb is None


def test_a_late_command_is_warned_of_once_and_then_times_out(slow, ssd, nvme0n1, qpair, buf):
    with ssd.fault("drop", admin=False, opcode=2), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nvme0n1.read(qpair, buf, 0)
        cid = qpair.latest_cid
        with pytest.raises(
            TimeoutError, match=r"^pynvme timeout: 1\.8 sec, 1 command is outstanding$"
        ):
            qpair.waitdone()

    text = f"drive timeout: 0.3 sec, qpair: {qpair.sqid}, cid: {cid}"
    assert [str(w.message) for w in caught] == [text]
    nvme0n1.write(qpair, buf, 0).waitdone()


def test_a_late_admin_command_names_queue_zero(slow, ssd):
    with ssd.fault("drop", admin=True, opcode=0x0A):
        slow.getfeatures(7)
        with (
            pytest.warns(UserWarning, match=r"^drive timeout: 0\.3 sec, qpair: 0, cid: \d+$"),
            pytest.raises(TimeoutError),
        ):
            slow.waitdone()
    slow.reset()


def test_the_warning_names_five_seconds_by_default(nvme0, ssd, nvme0n1, qpair, buf):
    with (
        ssd.fault("delay", admin=False, opcode=2, delay=5.4),
        pytest.warns(UserWarning, match="^drive timeout: 5 sec, qpair: "),
    ):
        nvme0n1.read(qpair, buf, 0).waitdone()


def test_a_completion_that_is_there_is_never_a_timeout(nvme0, nvme0n1, qpair, buf):
    nvme0.timeout = 20
    try:
        nvme0n1.read(qpair, buf, 0)
        time.sleep(0.2)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            qpair.waitdone()
    finally:
        nvme0.timeout = 5000


def test_an_unknown_cid_is_reported_and_nothing_crashes(slow, ssd, nvme0n1, qpair, buf):
    with (
        ssd.fault("wrong_cid", admin=False, opcode=2, value=0x1234, times=1),
        pytest.warns(UserWarning, match="device error: .*cid: 4660"),
        pytest.raises(TimeoutError),
    ):
        nvme0n1.read(qpair, buf, 0).waitdone()
    nvme0n1.write(qpair, buf, 0).waitdone()


def test_a_wrong_sqid_is_reported(slow, ssd, nvme0n1, qpair, buf):
    with (
        ssd.fault("wrong_sqid", admin=False, opcode=2, value=9, times=1),
        pytest.warns(UserWarning, match="device error: completion that names another"),
    ):
        nvme0n1.read(qpair, buf, 0)
        with contextlib.suppress(TimeoutError):
            qpair.waitdone()


def test_a_completion_posted_twice_is_reported(nvme0, ssd, nvme0n1, qpair, buf):
    with (
        ssd.fault("duplicate", admin=False, opcode=2, times=1),
        pytest.warns(UserWarning, match="device error: completion of a command that is not"),
    ):
        nvme0n1.read(qpair, buf, 0).waitdone()
        nvme0n1.write(qpair, buf, 0).waitdone()


def test_a_completion_without_a_flipped_phase_is_never_seen(slow, ssd, nvme0n1, qpair, buf):
    with (
        ssd.fault("no_phase", admin=False, opcode=2, times=1),
        pytest.warns(UserWarning, match="drive timeout"),
        pytest.raises(TimeoutError),
    ):
        nvme0n1.read(qpair, buf, 0).waitdone()


def test_a_status_fault_is_an_error_status(nvme0, ssd, nvme0n1, qpair, buf):
    with (
        ssd.fault("status", admin=False, opcode=2, status=0x281) as rule,
        pytest.warns(UserWarning, match="ERROR status: 02/81"),
    ):
        nvme0n1.read(qpair, buf, 0).waitdone()

    assert rule.hits == 1
    nvme0n1.read(qpair, buf, 0).waitdone()


def test_a_fatal_controller_ends_the_wait_and_a_reset_mends_it(own, own_namespace):
    own.timeout = 300
    qpair = d.Qpair(own, 8)
    with d.sim(own).fault("fatal", admin=False, opcode=2, times=1):
        own_namespace.read(qpair, d.Buffer(), 0)
        with (
            pytest.warns(UserWarning, match="fatal"),
            pytest.raises((SystemError, TimeoutError)),
        ):
            qpair.waitdone()
    own.reset()

    with d.Qpair(own, 8) as fresh:
        own_namespace.read(fresh, d.Buffer(), 0).waitdone()


def test_a_removed_device_ends_the_wait_with_a_system_error(own, own_namespace):
    own.timeout = 300
    qpair = d.Qpair(own, 8)
    with d.sim(own).fault("remove", admin=False, opcode=2):
        own_namespace.read(qpair, d.Buffer(), 0)
        with (
            pytest.warns(UserWarning, match="gone"),
            pytest.raises(SystemError, match="gone|removed"),
        ):
            qpair.waitdone()

    with pytest.raises(SystemError):
        own[0x1C]
    with pytest.raises(SystemError):
        own.getfeatures(7).waitdone()


def test_a_storm_of_events_defeats_neither_deadline(own):
    own.timeout = 100
    d.sim(own).temperature = 400
    threshold = [0]

    def again(cdw0, status1):
        threshold[0] += 1
        own.getlogpage(2, d.Buffer(512), 512, cb=lambda cdw0, status1: None)
        own.setfeatures(4, cdw11=200 + threshold[0] % 50, cb=lambda cdw0, status1: None)

    own.register_aer_cb(again)
    own.setfeatures(4, cdw11=200)

    def wait() -> None:
        start = time.monotonic()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(TimeoutError):
                own.waitdone(1 << 30)
        assert time.monotonic() - start < 5

    at_best(wait)


def test_a_warning_of_an_event_turned_into_an_error_comes_out(nvme0):
    raise_temperature_event(nvme0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="AER notification"):
            nvme0.waitdone(2)
    restore_threshold(nvme0)


def test_the_software_ssd_counts_what_it_does(nvme0, ssd, nvme0n1, qpair, buf):
    before = ssd.stats

    nvme0n1.read(qpair, buf, 0, 8).waitdone()

    assert ssd.stats.reads == before.reads + 8
    assert ssd.stats.commands >= before.commands + 1


def test_a_fault_needs_a_known_action(ssd):
    with pytest.raises(ValueError, match="action must be one of"), ssd.fault("explode"):
        pass


def test_faults_are_listed_while_they_are_injected(ssd):
    with ssd.fault("status", opcode=9, status=0x102):
        (fault,) = ssd.faults
        assert (fault.action, fault.opcode, fault.status, fault.admin) == ("status", 9, 0x102, None)

    assert ssd.faults == []


def test_sim_of_anything_else_is_a_type_error():
    with pytest.raises(TypeError):
        d.sim(None)


def test_an_aer_does_not_stand_for_a_command_that_is_still_outstanding(own):
    seen = []
    ssd = d.sim(own)
    with ssd.fault(admin=True, opcode=0x0A, delay=0.3):
        own.getfeatures(7, cb=lambda cdw0, status1: seen.append(cdw0))
        own.setfeatures(4, cdw11=ssd.temperature - 20, cb=lambda cdw0, status1: None)
        with pytest.warns(UserWarning, match="AER notification"):
            own.waitdone(2)

    assert len(seen) == 1
