"""Life and death: exit, signals, fork, threads, leaks."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

import nvme as d


def run(code: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own."""
    head = "import nvme as d, os, signal, sys, threading, time\n"
    return subprocess.run(
        [sys.executable, "-c", head + code], capture_output=True, text=True, timeout=timeout
    )


def expect(code: str, status: int = 0, timeout: float = 60) -> str:
    done = run(code, timeout)
    assert done.returncode == status, done.stderr
    return done.stdout


SETUP = """
nvme0 = d.Controller("sim:size=64M")
nvme0n1 = d.Namespace(nvme0)
qpair = d.Qpair(nvme0, 64)
buf = d.Buffer()
"""


def test_exit_with_commands_in_flight():
    expect(SETUP + "for i in range(200): nvme0n1.read(qpair, d.Buffer(), i); nvme0.getfeatures(7)")


def test_exit_with_objects_in_a_cycle():
    expect(SETUP + "a = [nvme0, qpair]; a.append(a); nvme0.me = a; nvme0n1.read(qpair, buf, 0)")


def test_exit_by_os_exit_and_by_an_exception():
    expect(SETUP + "nvme0n1.read(qpair, buf, 0); os._exit(3)", 3)
    expect(SETUP + "nvme0n1.read(qpair, buf, 0); raise KeyError", 1)


def test_exit_shuts_the_controller_down():
    code = """
subsystems = []
class Watch(d.Controller):
    pass
nvme0 = Watch("sim:size=64M")
d._core.close_all()
try:
    nvme0[0x1c]
except SystemError as error:
    print(error)
"""
    assert "closed" in expect(code)


def test_ctrl_c_inside_waitdone(own):
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    own.timeout = 60_000

    with pytest.raises(KeyboardInterrupt):
        own.waitdone()

    own.getfeatures(7).waitdone()


def test_ctrl_c_inside_waitdone_of_a_qpair(own, own_namespace):
    qpair = d.Qpair(own, 8)
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()

    with d.sim(own).fault("delay", admin=False, delay=3), pytest.raises(KeyboardInterrupt):
        own_namespace.read(qpair, d.Buffer(), 0).waitdone()

    qpair.waitdone()


def test_ctrl_c_inside_a_command_of_the_tool(own):
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    before = d._core.counts()["commands"]

    with d.sim(own).fault("delay", admin=True, opcode=6, delay=3, times=1):
        with pytest.raises(KeyboardInterrupt):
            own.id_data(0)
        assert d._core.counts()["commands"] == before + 1
        while d._core.counts()["commands"] > before:
            own.id_data(0)


def test_a_command_of_the_tool_that_nobody_waits_for_is_not_counted(own):
    threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with d.sim(own).fault(admin=True, opcode=6, delay=1.5):
        with pytest.raises(KeyboardInterrupt):
            own.id_data(0)
        own.timeout = 500

        with pytest.raises(TimeoutError):
            own.waitdone()


def test_a_forked_child_is_refused_and_harms_nothing(own, own_namespace):
    qpair = d.Qpair(own, 8)
    buf = d.Buffer()
    own_namespace.read(qpair, buf, 0)
    child = os.fork()
    if not child:
        status = 1
        try:
            own.getfeatures(7)
        except d.NvmeError as error:
            status = 0 if f"opened in process {os.getppid()}" in str(error) else 2
        for call in (qpair.waitdone, own.waitdone, lambda: own[0], own_namespace._refresh):
            try:
                call()
                status = 3
            except d.NvmeError:
                pass
        del qpair, own_namespace, buf, call
        gc.collect()
        os._exit(status)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    qpair.waitdone()
    own_namespace.read(qpair, buf, 0).waitdone()


def test_multiprocessing_children_open_devices_of_their_own():
    code = """
import multiprocessing

def work(n):
    nvme0 = d.Controller("sim:size=16M")
    return nvme0.getfeatures(7).waitdone() & 0xffff

if __name__ == "__main__":
    for method in ("fork", "spawn"):
        nvme0 = d.Controller("sim:size=16M")
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(pool.map(work, range(4)))
        assert nvme0.getfeatures(7).waitdone()
"""
    # The spawned children import the script, so it has to be a file.
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write("import nvme as d\n" + code)
        script.flush()
        done = subprocess.run(
            [sys.executable, script.name], capture_output=True, text=True, timeout=120
        )
    assert done.returncode == 0, done.stderr


def test_two_threads_share_a_qpair(nvme0, nvme0n1, qpair):
    errors = []

    def work(first):
        try:
            buf = d.Buffer()
            for i in range(100):
                nvme0n1.read(qpair, buf, first + i).waitdone()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n * 100,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert errors == []
    assert not any(thread.is_alive() for thread in threads)


def test_threads_share_the_admin_queue(own):
    wrong = []

    def work(feature):
        for _ in range(50):
            seen = []

            def cb(cdw0, status1, seen=seen):
                seen.append(cdw0)

            own.getfeatures(feature, cb=cb)
            try:
                own.waitdone()
            except TimeoutError as error:
                wrong.append(error)
            if wrong or len(seen) != 1:
                wrong.append(seen)
                break

    threads = [threading.Thread(target=work, args=(n,)) for n in (4, 7, 11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert wrong == []
    assert not any(thread.is_alive() for thread in threads)


def test_a_thread_may_wait_for_what_another_has_sent(nvme0):
    seen = []
    thread = threading.Thread(
        target=lambda: nvme0.getfeatures(7, cb=lambda cdw0, status1: seen.append(cdw0))
    )
    thread.start()
    thread.join()

    nvme0.waitdone()

    assert len(seen) == 1


def test_other_threads_run_while_one_waits(own):
    own.timeout = 100
    counted = [0]
    stop = threading.Event()

    def count():
        while not stop.is_set():
            counted[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    before = counted[0]
    with pytest.raises(TimeoutError):
        own.waitdone()
    meanwhile = counted[0] - before
    stop.set()
    thread.join()

    assert meanwhile > 4


def test_an_admin_command_in_flight_while_queues_come_and_go(own, own_namespace):
    seen = []
    buf = d.Buffer()
    with d.sim(own).fault("delay", admin=True, opcode=0x0A, delay=0.3):
        own.getfeatures(7, cb=lambda cdw0, status1: seen.append(cdw0))
        for _ in range(10):
            with d.Qpair(own, 8) as qpair:
                own_namespace.read(qpair, buf, 0).waitdone()
        deadline = time.monotonic() + 60
        while not seen and time.monotonic() < deadline:
            own.id_data(0)

    assert len(seen) == 1


@pytest.mark.parametrize("trips", [10_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_admin_round_trips_leave_memory_flat(own, trips, record_property):
    def rss():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    def go(count):
        for _ in range(count):
            own.getfeatures(7, cb=lambda cdw0, status1: None).waitdone()

    go(1000)
    before, begin = rss(), time.monotonic()
    go(trips)
    record_property("admin commands", trips)
    record_property("time", f"{time.monotonic() - begin:.1f} s")
    record_property("growth", f"{(rss() - before) / 2**20:.1f} MiB")

    # Sanitizers keep freed memory in quarantine.
    assert rss() - before < 64 << 20


def test_references_are_given_back(own, own_namespace):
    def cb(cdw0, status1):
        pass

    buf = d.Buffer()
    with d.Qpair(own, 8) as qpair:
        for _ in range(10):
            own_namespace.read(qpair, buf, 0, cb=cb).waitdone()
        counts = [sys.getrefcount(x) for x in (cb, buf, qpair, own, own_namespace, None)]
        for _ in range(500):
            own_namespace.read(qpair, buf, 0, cb=cb).waitdone()
            own.getfeatures(7, cb=cb).waitdone()
            with pytest.raises(ValueError):
                own_namespace.read(qpair, buf, -1, cb=cb)
            with pytest.raises(AssertionError):
                own_namespace.read(qpair, buf, 0, 100, cb=cb)
        after = [sys.getrefcount(x) for x in (cb, buf, qpair, own, own_namespace, None)]

    assert after[:5] == counts[:5]
    assert abs(after[5] - counts[5]) < 100


def test_everything_is_counted_down_to_zero():
    code = (
        SETUP
        + """
nvme0n1.read(qpair, buf, 0).waitdone()
import gc
del qpair, nvme0n1, nvme0, buf
gc.collect()
print({name: count for name, count in d._core.counts().items() if count})
"""
    )
    assert expect(code).strip() == "{}"


def test_exit_while_daemon_threads_wait():
    expect(
        SETUP
        + """
def identify():
    while True:
        nvme0.id_data(0)

for wait in (nvme0.waitdone, qpair.waitdone, lambda: qpair.wait_int(60000), identify) * 2:
    threading.Thread(target=wait, daemon=True).start()
time.sleep(0.1)
"""
    )


def test_a_command_in_flight_keeps_its_namespace(
    own: d.Controller, own_namespace: d.Namespace
) -> None:
    """Verification is settled at completion, when the script has closed it long ago."""
    d.config(verify=True)
    qpair, buf = d.Qpair(own, 8), d.Buffer(4096)
    own_namespace.write(qpair, buf, 0, 8).waitdone()
    with d.sim(own).fault("bitflip", opcode=2, admin=False):
        own_namespace.read(qpair, buf, 0, 8)
        own_namespace.close()
        with pytest.warns(UserWarning, match="02/81"):
            qpair.waitdone()
    d.config(verify=False)
    qpair.delete()


def test_a_buffer_in_a_traceback_may_outlive_the_module():
    """The collector takes module and objects in one sweep at exit; seen by the sanitizer alone."""
    code = """
import gc
gc.disable()
import nvme as d

def keep():
    buffers = [d.Buffer() for _ in range(50)]
    def fail():
        buffers
        raise KeyError
    try:
        fail()
    except KeyError as error:
        kept = error
        return kept

kept = keep()
del kept
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
