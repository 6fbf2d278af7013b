"""``pynvme perf``: its flags, its reports, its exit status."""

import contextlib
import csv
import json
import os
import pty
import subprocess
import sys

import pytest

from nvme import perf
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

    assert [job["groupid"] for job in found] == [0, 1, 2]
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


def test_a_rate(capsys):
    (job,) = jobs(capsys, "--rate-iops=10000")

    assert job["job_runtime"] >= 199


def test_verification(capsys):
    status = perf.main(
        ["sim:size=64M,latency=none", "--rw=rw", "--verify", "--number_ios=500", "--iodepth=1"]
    )

    assert status == 0, capsys.readouterr().err


@pytest.mark.parametrize("flags", [["--bs=100"], ["--rw=sideways"], ["--bs=4q"], ["--numjobs=x"]])
def test_wrong_flags_end_with_a_message(flags, capsys):
    with pytest.raises(SystemExit) as end:
        perf.main([NULL, *flags])

    assert end.value.code
    assert "--" in f"{end.value.code}{capsys.readouterr().err}"


def test_a_wrong_device_is_no_traceback(capsys):
    assert perf.main(["sim:nonsense=1"]) == 2
    assert "nonsense" in capsys.readouterr().err


def test_trouble_is_told_and_is_the_exit_status(capsys):
    run(capsys, "--bs=1m", status=1)


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [("512", 512), ("4k", 4096), ("4KiB", 4096), ("1M", 1 << 20), ("2g", 2 << 30)],
)
def test_sizes(text, bytes_):
    assert perf.size_of(text) == bytes_


@pytest.mark.parametrize(
    ("text", "seconds"), [("10", 10), ("1.5s", 1.5), ("2m", 120), ("1h", 3600)]
)
def test_times(text, seconds):
    assert perf.seconds_of(text) == seconds


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


@pytest.mark.parametrize("flag", ["--bs", "--size", "--offset", "--runtime"])
@pytest.mark.parametrize("text", ["nan", "inf", "1e400", "-1e400"])
def test_a_size_or_time_that_is_no_number_is_a_usage_error(capsys, flag, text):
    with pytest.raises(SystemExit) as exit:
        perf.main([NULL, f"{flag}={text}"])

    assert exit.value.code == 2
    assert f"{flag}" in (said := capsys.readouterr().err)
    assert f"not a {'time' if flag == '--runtime' else 'size'}: '{text}'" in said


@pytest.mark.parametrize("text", ["nan", "inf", "-1"])
def test_a_rate_that_cannot_be_is_named(capsys, text):
    assert perf.main([NULL, "--number_ios=1", f"--rate-iops={text}"]) == 2

    assert "pynvme perf: iops must " in capsys.readouterr().err


def test_a_long_run_shows_a_line_on_a_terminal():
    text = standard_error_of_a_run(terminal=True)

    assert "%" in text
    assert "IOPS" in text
    assert ERASE in text.rpartition("IOPS")[2]


def test_a_long_run_is_silent_in_a_pipe():
    assert standard_error_of_a_run(terminal=False) == ""
