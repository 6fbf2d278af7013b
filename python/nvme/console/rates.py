"""Rates: what happened between two looks at the same queues."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from nvme.console import describe
from nvme.console.feed import Session, Snapshot
from nvme.console.layout import BUCKETS, Controller, Counts, Slot

SHORTEST_MS = 100
#: Counts of a queue at work are never older than its owner's tenth of a second; if they are, it
#: rests, and they are as good as of now.
FRESH_NS = 250_000_000


NOTHING = Counts(0, 0, 0, 0, 0, 0, 0, 0, 0, (0,) * BUCKETS)


class Change(NamedTuple):
    """What completed in a queue between two looks; rates are per second."""

    iops: float = 0
    errors: float = 0
    read_bytes: float = 0
    written_bytes: float = 0
    latency: tuple[int, ...] = (0,) * BUCKETS
    latency_sum_ns: int = 0
    latency_max_ns: int = 0  # since the queue was made


def total(changes: Iterable[Change]) -> Change:
    """Of several queues together."""
    several = list(changes)
    buckets = [one.latency for one in several] or [NOTHING.latency]
    return Change(
        sum(one.iops for one in several),
        sum(one.errors for one in several),
        sum(one.read_bytes for one in several),
        sum(one.written_bytes for one in several),
        tuple(map(sum, zip(*buckets, strict=True))),
        sum(one.latency_sum_ns for one in several),
        max((one.latency_max_ns for one in several), default=0),
    )


class Sample(NamedTuple):
    """Counts of all open queues at a moment."""

    time_ms: float
    now_ns: int
    counts: dict[str, Counts]


def _moment_ns(counts: Counts, now_ns: int) -> int:
    """What time these counts are of."""
    age_ns = now_ns - counts.updated_ns
    return counts.updated_ns if 0 <= age_ns < FRESH_NS else now_ns


def _change(old: Counts | None, then_ns: int, counts: Counts, now_ns: int) -> Change:
    """A queue that was not there before began with nothing."""
    seconds = 0.0
    if old is None:
        old = NOTHING
    else:
        seconds = (_moment_ns(counts, now_ns) - _moment_ns(old, then_ns)) / 1e9
    if seconds <= 0:
        seconds = max(now_ns - then_ns, 1) / 1e9

    def rate(new: int, past: int) -> float:
        return max(new - past, 0) / seconds

    return Change(
        rate(counts.commands, old.commands),
        rate(counts.errors, old.errors),
        rate(counts.read_bytes, old.read_bytes),
        rate(counts.written_bytes, old.written_bytes),
        tuple(max(b - a, 0) for a, b in zip(old.latency, counts.latency, strict=True)),
        max(counts.latency_sum_ns - old.latency_sum_ns, 0),
        counts.latency_max_ns,
    )


class _Node(NamedTuple):
    """What stands in a list of rates."""

    id: str
    session: str
    address: str | None
    outstanding: int
    temperature: int | None
    change: Change | None

    def asdict(self) -> dict[str, Any]:
        change = self.change

        def rate(value: float) -> float | None:
            return None if change is None else round(value, 3)

        past = change or Change()
        return {
            "id": self.id,
            "session": self.session,
            "address": self.address,
            "iops": rate(past.iops),
            "read_bytes_per_s": rate(past.read_bytes),
            "written_bytes_per_s": rate(past.written_bytes),
            "errors_per_s": rate(past.errors),
            "latency": describe.latency(past.latency, past.latency_sum_ns, past.latency_max_ns),
            "outstanding": self.outstanding,
            "temperature_celsius": self.temperature,
        }


def _sum(id: str, session: Session, address: str | None, parts: list[_Node]) -> _Node:
    changes = [part.change for part in parts if part.change is not None]
    warm = [part.temperature for part in parts if part.temperature is not None]
    return _Node(
        id,
        session.id,
        address,
        sum(part.outstanding for part in parts),
        max(warm, default=None),
        total(changes) if changes or not parts else None,
    )


class Rates:
    """Remembers how much had happened when it was last asked."""

    def __init__(self) -> None:
        self._older: Sample | None = None
        self._newer: Sample | None = None

    def iostat(self, snapshot: Snapshot) -> dict[str, Any]:
        """As docs/console.md has it."""
        now = self._sample(snapshot)
        if self._newer and now.time_ms - self._newer.time_ms >= SHORTEST_MS:
            self._older = self._newer
        self._newer = now
        before = self._older
        sessions, controllers, queues = [], [], []
        for session in snapshot.sessions:
            if not session.alive:
                continue
            mine = self._session(session, before, now)
            sessions.append(mine[0])
            controllers += mine[1]
            queues += mine[2]
        return {
            "time_ms": now.time_ms,
            "interval_ms": round(now.time_ms - before.time_ms, 3) if before else None,
            "sessions": [node.asdict() for node in sessions],
            "controllers": [node.asdict() for node in controllers],
            "queues": [node.asdict() for node in queues],
            "problems": describe.problem_dicts(snapshot.problems),
        }

    @staticmethod
    def _sample(snapshot: Snapshot) -> Sample:
        counts = {
            describe.queue_id(session, slot): slot.counts
            for session in snapshot.sessions
            for slot in session.slots
        }
        return Sample(snapshot.time_ms, snapshot.now_ns, counts)

    def _session(
        self, session: Session, before: Sample | None, now: Sample
    ) -> tuple[_Node, list[_Node], list[_Node]]:
        # What has been deleted since the last look counts in the sums once more.
        queues = [
            (slot, self._queue(session, slot, before, now))
            for slot in describe.queues_of(session, True)
        ]
        controllers = []
        for slot in describe.controllers_of(session, False):
            io = [
                node for other, node in queues if other.sqid and other.controller == slot.controller
            ]
            node = _sum(f"{session.id}/c{slot.controller}", session, slot.address, io)
            about = slot.about
            if isinstance(about, Controller):
                node = node._replace(temperature=about.temperature_celsius)
            controllers.append(node if before else node._replace(change=None))
        busiest = max(controllers, key=_iops, default=None)
        address = busiest.address if busiest else None
        whole = _sum(session.id, session, address, controllers)
        shown = [node for slot, node in queues if not slot.closed_ns]
        return whole, controllers, shown

    @staticmethod
    def _queue(session: Session, slot: Slot, before: Sample | None, now: Sample) -> _Node:
        id = describe.queue_id(session, slot)
        outstanding = 0 if slot.closed_ns else slot.outstanding
        change = None
        if before:
            change = _change(before.counts.get(id), before.now_ns, slot.counts, now.now_ns)
        return _Node(id, session.id, slot.address, outstanding, None, change)


def _iops(node: _Node) -> float:
    return node.change.iops if node.change else -1
