"""Sessions, controllers and queues as rows of text, for terminals and pipes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nvme.console import describe
from nvme.console.feed import Session, Snapshot
from nvme.console.rates import Rates

COLUMNS = (
    "",
    "state",
    "IOPS",
    "read MB/s",
    "write MB/s",
    "p50 us",
    "p99 us",
    "in flight",
    "errors",
    "C",
)
BAR = 8
#: No first column is longer: command lines are.
LABEL = 48
_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "K"))


@dataclass(frozen=True)
class Row:
    """A line: what it is of, and a text for each column."""

    id: str
    kind: str  # session, controller, queue, problem
    state: str
    cells: tuple[str, ...]


def short(number: float | None) -> str:
    """A number in few characters."""
    if number is None:
        return "-"
    for size, unit in _UNITS:
        if number >= 0.9995 * size:
            return (
                f"{number / size:.3g}{unit}"
                if number < 999.5 * size
                else f"{number / size:.0f}{unit}"
            )
    return f"{number:.3g}" if number < 999.5 else f"{number:.0f}"


def megabytes(number: float | None) -> str:
    """Bytes a second in MB/s."""
    return "-" if number is None else f"{number / 1e6:.1f}"


def microseconds(latency: dict[str, Any] | None, name: str) -> str:
    """A percentile."""
    return "-" if latency is None else short(latency[name])


def bar(filled: int, size: int | None) -> str:
    """How full a queue is."""
    if not size:
        return "." * BAR
    width = min(-(-filled * BAR // size), BAR)
    return "#" * width + "." * (BAR - width)


def _cells(
    label: str, state: str, rates: dict[str, Any], flight: str, errors: int | None
) -> tuple[str, ...]:
    latency = rates.get("latency")
    celsius = rates.get("temperature_celsius")
    return (
        label,
        state,
        short(rates.get("iops")),
        megabytes(rates.get("read_bytes_per_s")),
        megabytes(rates.get("written_bytes_per_s")),
        microseconds(latency, "p50_us"),
        microseconds(latency, "p99_us"),
        flight,
        "-" if errors is None else str(errors),
        "-" if celsius is None else str(celsius),
    )


def _queue(queue: dict[str, Any], rates: dict[str, Any]) -> Row:
    worker = queue["worker"]
    state = queue["state"]
    if worker:
        state = f"{worker['percent']:.0f}%" if worker["running"] else worker["why"] or "done"
    filled, depth = queue["outstanding"], queue["depth"]
    flight = f"{bar(filled, depth)} {filled}/{depth or '?'}"
    label = f"    Q{queue['sqid']:02} {queue['kind']}"
    if queue["state"] == "closed":
        label += " (deleted)"
    return Row(
        queue["id"], "queue", queue["state"], _cells(label, state, rates, flight, queue["errors"])
    )


def rows(tree: dict[str, Any], iostat: dict[str, Any]) -> Iterator[Row]:
    """All of a tree, from above."""
    rates = {
        one["id"]: one for kind in ("sessions", "controllers", "queues") for one in iostat[kind]
    }
    for session in tree["sessions"]:
        of_session = [one for one in tree["queues"] if one["session"] == session["id"]]
        yield _session(session, rates.get(session["id"], {}), of_session)
        controllers = [one for one in tree["controllers"] if one["session"] == session["id"]]
        known = {one["id"] for one in controllers}
        for controller in controllers:
            mine = [one for one in of_session if one["controller"] == controller["id"]]
            yield _controller(controller, rates.get(controller["id"], {}), mine)
            yield from (_queue(one, rates.get(one["id"], {})) for one in mine)
        # Of a controller that was closed and whose own slot is another's by now.
        for queue in of_session:
            if queue["controller"] not in known:
                yield _queue(queue, rates.get(queue["id"], {}))
    for problem in tree["problems"]:
        cells = ("! " + problem["path"], problem["why"], *[""] * (len(COLUMNS) - 2))
        yield Row("!" + problem["path"] + problem["why"], "problem", "problem", cells)


def _session(session: dict[str, Any], rates: dict[str, Any], queues: list[dict[str, Any]]) -> Row:
    label = f"{session['pid']} {session['title'] or ''}".strip()
    state = session["why"] or session["state"]
    cells = _cells(label, state, rates, _flight(rates), _errors(queues))
    return Row(session["id"], "session", session["state"], cells)


def _controller(
    controller: dict[str, Any], rates: dict[str, Any], queues: list[dict[str, Any]]
) -> Row:
    label = f"  {controller['address']} {controller['model'] or ''}".rstrip()
    rates = {"temperature_celsius": controller["temperature_celsius"], **rates}
    cells = _cells(label, controller["state"], rates, _flight(rates), _errors(queues))
    return Row(controller["id"], "controller", controller["state"], cells)


def _flight(rates: dict[str, Any]) -> str:
    return str(rates.get("outstanding", "-"))


def _errors(queues: list[dict[str, Any]]) -> int | None:
    known = [one["errors"] for one in queues if one["errors"] is not None]
    return sum(known) if known else None


def chosen(snapshot: Snapshot, what: str) -> Snapshot:
    """Only a session, by its process or id, or only a controller, by its address."""
    if not what:
        return snapshot
    sessions = [one for one in snapshot.sessions if what in (str(one.pid), one.id, str(one.path))]
    if not sessions:
        sessions = [
            one._replace(slots=tuple(slot for slot in one.slots if slot.address == what))
            for one in snapshot.sessions
            if any(slot.address == what for slot in one.slots)
        ]
    return snapshot._replace(sessions=tuple(sessions), problems=())


def known(sessions: tuple[Session, ...]) -> str:
    """What could be chosen, for who chose something else."""
    names = [str(one.pid) for one in sessions]
    names += dict.fromkeys(slot.address for one in sessions for slot in one.slots)
    return ", ".join(names) or "none"


def look(snapshot: Snapshot, rates: Rates, closed: bool = False) -> list[Row]:
    """Rows of what there is now."""
    return list(rows(describe.tree(snapshot, closed), rates.iostat(snapshot)))


def plain(table: list[Row]) -> str:
    """Rows in columns, for a pipe."""
    lines = [COLUMNS, *(row.cells for row in table)]
    widths = [max(len(line[i]) for line in lines if line[2]) for i in range(len(COLUMNS))]
    widths[0] = min(widths[0], LABEL)
    told = []
    for line in lines:
        if not line[2]:
            told.append(f"{line[0]}: {line[1]}")
            continue
        first = line[0] if len(line[0]) <= widths[0] else line[0][: widths[0] - 3] + "..."
        cells = [first.ljust(widths[0]), line[1].ljust(widths[1])]
        cells += [text.rjust(width) for text, width in zip(line[2:], widths[2:], strict=True)]
        told.append("  ".join(cells).rstrip())
    if not table:
        told.append("no session: nothing uses pynvme, or did lately")
    return "\n".join(told)
