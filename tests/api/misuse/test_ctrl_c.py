"""Ctrl-C ends every wait for a drive at once, and what there is can be used or made again."""

import os
import signal
import threading
import time
from contextlib import contextmanager

import pytest

import nvme as d

#: Far above what an interrupted wait takes, and far below what it would take to its end.
LONG_S = 60
SOON_S = 20


@contextmanager
def interrupted():
    """The block is cut by Ctrl-C, long before it would end by itself."""
    timer = threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT])
    begin = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        yield
    assert time.monotonic() - begin < SOON_S
    timer.join()


def slow(option: str) -> d.Controller:
    return d.Controller(f"sim:size=16M,latency=none,to_s=127,{option}={LONG_S}")


def test_opening_a_controller(own):
    with interrupted():
        slow("enable_s")

    assert own.getfeatures(7).waitdone() != 0


def test_a_shutdown():
    nvme = slow("shutdown_s")

    with interrupted():
        d.Subsystem(nvme).shutdown_notify()

    nvme.reset()
    assert nvme.getfeatures(7).waitdone() != 0


def test_the_time_without_power(own):
    with interrupted():
        d.Subsystem(own).power_cycle(LONG_S)

    assert own.getfeatures(7).waitdone() != 0


@pytest.mark.parametrize("kind", ["reset", "subsystem", "hot", "function", "power"])
def test_the_resets(kind):
    late = []

    def init(nvme):
        nvme.init_adminq()
        if not late:
            nvme.enable()
        nvme.wait_csts(True)
        nvme.init_ctrl()
        nvme.init_queues()

    nvme = d.Controller("sim:size=16M,latency=none,to_s=127", init)
    late.append(True)
    with interrupted():
        {
            "reset": nvme.reset,
            "subsystem": d.Subsystem(nvme).reset,
            "hot": d.Pcie(nvme).reset,
            "function": d.Pcie(nvme).flr,
            "power": lambda: d.Subsystem(nvme).power_cycle(0),
        }[kind]()

    late.clear()
    nvme.reset()
    assert nvme.getfeatures(7).waitdone() != 0


@pytest.mark.parametrize("what", ["Namespace", "Qpair"])
def test_a_command_of_the_tool(own, what):
    own.timeout = LONG_S * 1000
    opcode = 6 if what == "Namespace" else 5
    with d.sim(own).fault("drop", admin=True, opcode=opcode), interrupted():
        getattr(d, what)(own, 8 if what == "Qpair" else 1)

    own.reset()
    d.Namespace(own).read(d.Qpair(own, 8), d.Buffer(), 0).waitdone()


def test_what_was_no_interrupt_for_the_script_is_none_for_the_tool(own):
    """A handler that returns does not cut the wait."""
    calls = []
    former = signal.signal(signal.SIGUSR1, lambda *_: calls.append(1))
    timer = threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGUSR1])
    timer.start()
    try:
        nvme = d.Controller("sim:size=16M,latency=none,enable_s=1")
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, former)

    assert calls == [1]
    assert nvme.getfeatures(7).waitdone() != 0
