"""What closes while other threads, or Python code in between, still work with it."""

import subprocess
import sys

import pytest

BEGIN = """
import threading, time
import nvme as d

def until_closed(call):
    try:
        while True:
            call()
    except (d.NvmeError, SystemError):
        pass

def begin(call):
    thread = threading.Thread(target=until_closed, args=(call,))
    thread.start()
    time.sleep(0.01)
    return thread
"""
RACE = """
def race(make):
    for _ in range(10):
        nvme = d.Controller("sim:size=16M,latency=none")
        namespace, qpair = d.Namespace(nvme), d.Qpair(nvme, 8)
        call = make(nvme, namespace, qpair)
        threads = [begin(call), begin(call)]
        d._core.close_all()
        for thread in threads:
            thread.join()
"""
INIT = """
def init(nvme):
    nvme.init_adminq()
    nvme.enable()
    nvme.wait_csts()
    nvme.init_ctrl()
    nvme.init_queues()
    nvme.init_aers()
"""


def expect_silence(code: str) -> None:
    """A script in a process of its own ends well, and without a word."""
    command = [sys.executable, "-c", BEGIN + code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "call",
    [
        "d.Namespace(nvme)",
        "d.Qpair(nvme, 8)",
        "namespace._refresh()",
        "namespace.ioworker(io_count=2).start().close()",
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
class Closing(d.Controller):
    def _on_event(self, *fields):
        d._core.close_all()

for _ in range(10):
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


def test_a_reset_with_an_init_function_opens_nothing_again() -> None:
    expect_silence(
        INIT
        + """
for _ in range(10):
    nvme = d.Controller("sim:size=16M,latency=none", init)
    thread = begin(nvme.reset)
    d._core.close_all()
    thread.join()
    try:
        nvme[0x1C]
    except SystemError as error:
        assert str(error) == "the controller is closed"
    else:
        raise AssertionError("it is not closed")
"""
    )


def test_an_init_function_fails_while_a_thread_is_inside() -> None:
    expect_silence("""
threads = []

def init(nvme):
    threads.append(begin(lambda: nvme.__setitem__(0x14, 0)))
    raise KeyError

for _ in range(10):
    try:
        d.Controller("sim:size=16M,latency=none", init)
    except KeyError:
        pass
for thread in threads:
    thread.join()
""")


def test_what_a_failing_init_function_made_goes_after_it() -> None:
    expect_silence(
        INIT
        + """
made = []

def fail(nvme):
    init(nvme)
    made.append(d.Namespace(nvme))
    made.append(d.Qpair(nvme, 8))
    raise KeyError

try:
    d.Controller("sim:size=16M", fail)
except KeyError:
    pass
try:
    made[0].read(made[1], d.Buffer(), 0).waitdone()
except SystemError:
    pass
made.clear()
assert not any(d._core.counts().values())
"""
    )


def test_closing_goes_on_when_another_thread_drops_the_object() -> None:
    """Seen by the sanitizer alone: the memory is looked at after it was freed."""
    expect_silence("""
nvme = d.Controller("sim:size=16M,latency=none")
thread = begin(lambda: d.Qpair(nvme, 8).waitdone())
try:
    with d.sim(nvme).fault("delay", admin=True, opcode=0, delay=0.1):
        d._core.close_all()
except SystemError as error:
    assert str(error) == "the controller is closed"
thread.join()
""")


def test_a_qpair_on_its_way_out_may_lead_back_to_its_controller() -> None:
    expect_silence("""
nvme = d.Controller("sim:size=16M,latency=none")

class Last:
    def __del__(self):
        nvme.reset()

qpair = d.Qpair(nvme, 8)
qpair.last = Last()
del qpair
nvme.getfeatures(7).waitdone()
""")


def test_many_threads_wait_for_the_end_of_one_worker() -> None:
    expect_silence("""
namespace = d.Namespace(d.Controller("sim:size=16M,latency=none"))
for _ in range(50):
    worker = namespace.ioworker(io_count=20, iops=1000).start()
    threads = [threading.Thread(target=worker._worker.join, args=(5,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
""")


def test_python_code_closes_all_in_the_middle_of_a_call() -> None:
    """That of an argument, or of a signal's handler."""
    expect_silence("""
import os, signal

def close(*anything):
    namespace.close()
    d._core.close_all()

class Number:
    def __index__(self):
        close()
        return 0

class Positive(Number):
    def __index__(self):
        return super().__index__() + 1

class Real:
    def __float__(self):
        close()
        return 50.0

class Callback:
    @property
    def __signature__(self):
        close()

    def __call__(self, cdw0, status1):
        pass

def interrupted(milliseconds):
    signal.signal(signal.SIGALRM, close)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    return qpair.wait_int(milliseconds)

CALLS = {
    "Namespace": lambda: d.Namespace(nvme, Number()),
    "Qpair": lambda: d.Qpair(nvme, Number()),
    "aspm": lambda: setattr(pcie, "_aspm", Number()),
    "copy": lambda: namespace.copy(qpair, buf, 1, Number()),
    "dsm": lambda: namespace.dsm(qpair, buf, 1, cb=Callback()),
    "flush": lambda: namespace.flush(qpair, Callback()),
    "getfeatures": lambda: nvme.getfeatures(7, cb=Callback()),
    "getitem": lambda: nvme[Number()],
    "id_data": lambda: nvme.id_data(0, nsid=Number()),
    "ioworker": lambda: namespace.ioworker(io_count=1, ptype=Number()),
    "latencies": lambda: worker.latencies_ns(Number()),
    "percentile": lambda: worker.percentile_ns(Real()),
    "read, callback": lambda: namespace.read(qpair, buf, 0, cb=Callback()),
    "read, lba": lambda: namespace.read(qpair, buf, Number()),
    "send_cmd": lambda: nvme.send_cmd(10, cdw10=Number()),
    "setitem": lambda: nvme.__setitem__(0x14, Number()),
    "timeout": lambda: setattr(nvme, "timeout", Positive()),
    "wait_int": lambda: interrupted(9999),
}
for name, call in CALLS.items():
    # A crash is to end none but its own call.
    child = os.fork()
    if child:
        if status := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            print(name, status)
        continue
    nvme = d.Controller("sim:size=16M,latency=none")
    namespace, qpair, pcie, buf = d.Namespace(nvme), d.Qpair(nvme, 8), d.Pcie(nvme), d.Buffer()
    worker = namespace.ioworker(io_count=1).start()
    worker.close()
    try:
        call()
    except SystemError as error:
        os._exit(0 if str(error).endswith(("is closed", "is deleted")) else 2)
    os._exit(1)
""")


@pytest.mark.parametrize("fails", [False, True])
def test_a_thread_resets_what_is_being_opened_and_fails(fails: bool) -> None:
    """Its reset is not the opening, and waits for nobody."""
    expect_silence(f"""
import threading
import nvme as d

threads = []

def init(nvme):
    if threads:
        raise RuntimeError("the second")
    nvme.init_adminq()
    nvme.enable()
    nvme.wait_csts(True)
    nvme.init_ctrl()
    threads.append(threading.Thread(target=reset, args=(nvme,)))
    threads[0].start()
    threads[0].join(60)
    assert not threads[0].is_alive(), "it hangs"
    if {fails}:
        raise RuntimeError("the first")

def reset(nvme):
    try:
        nvme.reset()
    except (RuntimeError, SystemError):
        pass

try:
    d.Controller("sim:size=16M", init)
except RuntimeError as error:
    assert str(error) == "the first"
""")


@pytest.mark.parametrize("rows", ["recent", "per_second", "opcodes", "errors"])
def test_a_finaliser_closes_a_worker_that_is_asked_for_rows(rows: str) -> None:
    expect_silence(f"""
import gc, warnings
import nvme as d

class Closing:
    def __init__(self):
        self.me = self

    def __del__(self):
        d._core.close_all()

warnings.simplefilter("ignore")
nvme = d.Controller("sim:size=16M,latency=none")
qpair, namespace = d.Qpair(nvme, 8), d.Namespace(nvme)
fault = dict(status=0x281, opcode=2, admin=False, nth=9000)
with d.sim(nvme).fault(**fault):
    worker = namespace.ioworker(
        io_count=9999, time=9, output_cmdlog_list=[None] * 5000, output_io_per_second=[]
    ).start()
    worker.close()
call = getattr(worker._worker, "{rows}")
gc.collect()
gc.disable()
Closing()
gc.set_threshold(1)
gc.enable()
try:
    call()
except SystemError as error:
    assert "closed" in str(error)
""")
