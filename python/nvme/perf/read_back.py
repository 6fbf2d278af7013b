"""What a verified job wrote is read again once all jobs of its group have ended."""

from __future__ import annotations

import nvme as d
from nvme.ioworker import IOWorker
from nvme.perf.options import OPCODE_READ, OPCODE_WRITE
from nvme.perf.plan import Plan


def _lbas(worker: IOWorker) -> int:
    """LBAs that it passed over, whatever it did there."""
    return sum(row[2] for row in worker.opcodes)


def read_back(plan: Plan, worker: IOWorker, seed: int) -> IOWorker | None:
    """A worker that reads, and so checks, what `worker` wrote; None: it wrote nothing.

    seed: what the worker's random choices came from
    """
    writes = {row[0]: row[1] for row in worker.opcodes}.get(OPCODE_WRITE, 0)
    if not writes:
        return None
    changed = {"op_percentage": {OPCODE_READ: 100}, "time": 0, "iops": 0}
    slots = (plan.end - plan.first) // plan.unit
    only_writes = list(plan.job.mix) == [OPCODE_WRITE]
    if plan.job.random_percent and only_writes and _lbas(worker) < slots * plan.unit:
        # The same choices from the same seed: the same LBAs, which are few among all of them.
        d.srand(seed)
        return plan.worker(**changed, io_count=writes)
    if not plan.job.random_percent:
        slots = min(slots, -(-_lbas(worker) // plan.unit))
    return plan.worker(
        **changed,
        io_size=plan.unit,
        lba_random=False,
        region_start=plan.first,
        io_count=slots,
    )
