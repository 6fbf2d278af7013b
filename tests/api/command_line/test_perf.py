"""``pynvme perf``: its patterns, its reports, its line of progress."""

import contextlib
import csv
import json
import os
import pty
import subprocess
import sys
import time

import pytest

from nvme import perf
from nvme.perf.jobs import run_of
from nvme.perf.runner import run as run_jobs
from nvme.perf.samples import Sampler, Side, deviation_of, side_of, together
from nvme.progress import wanted

NULL = "sim:size=64M,media=null,latency=none"
COUNT = 2000
#: How a terminal is told to clear a line.
ERASE = "\x1b[2K"
UNWANTED = ("PYTEST_CURRENT_TEST", "PYNVME_PROGRESS")


def run(capsys, *flags, status=0):
    """The report of a short run."""
    got = perf.main([NULL, "--number_ios", str(COUNT), *flags])
    out, err = capsys.readouterr()
    assert got == status, err
    return out


def jobs(capsys, *flags):
    return json.loads(run(capsys, "--output-format=json", *flags))["jobs"]


@pytest.mark.parametrize(
    ("rw", "reads", "writes", "trims"),
    [
        ("read", 1, 0, 0),
        ("randread", 1, 0, 0),
        ("write", 0, 1, 0),
        ("randwrite", 0, 1, 0),
        ("randtrim", 0, 0, 1),
    ],
)
def test_patterns_of_one_kind(capsys, rw, reads, writes, trims):
    (job,) = jobs(capsys, "--rw", rw)

    counts = [job[side]["total_ios"] for side in ("read", "write", "trim")]
    assert counts == [COUNT * reads, COUNT * writes, COUNT * trims]


def test_a_mix(capsys):
    (job,) = jobs(capsys, "--rw=randrw", "--rwmixread=75")

    assert job["read"]["total_ios"] + job["write"]["total_ios"] == COUNT
    assert 1350 < job["read"]["total_ios"] < 1650


def test_jobs_are_reported_one_by_one(capsys):
    found = jobs(capsys, "--numjobs=3", "--iodepth=1")

    assert [job["groupid"] for job in found] == [0, 0, 0]
    assert [job["read"]["total_ios"] for job in found] == [COUNT] * 3


def test_bytes_are_those_of_the_block_size(capsys):
    (job,) = jobs(capsys, "--bs=16k")

    assert job["read"]["io_bytes"] == COUNT * 16384
    assert job["read"]["io_kbytes"] == COUNT * 16


def test_latencies_have_the_shape_of_fio(capsys):
    report = json.loads(run(capsys, "--output-format=json+"))
    latency = report["jobs"][0]["read"]["clat_ns"]

    assert latency["N"] == COUNT == sum(latency["bins"].values())
    assert 0 < latency["min"] <= latency["mean"] <= latency["max"]
    assert latency["percentile"]["50.000000"] <= latency["percentile"]["99.990000"]
    assert report["fio version"].startswith("pynvme-")


def test_a_report_says_when_it_was_made_in_the_ways_of_fio(capsys):
    before = int(time.time())
    report = json.loads(run(capsys, "--output-format=json"))

    assert set(report) == {"fio version", "timestamp", "timestamp_ms", "time", "jobs"}
    assert before <= report["timestamp"] <= time.time()
    assert report["timestamp_ms"] // 1000 == report["timestamp"]
    assert time.mktime(time.strptime(report["time"])) == report["timestamp"]


def test_a_report_that_cannot_be_kept_is_printed(capsys, tmp_path, monkeypatch):
    folder = tmp_path / "folder"
    folder.mkdir()
    real = perf.run

    def run_and_lose(jobs):
        outcome = real(jobs)
        folder.rmdir()
        return outcome

    monkeypatch.setattr(perf, "run", run_and_lose)

    code = perf.main([NULL, "--number_ios=10", f"--output={folder / 'report'}"])

    out, err = capsys.readouterr()
    assert code == 1
    assert "read: IOPS=" in out
    assert err == f"pynvme perf: {folder / 'report'}: No such file or directory\n"


def test_a_summary_for_people(capsys):
    text = run(capsys, "--rw=randrw", "--numjobs=2")

    for part in ("rw=randrw", "read: IOPS=", "write: IOPS=", "99.9%=", "all jobs: IOPS="):
        assert part in text


def test_seconds_go_to_a_file(capsys, tmp_path):
    log = tmp_path / "log.csv"
    run(capsys, "--numjobs=2", "--log", str(log))
    head, *lines = list(csv.reader(log.open()))

    assert head == ["second", "job0", "job1"]
    assert sum(int(line[1]) for line in lines) == COUNT
    assert sum(int(line[2]) for line in lines) == COUNT


def test_the_report_goes_to_a_file(capsys, tmp_path):
    report = tmp_path / "report"

    assert run(capsys, "--output", str(report)) == ""
    assert "read: IOPS=" in report.read_text()


@pytest.mark.parametrize("rate", ["--rate-iops=10000", "--rate=40000k", "--rate_iops=6000,4000"])
def test_a_rate(capsys, rate):
    (job,) = jobs(capsys, rate)

    assert job["job_runtime"] >= 199


# --- samples ---


def sampled(capsys, *flags):
    """A job of at least two and a half seconds."""
    (job,) = jobs(capsys, "--rate_iops=800", "--iodepth=8", *flags)
    return job


def test_rates_have_a_sample_for_each_whole_second(capsys):
    side = sampled(capsys)["read"]

    assert side["iops_samples"] == side["bw_samples"] == side["runtime"] // 1000 >= 2
    assert 0 < side["iops_min"] <= side["iops_mean"] <= side["iops_max"] <= 850
    assert side["bw_mean"] == pytest.approx(side["iops_mean"] * 4)
    assert side["bw_min"] == round(side["iops_min"] * 4)
    assert side["bw_max"] == round(side["iops_max"] * 4)


def test_each_direction_of_a_mix_has_rates_of_its_own(capsys):
    job = sampled(capsys, "--rw=randrw", "--rwmixread=90")

    read, write = (job[side]["iops_mean"] for side in ("read", "write"))
    assert 0.05 < write / (read + write) < 0.15
    assert read + write <= 850


def test_a_direction_that_nothing_went_in_has_no_samples(capsys):
    (job,) = jobs(capsys)

    assert [job["write"][f"iops_{what}"] for what in ("min", "max", "mean", "samples")] == [0] * 4


def test_a_run_of_less_than_a_second_is_one_sample_without_deviation(capsys):
    (job,) = jobs(capsys)

    side = job["read"]
    assert (side["iops_samples"], side["iops_stddev"]) == (1, 0)
    assert side["iops_mean"] == side["iops"]


def test_the_deviation_of_one_latency_is_0(capsys):
    report = json.loads(run(capsys, "--output-format=json", "--number_ios=1"))

    latency = report["jobs"][0]["read"]["clat_ns"]
    assert (latency["N"], latency["stddev"]) == (1, 0)
    assert latency["min"] == latency["max"] == latency["mean"]


@pytest.mark.parametrize(
    ("numbers", "deviation"), [([], 0), ([5], 0), ([1, 3], 2**0.5), ([2, 2, 2], 0)]
)
def test_standard_deviations(numbers, deviation):
    assert deviation_of(numbers) == pytest.approx(deviation)


def test_a_mix_is_looked_at_once_a_second():
    (task,) = run_jobs(
        run_of([NULL, "--rw=randrw", "--rwmixread=90", "--runtime=2100ms"]).jobs
    ).tasks

    shares = task.sampler.shares(0.0)
    assert len(shares) >= 1
    assert min(shares) > 0.8


# --- one report for several workers ---


def test_jobs_of_a_group_are_reported_together(capsys):
    (job,) = jobs(capsys, "--numjobs=3", "--group_reporting", "--name=trio")

    assert job["jobname"] == "trio"
    assert job["read"]["total_ios"] == job["read"]["clat_ns"]["N"] == 3 * COUNT
    assert "3 jobs together" in run(capsys, "--numjobs=3", "--group_reporting")


def test_what_is_put_together_is_what_all_of_it_would_be():
    first = Side(3, 12, 10**9, 10, 30, 20.0, 8.0, {(10, 19): 1, (20, 31): 2}, [3.0])
    second = Side(1, 4, 2 * 10**9, 40, 40, 40.0, 0.0, {(40, 47): 1}, [1.0, 0.5])

    both = together([first, Side(), second])

    assert (both.count, both.bytes, both.run_ns) == (4, 16, 2 * 10**9)
    assert (both.lowest, both.highest, both.mean) == (10, 40, 25.0)
    assert both.deviation == pytest.approx((3 * 64 / 4 + (3 * 25 + 225) / 4) ** 0.5)
    assert both.samples == [4.0, 0.5]
    assert [both.percentile(p) for p in (25, 26, 75, 76, 100)] == [19, 31, 31, 40, 40]


def test_percentiles_are_those_of_the_worker(own_namespace):
    worker = own_namespace.ioworker(io_count=3000, output_io_per_second=[]).start()
    worker.close()

    side = side_of(worker, Sampler(), 2)

    for percent in (1, 50, 99, 99.9, 99.99):
        assert side.percentile(percent) == worker.percentile_ns(percent, 2)


def test_the_shares_of_a_mix_are_those_of_each_second():
    sampler = Sampler()
    for elapsed, ios, reads in ((0.5, 10, 9), (1.0, 40, 30), (1.2, 50, 30), (2.1, 60, 35)):
        sampler.look(elapsed, ios, reads)

    assert sampler.shares(0.5) == [0.75, 0.25]


def test_there_is_no_line_under_pytest(monkeypatch):
    monkeypatch.delenv("PYNVME_PROGRESS", raising=False)
    assert not wanted(3600)
    monkeypatch.setenv("PYNVME_PROGRESS", "1")
    assert wanted(3600)
    monkeypatch.setenv("PYNVME_PROGRESS", "0")
    assert not wanted(3600)


def test_a_line_comes_and_goes(monkeypatch, capsys, nvme0n1):
    monkeypatch.setenv("PYNVME_PROGRESS", "1")
    nvme0n1.ioworker(time=2).start().close()
    text = capsys.readouterr().err

    assert "IOPS" in text
    assert ERASE in text.rpartition("IOPS")[2]


def standard_error_of_a_run(terminal):
    """What a script of its own process says while a worker runs."""
    code = (
        "import sys, nvme as d, nvme.progress\n"
        "assert 'rich' not in sys.modules, 'imported before there is a line'\n"
        "nvme.progress.WORTH_SECONDS = 0.1\n"
        "d.Namespace(d.Controller(b'')).ioworker(time=1.2).start().close()\n"
    )
    environment = {k: v for k, v in os.environ.items() if k not in UNWANTED}
    environment |= {"TERM": "xterm", "PYTHONWARNINGS": "error"}
    master, slave = pty.openpty() if terminal else os.pipe()
    try:
        subprocess.run(
            [sys.executable, "-c", code], env=environment, stderr=slave, check=True, timeout=60
        )
        os.close(slave)
        text = b""
        # The master of a terminal that nobody holds any more fails, where a pipe ends.
        with contextlib.suppress(OSError):
            while piece := os.read(master, 65536):
                text += piece
        return text.decode()
    finally:
        os.close(master)


def test_a_long_run_shows_a_line_on_a_terminal():
    text = standard_error_of_a_run(terminal=True)

    assert "%" in text
    assert "IOPS" in text
    assert ERASE in text.rpartition("IOPS")[2]


def test_a_long_run_is_silent_in_a_pipe():
    assert standard_error_of_a_run(terminal=False) == ""
