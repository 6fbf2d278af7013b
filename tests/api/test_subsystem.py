"""nvme.Subsystem: shutdown and power."""

import os
import subprocess
import time
import warnings
from types import SimpleNamespace

import pytest

import nvme as d
from nvme import subsystem as module

from .flying import Oops, fly

SHST_UNDER_WAY, SHST_COMPLETE = 0b01, 0b10


def smart_counter(nvme, byte):
    buf = d.Buffer(512)
    nvme.getlogpage(2, buf, 512).waitdone()
    return buf.data(byte + 15, byte)


def power_cycles(nvme):
    return smart_counter(nvme, 112)


def unsafe_shutdowns(nvme):
    return smart_counter(nvme, 144)


def test_an_orderly_shutdown_waits_for_its_end(nvme0, subsystem):
    subsystem.shutdown_notify()

    assert nvme0[0x14] >> 14 & 3 == 0b01
    assert nvme0[0x1C] >> 2 & 3 == SHST_COMPLETE
    nvme0.reset()


@pytest.mark.long
def test_an_orderly_shutdown_that_never_ends_is_a_timeout():
    slow = d.Controller("sim:size=64M,shutdown_s=60")

    with pytest.raises(TimeoutError, match="SHST"):
        d.Subsystem(slow).shutdown_notify()
    d.Subsystem(slow).power_cycle(0)


def test_an_abrupt_shutdown_is_not_waited_for():
    slow = d.Controller("sim:size=64M,shutdown_s=60")

    d.Subsystem(slow).shutdown_notify(abrupt=True)

    assert slow[0x1C] >> 2 & 3 == SHST_UNDER_WAY
    d.Subsystem(slow).poweroff()  # or closing it would wait


def test_an_abrupt_shutdown_returns_at_once(nvme0, subsystem):
    subsystem.shutdown_notify(abrupt=True)

    assert nvme0[0x14] >> 14 & 3 == 0b10
    nvme0.reset()


def test_a_power_cycle_lasts_and_counts_one(own):
    cycles = power_cycles(own)
    start = time.monotonic()

    d.Subsystem(own).power_cycle(1)

    assert time.monotonic() - start >= 1
    assert power_cycles(own) == cycles + 1
    assert own[0x1C] & 1 == 1


@pytest.mark.parametrize(
    "sec", [-1, float("nan"), float("inf"), 1e12, pytest.param(10**400, id="huge"), "2", None]
)
def test_an_impossible_time_leaves_the_power_on(own, sec):
    before = power_cycles(own)

    with pytest.raises((ValueError, TypeError), match="^sec "):
        d.Subsystem(own).power_cycle(sec)

    assert power_cycles(own) == before


def test_ctrl_c_does_not_leave_the_power_off(own, monkeypatch):
    def ctrl_c(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        d.Subsystem(own).power_cycle(5)

    assert own[0x1C] & 1 == 1


def test_a_notified_power_cycle_is_no_unsafe_shutdown(own):
    subsystem = d.Subsystem(own)
    before = unsafe_shutdowns(own)

    subsystem.shutdown_notify()
    subsystem.power_cycle(0.1)
    assert unsafe_shutdowns(own) == before
    subsystem.power_cycle(0.1)

    assert unsafe_shutdowns(own) == before + 1


def test_without_power_registers_are_gone(own):
    subsystem = d.Subsystem(own)

    subsystem.poweroff()
    with pytest.raises(SystemError):
        own[0x1C]
    with pytest.raises(SystemError):
        own.getfeatures(7).waitdone()
    subsystem.poweron()

    assert own[0x1C] & 1 == 1


def test_callbacks_switch_the_power_when_there_are_any(own):
    calls = []
    ssd = d.sim(own)
    subsystem = d.Subsystem(
        own,
        poweron_cb=lambda: (calls.append("on"), own._power(True)),
        poweroff_cb=lambda: (calls.append("off"), ssd.power(False)),
    )

    subsystem.power_cycle(0.05)

    assert calls == ["off", "on"]
    assert own[0x1C] & 1 == 1


def test_data_that_was_flushed_survives_a_power_cycle(own, own_namespace):
    source, target = d.Buffer(4096, ptype=0xBEEF, pvalue=100), d.Buffer(4096)
    with d.Qpair(own, 8) as qpair:
        own_namespace.write(qpair, source, 8, 8).waitdone()
        own_namespace.flush(qpair).waitdone()

    d.Subsystem(own).power_cycle(0.05)

    with d.Qpair(own, 8) as qpair:
        own_namespace.read(qpair, target, 8, 8).waitdone()
    assert target[:] == source[:]


def test_commands_in_flight_end_when_the_power_goes(own, own_namespace):
    got = []
    qpair = d.Qpair(own, 32)
    for i in range(20):
        own_namespace.read(qpair, d.Buffer(4096), i, cb=lambda cdw0, status1: got.append(status1))

    d.Subsystem(own).power_cycle(0.05)

    assert len(got) == 20


def switched(nvme, calls, fails=False):
    """A Subsystem whose power is switched by the script."""
    ssd = d.sim(nvme)

    def poweroff():
        calls.append("off")
        if fails:
            raise ConnectionError
        ssd.power(False)

    return d.Subsystem(
        nvme,
        poweron_cb=lambda: (calls.append("on"), nvme._power(True)),
        poweroff_cb=poweroff,
    )


def works(nvme):
    """Whether admin and IO commands are served."""
    assert nvme[0x1C] & 1 == 1
    assert nvme.getfeatures(7).waitdone() != 0
    with d.Qpair(nvme, 8) as qpair:
        d.Namespace(nvme).read(qpair, d.Buffer(), 0).waitdone()
    return True


RAISES = pytest.mark.parametrize("raises", [UserWarning, Oops])


@pytest.fixture
def strict():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@RAISES
def test_what_the_loss_of_power_raises_does_not_leave_it_off(own, own_namespace, strict, raises):
    qpair = fly(own, own_namespace, raises)
    cycles = power_cycles(own)

    with pytest.raises(raises):
        d.Subsystem(own).power_cycle(0)

    assert works(own)
    assert power_cycles(own) == cycles + 1
    with pytest.raises(SystemError, match="reset"):
        qpair.waitdone()


@RAISES
def test_what_it_raises_does_not_leave_it_off_either_by_callbacks(
    own, own_namespace, strict, raises
):
    calls = []
    qpair = fly(own, own_namespace, raises)

    with pytest.raises(raises):
        switched(own, calls).power_cycle(0)

    assert calls == ["off", "on"]
    assert works(own)
    del qpair


def test_a_failing_poweroff_callback_does_not_leave_the_controller_down(own):
    calls = []

    with pytest.raises(ConnectionError):
        switched(own, calls, fails=True).power_cycle(0)

    assert calls == ["off", "on"]
    assert works(own)


@RAISES
def test_poweroff_is_done_before_it_raises(own, own_namespace, strict, raises):
    calls = []
    subsystem = switched(own, calls)
    qpair = fly(own, own_namespace, raises)

    with pytest.raises(raises):
        subsystem.poweroff()
    with pytest.raises(SystemError):
        own[0x1C]
    subsystem.poweron()

    assert calls == ["off", "on"]
    assert works(own)
    del qpair


def asleep(monkeypatch, nvme, run):
    """Have the system's suspend, played by `run`, as the only means."""
    monkeypatch.setattr(nvme, "_power", lambda on: False)
    monkeypatch.setattr(module, "_no_suspend", lambda: None)
    monkeypatch.setattr(subprocess, "run", run)


@RAISES
def test_an_error_before_a_suspend_leaves_the_controller_up(
    own, own_namespace, strict, raises, monkeypatch
):
    qpair = fly(own, own_namespace, raises)
    asleep(monkeypatch, own, lambda *args, **kwargs: pytest.fail("it was suspended"))

    with pytest.raises(raises):
        d.Subsystem(own).power_cycle(0)

    assert works(own)
    del qpair


def test_ctrl_c_in_a_suspend_leaves_the_controller_up(own, monkeypatch):
    def ctrl_c(*args, **kwargs):
        raise KeyboardInterrupt

    asleep(monkeypatch, own, ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        d.Subsystem(own).power_cycle(0)

    assert works(own)


def test_a_suspend_is_a_power_cycle(own, monkeypatch):
    said = []

    def rtcwake(command, **kwargs):
        said.append(command)
        return SimpleNamespace(returncode=0)

    asleep(monkeypatch, own, rtcwake)
    d.Subsystem(own).power_cycle(3)

    assert said == [["rtcwake", "-m", "mem", "-s", "3"]]
    assert works(own)


def test_a_forked_child_switches_nothing(own):
    calls = []
    subsystem = switched(own, calls)
    child = os.fork()
    if not child:
        refused = 0
        for call in (subsystem.poweroff, subsystem.power_cycle):
            try:
                call()
            except BaseException as error:
                refused += "opened in process" in str(error)
        os._exit(0 if refused == 2 and not calls else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_power_that_cannot_be_switched_on_is_an_error(own, monkeypatch):
    monkeypatch.setattr(type(own), "_power", lambda self, on: False)

    with pytest.raises(d.NvmeError, match="no means to switch its power"):
        d.Subsystem(own).poweron()
