"""The last commands of every queue, for the report of a test that failed."""

from nvme import _core
from nvme.cmdlog import newest_first

SHOWN = 16  # of each queue

_begin_ns = 0


def begin(now_ns: int) -> None:
    """A test begins: what is older is none of its business."""
    global _begin_ns
    _begin_ns = now_ns


def commands() -> str:
    """Commands since begin(), of every queue of this process, workers' ones included."""
    path = _core.cmdlog_path()
    if not path:
        return ""
    blocks = []
    try:
        slots = _core.cmdlog_file(path)[3]
    except OSError as why:
        return f"no command log: {why.strerror}"
    for address, sqid, _, _, records in slots:
        entries = [e for e in newest_first(records, sqid) if e.submit_ns >= _begin_ns]
        if entries:
            head = f"{address} qpair {sqid}: {len(entries)} commands"
            blocks.append("\n".join([head, *map(str, entries[:SHOWN])]))
    return "\n".join(blocks)
