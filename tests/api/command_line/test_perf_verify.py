"""``pynvme perf --verify``: what it finds, and what it does not."""

import json

import pytest

import nvme as d
from nvme import perf
from nvme.perf.jobs import run_of
from nvme.perf.plan import Plan
from nvme.perf.runner import run

HEALTHY = "sim:size=32M,latency=none"
JITTERY = "sim:size=32M,jitter=90"
#: Takes writes and gives zeros back.
FORGETFUL = "sim:size=32M,latency=none,media=null"
MISMATCH = "02/81"


def report(capsys, *flags, status=0):
    got = perf.main([*flags, "--output-format=json"])
    out, err = capsys.readouterr()
    assert got == status, err
    return json.loads(out)["jobs"], err


@pytest.mark.parametrize("rw", ["randrw", "rw", "randwrite", "write"])
@pytest.mark.parametrize("numjobs", [1, 2])
def test_a_healthy_drive_is_not_accused(capsys, rw, numjobs):
    # Few LBAs and many commands: reads and writes of the same LBA meet in flight.
    flags = ("--size=256k", "--io_size=16m", "--iodepth=64", f"--rw={rw}", f"--numjobs={numjobs}")

    found, _ = report(capsys, JITTERY, "--verify", *flags)

    for job in found:
        assert (job["error"], job["verify"]["error"]) == (0, 0)
        assert job["verify"]["total_ios"] > 0


def test_who_wrote_nothing_reads_nothing_back(capsys):
    flags = ("--rw=randrw", "--rwmixread=99", "--number_ios=1", "--randseed=1")

    ((job,), _) = report(capsys, HEALTHY, "--verify", *flags)

    assert (job["read"]["total_ios"], job["write"]["total_ios"]) == (1, 0)
    assert "verify" not in job


@pytest.mark.parametrize("rw", ["write", "randwrite"])
def test_writes_alone_are_checked(capsys, rw):
    (job,), err = report(capsys, FORGETFUL, "--verify", f"--rw={rw}", "--number_ios=300", status=1)

    assert job["write"]["total_ios"] == 300
    assert job["verify"]["error"] == 0x281
    assert "read back" in err
    assert MISMATCH in err


def test_reads_of_a_mix_are_checked_at_once(capsys):
    _, err = report(
        capsys, FORGETFUL, "--verify", "--rw=randrw", "--number_ios=5000", "--size=64k",
        "--io_size=32m", status=1,
    )  # fmt: skip

    assert MISMATCH in err
    assert "read back" not in err


def test_nothing_is_read_back_on_request(capsys):
    flags = ("--verify", "--do_verify=0", "--rw=write", "--number_ios=300")

    (job,), _ = report(capsys, FORGETFUL, *flags)

    assert "verify" not in job


def test_without_verify_nothing_is_compared(capsys):
    (job,), _ = report(capsys, FORGETFUL, "--rw=rw", "--number_ios=300")

    assert "verify" not in job


@pytest.mark.parametrize("way", ["0", "null"])
def test_verification_can_be_said_to_be_off(capsys, way):
    report(capsys, FORGETFUL, f"--verify={way}", "--rw=write", "--number_ios=300")


@pytest.mark.parametrize("way", ["md5", "crc32c-intel", "sha256", "1"])
def test_any_way_of_fio_means_the_one_there_is(capsys, way):
    flags = (f"--verify={way}", "--rw=write", "--number_ios=300")

    _, err = report(capsys, FORGETFUL, *flags, status=1)

    assert MISMATCH in err
    assert err.count("checked by CRC32C") == (0 if way == "1" else 1)


def test_few_random_writes_on_a_large_drive_are_found_again_without_reading_all_of_it():
    (task,) = run(
        run_of(["sim:latency=none", "--verify", "--rw=randwrite", "--number_ios=99"]).jobs
    ).tasks

    assert task.checked.close().io_count_read == 99


def test_a_job_that_reads_what_another_wrote_is_checked(capsys, tmp_path):
    job = tmp_path / "two.fio"
    job.write_text(
        "[global]\nsize=1m\nverify=crc32c\ndo_verify=0\n"
        "[first]\nrw=write\n[second]\nstonewall\nrw=read\n"
    )

    report(capsys, HEALTHY, str(job))
    _, err = report(capsys, FORGETFUL, str(job), status=1)

    assert "pynvme perf: second: ioworker ERROR status: 02/81, host: data mismatch" in err


def test_what_is_written_only_later_cannot_be_checked(capsys):
    flags = (
        "--verify",
        "--size=1m",
        "--name=a",
        "--rw=read",
        "--name=b",
        "--stonewall",
        "--rw=write",
    )

    assert perf.main([HEALTHY, *flags]) == 2
    assert "--verify: --rw read has nothing to check" in capsys.readouterr().err


def test_locks_are_there_for_the_run_and_no_longer(monkeypatch):
    asked = []
    real = d.Namespace.verify_enable

    def enable(self, enable=True):
        asked.append(enable)
        return real(self, enable)

    monkeypatch.setattr(d.Namespace, "verify_enable", enable)
    perf.main([HEALTHY, "--verify", "--rw=write", "--number_ios=10"])

    assert asked == [True, False]


def test_a_drive_that_cannot_be_checked_is_refused(capsys, monkeypatch):
    monkeypatch.setattr(d.Namespace, "verify_enable", lambda self, enable=True: False)

    assert perf.main([HEALTHY, "--verify", "--rw=write", "--number_ios=10"]) == 2
    assert "--verify: namespace 1 cannot be checked" in capsys.readouterr().err


def test_reading_back_is_bound_to_no_rate_and_no_time(monkeypatch):
    asked = []
    real = Plan.worker
    monkeypatch.setattr(
        Plan, "worker", lambda self, **changed: asked.append(changed) or real(self, **changed)
    )

    perf.main([HEALTHY, "--verify", "--rw=write", "--number_ios=10", "--rate_iops=1000"])

    assert asked[0] == {}
    assert (asked[1]["time"], asked[1]["iops"], asked[1]["io_count"]) == (0, 0, 10)


def test_verification_and_locks_end_with_the_run(own_namespace):
    before = d.config()

    assert perf.main([HEALTHY, "--verify", "--rw=write", "--number_ios=10"]) == 0

    assert d.config() == before == 0
