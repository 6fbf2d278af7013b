"""What the console answers: methods of docs/console.md, and what subscriptions bring."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from nvme import __version__
from nvme.cmdlog import printable
from nvme.console import describe, entries
from nvme.console.feed import SESSIONS_MAX, Feed, Session, Snapshot, now_ms, reason
from nvme.console.layout import Slot
from nvme.console.params import (
    INTERVAL_MAX_MS,
    INTERVAL_MIN_MS,
    Params,
    Query,
    RpcError,
    Wish,
)
from nvme.console.rates import Rates
from nvme.sessions import folder

PROTOCOL, MINOR = 1, 0
LINE_BYTES = 65536
SUBSCRIPTIONS = 16
#: What goes on all the time: a tree that differs in nothing else has not changed.
_LIVE = frozenset(
    (
        "outstanding",
        "commands",
        "errors",
        "reads",
        "writes",
        "read_bytes",
        "written_bytes",
        "latency",
        "updated_ms",
        "worker",
        "temperature_celsius",
        "temperature_ms",
    )
)


def gone(what: str, why: str) -> RpcError:
    """What was asked about is not there."""
    return RpcError(-32001, f"no such {what}: {why}", {"what": what})


def find_session(snapshot: Snapshot, id: str) -> Session:
    """A session by its id, if it can be read."""
    for session in snapshot.sessions:
        if session.id == id:
            if session.why is None:
                return session
            path = str(session.path)
            raise RpcError(-32002, f"{path}: {session.why}", {"path": path, "why": session.why})
    raise gone("session", "its file is gone: read the tree again")


def find_queue(snapshot: Snapshot, id: str) -> tuple[Session, Slot]:
    """A queue by its id."""
    session = find_session(snapshot, id.partition("/")[0])
    for slot in session.slots:
        if describe.queue_id(session, slot) == id:
            return session, slot
    raise gone("queue", "it was deleted and its records are gone: read the tree again")


def read_log(snapshot: Snapshot, query: Query) -> dict[str, Any]:
    """The result of cmdlog."""
    session, slot = find_queue(snapshot, query.queue)
    try:
        log = entries.read(session, slot, query.count, query.filter)
    except OSError as error:
        # Between the look at the tree and this one.
        raise gone("queue", f"{reason(error)}: read the tree again") from None
    return {"queue": query.queue, **log._asdict()}


class Subscription:
    """Notifications that are due again and again."""

    def __init__(self, number: int, wish: Wish, now_s: float) -> None:
        self.number = number
        self.wish = wish
        self.due_s = now_s
        self._rates = Rates()
        self._last: dict[str, Any] = {}

    def turn(self, now_s: float) -> None:
        """It has been served; what was missed meanwhile is left out."""
        interval_s = self.wish.interval_ms / 1e3
        self.due_s += interval_s
        if self.due_s <= now_s:
            self.due_s = now_s + interval_s

    def notifications(self, snapshot: Snapshot) -> Iterator[tuple[str, dict[str, Any]]]:
        """Methods and params. RpcError: a topic is gone; its topic is in `data`."""
        if self.wish.session is not None:
            one = find_session(snapshot, self.wish.session)
            snapshot = snapshot._replace(sessions=(one,))
        tell = {"tree": self._tree, "iostat": self._iostat, "cmdlog": self._cmdlog}
        for topic in self.wish.topics:
            params = tell[topic](snapshot)
            if params is not None:
                head = {"subscription": self.number, "time_ms": snapshot.time_ms}
                yield topic, head | params

    def _tree(self, snapshot: Snapshot) -> dict[str, Any] | None:
        tree = describe.tree(snapshot)
        return tree if self._is_news("tree", _bones(tree)) else None

    def _iostat(self, snapshot: Snapshot) -> dict[str, Any]:
        return self._rates.iostat(snapshot)

    def _cmdlog(self, snapshot: Snapshot) -> dict[str, Any] | None:
        assert self.wish.query
        log = read_log(snapshot, self.wish.query)
        keys = [entry["key"] for entry in log["entries"]], log["matched"]
        return log if self._is_news("cmdlog", keys) else None

    def _is_news(self, topic: str, what: Any) -> bool:
        if topic in self._last and self._last[topic] == what:
            return False
        self._last[topic] = what
        return True


def _bones(tree: dict[str, Any]) -> dict[str, Any]:
    """A tree without what goes on all the time."""
    return {
        kind: [{k: v for k, v in one.items() if k not in _LIVE} for one in several]
        for kind, several in tree.items()
    }


class Service:
    """Answers of one client."""

    def __init__(self) -> None:
        self.feed = Feed()
        self.subscriptions: dict[int, Subscription] = {}
        self._rates = Rates()
        self._numbers = 0
        self._methods: dict[str, Callable[[Params], dict[str, Any]]] = {
            "hello": self._hello,
            "sessions": self._sessions,
            "controllers": self._controllers,
            "queues": self._queues,
            "cmdlog": self._cmdlog,
            "iostat": self._iostat,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
        }

    def call(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        """The result of a method. Raises RpcError."""
        run = self._methods.get(method)
        if run is None:
            known = list(self._methods)
            shown = printable(method[:64])
            raise RpcError(
                -32601, f"no method {shown}; known are {', '.join(known)}", {"methods": known}
            )
        return run(Params(given))

    # --- methods ---

    def _hello(self, params: Params) -> dict[str, Any]:
        params.text("client")
        major = params.integer("protocol", 0, 2**31, PROTOCOL)
        params.end()
        if major != PROTOCOL:
            older = "pynvme" if major > PROTOCOL else "the client"
            raise RpcError(
                -32005,
                f"the client speaks protocol {major}, this console {PROTOCOL}: update {older}",
                {"protocol": PROTOCOL},
            )
        return {
            "protocol": PROTOCOL,
            "minor": MINOR,
            "version": __version__,
            "pid": os.getpid(),
            "uid": self.feed.uid,
            "folder": printable(str(folder())),
            "methods": list(self._methods),
            "limits": {
                "line_bytes": LINE_BYTES,
                "subscriptions": SUBSCRIPTIONS,
                "interval_ms_min": INTERVAL_MIN_MS,
                "interval_ms_max": INTERVAL_MAX_MS,
                "count_max": entries.COUNT_MAX,
                "sessions_max": SESSIONS_MAX,
                "queues_max": describe.QUEUES_MAX,
            },
        }

    def _chosen(self, session: str | None) -> Snapshot:
        snapshot = self.feed.snapshot()
        if session is None:
            return snapshot
        return snapshot._replace(sessions=(find_session(snapshot, session),))

    def _sessions(self, params: Params) -> dict[str, Any]:
        params.end()
        tree = describe.tree(self.feed.snapshot())
        return {"sessions": tree["sessions"], "problems": tree["problems"]}

    def _controllers(self, params: Params) -> dict[str, Any]:
        session, closed = params.text("session"), params.flag("closed")
        params.end()
        tree = describe.tree(self._chosen(session), closed)
        return {"controllers": tree["controllers"], "problems": tree["problems"]}

    def _queues(self, params: Params) -> dict[str, Any]:
        session, controller = params.text("session"), params.text("controller")
        closed = params.flag("closed")
        params.end()
        if controller is not None and session is None:
            session = controller.partition("/")[0]
        tree = describe.tree(self._chosen(session), closed)
        queues = tree["queues"]
        if controller is not None:
            queues = [queue for queue in queues if queue["controller"] == controller]
            if not queues and controller not in [one["id"] for one in tree["controllers"]]:
                raise gone("controller", "it was closed: read the tree again")
        return {"queues": queues, "problems": tree["problems"]}

    def _cmdlog(self, params: Params) -> dict[str, Any]:
        query = Query.of(params)
        params.end()
        return read_log(self.feed.snapshot(), query)

    def _iostat(self, params: Params) -> dict[str, Any]:
        session = params.text("session")
        params.end()
        found = self._rates.iostat(self.feed.snapshot())
        if session is not None:
            find_session(self.feed.snapshot(), session)
            for kind in ("sessions", "controllers", "queues"):
                found[kind] = [one for one in found[kind] if one["session"] == session]
        return found

    def _subscribe(self, params: Params) -> dict[str, Any]:
        wish = Wish.of(params)
        params.end()
        if len(self.subscriptions) >= SUBSCRIPTIONS:
            raise RpcError(
                -32003,
                f"{SUBSCRIPTIONS} subscriptions are all there can be: end one first",
                {"limit": SUBSCRIPTIONS},
            )
        snapshot = self.feed.snapshot()
        if wish.session is not None:
            find_session(snapshot, wish.session)
        if wish.query:
            find_queue(snapshot, wish.query.queue)
        self._numbers += 1
        self.subscriptions[self._numbers] = Subscription(self._numbers, wish, time.monotonic())
        return {"subscription": self._numbers, "interval_ms": wish.interval_ms}

    def _unsubscribe(self, params: Params) -> dict[str, Any]:
        number = params.integer("subscription", 0, 2**53)
        params.end()
        if number not in self.subscriptions:
            raise gone("subscription", "it has ended, or there never was one")
        del self.subscriptions[number]
        return {}

    # --- subscriptions ---

    def next_due_s(self) -> float | None:
        """When a notification is due, on time.monotonic()."""
        return min((one.due_s for one in self.subscriptions.values()), default=None)

    def due(self, now_s: float) -> Iterator[tuple[str, dict[str, Any]]]:
        """Notifications that are due: methods and params."""
        ready = [one for one in self.subscriptions.values() if one.due_s <= now_s]
        if not ready:
            return
        snapshot = self.feed.snapshot()
        for one in ready:
            one.turn(now_s)
            try:
                yield from one.notifications(snapshot)
            except RpcError as error:
                del self.subscriptions[one.number]
                topic = "cmdlog" if one.wish.query else one.wish.topics[0]
                yield (
                    "error",
                    {
                        "subscription": one.number,
                        "time_ms": now_ms(),
                        "topic": topic,
                        "code": error.code,
                        "message": str(error),
                    },
                )
