"""How workers start, run beside everything else, and end."""

import gc
import re
import signal
import threading
import time
import warnings

import pytest

import nvme as d
from nvme import _core

from ..patience import at_best, wait_for_end

WORKERS = 16
HOUR = 3600  # longer than any test may take: whoever waits for its end hangs


def wait_for_progress(workers):
    """Until each of them has done something."""
    limit = time.monotonic() + 120
    while not all(worker.snapshot[2] for worker in workers) and time.monotonic() < limit:
        time.sleep(0.01)


def closing_texts(*workers):
    """What closing them warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for worker in workers:
            worker.close()
    return [str(one.message) for one in caught]


def test_start_returns_at_once(nvme0n1):
    worker = nvme0n1.ioworker(time=HOUR)
    assert worker.start() is worker
    assert worker.running
    worker.stop()
    worker.close()
    assert not worker.running


def test_progress_rises_to_the_end(nvme0n1):
    worker = nvme0n1.ioworker(io_count=20_000, iops=20_000).start()
    seen = [0.0]
    while worker.running:
        seen.append(worker.progress)
        time.sleep(0.01)
    worker.close()

    assert seen == sorted(seen)
    assert set(seen) - {0, 100}, "never anything between the beginning and the end"
    assert worker.progress == 100


def test_a_thousand_workers_one_after_another(own_namespace):
    took_s = []
    for _ in range(1000):
        begin = time.monotonic()
        assert own_namespace.ioworker(io_count=1).start().close().io_count_read == 1
        took_s.append(time.monotonic() - begin)
    # What each left behind would make the last ones slower, at their best too.
    assert min(took_s[-100:]) < 10 * min(took_s[:100])


def test_a_worker_comes_and_goes_in_no_time(nvme0n1):
    def twenty() -> None:
        begin = time.monotonic()
        for _ in range(20):
            assert nvme0n1.ioworker(io_count=1).start().close().io_count_read == 1
        assert (time.monotonic() - begin) / 20 < 0.1

    at_best(twenty)


def test_sixteen_at_once_all_progress_and_end_on_time(nvme0n1):
    def sixteen() -> None:
        workers = [
            nvme0n1.ioworker(time=1, region_start=i * 1000, region_end=(i + 1) * 1000).start()
            for i in range(WORKERS)
        ]
        results = [worker.close() for worker in workers]
        assert all(r.io_count_read > 100 for r in results)
        assert all(1000 <= r.mseconds < 3000 for r in results)

    at_best(sixteen)


def test_admin_commands_go_on_meanwhile(nvme0, nvme0n1):
    buf = d.Buffer(4096)
    with nvme0n1.ioworker(time=0.5) as worker:
        for _ in range(50):
            nvme0.getlogpage(2, buf, 512).waitdone()
        assert worker.running or worker.progress == 100
    assert worker.close().error == 0


def test_other_queues_go_on_meanwhile(nvme0, nvme0n1, qpair):
    buf = d.Buffer(4096)
    with nvme0n1.ioworker(time=0.5, region_end=8000) as worker:
        for lba in range(8000, 8100):
            nvme0n1.write(qpair, buf, lba).waitdone()
    assert worker.close().error == 0


@pytest.mark.parametrize("kind", ["controller", "flr", "subsystem"])
def test_a_reset_ends_workers_with_their_counts_and_a_reason(own, own_namespace, kind):
    workers = [own_namespace.ioworker(time=HOUR, qdepth=8).start() for _ in range(WORKERS)]
    wait_for_progress(workers)
    reset = {
        "controller": own.reset,
        "flr": d.Pcie(own).flr,
        "subsystem": d.Subsystem(own).reset,
    }[kind]
    reset()
    for worker in workers:
        with pytest.warns(UserWarning, match="ioworker device ERROR status: 00/08"):
            results = worker.close()
        assert results.io_count_read > 0
        assert results.error == 0x008
    assert own_namespace.ioworker(io_count=10).start().close().io_count_read == 10


def test_a_removed_drive_ends_workers():
    nvme = d.Controller("sim:size=64M,latency=none")
    namespace = d.Namespace(nvme)
    workers = [namespace.ioworker(time=HOUR, qdepth=8).start() for _ in range(4)]
    wait_for_progress(workers)
    d.sim(nvme).remove()
    texts = closing_texts(*workers)
    assert sum("ioworker device ERROR" in text for text in texts) == 4


def test_a_power_loss_ends_workers(own, own_namespace):
    workers = [own_namespace.ioworker(time=HOUR, qdepth=8).start() for _ in range(4)]
    wait_for_progress(workers)
    subsystem = d.Subsystem(own)
    subsystem.poweroff()
    for worker in workers:
        with pytest.warns(UserWarning, match="ioworker (device|host) ERROR"):
            worker.close()
    subsystem.poweron()
    own.reset()
    assert own_namespace.ioworker(io_count=10).start().close().io_count_read == 10


def test_a_lost_command_is_a_timeout(own, own_namespace):
    own.timeout = 500
    worker = own_namespace.ioworker(time=HOUR)
    with d.sim(own).fault(drop=True, opcode=2, admin=False, nth=100, times=1):
        (text,) = closing_texts(worker.start())

    assert worker.close().io_count_read >= 99
    assert text.startswith("ioworker host ERROR -3: drive timeout: 0.5 sec, qpair: ")
    assert worker.close().error == 0x8003


def test_a_dead_drive_is_one_warning_with_a_count(own, own_namespace):
    own.timeout = 500
    worker = own_namespace.ioworker(time=HOUR)
    with (
        d.sim(own).fault(drop=True, opcode=2, admin=False),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        worker.start().close()

    assert [one.filename for one in caught] == [__file__]
    assert re.fullmatch(
        r"ioworker host ERROR -3: drive timeout: 0\.5 sec, qpair: \d+, cid: \d+"
        " and 63 more commands",
        str(caught[0].message),
    )


def test_an_error_status_stops_the_worker(own, own_namespace):
    with d.sim(own).fault(status=0x281, opcode=2, admin=False, nth=500, times=1):
        worker = own_namespace.ioworker(time=HOUR, qdepth=32).start()
        with pytest.warns(UserWarning, match="ioworker device ERROR status: 02/81"):
            results = worker.close()

    assert results.error == 0x281
    assert 499 <= results.io_count_read < 700
    assert worker.errors[0].status == 0x281
    assert worker.errors[0].opcode == 2
    assert results.host_error == 0
    assert results.why.startswith("ioworker device ERROR status: 02/81")


@pytest.fixture
def mdts_lbas(nvme0, nvme0n1):
    """MDTS in LBAs."""
    lbas = nvme0.mdts // nvme0n1.sector_size
    if lbas >= 65536:
        pytest.skip("no limit")
    return lbas


def test_a_command_above_mdts_is_a_host_error(nvme0n1, mdts_lbas):
    worker = nvme0n1.ioworker(io_size=mdts_lbas + 1, io_count=1).start()

    with pytest.warns(UserWarning, match=r"ioworker host ERROR -2: .*MDTS"):
        results = worker.close()
    assert results.io_count_read == 0
    assert (results.error, results.host_error) == (0x8002, -2)
    assert f"io_size {mdts_lbas + 1} LBAs" in results.why


def test_a_command_of_exactly_mdts_is_sent(nvme0n1, mdts_lbas):
    results = nvme0n1.ioworker(io_size=mdts_lbas, io_count=1).start().close()

    assert results.io_count_read == 1
    assert (results.error, results.host_error, results.why) == (0, 0, "")


def test_a_trim_moves_no_data_and_has_no_mdts(nvme0n1, mdts_lbas):
    results = nvme0n1.ioworker(io_size=mdts_lbas + 1, io_count=1, op_percentage={9: 100}).start()

    assert results.close().error == 0


def test_a_queue_that_cannot_be_had_is_a_host_error(own_namespace):
    """The software SSD has 32 IO queues."""
    workers = [own_namespace.ioworker(time=HOUR, qdepth=2).start() for _ in range(33)]
    limit = time.monotonic() + 60
    while all(worker.running for worker in workers) and time.monotonic() < limit:
        time.sleep(0.01)
    for worker in workers:
        worker.stop()
    texts = closing_texts(*workers)

    assert len(texts) == 1
    assert texts[0].startswith("ioworker host ERROR -1: ")
    (failed,) = (worker.close() for worker in workers if worker.close().error)
    assert (failed.error, failed.host_error) == (0x8001, -1)
    assert "no free queue" in failed.why


def test_an_exception_in_the_with_block_stops_the_worker(nvme0n1):
    with pytest.raises(ZeroDivisionError), nvme0n1.ioworker(time=HOUR):
        _ = 1 / 0


def test_ctrl_c_ends_a_wait_for_a_worker(nvme0n1):
    worker = nvme0n1.ioworker(time=HOUR).start()
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        worker.close()
    worker.close()


def test_a_worker_that_nobody_closes_is_stopped(nvme0n1):
    threads = _core.counts()["threads"]
    worker = nvme0n1.ioworker(time=HOUR).start()
    with pytest.warns(ResourceWarning, match="ioworker: .* was never closed"):
        del worker
        gc.collect()

    assert _core.counts()["threads"] == threads


def test_a_worker_that_failed_and_that_nobody_closes_says_so(own, own_namespace):
    with d.sim(own).fault(status=0x281, opcode=2, admin=False):
        worker = own_namespace.ioworker(io_count=1).start()
        wait_for_end(worker)
        with pytest.warns(UserWarning, match=r"ioworker device ERROR status: 02/81.*never closed"):
            del worker
            gc.collect()


def test_a_worker_that_was_closed_goes_away_in_silence(nvme0n1):
    worker = nvme0n1.ioworker(io_count=1).start()
    worker.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del worker
        gc.collect()


def test_a_worker_that_was_refused_can_be_shown():
    worker = d.ioworker.IOWorker.__new__(d.ioworker.IOWorker)

    assert repr(worker) == "<ioworker: refused>"


def test_a_namespace_may_be_closed_under_a_worker(own):
    namespace = d.Namespace(own)
    worker = namespace.ioworker(io_count=50000).start()
    namespace.close()

    assert worker.close().io_count_read == 50000


def test_a_worker_cannot_be_started_twice(nvme0n1):
    worker = nvme0n1.ioworker(io_count=1).start()
    with pytest.raises(SystemError, match="started before"):
        worker.start()
    worker.close()


def test_a_worker_that_was_not_started_cannot_be_closed(nvme0n1):
    with pytest.raises(AssertionError, match="not been started"):
        nvme0n1.ioworker(io_count=1).close()


@pytest.mark.parametrize("block", [False, True])
def test_warnings_point_at_the_script(own, own_namespace, block):
    with (
        d.sim(own).fault(status=0x281, opcode=2, admin=False),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        worker = own_namespace.ioworker(io_count=1)
        if block:
            with worker:
                pass
        else:
            worker.start().close()

    assert [one.filename for one in caught] == [__file__]


def test_a_priority_needs_weighted_round_robin(own_namespace):
    texts = closing_texts(own_namespace.ioworker(io_count=1, qprio=2).start())

    assert len(texts) == 1
    assert texts[0].startswith("ioworker host ERROR -1: ")
