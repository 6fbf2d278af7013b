"""A host that is stopped for longer than any command may take: that is no fault of the drive."""

import json
import re
import signal
import subprocess
import sys
import time

import pytest

TIMEOUT_MS = 1500
STOPPED_S = 10  # longer than waitdone() waits, 6 x timeout

#: Says when it waits, and at its end what came out of it.
CHILD = f"""
import json, sys, time, warnings
import nvme as d

nvme = d.Controller("sim:size=64M,latency=none")
nvme.timeout = {TIMEOUT_MS}
namespace = d.Namespace(nvme)
said = []
warnings.simplefilter("always")
warnings.showwarning = lambda message, *rest: said.append(str(message))

def worker():
    running = namespace.ioworker(time=3600, iodepth=64).start()
    while not running.snapshot[2]:
        time.sleep(0.01)
    print("waits", flush=True)
    sys.stdin.readline()
    for _ in range(2):  # the first may be of a look that the stop cut in two
        seen = running.snapshot[2]
        while running.snapshot[2] == seen:
            time.sleep(0.01)
    running.stop()
    results = running.close()
    return [results.error, results.host_error, running.stall_ns]

def waitdone(queue, send):
    with d.sim(nvme).fault(delay=1) as late:
        send()
        while not late.hits:
            time.sleep(0.01)
        print("waits", flush=True)
        queue.waitdone()
    return [0, 0]

def qpair():
    with d.Qpair(nvme, 8) as queue:
        return waitdone(queue, lambda: namespace.read(queue, d.Buffer(), 0))

def admin():
    return waitdone(nvme, lambda: nvme.getfeatures(7))

try:
    result = globals()[sys.argv[1]]()
except TimeoutError as error:
    result = str(error)
print(json.dumps([result, said]))
"""


@pytest.fixture(scope="module")
def outcomes():
    """Of a worker and of two waits, stopped all at once."""
    children = {
        name: subprocess.Popen(
            [sys.executable, "-c", CHILD, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("worker", "qpair", "admin")
    }
    for child in children.values():
        assert child.stdout.readline() == "waits\n"
        child.send_signal(signal.SIGSTOP)
    time.sleep(STOPPED_S)
    for child in children.values():
        child.send_signal(signal.SIGCONT)
    return {
        name: json.loads(child.communicate("go on\n", timeout=120)[0])
        for name, child in children.items()
    }


@pytest.mark.parametrize("name", ["worker", "qpair", "admin"])
def test_a_stopped_host_is_no_failing_drive(outcomes, name):
    result, said = outcomes[name]

    assert result[:2] == [0, 0]
    assert not [text for text in said if "timeout" in text or "ERROR" in text]


def test_a_worker_says_how_long_the_host_did_not_run(outcomes):
    (*_, stall_ns), said = outcomes["worker"]

    (seconds,) = re.findall(r"the host did not run for ([\d.]+) s", " ".join(said))
    assert float(seconds) >= STOPPED_S - 1
    assert stall_ns >= (STOPPED_S - 1) * 1e9
