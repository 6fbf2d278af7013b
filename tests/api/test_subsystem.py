"""nvme.Subsystem: shutdown and power."""

import time

import pytest

import nvme as d

SHST_COMPLETE = 0b10


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


def test_an_abrupt_shutdown_returns_at_once(nvme0, subsystem):
    start = time.monotonic()

    subsystem.shutdown_notify(abrupt=True)

    assert time.monotonic() - start < 1
    assert nvme0[0x14] >> 14 & 3 == 0b10
    nvme0.reset()


def test_a_power_cycle_lasts_and_counts_one(own):
    cycles = power_cycles(own)
    start = time.monotonic()

    d.Subsystem(own).power_cycle(1)

    assert time.monotonic() - start >= 1
    assert power_cycles(own) == cycles + 1
    assert own[0x1C] & 1 == 1


@pytest.mark.parametrize("sec", [-1, float("nan"), "2"])
def test_an_impossible_time_leaves_the_power_on(own, sec):
    before = power_cycles(own)

    with pytest.raises((ValueError, TypeError)):
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
