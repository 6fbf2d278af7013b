"""The recorder's files of this machine, read; what cannot be read is said, never raised."""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from pathlib import Path
from typing import NamedTuple

from nvme import _core
from nvme.cmdlog import printable
from nvme.console.layout import Header, Slot
from nvme.sessions import folder, user

SESSIONS_MAX = 64
NAME = re.compile(r"pynvme-((\d{1,10})-(\d{1,10})-\d{1,20})\.cmdlog")


class Problem(NamedTuple):
    """A path, and why it cannot be read."""

    path: str
    why: str


class Session(NamedTuple):
    """A process that uses pynvme, or did."""

    id: str
    pid: int
    uid: int
    own: bool
    path: Path
    alive: bool
    why: str | None  # it cannot be read; then there is nothing below
    header: Header | None = None
    slots: tuple[Slot, ...] = ()
    changed_ns: int = 0  # of the file
    damage: tuple[str, ...] = ()  # what of it cannot be read

    @property
    def state(self) -> str:
        """As docs/console.md has it."""
        if self.why is not None:
            return "unreadable"
        return "running" if self.alive else "ended"

    @property
    def last_ns(self) -> int:
        """When anything was last written into it, on the recorder's clock."""
        opened_ns = self.header.opened_ns if self.header else 0
        times = [max(slot.opened_ns, slot.closed_ns, slot.counts.updated_ns) for slot in self.slots]
        return max([opened_ns, *times])

    def ms(self, ns: int) -> float:
        """A time of the recorder's clock as Unix time in milliseconds."""
        return round(((self.header.realtime_ns if self.header else 0) + ns) / 1e6, 3)


class Snapshot(NamedTuple):
    """All sessions as they were at `time_ms`, running ones first, then newest first."""

    time_ms: float
    now_ns: int  # the same on the recorder's clock
    sessions: tuple[Session, ...]
    problems: tuple[Problem, ...]


def now_ms() -> float:
    """Unix time in milliseconds."""
    return round(time.time() * 1e3, 3)


def reason(error: OSError | _core.NvmeError) -> str:
    """Why a file cannot be read, in words that a terminal can show."""
    return printable(str(getattr(error, "strerror", None) or error))


class Feed:
    """Reads the files. Those of processes that ended are read once, for they stay as they are."""

    def __init__(self) -> None:
        self.uid = user()
        self._ended: dict[Path, tuple[tuple[int, ...], Session]] = {}

    def snapshot(self) -> Snapshot:
        """Everything that there is to see."""
        problems: list[Problem] = []
        sessions: list[Session] = []
        try:
            with os.scandir(folder()) as entries:
                names = [entry.name for entry in entries if NAME.fullmatch(entry.name)]
        except OSError as error:
            problems.append(Problem(printable(str(folder())), reason(error)))
            names = []
        for path, status in self._files(names, problems):
            session = self._session(path, status)
            if session:
                sessions.append(session)
                problems += [Problem(str(path), why) for why in session.damage]
        self._ended = {s.path: self._ended[s.path] for s in sessions if s.path in self._ended}
        sessions.sort(key=lambda s: (s.alive, s.why is None, s.changed_ns), reverse=True)
        return Snapshot(now_ms(), time.monotonic_ns(), tuple(sessions), tuple(problems))

    def _files(
        self, names: list[str], problems: list[Problem]
    ) -> list[tuple[Path, os.stat_result]]:
        """Files of those names, newest first, SESSIONS_MAX at most and the caller's own before."""
        found = []
        for name in names:
            path = folder() / name
            try:
                status = path.lstat()
            except OSError:
                continue  # it is everybody's folder: files go at any time
            match = NAME.fullmatch(name)
            owner = int(match[2]) if match else -1
            if not stat.S_ISREG(status.st_mode):
                problems.append(Problem(str(path), "no regular file"))
            elif status.st_uid not in (owner, 0):
                why = f"its name says user {owner}, but it belongs to user {status.st_uid}"
                problems.append(Problem(str(path), why))
            else:
                found.append((owner == self.uid, status.st_mtime_ns, path, status))
        found.sort(key=lambda one: one[:2], reverse=True)
        return [(path, status) for _, _, path, status in found[:SESSIONS_MAX]]

    def _session(self, path: Path, status: os.stat_result) -> Session | None:
        """None: it went meanwhile."""
        identity = (status.st_ino, status.st_size, status.st_mtime_ns)
        known = self._ended.get(path)
        if known and known[0] == identity:
            return known[1]
        match = NAME.fullmatch(path.name)
        assert match
        uid = int(match[2])
        who = (match[1], int(match[3]), uid, uid == self.uid, path)
        try:
            raw, alive, heads, unread = _core.recorder(path)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return None
            why = reason(error).removeprefix(f"{printable(str(path))}").lstrip(": ")
            return Session(*who, False, why, changed_ns=status.st_mtime_ns)
        slots, damage = [], []
        for index, head, outstanding in heads:
            if isinstance(head, bytes):
                slots.append(Slot.of(index, head, outstanding or 0))
            else:
                damage.append(f"queue {index} of the file: {printable(head)}")
        if unread and not alive:
            damage.append(f"damaged: its last {unread} bytes are no queue")
        header = Header.of(raw)
        session = Session(
            *who, alive, None, header, tuple(slots), status.st_mtime_ns, tuple(damage)
        )
        if not alive:
            self._ended[path] = (identity, session)
        return session
