"""Options of ``pynvme perf``: their values, and what is said of wrong ones before anything runs."""

import argparse
import os
import random
import signal
import subprocess
import sys

import pytest

from nvme import perf
from nvme.command_line import UsageError
from nvme.perf import options, values
from nvme.perf.jobs import run_of
from nvme.perf.plan import Device, plan_of

NULL = "sim:size=64M,media=null,latency=none"
K, M = 1 << 10, 1 << 20


def said(capsys, *flags, device=NULL):
    """The line about flags that are refused."""
    assert perf.main([device, "--number_ios=100", *flags]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pynvme perf: ")
    assert err.count("\n") == 1, "an error is one line"
    return err


@pytest.mark.parametrize(
    ("flag", "text"),
    [
        ("--bs=100", "--bs: 100 must be multiples of the 512 bytes an LBA"),
        ("--bs=0", "--bs"),
        ("--bs=4q", "not a size: '4q'"),
        ("--bs=1m", "--bs: 1048576 bytes are more than the device moves in a command, 131072"),
        ("--bs=4k,8k", "--bs: a mix needs the same blocks"),
        ("--bssplit=4k/50:8k/40", "--bssplit: the percentages of '4k/50:8k/40' sum up to 90"),
        ("--bssplit=4k/50:256k/50", "--bssplit: 262144 bytes are more than the device moves"),
        ("--bsrange=4k", "--bsrange"),
        ("--rw=sideways", "--rw"),
        ("--rwmixread=150", "--rwmixread: not a number of 0..100: '150'"),
        ("--rwmixread=-1", "--rwmixread: not a number of 0..100: '-1'"),
        ("--iodepth=5000", "--iodepth: not a number of 1..1023: '5000'"),
        ("--iodepth=0", "--iodepth: not a number of 1..1023: '0'"),
        ("--numjobs=0", "--numjobs: not a number of 1..65535: '0'"),
        ("--numjobs=x", "--numjobs"),
        ("--numjobs=33", "--numjobs: 33 workers at a time; the device has 32 queues"),
        ("--cpus_allowed=9999", "--cpus_allowed: this process has no CPU 9999; it has 0"),
        ("--cpus_allowed=2-1", "--cpus_allowed: not a list of CPUs like 0-3,6: '2-1'"),
        ("--size=100", "--size: 100 is not a multiple of the 512 bytes an LBA"),
        ("--offset=64m", "--offset 67108864 is behind the end of the device, 67108864"),
        ("--size=101%", "--size: not a percentage"),
        ("--rate_iops=-1", "--rate_iops: not a rate: '-1'"),
        ("--runtime=1001h", "--runtime/--timeout: longer than 1000 hours"),
        ("--nsid=0", "--nsid"),
        ("--verify", "--verify: --rw randread has nothing to check"),
        ("--verify=sha0", "--verify"),
        ("--output=/nowhere/report", "--output /nowhere/report: No such file or directory"),
        ("--output=/", "--output /: Is a directory"),
        ("--log=/nowhere/log", "--log /nowhere/log: No such file or directory"),
        ("--output-format=xml", "--output-format"),
        ("--iodepht=3", "unknown option --iodepht: did you mean --iodepth? known are --blocksize"),
        ("--thinktime=1", "--thinktime of fio is not offered here"),
        ("--exitall", "--exitall of fio is not offered here"),
        ("--iodepth", "--iodepth needs a value"),
        ("--section=x", "--section: there is no job 'x'"),
    ],
)
def test_a_wrong_option_is_one_line_with_its_name(capsys, flag, text):
    flags = ["--rw=randrw"] if "--bs=4k,8k" in flag else []
    assert text in said(capsys, *flags, flag)


@pytest.mark.parametrize("flag", ["--bs", "--size", "--offset", "--runtime", "--rate_iops"])
@pytest.mark.parametrize("text", ["nan", "inf", "1e400", "-1e400", "", "-1", "1.2.3"])
def test_what_is_no_number_is_named_as_it_was_written(capsys, flag, text):
    line = said(capsys, f"{flag}={text}")

    assert flag in line
    assert f"'{text}'" in line


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["--bs=128k", "--size=64k"], "--bs: no block of 131072 bytes fits between 0 and 65536"),
        (["--bs=128k", "--offset=65472k"], "fits between 67043328 and 67108864 (the device, --off"),
        (["--bs=8k", "--offset=4k", "--size=8k"], "fits between 4096 and 12288 (--size, --offset"),
        (["--bssplit=4k/50:64k/50", "--size=32k"], "--bssplit: no block of 65536 bytes fits"),
        (["--size=8k", "--io_size=4k", "--bs=8k"], "--io_size 4096 is less than a block"),
    ],
)
def test_a_block_that_does_not_fit_is_refused_in_the_options_of_the_user(capsys, flags, text):
    assert text in said(capsys, *flags)


@pytest.mark.parametrize(
    "flags",
    [
        ["--blocksize=100"],
        ["--blocksize_range=512-1m"],
        ["--size=8k", "--io_limit=2k"],
        ["--timeout=0", "--number_ios=0"],
        ["--readwrite=read", "--verify"],
    ],
)
def test_an_option_with_two_names_is_called_as_the_user_does(capsys, flags):
    line = said(capsys, *flags)

    assert any(flag.split("=")[0] in line for flag in flags if "_ios" not in flag)


def test_a_block_that_just_fits_is_taken():
    assert perf.main([NULL, "--bs=128k", "--size=128k"]) == 0
    assert perf.main([NULL, "--bs=8k", "--offset=4k", "--size=12k"]) == 0


def test_a_depth_beyond_the_queues_of_the_device_is_refused(capsys):
    device = f"{NULL},mqes=32"

    assert "--iodepth 32: the device takes 31 (MQES)" in said(capsys, "--iodepth=32", device=device)
    assert perf.main([device, "--iodepth=31", "--number_ios=100"]) == 0


def test_only_workers_that_run_at_the_same_time_share_the_queues(capsys):
    flags = ["--name=a", "--numjobs=2", "--size=4k", "--name=b", "--numjobs=2", "--size=4k"]
    device = f"{NULL},ioqueues=3"

    assert "--numjobs: 4 workers at a time; the device has 3" in said(capsys, *flags, device=device)
    assert perf.main([device, *flags, "--stonewall"]) == 0


def test_as_many_workers_as_queues_are_taken():
    assert perf.main([f"{NULL},ioqueues=3", "--numjobs=3", "--number_ios=10"]) == 0


@pytest.mark.parametrize(
    ("device", "text"),
    [
        ("sim:nonsense=1", "nonsense"),
        ("/dev/nvme0", "`pynvme status`"),
        ("01:00", "is no address of a device"),
    ],
)
def test_a_wrong_device_is_one_line(capsys, device, text):
    assert text in said(capsys, device=device)


def test_a_second_device_is_refused(capsys):
    assert "more than one device: sim:size=64M" in said(capsys, "sim", device="sim:size=64M")


def test_a_namespace_that_is_not_there_is_one_line(capsys):
    assert "--nsid 2: namespace 2: " in said(capsys, "--nsid=2")


def test_a_report_that_was_there_stays_when_the_options_are_wrong(tmp_path):
    report = tmp_path / "report"
    report.write_text("old")

    assert perf.main([NULL, f"--output={report}", "--bs=100"]) == 2

    assert report.read_text() == "old"


def test_no_empty_report_is_left_behind(tmp_path):
    assert perf.main([NULL, f"--output={tmp_path / 'report'}", "--bs=100"]) == 2

    assert list(tmp_path.iterdir()) == []


def test_help_has_names_defaults_and_exit_codes(capsys):
    assert perf.main(["--help"]) == 0

    text = " ".join(capsys.readouterr().out.split())
    for part in (
        "--iodepth N commands in flight, of each job (default: 32",
        "--bs SIZE, --blocksize SIZE bytes a command; or READ,WRITE,TRIM (default: 4k)",
        "exit codes: 0 all well; 1 ",
        "without meaning here: allow_file_create",
        "DESTROY THE DATA",
    ):
        assert part in text


def test_ctrl_c_ends_a_run_with_its_report(tmp_path):
    code = "import sys; from nvme.perf import main; sys.exit(main(sys.argv[1:]))"
    log = tmp_path / "out"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", code, NULL, "--runtime=300", "--rw=randread"],
            stdout=out,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYNVME_PROGRESS": "1"},
            text=True,
            # What runs in the background may have been told to ignore it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        try:
            while "IOPS" not in process.stderr.readline():  # the line of progress: it runs
                pass
            process.send_signal(signal.SIGINT)
            err = process.communicate(timeout=300)[1]
        finally:
            process.kill()

    assert process.returncode == 130
    assert "read: IOPS=" in log.read_text()
    assert "Traceback" not in err
    assert err.endswith("pynvme perf: interrupted\n")


# --- values ---


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("512", 512), ("4k", 4096), ("4KiB", 4096), ("4kb", 4096), ("4ki", 4096), ("1M", M),
        ("2g", 2 << 30), ("1T", 1 << 40), ("1p", 1 << 50), ("0x1000", 4096), ("0x1k", K),
        ("1.5k", 1536), ("4096b", 4096), ("0", 0),
    ],
)  # fmt: skip
def test_sizes(text, bytes_):
    assert values.size_of(text) == bytes_


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10", 10), ("1.5s", 1.5), ("2m", 120), ("1h", 3600), ("1d", 86400), ("500ms", 0.5),
        ("250usec", 0.00025), ("1000h", 3600000),
    ],
)  # fmt: skip
def test_times(text, seconds):
    assert values.seconds_of(text) == seconds


@pytest.mark.parametrize(
    ("text", "reads", "writes", "trims"),
    [
        ("8k", {8 * K: 1}, {8 * K: 1}, {8 * K: 1}),
        ("8k,32k", {8 * K: 1}, {32 * K: 1}, {32 * K: 1}),
        ("8k,32k,", {8 * K: 1}, {32 * K: 1}, None),
        (",8k", None, {8 * K: 1}, {8 * K: 1}),
        ("4k,8k,16k", {4 * K: 1}, {8 * K: 1}, {16 * K: 1}),
    ],
)
def test_block_sizes_of_directions(text, reads, writes, trims):
    assert values.blocks_of(text) == (reads, writes, trims)


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("4k/10:64k/50:32k/40", {4 * K: 1000, 64 * K: 5000, 32 * K: 4000}),
        ("4k/60:64k/", {4 * K: 6000, 64 * K: 4000}),
        ("4k/50:8k:16k", {4 * K: 5000, 8 * K: 2500, 16 * K: 2500}),
        ("4k/33.33:8k/66.67", {4 * K: 3333, 8 * K: 6667}),
        ("4k/0:8k/100", {8 * K: 10000}),
    ],
)
def test_splits(text, weights):
    assert values.splits_of(text) == (weights,) * 3


def test_splits_of_directions():
    reads, writes, trims = values.splits_of("2k/50:4k/50,4k/90:8k/10")

    assert reads == {2 * K: 5000, 4 * K: 5000}
    assert writes == trims == {4 * K: 9000, 8 * K: 1000}


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("4k-16k", [4 * K, 8 * K, 12 * K, 16 * K]),
        ("8k:4k", [4 * K, 8 * K]),
        ("4k-10k", [4 * K, 8 * K]),
    ],
)
def test_ranges(text, sizes):
    assert list(values.ranges_of(text)[0]) == sizes


@pytest.mark.parametrize(
    ("text", "cpus"), [("0", [0]), ("0-3,6", [0, 1, 2, 3, 6]), ("1,1", [1, 1])]
)
def test_lists_of_cpus(text, cpus):
    assert values.cpus_of(text) == cpus


@pytest.mark.parametrize("text", ["50", "50%"])
def test_an_amount_is_bytes_or_a_part(text):
    assert values.amount_of(text).of(1000) == {"50": 50, "50%": 500}[text]


def test_a_boolean_is_0_or_1():
    assert [values.flag_of(text) for text in ("0", "1", "false", "true")] == [False, True] * 2
    with pytest.raises(argparse.ArgumentTypeError):
        values.flag_of("yes")


# --- what a job means on its device ---


@pytest.fixture(scope="module")
def device():
    return Device(NULL)


def plan(device, *flags, number=0):
    (job,) = run_of([NULL, *flags]).jobs
    return plan_of(job, number, device)


@pytest.mark.parametrize(
    ("flags", "begin", "end"),
    [
        ([], 0, 131072),
        (["--offset=1m"], 2048, 131072),
        (["--offset=1m", "--size=1m"], 2048, 4096),
        (["--offset=63m", "--size=2m"], 129024, 131072),
        (["--offset=25%", "--size=50%"], 32768, 98304),
        (["--offset=512", "--size=8k"], 1, 17),
    ],
)
def test_the_region_of_a_job(device, flags, begin, end):
    found = plan(device, *flags)

    assert (found.begin, found.end) == (begin, end)


def test_each_worker_begins_further_on(device):
    flags = ("--offset=1m", "--offset_increment=2m", "--size=1m")

    assert [plan(device, *flags, number=n).begin for n in range(3)] == [2048, 6144, 10240]


@pytest.mark.parametrize(
    ("flags", "count", "seconds"),
    [
        ([], 0, 10),
        (["--size=1m"], 256, 0),
        (["--size=1m", "--bs=64k"], 16, 0),
        (["--size=1m", "--loops=3"], 768, 0),
        (["--size=1m", "--runtime=5"], 256, 5),
        (["--size=1m", "--runtime=5", "--time_based"], 0, 5),
        (["--size=1m", "--time_based"], 0, 10),
        (["--size=1m", "--io_size=4m"], 1024, 0),
        (["--size=1m", "--number_ios=10"], 10, 0),
        (["--size=1m", "--number_ios=1000"], 256, 0),
        (["--number_ios=1000"], 1000, 0),
        (["--runtime=5"], 0, 5),
        (["--size=1m", "--bssplit=4k/50:12k/50"], 128, 0),
        (["--offset=63m", "--size=2m"], 256, 0),
    ],
)
def test_what_ends_a_run(device, flags, count, seconds):
    found = plan(device, *flags)

    assert (found.count, found.seconds) == (count, seconds)


@pytest.mark.parametrize(
    ("flags", "iops"),
    [
        (["--rate=4m"], 1024),
        (["--rate=4m", "--bs=64k"], 64),
        (["--rate_iops=100,50"], 150),
        (["--rate=4m", "--rate_iops=100"], 100),
        ([], 0),
        (["--rate_iops=0.5"], 0.5),
    ],
)
def test_the_lower_rate_counts(device, flags, iops):
    assert plan(device, *flags).iops == iops


def test_workers_take_turns_with_the_cpus(device):
    ours = sorted(os.sched_getaffinity(0))
    flag = f"--cpus_allowed={ours[-1]},{ours[0]}"

    assert [plan(device, flag, number=n).cpu for n in range(3)] == [ours[-1], ours[0], ours[-1]]
    assert plan(device).cpu == -1


@pytest.mark.parametrize(
    ("flags", "percent"),
    [
        (["--rw=read"], 0),
        (["--rw=randread"], 100),
        (["--rw=randread", "--percentage_random=30"], 30),
        (["--rw=read", "--percentage_random=30"], 0),
    ],
)
def test_the_random_part(device, flags, percent):
    assert plan(device, *flags).job.random_percent == percent


def test_what_a_worker_is_told(device, monkeypatch):
    told = []
    monkeypatch.setattr("nvme.perf.plan.IOWorker", lambda namespace, **all: told.append(all))
    cpu = max(os.sched_getaffinity(0))

    plan(
        device, "--rw=randrw", "--rwmixread=70", "--bs=8k", "--iodepth=9", "--ioengine=psync",
        "--size=1m", "--offset=1m", f"--cpus_allowed={cpu}", "--rate_iops=5", "--runtime=3",
    ).worker()  # fmt: skip

    (found,) = told
    assert found == {
        "io_size": 16,
        "lba_random": 100,
        "op_percentage": {2: 70, 1: 30},
        "time": 3,
        "iodepth": 1,
        "region_start": 2048,
        "region_end": 4096,
        "iops": 5,
        "io_count": 128,
        "output_io_per_second": [],
        "_cpu": cpu,
    }


# --- anything at all ---

ODD = (
    "", "0", "1", "-1", "2", "7", "512", "513", "4k", "64k", "1m", "1g", "99t", "1e3", "0x", "0x10",
    "nan", "inf", "x", "50%", "101%", "%", "4k-8k", "4k/50:8k/50", "4k,8k", ",", ":", "/", "-", "=",
    "1d", "1001h", "randrw", "write", "crc32c", "md5", "0-1", "9999", "\u0664", "\u00e9", "1 2",
    "4k/50", "8k/0", "-4k", "1.5", ".", "true", "sim", "99999999999999999999999999",
)  # fmt: skip
OFTEN = {"rw": ("randrw", "write", "randread"), "size": ("1m", "50%"), "bs": ("4k", "8k")}


def test_whatever_is_asked_for_is_planned_or_refused_by_name(device):
    choices = random.Random(11)
    planned = refused = 0
    for _ in range(3000):
        names = choices.sample(sorted(options.JOB_OPTIONS - {"filename"}), choices.randrange(1, 5))
        argv = [
            f"--{name}={choices.choice(OFTEN.get(name, ODD) if choices.random() < 0.7 else ODD)}"
            for name in names
        ]
        why = ""
        try:
            (job,) = run_of([NULL, *argv]).jobs
            found = plan_of(job, 0, device)
        except UsageError as error:
            why = str(error)
        if why:
            refused += 1
            assert any(f"--{name}" in why for name in names), (argv, why)
            assert "\n" not in why
        else:
            planned += 1
            assert 0 <= found.begin < found.end <= 131072, argv
            assert found.count or found.seconds, argv
            found.worker()
    assert min(planned, refused) > 150
