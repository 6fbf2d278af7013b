"""Command lines and job files of fio, as people paste them."""

import json
import os
import shlex

import pytest

from nvme import perf
from nvme.command_line import UsageError
from nvme.perf.jobs import run_of

NULL = "sim:size=64M,media=null,latency=none"
K, M, G = 1 << 10, 1 << 20, 1 << 30


def jobs_of(line):
    return run_of(shlex.split(line)).jobs


def job_of(line):
    (job,) = jobs_of(line)
    return job


@pytest.fixture
def jobfile(tmp_path):
    """Writes a job file and gives its path."""

    def write(text, name="job.fio"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


# --- command lines ---

POPULAR = (
    "--randrepeat=1 --ioengine=libaio --direct=1 --gtod_reduce=1 --name=test --filename=01:00.0 "
    "--bs=4k --iodepth=64 --size=4G --readwrite=randrw --rwmixread=75"
)
ONE_DASH = (
    "-filename=01:00.0 -direct=1 -iodepth 4 -thread -rw=randread -ioengine=psync -bs=16k "
    "-size=200G -numjobs=10 -runtime=1000 -group_reporting -name=mytest"
)
CLOUD = (
    "--name=write_iops --filename=01:00.0 --size=10G --time_based --runtime=60s --ramp_time=2s "
    "--ioengine=libaio --direct=1 --verify=0 --bs=4K --iodepth=256 --rw=randwrite "
    "--group_reporting=1"
)


def test_a_popular_line():
    job = job_of(POPULAR)

    assert (job.name, job.filename, job.rw, job.rwmixread) == ("test", "01:00.0", "randrw", 75)
    assert (job.bs[0], job.depth, job.size.bytes) == ({4 * K: 1}, 64, 4 * G)


def test_a_line_with_single_dashes_and_spaces():
    job = job_of(ONE_DASH)

    assert (job.name, job.rw, job.numjobs, job.runtime) == ("mytest", "randread", 10, 1000)
    assert job.group_reporting
    assert job.depth == 1, "as with any synchronous engine"


def test_a_line_of_a_cloud_vendor():
    job = job_of(CLOUD)

    assert (job.time_based, job.runtime, job.ramp_time) == (True, 60, 2)
    assert (job.rw, job.depth, job.verified) == ("randwrite", 256, False)


@pytest.mark.parametrize("line", [POPULAR, ONE_DASH, CLOUD])
def test_what_has_no_meaning_is_said_once(line):
    notes = run_of(shlex.split(line)).notes

    (ignored,) = [note for note in notes if "without meaning here" in note]
    assert ignored.count("direct") == 1


def test_what_is_not_offered_may_be_switched_off():
    (note,) = run_of(["--fsync=0", "--zonemode", "none", "--kb_base=1024"]).notes

    assert note == "without meaning here, and ignored: fsync, zonemode, kb_base"
    with pytest.raises(UsageError, match="--fsync of fio is not offered"):
        run_of(["--fsync=1"])


def test_dashes_and_underscores_are_alike():
    assert job_of("--rate-iops=5 --time-based").rate_iops == 5


def test_names_begin_jobs():
    first, second = jobs_of("--bs=8k --name=a --rw=read --name=b --rw=write --bs=16k")

    assert [(j.name, j.rw, j.bs[0]) for j in (first, second)] == [
        ("a", "read", {8 * K: 1}),
        ("b", "write", {16 * K: 1}),
    ]


def test_a_global_section_is_for_the_jobs_behind_it():
    first, second = jobs_of("--name=a --name=global --bs=8k --name=b")

    assert (first.bs[0], second.bs[0]) == ({4 * K: 1}, {8 * K: 1})


def test_without_a_name_there_is_one_job():
    assert [(job.name, job.filename) for job in jobs_of("")] == [("perf", "sim")]


def test_the_last_of_two_values_counts():
    assert job_of("--iodepth=3 --iodepth=5").iodepth == 5


@pytest.mark.parametrize(
    ("line", "reads"), [("--rwmixread=30", 30), ("--rwmixwrite=30", 70), ("--rw=randrw", 50)]
)
def test_a_mix_is_given_from_either_side(line, reads):
    assert job_of(line).rwmixread == reads


@pytest.mark.parametrize(
    ("rw", "mix"),
    [
        ("read", {2: 100}), ("write", {1: 100}), ("trim", {9: 100}), ("randread", {2: 100}),
        ("randwrite", {1: 100}), ("randtrim", {9: 100}), ("rw", {2: 70, 1: 30}),
        ("readwrite", {2: 70, 1: 30}), ("RANDRW", {2: 70, 1: 30}),
    ],
)  # fmt: skip
def test_the_opcodes_of_a_pattern(rw, mix):
    assert job_of(f"--rw={rw} --rwmixread=70").mix == mix


def test_a_device_by_itself_stands_in_for_filename():
    assert [job.filename for job in jobs_of("sim:size=1G --filename=/dev/nvme0n1")] == [
        "sim:size=1G"
    ]


def test_colons_of_a_filename_may_be_escaped():
    assert job_of(r"--filename='0000\:01\:00.0'").filename == "0000:01:00.0"


@pytest.mark.parametrize(
    ("line", "way"),
    [("--verify", "crc32c"), ("--verify --rw=rw", "crc32c"), ("--verify md5", "md5")],
)
def test_verify_needs_no_value(line, way):
    assert job_of(line).verify == way


def test_verify_leaves_the_device_alone():
    assert job_of("--verify sim:size=1G").filename == "sim:size=1G"


# --- job files ---

FILE = """
; a comment
# another
[global]
ioengine=libaio
filename = /dev/nvme0n1
bs=8k
iodepth=16

[seq]
rw=write
size=50%

[rand]   ; behind it
stonewall
rw=randrw
rwmixread=70
bs=4k
numjobs=2
time_based
runtime=30
"""


def test_a_job_file(jobfile):
    seq, rand = jobs_of(f"{jobfile(FILE)} sim")

    assert (seq.name, seq.rw, seq.bs[0], seq.iodepth) == ("seq", "write", {8 * K: 1}, 16)
    assert (seq.filename, seq.size.percent, seq.group) == ("sim", 50, 0)
    assert (rand.name, rand.rw, rand.bs[0], rand.numjobs) == ("rand", "randrw", {4 * K: 1}, 2)
    assert (rand.time_based, rand.runtime, rand.group) == (True, 30, 1)


def test_a_job_file_has_the_defaults_of_fio(jobfile):
    (job,) = jobs_of(jobfile("[a]\n"))

    assert (job.rw, job.iodepth) == ("read", 1)


def test_the_command_line_wins_over_the_file(jobfile):
    seq, rand = jobs_of(f"--iodepth=2 {jobfile(FILE)} --runtime=5")

    assert [job.iodepth for job in (seq, rand)] == [2, 2]
    assert [job.runtime for job in (seq, rand)] == [5, 5]


def test_a_section_of_its_own(jobfile):
    (job,) = jobs_of(f"{jobfile(FILE)} --section=rand")

    assert job.name == "rand"


def test_several_global_sections(jobfile):
    text = "[global]\nbs=8k\n[a]\n[global]\nbs=16k\niodepth=7\n[b]\n"

    assert [(j.bs[0], j.iodepth) for j in jobs_of(jobfile(text))] == [
        ({8 * K: 1}, 1),
        ({16 * K: 1}, 7),
    ]


def test_jobs_of_one_name_stay_apart(jobfile):
    assert [j.rw for j in jobs_of(jobfile("[a]\nrw=read\n[a]\nrw=write\n"))] == ["read", "write"]


def test_files_run_one_after_the_other(jobfile):
    line = f"{jobfile('[a]', 'a.fio')} {jobfile('[b]', 'b.fio')}"

    assert [(job.name, job.group) for job in jobs_of(line)] == [("a", 0), ("b", 1)]


def test_a_wall_before_the_first_job_changes_nothing(jobfile):
    text = "[global]\nstonewall\n[a]\n[b]\n[c]\nwait_for_previous=0\n"

    assert [job.group for job in jobs_of(jobfile(text))] == [0, 1, 2 - 1]


def test_variables_and_keywords_are_filled_in(jobfile, monkeypatch):
    monkeypatch.setenv("DEPTH", "9")

    (job,) = jobs_of(jobfile("[a]\niodepth=${DEPTH}\nnumjobs=$ncpus\nbs=$pagesize\n"))

    assert (job.iodepth, job.numjobs) == (9, os.cpu_count())
    assert job.bs[0] == {os.sysconf("SC_PAGE_SIZE"): 1}


def test_files_include_others(jobfile):
    jobfile("iodepth=5\ninclude deeper.inc\n", "common.inc")
    jobfile("bs=8k\n", "deeper.inc")

    (job,) = jobs_of(jobfile("[a]\ninclude common.inc\n"))

    assert (job.iodepth, job.bs[0]) == (5, {8 * K: 1})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a]\niodepth=5000\n", "job.fio line 2: --iodepth: not a number of 1..1023: '5000'"),
        (
            "[a]\n\n\niodepht=5\n",
            "job.fio line 4: unknown option --iodepht: did you mean --iodepth",
        ),
        ("[a]\nthinktime=5\n", "job.fio line 2: --thinktime of fio is not offered here"),
        ("[a]\niodepth\n", "job.fio line 2: iodepth needs a value"),
        ("[a]\noutput=x\n", "job.fio line 2: output belongs on the command line"),
        ("bs=4k\n[a]\n", "job.fio line 1: an option before the first [section]"),
        ("[global]\nbs=4k\n", "job.fio: there is no job in it"),
        ("", "job.fio: there is no job in it"),
        ("[a]\ninclude job.fio\n", "job.fio: includes itself"),
        ("[a]\ninclude nothing.inc\n", "nothing.inc: No such file or directory"),
    ],
)
def test_a_wrong_line_of_a_file_is_found(jobfile, text, said):
    with pytest.raises(UsageError) as error:
        jobs_of(jobfile(text))

    assert said in str(error.value)


def test_a_file_that_is_missing_is_one_line(capsys):
    assert perf.main(["missing.fio"]) == 2
    assert capsys.readouterr().err == "pynvme perf: missing.fio: No such file or directory\n"


def test_a_file_that_is_no_text_is_refused(jobfile, tmp_path):
    (tmp_path / "x.fio").write_bytes(b"[a]\n\xff\xfe\n")

    with pytest.raises(UsageError, match="is not a text"):
        jobs_of(str(tmp_path / "x.fio"))


def test_names_and_files_do_not_mix(jobfile):
    with pytest.raises(UsageError, match="--name begins a job"):
        jobs_of(f"--name=x {jobfile('[a]')}")


# --- and they run ---


def report(capsys, *flags):
    status = perf.main([*flags, "--output-format=json"])
    out, err = capsys.readouterr()
    assert status == 0, err
    return json.loads(out)["jobs"], err


def test_a_pasted_file_runs(capsys, jobfile):
    text = FILE.replace("runtime=30", "runtime=1").replace("size=50%", "size=1m")

    found, err = report(capsys, NULL, jobfile(text))

    assert [(job["jobname"], job["groupid"]) for job in found] == [
        ("seq", 0),
        ("rand", 1),
        ("rand", 1),
    ]
    assert found[0]["write"]["io_bytes"] == M
    assert min(job["read"]["total_ios"] for job in found[1:]) > 0
    assert found[0]["job options"]["ioengine"] == "libaio"
    assert err == "pynvme perf: without meaning here, and ignored: ioengine\n"


def test_a_pasted_line_runs(capsys):
    line = ONE_DASH.replace("200G", "1M").replace("01:00.0", NULL)

    (job,), err = report(capsys, *shlex.split(line))

    assert job["read"]["io_bytes"] == 10 * M
    assert "psync has one command in flight" in err


def test_jobs_behind_a_wall_wait_for_those_before_it(capsys, monkeypatch):
    from nvme.perf import runner

    began = []
    monkeypatch.setattr(
        runner._Runner, "group", lambda self, tasks: began.append([t.job.name for t in tasks])
    )

    perf.main(shlex.split(f"{NULL} --name=a --name=b --name=c --stonewall --name=d"))

    assert began == [["a", "b"], ["c", "d"]]


def test_a_ramp_is_not_counted(capsys):
    (job,), _ = report(capsys, NULL, "--ramp_time=500ms", "--number_ios=1000", "--rate_iops=10000")

    assert job["read"]["total_ios"] == 1000


def test_a_ramp_has_the_load_of_the_run(monkeypatch):
    from nvme.perf.plan import Plan

    asked = []
    real = Plan.worker
    monkeypatch.setattr(
        Plan, "worker", lambda self, **changed: asked.append(changed) or real(self, **changed)
    )

    perf.main([NULL, "--ramp_time=100ms", "--number_ios=10"])

    assert asked == [{}, {"time": 0.1, "io_count": 0}]


def test_sizes_of_a_split_come_as_often_as_asked(capsys):
    (job,), _ = report(capsys, NULL, "--bssplit=4k/75:64k/25", "--number_ios=8000")

    mean = job["read"]["io_bytes"] / job["read"]["total_ios"]
    assert 17.5 * K < mean < 20.5 * K  # 19 KiB on average


@pytest.mark.parametrize("rw", ["write", "read", "randread", "randtrim"])
def test_size_ends_a_run(capsys, rw):
    (job,), _ = report(capsys, NULL, f"--rw={rw}", "--size=1m", "--offset=8m")

    assert sum(job[side]["io_bytes"] for side in ("read", "write", "trim")) == M


def test_a_run_by_time_goes_round_its_size(capsys):
    (job,), _ = report(
        capsys, NULL, "--rw=write", "--size=64k", "--time_based", "--runtime=300ms", "--verify=0"
    )

    assert job["write"]["io_bytes"] > 64 * K
    assert job["job_runtime"] >= 300
