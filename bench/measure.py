"""One run of our worker, one run of fio: IOPS and CPU time of a command."""

import json
import subprocess
from typing import NamedTuple

import nvme as d
from nvme.ioworker import IOWorker

CPU = 0
LBAS = 8  # of 512 bytes: 4 KiB


class Run(NamedTuple):
    """What came out of one run."""

    iops: float
    cpu_ns: float  # of a command
    mean_ns: float  # latency
    error: int = 0


class Drive:
    """A software SSD and its namespace."""

    def __init__(self, address: str) -> None:
        self.nvme = d.Controller(address)
        self.namespace = d.Namespace(self.nvme)

    def close(self) -> None:
        self.namespace.close()


def _run(worker: IOWorker) -> Run:
    results = worker.close()
    count = results.io_count_read + results.io_count_nonread
    run_ns = worker.run_ns
    return Run(
        iops=count / (run_ns / 1e9),
        cpu_ns=results.cpu_usage * run_ns / count,
        mean_ns=results.latency_average_us * 1000,
        error=results.error,
    )


def workers(
    drive: Drive,
    seconds: float,
    qdepth: int,
    *,
    jobs: int = 1,
    reads: int = 100,
    random: bool = True,
    region_lbas: int = 2**64 - 1,
    count: int = 0,
) -> Run:
    """Reads and writes of 4 KiB by so many workers at once; the first one on CPU 0 if alone."""
    started = [
        IOWorker(
            drive.namespace,
            io_size=LBAS,
            lba_random=random,
            read_percentage=reads,
            time=seconds,
            io_count=count,
            iodepth=qdepth,
            region_end=region_lbas,
            _cpu=CPU if jobs == 1 else -1,
        ).start()
        for _ in range(jobs)
    ]
    runs = [_run(worker) for worker in started]
    return Run(
        iops=sum(run.iops for run in runs),
        cpu_ns=sum(run.cpu_ns for run in runs) / jobs,
        mean_ns=sum(run.mean_ns for run in runs) / jobs,
        error=max(run.error for run in runs),
    )


def fio(*flags: str, seconds: float = 0.5) -> Run:
    """One run of fio on CPU 0, with its statistics on."""
    command = [
        "fio",
        "--name=bench",
        "--bs=4k",
        f"--cpus_allowed={CPU}",
        "--output-format=json",
        "--verify_state_save=0",
        *flags,
    ]
    if seconds:
        command += ["--time_based", f"--runtime={round(seconds * 1000)}ms"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    # Some versions print notes before the report.
    job = json.loads(done.stdout[done.stdout.index("{") :])["jobs"][0]
    side = job["read"] if job["read"]["total_ios"] else job["write"]
    busy = (job["usr_cpu"] + job["sys_cpu"]) / 100 * side["runtime"] * 1e6
    return Run(iops=side["iops"], cpu_ns=busy / side["total_ios"], mean_ns=side["lat_ns"]["mean"])
