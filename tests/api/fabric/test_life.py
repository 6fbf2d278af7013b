"""Connections that end, and what becomes of everything that depends on them."""

import gc
import time

import pytest

import nvme as d

from .peer import SUBSYSTEM, Command, Connection, Target


def test_a_reset_connects_again(target):
    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    wrote = d.Buffer(4096, ptype=0xBEEF, pvalue=100)
    nvme0n1.write(qpair, wrote, 0, 8).waitdone()
    old = [target.of(0), target.of(1)]
    nvme0.reset()
    for connection in old:
        connection.thread.join(60)
        assert not connection.thread.is_alive()
    with pytest.raises(SystemError, match="qpair 1 is gone: its controller was reset"):
        nvme0n1.read(qpair, d.Buffer(4096), 0, 8)
    qpair = d.Qpair(nvme0, 16)
    read = d.Buffer(4096)
    nvme0n1.read(qpair, read, 0, 8).waitdone()
    assert read[:] == wrote[:]


def test_commands_in_flight_end_with_the_reset(target):
    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    ended = []
    target.hook = lambda connection, command: connection.qid == 1 and command.opcode == 2
    nvme0n1.read(qpair, d.Buffer(512), 0, cb=lambda cdw0, status1: ended.append(status1 >> 1))
    nvme0.reset()
    assert ended == [0x08]


def test_a_connection_that_is_lost_is_told_and_a_reset_repairs_it(target):
    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    target.hang_up()
    with (
        pytest.warns(UserWarning, match="the device is gone, or the connection to it"),
        pytest.raises(SystemError, match=r"connection is lost: .* reset\(\) connects again"),
    ):
        nvme0n1.read(qpair, d.Buffer(512), 0).waitdone()
    with pytest.raises(SystemError, match="connection is lost"):
        nvme0[8]
    nvme0.reset()
    assert nvme0[8] == 0x20100
    qpair = d.Qpair(nvme0, 16)
    nvme0n1.read(qpair, d.Buffer(512), 0).waitdone()


def test_a_target_that_is_gone_is_told_by_the_reset(target):
    nvme0 = d.Controller(target.address)
    target.close()
    with pytest.raises(d.NvmeError, match="nothing listens there"):
        nvme0.reset()
    with pytest.raises((d.NvmeError, SystemError)):
        d.Qpair(nvme0, 16)


def test_a_worker_ends_with_its_counts_and_a_reason(target):
    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    worker = nvme0n1.ioworker(io_size=1, qdepth=8, read_percentage=100, time=60).start()
    until = time.monotonic() + 60
    while worker.progress < 0.01 and time.monotonic() < until:
        time.sleep(0.001)
    target.hang_up(1)
    with pytest.warns(UserWarning, match="connection is lost"):
        result = worker.close()
    assert result.io_count_read >= 10
    assert result.mseconds < 60_000
    assert result.error


def test_sixteen_workers_end_when_the_target_dies():
    with Target() as target:
        target_queues = 16

        def hook(connection: Connection, command: Command) -> bool:
            if command.opcode == 0x09 and not connection.qid:
                connection.complete(command, 0, (target_queues - 1) << 16 | (target_queues - 1))
                return True
            return False

        target.hook = hook
        nvme0 = d.Controller(target.address)
        nvme0n1 = d.Namespace(nvme0)
        workers = [
            nvme0n1.ioworker(io_size=1, qdepth=4, read_percentage=100, time=60).start()
            for _ in range(target_queues)
        ]
        until = time.monotonic() + 60
        while min(w.progress for w in workers) < 0.01 and time.monotonic() < until:
            time.sleep(0.01)
        target.hang_up()
        with pytest.warns(UserWarning, match="connection is lost"):
            results = [worker.close() for worker in workers]
        assert all(r.io_count_read and r.error and r.mseconds < 60_000 for r in results)


def test_keep_alive_without_an_answer_ends_the_connection(target):
    def hook(connection: Connection, command: Command) -> bool:
        return command.opcode == 0x18

    target.hook = hook
    nvme0 = d.Controller(target.address, kato_s=1)
    with pytest.warns(UserWarning, match="gone"), pytest.raises(SystemError, match="Keep Alive"):
        while True:
            nvme0.id_data(0)


def test_a_fatal_status_is_noticed_beside_keep_alive(target):
    nvme0 = d.Controller(target.address, kato_s=1)
    target.cfs = True
    with (
        pytest.warns(UserWarning, match="controller fatal status"),
        pytest.raises(SystemError, match="fatal status"),
    ):
        while True:
            nvme0.id_data(0)
    target.cfs = False
    nvme0.reset()
    assert nvme0.id_data(63, 24, str) == "a target of the tests"


def test_a_script_may_switch_the_power_of_the_target(target):
    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    switched = []

    def off() -> None:
        switched.append("off")
        target.hang_up()

    subsystem = d.Subsystem(nvme0, poweron_cb=lambda: switched.append("on"), poweroff_cb=off)
    subsystem.power_cycle(0)

    assert switched == ["off", "on"]
    assert nvme0.id_data(63, 24, str) == "a target of the tests"
    qpair = d.Qpair(nvme0, 16)
    nvme0n1.read(qpair, d.Buffer(512), 0).waitdone()


def test_disabling_by_hand_and_enabling_again(target):
    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    cc = nvme0[0x14]
    nvme0[0x14] = cc & ~1
    assert nvme0[0x1C] & 1 == 0
    with pytest.raises(SystemError, match="down"):
        nvme0.id_data(0)
    nvme0[0x14] = cc | 1
    nvme0.wait_csts(True)
    assert nvme0.id_data(63, 24, str) == "a target of the tests"
    qpair = d.Qpair(nvme0, 16)
    nvme0n1.read(qpair, d.Buffer(512), 0).waitdone()


def test_an_init_function_of_the_script(target):
    def init(nvme0: d.Controller) -> None:
        nvme0.init_adminq()
        nvme0.enable()
        nvme0.wait_csts(True)
        nvme0.init_ctrl()
        nvme0.init_queues()

    nvme0 = d.Controller(target.address, nvme_init_func=init)
    nvme0n1 = d.Namespace(nvme0)
    for _ in range(2):
        qpair = d.Qpair(nvme0, 16)
        nvme0n1.read(qpair, d.Buffer(512), 0).waitdone()
        nvme0.reset()


def test_two_controllers_of_one_subsystem(target):
    first, second = d.Controller(target.address), d.Controller(f"{target.host}/{SUBSYSTEM}")
    wrote = d.Buffer(512, ptype=0xBEEF, pvalue=100)
    queues = [d.Qpair(nvme, 16) for nvme in (first, second)]
    d.Namespace(first).write(queues[0], wrote, 0).waitdone()
    read = d.Buffer(512)
    d.Namespace(second).read(queues[1], read, 0).waitdone()
    assert read[:] == wrote[:]
    first.reset()
    d.Namespace(second).read(queues[1], read, 0).waitdone()


def test_resets_under_workers(target):
    nvme0 = d.Controller(target.address)
    nvme0n1 = d.Namespace(nvme0)
    for _ in range(10):
        worker = nvme0n1.ioworker(io_size=1, qdepth=8, read_percentage=100, time=60).start()
        until = time.monotonic() + 60
        while worker.progress < 0.01 and time.monotonic() < until:
            time.sleep(0.001)
        nvme0.reset()
        with pytest.warns(UserWarning, match="ioworker"):
            assert worker.close().error
    assert nvme0[0x1C] & 1


def test_everything_is_given_back(target):
    gc.collect()
    before = d._core.counts()
    for _ in range(3):
        nvme0 = d.Controller(target.address)
        nvme0n1 = d.Namespace(nvme0)
        qpair = d.Qpair(nvme0, 16)
        nvme0n1.read(qpair, d.Buffer(512), 0).waitdone()
        target.hang_up()
        with pytest.warns(UserWarning, match="gone"), pytest.raises(SystemError, match="lost"):
            nvme0n1.read(qpair, d.Buffer(512), 0).waitdone()
        del nvme0n1, qpair, nvme0
    with pytest.raises(d.NvmeEnumerateError):
        d.Controller(f"{target.host}/nqn.2026-01.org.example:other")
    gc.collect()
    left = {name: d._core.counts()[name] - count for name, count in before.items()}
    left.pop("recorder_slots")
    assert not any(left.values()), left
