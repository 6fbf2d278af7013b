"""Running the jobs: group by group, each with a ramp before it and a check behind it."""

from __future__ import annotations

import contextlib
import random
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import nvme as d
from nvme.command_line import UsageError
from nvme.ioworker import IOWorker
from nvme.perf.options import OPCODE_WRITE, Job
from nvme.perf.plan import Device, Plan, check_queues, plan_of
from nvme.perf.read_back import read_back
from nvme.perf.samples import Sampler
from nvme.progress import Progress, wanted

SEED_BITS = 63
LOOK_SECONDS = 0.02
LOOK_SECONDS_SHOWN = 0.5


@dataclass
class Task:
    """One worker, what it is to do, and what became of it."""

    plan: Plan
    worker: IOWorker
    seed: int
    sampler: Sampler = field(default_factory=Sampler)
    checked: IOWorker | None = None

    @property
    def job(self) -> Job:
        """Whose worker it is."""
        return self.plan.job


@dataclass
class Outcome:
    """All workers, in the order of the jobs, and what there was to complain about."""

    tasks: list[Task] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    interrupted: bool = False


def _tasks(jobs: Sequence[Job], devices: dict[str, Device]) -> list[Task]:
    """The workers, not started."""
    tasks = []
    for job in jobs:
        base = random.getrandbits(SEED_BITS) if job.randseed is None else job.randseed
        for number in range(job.numjobs):
            plan = plan_of(job, number, devices[job.filename])
            seed = (base + number) % (1 << SEED_BITS)
            d.srand(seed)
            tasks.append(Task(plan, plan.worker(), seed))
    return tasks


def _watch(workers: Sequence[IOWorker], samplers: Sequence[Sampler] = ()) -> None:
    """Shows a line until all have ended."""
    on = wanted(float("inf"))
    began = time.monotonic()
    with Progress(float("inf")) as line:
        while any(worker.running for worker in workers):
            time.sleep(LOOK_SECONDS_SHOWN if on else LOOK_SECONDS)
            every = [worker.snapshot for worker in workers]
            elapsed = time.monotonic() - began
            for sampler, one in zip(samplers, every, strict=False):
                sampler.look(elapsed, one[2], one[3])
            line.show(
                (
                    True,
                    min(one[1] for one in every),
                    sum(one[2] for one in every),
                    sum(one[3] for one in every),
                    sum(one[4] for one in every),
                )
            )


class _Runner:
    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome

    def run(self, named: Sequence[tuple[str, IOWorker]], samplers: Sequence[Sampler] = ()) -> bool:
        """Workers from start to end, side by side; whether all of them ended well."""
        before = len(self.outcome.complaints)
        started = []
        try:
            for name, worker in named:
                worker.start()
                started.append((name, worker))
            _watch([worker for _, worker in named], samplers)
        except KeyboardInterrupt:
            self.outcome.interrupted = True
        finally:
            for _, worker in started:
                worker.stop()
            for name, worker in started:
                self._close(name, worker)
        return not self.outcome.interrupted and len(self.outcome.complaints) == before

    def _close(self, name: str, worker: IOWorker) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            worker.close()
        self.outcome.complaints += [f"{name}: {one.message}" for one in caught]

    def group(self, tasks: Sequence[Task]) -> None:
        """Jobs that run at the same time."""
        ramps = [
            (f"{task.job.name}, ramp", task.plan.worker(time=task.job.ramp_time, io_count=0))
            for task in tasks
            if task.job.ramp_time
        ]
        if ramps and not self.run(ramps):
            return
        named = [(task.job.name, task.worker) for task in tasks]
        self.outcome.tasks += tasks
        if self.run(named, [task.sampler for task in tasks]):
            self.check(tasks)

    def check(self, tasks: Sequence[Task]) -> None:
        """Read back what the verified jobs among them wrote."""
        named = []
        for task in tasks:
            if task.job.verified and task.job.do_verify:
                task.checked = read_back(task.plan, task.worker, task.seed)
            if task.checked:
                named.append((f"{task.job.name}, read back", task.checked))
        if named:
            self.run(named)


def _check_verify(jobs: Sequence[Job]) -> None:
    """Data are checked against what the run itself has written."""
    written: set[tuple[str, int]] = set()
    for job in jobs:
        place = (job.filename, job.nsid)
        if OPCODE_WRITE in job.mix:
            written.add(place)
        elif job.verified and not any(
            OPCODE_WRITE in other.mix and (other.filename, other.nsid) == place
            for other in jobs
            if other.group <= job.group
        ):
            raise UsageError(
                f"--verify: {job.word('rw')} {job.rw} has nothing to check: what a run checks is "
                "what it wrote itself (write, randwrite, rw, randrw, or a job before that writes)"
            )


@contextlib.contextmanager
def _verification(jobs: Sequence[Job], devices: dict[str, Device]) -> Iterator[None]:
    """Data are checked, and LBAs in flight locked, as long as a job wants it."""
    if not any(job.verified for job in jobs):
        yield
        return
    before = d.config() & 1
    if not d.config(verify=True) & 1:
        raise UsageError("--verify: no memory to keep the checksums in")
    namespaces = [one for device in devices.values() for one in device.namespaces]
    try:
        for namespace in namespaces:
            if not namespace.verify_enable():
                raise UsageError(f"--verify: namespace {namespace.nsid} cannot be checked")
        yield
    finally:
        for namespace in namespaces:
            namespace.verify_enable(False)
        d.config(verify=bool(before))


def run(jobs: Sequence[Job]) -> Outcome:
    """Runs all jobs. UsageError and the errors of Controller and Namespace: nothing was sent."""
    _check_verify(jobs)
    devices = {address: Device(address) for address in dict.fromkeys(j.filename for j in jobs)}
    check_queues(list(jobs), devices)
    tasks = _tasks(jobs, devices)
    outcome = Outcome()
    runner = _Runner(outcome)
    with _verification(jobs, devices):
        for group in sorted({job.group for job in jobs}):
            if not outcome.interrupted:
                runner.group([task for task in tasks if task.job.group == group])
    return outcome
