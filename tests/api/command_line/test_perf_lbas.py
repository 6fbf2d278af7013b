"""Where ``pynvme perf`` goes to: what --offset and --size say, and again all that it wrote."""

import shlex

import pytest

from nvme.ioworker import IOWorker
from nvme.perf.jobs import run_of
from nvme.perf.runner import run

HEALTHY = "sim:size=32M,latency=none"
READ, WRITE = 2, 1


@pytest.fixture
def runs(monkeypatch):
    """Runs a line; every worker of its outcome has a list `recent` of all its commands."""
    real = IOWorker.__init__

    def recording(self, namespace, **arguments):
        self.recent = [None] * 100_000
        real(self, namespace, output_cmdlog_list=self.recent, **arguments)

    monkeypatch.setattr(IOWorker, "__init__", recording)

    def start(line):
        outcome = run(run_of([HEALTHY, *shlex.split(line)]).jobs)
        assert outcome.complaints == []
        return outcome.tasks

    return start


def lbas(worker, opcode):
    """All LBAs that its commands with this opcode were about."""
    found = set()
    for slba, nlb, code in filter(None, worker.recent):
        if code == opcode:
            found |= set(range(slba, slba + nlb))
    return found


@pytest.mark.parametrize(
    ("line", "begin", "end"),
    [
        ("--rw=write --offset=1m --size=1m --bs=64k", 2048, 4096),
        ("--rw=write --offset=1m --size=1m --bs=64k --io_size=4m", 2048, 4096),
        ("--rw=randwrite --offset=1m --size=16k --bs=4k --io_size=4m", 2048, 2080),
        ("--rw=randwrite --offset=1m --size=64k --bssplit=4k/50:16k/50 --io_size=8m", 2048, 2176),
        ("--rw=randwrite --offset=4k --size=132k --bs=64k --number_ios=99", 128, 256),
        ("--rw=randwrite --offset=31m --bs=64k --number_ios=500", 63488, 65536),
        ("--rw=randwrite --size=32k --bs=4k --io_size=4m", 0, 64),
        ("--rw=write --offset=50% --size=25% --bs=128k", 32768, 49152),
    ],
)
def test_offset_and_size_are_where_it_begins_and_ends(runs, line, begin, end):
    (task,) = runs(line)

    assert lbas(task.worker, WRITE) == set(range(begin, end))


def test_each_worker_has_its_own_offset(runs):
    tasks = runs("--rw=write --offset=1m --offset_increment=2m --size=1m --bs=64k --numjobs=2")

    assert [min(lbas(task.worker, WRITE)) for task in tasks] == [2048, 6144]
    assert [max(lbas(task.worker, WRITE)) for task in tasks] == [4095, 8191]


@pytest.mark.parametrize(
    "flags",
    [
        ["--rw=write", "--bs=8k", "--size=1m", "--offset=4k"],
        ["--rw=write", "--bs=8k", "--number_ios=50"],
        ["--rw=randwrite", "--bs=4k", "--number_ios=200"],
        ["--rw=randwrite", "--bs=4k", "--size=256k", "--io_size=2m", "--offset=1m"],
        ["--rw=randwrite", "--percentage_random=50", "--bs=8k", "--number_ios=200"],
        ["--rw=randwrite", "--bssplit=4k/50:24k/50", "--number_ios=100"],
        ["--rw=write", "--bssplit=4k/50:24k/50", "--number_ios=100"],
        ["--rw=write", "--bssplit=8k/50:12k/50", "--size=256k", "--io_size=1m", "--offset=4k"],
        ["--rw=randrw", "--bs=8k", "--size=1m", "--offset=4k"],
        ["--rw=rw", "--bs=8k", "--number_ios=100", "--rwmixread=20"],
        ["--rw=write", "--bs=4k", "--size=1m", "--numjobs=2", "--offset_increment=2m"],
    ],
)
def test_all_that_was_written_is_read_back(runs, flags):
    for task in runs(shlex.join(["--verify", *flags])):
        written = lbas(task.worker, WRITE)

        assert written
        assert written <= lbas(task.checked, READ)


def test_the_seed_gives_the_same_commands(runs):
    line = "--rw=randrw --bssplit=4k/50:8k/50 --number_ios=50 --randseed="

    (first,), (again,), (other,) = runs(f"{line}7"), runs(f"{line}7"), runs(f"{line}8")

    def sent(task):
        return sorted(filter(None, task.worker.recent))

    assert sent(first) == sent(again)
    assert sent(first) != sent(other)


def test_workers_of_a_job_differ(runs):
    first, second = runs("--rw=randread --number_ios=50 --numjobs=2 --randseed=7")

    assert lbas(first.worker, READ) != lbas(second.worker, READ)
