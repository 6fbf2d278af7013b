"""Results of workers: counts, latencies, seconds, rates."""

import math

import pytest

import nvme as d
from nvme import _core
from nvme.cmdlog import decode

from ..patience import at_best

SECONDS_SLACK = 1.0  # a loaded machine


def entries(records):
    return decode(records, 1)


def newest(log):
    """When the last command of a queue ended."""
    return max((entry.complete_ns or 0 for entry in log), default=0)


def last_log():
    """The command log of the queue that ended last, oldest first."""
    *_, slots = _core.cmdlog_file(_core.cmdlog_path())
    logs = [list(entries(records)) for _, sqid, _, closed, records in slots if sqid and closed]
    return sorted(max(logs, key=newest), key=lambda entry: entry.complete_ns)


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 1000])
def test_exactly_io_count_commands_are_issued(nvme0n1, count):
    results = nvme0n1.ioworker(io_count=count).start().close()

    assert results.io_count_read == count
    assert results.error == 0


def test_the_device_saw_as_many(own, own_namespace):
    before = d.sim(own).stats.reads
    own_namespace.ioworker(io_count=777, io_size=8).start().close()

    assert d.sim(own).stats.reads - before == 777 * 8


def test_time_ends_a_worker(nvme0n1):
    def a_second() -> None:
        results = nvme0n1.ioworker(time=1, qdepth=16).start().close()
        assert 1000 <= results.mseconds < 1000 * (1 + SECONDS_SLACK)
        assert results.io_count_read > 100

    at_best(a_second)


def test_a_fraction_of_a_second(nvme0n1):
    def a_fifth() -> None:
        results = nvme0n1.ioworker(time=0.2, qdepth=16).start().close()
        assert 200 <= results.mseconds < 200 + 1000 * SECONDS_SLACK

    at_best(a_fifth)


def test_whichever_comes_first(nvme0n1):
    def both() -> None:
        assert nvme0n1.ioworker(time=3600, io_count=10).start().close().mseconds < 10000
        assert nvme0n1.ioworker(time=0.1, io_count=10**12).start().close().mseconds < 10000

    at_best(both)


def test_latencies_are_in_microseconds(nvme0n1):
    results = nvme0n1.ioworker(io_count=1000, qdepth=2).start().close()

    assert 0 < results.latency_average_us <= results.latency_max_us
    assert results.latency_max_us < (results.mseconds + 1) * 1000


def test_counts_by_second(nvme0n1):
    seconds = []
    results = nvme0n1.ioworker(time=2, iops=1000, output_io_per_second=seconds).start().close()

    assert len(seconds) == 2
    assert all(type(count) is int for count in seconds)
    assert sum(seconds) == results.io_count_read


def test_seconds_after_the_end_are_zero(nvme0n1):
    seconds = [7] * 9
    nvme0n1.ioworker(time=4, io_count=10, output_io_per_second=seconds).start().close()

    assert seconds == [10, 0, 0, 0]


def test_percentiles_are_filled_in(nvme0n1):
    percentiles = dict.fromkeys([1, 50, 90, 99, 99.9, 99.99], 0)
    worker = nvme0n1.ioworker(io_count=10000, output_percentile_latency=percentiles).start()
    results = worker.close()

    values = [percentiles[p] for p in sorted(percentiles)]
    assert values == sorted(values)
    assert values[0] > 0
    assert values[-1] <= results.latency_max_us


def test_a_worker_that_rests_between_commands_does_not_rest_while_one_is_out():
    """A command takes 2 ms, and the next one is due 50 ms later."""
    nvme0 = d.Controller("sim:size=16M,write_us=2000,jitter=0")
    namespace = d.Namespace(nvme0)
    worker = namespace.ioworker(io_count=20, iops=20, qdepth=2, read_percentage=0).start()
    worker.close()

    assert 1_900_000 < worker.percentile_ns(50) < 6_000_000


def test_the_deviation_is_that_of_the_latencies(own, own_namespace):
    """Of four latencies one is D, and the others are nothing beside it: that is D * 3**0.5 / 4."""
    with d.sim(own).fault("delay", opcode=2, admin=False, nth=2, times=1, delay=0.5):
        worker = own_namespace.ioworker(io_count=4, qdepth=2, iops=0).start()
        worker.close()

    ((opcode, count, _, least, mean, most, deviation),) = worker.opcodes
    assert (opcode, count) == (2, 4)
    assert least < mean < most
    assert most == pytest.approx(5e8, rel=0.2)
    assert deviation == pytest.approx(most * 3**0.5 / 4, rel=0.1)


def test_the_distribution_of_latencies_is_there_when_asked_for(nvme0n1):
    buckets = []
    percentiles = {50: 0}
    results = (
        nvme0n1.ioworker(
            io_count=1000,
            output_percentile_latency=percentiles,
            output_latency_distribution_ns=buckets,
        )
        .start()
        .close()
    )

    assert sum(count for _, _, count in buckets) == 1000
    assert all(low <= high for low, high, _ in buckets)
    # What close() returns is looked at on a terminal.
    assert len(str(results)) < 500
    assert not any("distribution" in name for name in results)


def test_percentiles_agree_with_the_command_log(own_namespace):
    """The recorder keeps the last 2,048 commands of a queue: a second way to every latency."""
    percentiles = dict.fromkeys([10, 50, 90, 99], 0)
    own_namespace.ioworker(
        io_count=2000, qdepth=8, output_percentile_latency=percentiles
    ).start().close()
    raw = sorted(entry.latency_us for entry in last_log())

    assert len(raw) == 2000
    for percent, value in percentiles.items():
        exact = raw[math.ceil(len(raw) * percent / 100) - 1]
        assert exact <= value <= exact * 1.01 + 0.001


def test_consistency_of_the_rate(nvme0n1):
    seconds = []
    worker = nvme0n1.ioworker(time=3, iops=100, output_io_per_second=seconds).start()
    results = worker.close()
    falling = sorted(seconds, reverse=True)

    assert worker.iops_consistency(50) == falling[150 // 100] / (sum(seconds) / 3)
    assert results.iops_consistency == worker.iops_consistency()
    for percentage in (0, 100, -1):
        with pytest.raises(AssertionError):
            worker.iops_consistency(percentage)


def test_consistency_is_the_slowest_seconds_rate(nvme0n1):
    """Of ten seconds, two of which are slow."""
    seconds = []
    worker = nvme0n1.ioworker(time=10, io_count=1, output_io_per_second=seconds).start()
    worker.close()
    worker.seconds[:] = [100, 90, 100, 10, 100, 100, 50, 100, 100, 100]

    assert worker.iops_consistency(99.9) == 10 / 85
    assert worker.iops_consistency(89.9) == 50 / 85
    assert worker.iops_consistency(90) == 10 / 85
    assert worker.iops_consistency(10) == 100 / 85


def test_consistency_needs_counts_by_second(nvme0n1):
    worker = nvme0n1.ioworker(io_count=1).start()
    worker.close()

    with pytest.raises(AssertionError, match="output_io_per_second"):
        worker.iops_consistency()


def test_a_schedule_is_kept_on_the_wall_clock(own_namespace):
    """No command goes out or retires early, and none is later than the machine's longest stall."""
    iops = 5000
    worker = own_namespace.ioworker(io_count=2000, iops=iops, qdepth=64).start()
    worker.close()
    log = last_log()
    due = [worker.start_ns + n * 1e9 / iops for n in range(1, 2001)]
    sent = sorted(entry.submit_ns for entry in log)
    late = max(at - when for at, when in zip(sent, due, strict=True))

    print(f"latest command {late / 1000:.0f} us, longest stall {worker.stall_ns / 1000:.0f} us")
    assert all(at >= when for at, when in zip(sent, due, strict=True))
    assert all(entry.complete_ns >= when for entry, when in zip(log, due, strict=True))
    # A step of the loop, and what waited for a command in flight.
    assert late <= worker.stall_ns + 1e6


@pytest.mark.parametrize("iops", [1234, 12345])
def test_no_command_retires_before_it_is_due(nvme0n1, iops):
    # The last one is due at n / iops, and nothing but a stall makes it late.
    due_ms = (iops // 2) / iops * 1000
    took_ms = []

    def half_a_second() -> None:
        took_ms.append(nvme0n1.ioworker(io_count=iops // 2, iops=iops).start().close().mseconds)
        assert took_ms[-1] < due_ms + 1000 * SECONDS_SLACK

    at_best(half_a_second)
    assert min(took_ms) >= math.floor(due_ms)


def test_results_can_be_had_twice(nvme0n1):
    with nvme0n1.ioworker(io_count=5) as worker:
        pass

    assert worker.close() is worker.close()
    assert worker.close()["io_count_read"] == 5


def test_cpu_usage_is_a_part_of_one_cpu(nvme0n1):
    idle = nvme0n1.ioworker(time=0.5, iops=10).start().close()

    assert 0 <= idle.cpu_usage < 0.5


@pytest.mark.parametrize(("setting", "opcode"), [("fua_read", 2), ("fua_write", 1)])
def test_fua_is_applied_to_workers(own_namespace, setting, opcode):
    d.config(**{setting: True})
    try:
        own_namespace.ioworker(io_count=64, read_percentage=50).start().close()
    finally:
        d.config()

    for entry in last_log():
        assert bool(entry.cdw12 >> 30 & 1) == (entry.opcode == opcode)


def test_an_error_of_wrong_data_shows_how_the_block_begins(own):
    """With verification on, a block begins with the number of its LBA."""
    d.config(verify=True)
    namespace = d.Namespace(own)
    with d.Qpair(own, 8) as qpair:
        namespace.write(qpair, d.Buffer(4096), 40, 8).waitdone()
    with d.sim(own).fault("bitflip", opcode=2, admin=False):
        worker = namespace.ioworker(io_count=1, io_size=8, region_start=40, region_end=48)
        with pytest.warns(UserWarning, match="data mismatch"):
            worker.start().close()
    d.config(verify=False)

    (error,) = worker.errors
    assert error.lba in range(40, 48)
    assert len(error.data) == 64
    assert int.from_bytes(error.data[:8], "little") == error.stamp != 0
    namespace.close()
