"""What closes while other threads still work with it."""

import subprocess
import sys

import pytest

RACE = """
import threading, time
import nvme as d

def until_closed(call):
    try:
        while True:
            call()
    except (d.NvmeError, SystemError):
        pass

def race(make):
    for _ in range(20):
        nvme = d.Controller("sim:size=16M,latency=none")
        namespace, qpair = d.Namespace(nvme), d.Qpair(nvme, 8)
        call = make(nvme, namespace, qpair)
        threads = [threading.Thread(target=until_closed, args=(call,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(0.01)
        d._core.close_all()
        for thread in threads:
            thread.join()
"""


def expect_silence(code: str) -> None:
    """A script in a process of its own ends well, and without a word."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "call",
    [
        "d.Namespace(nvme)",
        "d.Qpair(nvme, 8)",
        "namespace._refresh()",
        "namespace.read(qpair, d.Buffer(), 0).waitdone()",
        "nvme.__setitem__(0x14, 0)",
        "nvme._forget()",
        "nvme._power(True)",
        "nvme._step('identify')",
        "nvme.getfeatures(7).waitdone()",
        "nvme.id_data(0)",
        "nvme.reset()",
        "nvme.waitdone()",
        "qpair.wait_int(1)",
        "qpair.waitdone()",
    ],
)
def test_all_is_closed_while_threads_are_inside(call: str) -> None:
    """At the end of the interpreter, say, while daemon threads still run."""
    expect_silence(RACE + f"race(lambda nvme, namespace, qpair: lambda: {call})")


def test_a_callback_closes_what_a_command_of_the_tool_waits_on() -> None:
    """Its request is another command's by then."""
    expect_silence("""
import nvme as d

others = []

def close(cdw0, status1):
    d._core.close_all()
    others.append(d.Controller("sim:size=16M"))
    others[0].id_data(0)

nvme = d.Controller("sim:size=16M,latency=none")
nvme.getfeatures(7, cb=close)
try:
    nvme.id_data(0)
except SystemError as error:
    assert str(error) == "the controller is closed"
else:
    raise AssertionError("it is not closed")
others[0].getfeatures(7).getfeatures(7).waitdone(2)
""")


def test_an_event_closes_what_a_command_of_the_tool_waited_on() -> None:
    """It may have completed by then, in the same poll."""
    expect_silence("""
import nvme as d

class Closing(d.Controller):
    def _on_event(self, *fields):
        d._core.close_all()

for _ in range(20):
    nvme = Closing("sim:size=16M,latency=none")
    d.sim(nvme).temperature = 400
    try:
        nvme.id_data(0)
    except SystemError as error:
        assert str(error) == "the controller is closed"
    else:
        raise AssertionError("it is not closed")
    assert d._core.counts()["commands"] == 0
""")
