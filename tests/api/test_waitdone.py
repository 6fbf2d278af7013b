"""waitdone(): what it counts, callbacks, warnings."""

import time
import warnings
from functools import partial

import pytest

import nvme as d

from .patience import at_best, wait_for_end


def test_waitdone_of_a_qpair_reaps_exactly_so_many(nvme0, nvme0n1, qpair, buf):
    seen = []
    for i in range(10):
        nvme0n1.read(qpair, buf, i, cb=lambda cdw0, status1: seen.append(status1))
    time.sleep(0.05)

    qpair.waitdone(3)
    assert len(seen) == 3
    qpair.waitdone(7)

    assert len(seen) == 10


def test_no_more_is_reaped_when_completions_come_late(own, own_namespace):
    seen = []
    with d.Qpair(own, 8) as qpair, d.sim(own).fault(admin=False, delay=0.05):
        for i in range(5):
            own_namespace.read(qpair, d.Buffer(), i, cb=lambda cdw0, status1: seen.append(status1))
        qpair.waitdone(2)
        assert len(seen) == 2
        qpair.waitdone(3)

    assert len(seen) == 5


def test_waitdone_of_nothing_returns_at_once(nvme0, nvme0n1, qpair, buf):
    nvme0n1.read(qpair, buf, 0)

    assert qpair.waitdone(0) == 0
    assert nvme0.waitdone(0) == 0
    qpair.waitdone()


def test_waitdone_returns_dword_0_of_the_last_command(nvme0):
    buf = d.Buffer()
    orig = nvme0.getfeatures(4).waitdone()

    assert nvme0.identify(buf).getfeatures(4).waitdone(2) == orig
    assert orig != 0


def test_more_commands_than_the_ring_holds_wait_in_software(nvme0, nvme0n1, buf):
    with d.Qpair(nvme0, 4) as qpair:
        for i in range(100):
            nvme0n1.read(qpair, buf, i)
        qpair.waitdone(100)
        assert len(qpair.cmdlog_entries()) == 100


def test_the_admin_queue_takes_128_commands_at_once(nvme0):
    done = []
    for _ in range(128):
        nvme0.getfeatures(7, cb=lambda cdw0, status1: done.append(cdw0))

    nvme0.waitdone(128)

    assert len(done) == 128
    assert len(set(done)) == 1


def test_a_callback_gets_dword_0_and_status_with_phase(nvme0):
    got = []

    nvme0.getfeatures(7, cb=lambda cdw0, status1: got.append((cdw0, status1))).waitdone()

    cdw0, status1 = got[0]
    assert cdw0 != 0
    assert status1 >> 1 == 0


def test_the_phase_bit_of_callbacks_flips_with_every_turn_of_the_ring(nvme0, nvme0n1, buf):
    phases = []
    with d.Qpair(nvme0, 4) as qpair:
        for _ in range(12):
            nvme0n1.read(qpair, buf, 0, cb=lambda cdw0, status1: phases.append(status1 & 1))
            qpair.waitdone()

    assert phases == [1] * 4 + [0] * 4 + [1] * 4


def test_a_callback_with_one_parameter_gets_the_whole_completion(nvme0, nvme0n1, qpair, buf):
    got = []

    nvme0n1.read(qpair, buf, 0, cb=got.append).waitdone()  # a builtin with one parameter
    nvme0n1.read(qpair, buf, 0, cb=lambda cpl: got.append(cpl)).waitdone()

    for cpl in got:
        assert len(cpl) == 4
        assert cpl[2] >> 16 == qpair.sqid
        assert cpl[3] >> 17 == 0


def test_defaults_do_not_count_as_parameters(nvme0, nvme0n1, qpair, buf):
    got = []

    nvme0n1.read(qpair, buf, 0, cb=lambda cpl, extra=None: got.append(cpl)).waitdone()

    assert len(got[0]) == 4


def test_methods_and_partials_are_callbacks(nvme0, nvme0n1, qpair, buf):
    import functools

    class Seen:
        def __init__(self):
            self.two = self.one = None

        def on_two(self, cdw0, status1):
            self.two = (cdw0, status1)

        def on_one(self, cpl):
            self.one = cpl

    seen = Seen()
    named = []
    nvme0n1.read(qpair, buf, 0, cb=seen.on_two)
    nvme0n1.read(qpair, buf, 0, cb=seen.on_one)
    nvme0n1.read(qpair, buf, 0, cb=functools.partial(lambda n, a, b: named.append((n, a)), "x"))
    qpair.waitdone(3)

    assert len(seen.two) == 2
    assert len(seen.one) == 4
    assert named == [("x", 0)]


def test_a_callback_without_a_signature_gets_two_arguments(nvme0, nvme0n1, qpair, buf):
    class Odd:
        __signature__ = "none"

        def __call__(self, *args):
            self.args = args

    odd = Odd()
    nvme0n1.read(qpair, buf, 0, cb=odd).waitdone()

    assert len(odd.args) == 2


def test_something_that_cannot_be_called_is_a_type_error(nvme0, nvme0n1, qpair, buf):
    with pytest.raises(TypeError, match="cb must be callable"):
        nvme0n1.read(qpair, buf, 0, cb=5)


def test_callbacks_submit_more_commands(nvme0, nvme0n1, qpair, buf):
    left = [20]

    def again(cdw0, status1):
        left[0] -= 1
        if left[0]:
            nvme0n1.read(qpair, buf, left[0], cb=again)

    nvme0n1.read(qpair, buf, 0, cb=again)
    qpair.waitdone(20)

    assert left == [0]


@pytest.mark.parametrize("target", ["nvme0", "qpair"])
def test_waitdone_in_a_callback_is_refused(nvme0, nvme0n1, qpair, buf, target):
    queue = nvme0 if target == "nvme0" else qpair

    def cb(cdw0, status1):
        with pytest.raises(AssertionError, match=r"cannot re-entry waitdone\(\)"):
            queue.waitdone()

    nvme0n1.read(qpair, buf, 0, cb=cb).waitdone()


def test_a_failed_assertion_in_a_callback_is_a_warning(nvme0, nvme0n1, qpair, buf):
    def cb(cdw0, status1):
        raise AssertionError("one is not two")

    with pytest.warns(UserWarning, match="^ASSERT: one is not two$"):
        nvme0n1.read(qpair, buf, 0, cb=cb).waitdone()


def test_other_exceptions_of_a_callback_come_out_of_waitdone(nvme0, nvme0n1, qpair, buf, capfd):
    def cb(cdw0, status1):
        raise KeyError("lost")

    nvme0n1.read(qpair, buf, 0, cb=cb)
    nvme0n1.read(qpair, buf, 0)
    with pytest.raises(KeyError, match="lost"):
        qpair.waitdone(2)

    assert "KeyError: 'lost'" in capfd.readouterr().err
    if len(qpair.cmdlog_entries()) < 2:
        qpair.waitdone()


def test_an_error_status_without_a_callback_is_a_warning(nvme0, nvme0n1, qpair):
    with pytest.warns(UserWarning, match=r"^ERROR status: 00/01, Invalid Command Opcode"):
        nvme0n1.send_cmd(0xFF, qpair, nsid=1).waitdone()


def test_an_error_status_with_a_callback_is_no_warning(nvme0, nvme0n1, qpair):
    got = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nvme0n1.send_cmd(0xFF, qpair, nsid=1, cb=lambda cdw0, status1: got.append(status1))
        qpair.waitdone()

    assert got[0] >> 1 & 0x7FF == 0x001


def test_the_warning_names_the_line_of_the_script(nvme0, nvme0n1, qpair):
    nvme0n1.send_cmd(0xFF, qpair, nsid=1)
    with pytest.warns(UserWarning, match="00/01") as caught:
        qpair.waitdone()

    assert caught[0].filename == __file__


def test_a_warning_turned_into_an_error_has_consumed_its_command(nvme0, nvme0n1, qpair, buf):
    nvme0n1.send_cmd(0xFF, qpair, nsid=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="00/01"):
            qpair.waitdone()

    nvme0n1.read(qpair, buf, 0).waitdone(1)
    assert [entry.status for entry in qpair.cmdlog_entries()] == [0, 1]


def test_a_wait_for_nothing_ends_with_a_timeout(nvme0, qpair):
    def wait(queue) -> None:
        start = time.monotonic()
        with pytest.raises(
            TimeoutError,
            match=r"^pynvme timeout: 0\.3 sec, no command of the script is outstanding$",
        ):
            queue.waitdone()
        assert 0.25 < time.monotonic() - start < 2

    nvme0.timeout = 50
    try:
        for queue in (nvme0, qpair):
            at_best(partial(wait, queue))
    finally:
        nvme0.timeout = 5000


def test_the_default_timeout_is_five_seconds(nvme0):
    assert nvme0.timeout == 5000


def test_a_command_keeps_the_timeout_it_was_sent_under(own, own_namespace):
    """Its own wait, too, is six times as long."""
    own.timeout = 60_000
    with d.sim(own).fault(delay=1, admin=True, opcode=0x0A):
        own.getfeatures(7)
        own.timeout = 100
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            own.waitdone()


@pytest.mark.parametrize("value", [0, -1, 1 << 32])
def test_an_impossible_timeout_is_a_value_error(nvme0, value):
    with pytest.raises(ValueError):
        nvme0.timeout = value


def test_what_was_reaped_before_does_not_count(nvme0):
    nvme0.getfeatures(7)
    time.sleep(0.01)
    nvme0.id_data(0)  # reaps the command above
    nvme0.timeout = 20
    try:
        with pytest.raises(TimeoutError):
            nvme0.waitdone()
    finally:
        nvme0.timeout = 5000


def test_commands_of_the_tool_deliver_what_they_reap_there_and_then(nvme0):
    got = []
    nvme0.getfeatures(7, cb=lambda cdw0, status1: got.append(cdw0))

    deadline = time.monotonic() + 60
    while not got and time.monotonic() < deadline:
        nvme0.id_data(0)

    assert len(got) == 1


def test_a_worker_takes_no_completion_of_the_script(own, own_namespace):
    """Its queue comes and goes by admin commands, and whoever polls that queue reaps for all."""
    got = []
    own.getfeatures(7, cb=lambda cdw0, status1: got.append("before"))
    with own_namespace.ioworker(io_count=100) as worker:
        own.getfeatures(7, cb=lambda cdw0, status1: got.append("meanwhile"))
        wait_for_end(worker)
    assert got == []

    own.waitdone(2)
    assert got == ["before", "meanwhile"]


def test_what_a_worker_reaped_is_not_taken_by_a_command_of_the_tool(own, own_namespace):
    got = []
    own.getfeatures(7, cb=lambda cdw0, status1: got.append(cdw0))
    worker = own_namespace.ioworker(io_count=1).start()
    wait_for_end(worker)
    own.id_data(0)
    assert got == []

    own.waitdone()
    assert len(got) == 1
    worker.close()


def test_an_aer_during_a_worker_counts_in_the_scripts_wait(own, own_namespace):
    buf = d.Buffer(512)
    with own_namespace.ioworker(io_count=100) as worker:
        own.setfeatures(4, cdw11=200)  # the temperature is above it
        wait_for_end(worker)

    with pytest.warns(UserWarning, match="AER notification"):
        own.waitdone(2)
    own.setfeatures(4, cdw11=400).getlogpage(2, buf, 512).waitdone(2)


def test_waitdone_of_the_controller_reaps_everything_available(nvme0):
    got = []
    for _ in range(8):
        nvme0.getfeatures(7, cb=lambda cdw0, status1: got.append(cdw0))
    time.sleep(0.1)

    nvme0.waitdone(1)
    first = len(got)
    if first < 8:
        nvme0.waitdone(8 - first)

    assert len(got) == 8


def test_chained_calls_return_the_queue(nvme0, nvme0n1, qpair, buf):
    assert nvme0n1.read(qpair, buf, 0) is qpair
    assert nvme0n1.flush(qpair) is qpair
    qpair.waitdone(2)
    assert nvme0.getfeatures(7) is nvme0
    nvme0.waitdone()


def test_a_command_that_waits_in_software_has_no_cid_yet(own, own_namespace, buf):
    with d.Qpair(own, 2) as qpair:
        assert qpair.latest_cid is None
        own_namespace.read(qpair, buf, 0)
        assert qpair.latest_cid == 0

        own_namespace.read(qpair, buf, 0)
        assert qpair.latest_cid is None

        qpair.waitdone()
        assert qpair.latest_cid == 0  # it has it now, and is on its way
        qpair.waitdone()
        assert qpair.latest_cid == 0


def test_an_admin_command_that_waits_in_software_has_no_cid_yet(own):
    with d.sim(own).fault("drop", admin=True, opcode=0x0A):
        for _ in range(120):
            own.getfeatures(7)
        assert own.latest_cid is not None
        for _ in range(20):
            own.getfeatures(7)
        assert own.latest_cid is None
    own.timeout = 50
    with pytest.warns(UserWarning, match="00/08"):
        own.reset()


def test_an_event_request_finds_room_when_commands_do_not(own):
    with d.sim(own).fault("drop", admin=True, opcode=0x0A):
        for _ in range(120):
            own.getfeatures(7)

    own.send_cmd(0x0C)

    assert own.latest_cid is not None
    own.timeout = 50
    with pytest.warns(UserWarning, match="00/08"):
        own.reset()


def test_latest_cid_and_latency_are_of_the_last_command(nvme0, nvme0n1, qpair, buf):
    nvme0n1.read(qpair, buf, 0)
    cid = qpair.latest_cid
    qpair.waitdone()

    assert qpair.cmdlog_entries(1)[0].cid == cid
    assert 0 < qpair.latest_latency < 5_000_000
    nvme0.getfeatures(7)
    assert nvme0.latest_cid <= 127
    nvme0.waitdone()
    assert 0 < nvme0.latest_latency < 5_000_000


def sent_under(nvme, timeout, send):
    """A command that never ends; the timeout is 20 ms again when it is on its way."""
    nvme.timeout = timeout
    with d.sim(nvme).fault("drop"):
        send()
        time.sleep(0.05)
    nvme.timeout = 20


@pytest.mark.filterwarnings("ignore:drive timeout")
def test_a_wait_lasts_as_long_as_the_timeout_of_the_commands_in_flight(own, own_namespace):
    with d.Qpair(own, 8) as qpair:
        sent_under(own, 200, lambda: own_namespace.read(qpair, d.Buffer(), 0))
        with pytest.raises(TimeoutError, match=r"timeout: 1\.2 sec, 1 command is outstanding"):
            qpair.waitdone()


@pytest.mark.filterwarnings("ignore:drive timeout")
def test_a_command_of_the_tool_does_not_wait_for_the_commands_of_the_script(own):
    sent_under(own, 200, lambda: own.getfeatures(7))

    with d.sim(own).fault("drop", admin=True), pytest.raises(TimeoutError, match=r": 0\.12 sec"):
        own.id_data(0)
