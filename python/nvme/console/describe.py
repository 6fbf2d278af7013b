"""Sessions, controllers and queues as objects of docs/console.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from nvme import _core
from nvme.console.feed import Problem, Session, Snapshot
from nvme.console.layout import (
    ADMIN,
    BUCKETS,
    EXACT,
    WORKER,
    Controller,
    Counts,
    Slot,
    Worker,
    bucket_end_ns,
)

KINDS = {ADMIN: "admin", WORKER: "worker"}
QUEUES_MAX = 4096
_PERCENTILES = (("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999))


# --- ids ---


def controller_id(session: Session, slot: Slot) -> str | None:
    """Of the controller that a queue belongs to."""
    return f"{session.id}/c{slot.controller}" if slot.controller else None


def queue_id(session: Session, slot: Slot) -> str:
    """Of a queue: never again another's."""
    return f"{session.id}/{slot.index}.{slot.edition}"


# --- which of them ---


def controllers_of(session: Session, closed: bool) -> list[Slot]:
    """Admin queues, by the order in which their controllers were opened."""
    slots = [s for s in session.slots if s.kind == ADMIN and _listed(session, s, closed)]
    return list({s.controller: s for s in sorted(slots, key=_by_controller)}.values())


def queues_of(session: Session, closed: bool) -> list[Slot]:
    """By controller and queue identifier."""
    slots = [s for s in session.slots if _listed(session, s, closed)]
    return sorted(slots, key=_by_controller)[:QUEUES_MAX]


def _listed(session: Session, slot: Slot, closed: bool) -> bool:
    return closed or not slot.closed_ns or not session.alive


def _by_controller(slot: Slot) -> tuple[int, int, int]:
    return slot.controller, slot.sqid, slot.opened_ns


# --- latencies ---


def _end_ns(index: int, max_ns: int) -> int:
    """Of a bucket; the last one goes as far as there was something."""
    return bucket_end_ns(index) if index < BUCKETS - 1 else max_ns


def latency(buckets: Sequence[int], sum_ns: int, max_ns: int) -> dict[str, Any] | None:
    """Of a histogram; None: it is empty."""
    count = sum(buckets)
    if not count:
        return None
    highest = max(index for index, n in enumerate(buckets) if n)
    last_ns = min(_end_ns(highest, max_ns), max_ns or EXACT)
    found: dict[str, Any] = {"mean_us": round(sum_ns / count / 1e3, 3)}
    for name, part in _PERCENTILES:
        rank, seen = part * count, 0
        for index, n in enumerate(buckets):
            seen += n
            if n and seen >= rank:
                found[name] = min(_end_ns(index, max_ns), last_ns) / 1e3
                break
    found["max_us"] = last_ns / 1e3
    return found


def _latency_of(counts: Counts) -> dict[str, Any] | None:
    found = latency(counts.latency, counts.latency_sum_ns, counts.latency_max_ns)
    if found:
        found["max_us"] = counts.latency_max_ns / 1e3
    return found


# --- objects ---


def session_dict(session: Session) -> dict[str, Any]:
    """A session."""
    readable = session.header is not None
    ended = readable and not session.alive
    still = [slot for slot in session.slots if not slot.closed_ns]
    addresses = [slot.address for slot in controllers_of(session, False)]
    return {
        "id": session.id,
        "pid": session.pid,
        "uid": session.uid,
        "own": session.own,
        "state": session.state,
        "why": session.why,
        "title": (session.header.title or None) if session.header else None,
        "started_ms": session.ms(session.header.opened_ns) if session.header else None,
        "ended_ms": session.ms(session.last_ns) if ended else None,
        "path": str(session.path),
        "controllers": sum(slot.kind == ADMIN for slot in still) if readable else None,
        "queues": len(still) if readable else None,
        "addresses": list(dict.fromkeys(addresses)),
    }


def controller_dict(session: Session, slot: Slot) -> dict[str, Any]:
    """A controller, of the slot of its admin queue."""
    about = slot.about
    assert isinstance(about, Controller)
    seen = about.temperature_celsius is not None
    io = [
        s.outstanding
        for s in session.slots
        if s.controller == slot.controller and s.sqid and not s.closed_ns
    ]
    return {
        "id": f"{session.id}/c{slot.controller}",
        "session": session.id,
        "address": slot.address,
        "model": about.model,
        "serial": about.serial,
        "firmware": about.firmware,
        "capacity_bytes": about.capacity_bytes,
        "nvme_version": about.version,
        "state": "closed" if slot.closed_ns else about.state,
        "resets": about.resets if about.state != "unknown" else None,
        "temperature_celsius": about.temperature_celsius,
        "temperature_ms": session.ms(about.temperature_ns) if seen else None,
        "opened_ms": session.ms(slot.opened_ns),
        "closed_ms": session.ms(slot.closed_ns) if slot.closed_ns else None,
        "outstanding": sum(io),
    }


def worker_dict(worker: Worker) -> dict[str, Any]:
    """Parameters and progress of a worker."""
    total = sum(weight for _, weight in worker.ops)
    return {
        "running": worker.running,
        "percent": worker.percent,
        "elapsed_ms": worker.elapsed_ns / 1e6,
        "qdepth": worker.qdepth,
        "ops": [
            {
                "opcode": opcode,
                "name": _core.io_name(opcode),
                "percent": round(100 * weight / total, 2) if total else None,
            }
            for opcode, weight in worker.ops
        ],
        "io_size_lbas": [worker.min_nlb, worker.max_nlb],
        "lba_bytes": worker.lba_bytes,
        "random_percent": worker.random_percent,
        "region": [worker.region_start, worker.region_end],
        "iops_limit": worker.iops,
        "time_s": worker.time_s,
        "io_count": worker.io_count,
        "seed": f"{worker.seed:#018x}",
        "why": worker.why or None,
    }


def queue_dict(session: Session, slot: Slot) -> dict[str, Any]:
    """A queue."""
    counts = slot.counts
    return {
        "id": queue_id(session, slot),
        "session": session.id,
        "controller": controller_id(session, slot),
        "address": slot.address,
        "sqid": slot.sqid,
        "kind": KINDS.get(slot.kind, "script"),
        "state": "closed" if slot.closed_ns else "open",
        "depth": slot.depth or None,
        "outstanding": slot.outstanding,
        "commands": counts.commands,
        "errors": counts.errors,
        "reads": counts.reads,
        "writes": counts.writes,
        "read_bytes": counts.read_bytes,
        "written_bytes": counts.written_bytes,
        "latency": _latency_of(counts),
        "updated_ms": session.ms(counts.updated_ns) if counts.updated_ns else None,
        "opened_ms": session.ms(slot.opened_ns),
        "closed_ms": session.ms(slot.closed_ns) if slot.closed_ns else None,
        "worker": worker_dict(slot.about) if isinstance(slot.about, Worker) else None,
    }


def problem_dicts(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """What could not be read."""
    return [problem._asdict() for problem in problems]


def tree(snapshot: Snapshot, closed: bool = False) -> dict[str, Any]:
    """All of it."""
    return {
        "sessions": [session_dict(s) for s in snapshot.sessions],
        "controllers": [
            controller_dict(s, slot)
            for s in snapshot.sessions
            for slot in controllers_of(s, closed)
        ],
        "queues": [queue_dict(s, slot) for s in snapshot.sessions for slot in queues_of(s, closed)],
        "problems": problem_dicts(snapshot.problems),
    }
