"""Parameters of requests: looked at one by one, and refused in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nvme.console.entries import COUNT_MAX, STATUSES, Filter

COUNT = 100
INTERVAL_MIN_MS, INTERVAL_MAX_MS = 100, 60000
TOPICS = ("tree", "iostat", "cmdlog")
TEXT_MAX = 4096


class RpcError(Exception):
    """An error that a client gets."""

    def __init__(self, code: int, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


class Params:
    """Params of a request: every one is asked for, and what nobody asked for is refused."""

    def __init__(self, given: dict[str, Any], where: str = "") -> None:
        self._given = dict(given)
        self._where = where

    def refuse(self, name: str, why: str) -> RpcError:
        """The error that names a parameter."""
        full = self._where + name
        return RpcError(-32602, f"{full}: {why}", {"param": full})

    def text(self, name: str, *, needed: bool = False) -> str | None:
        """A text."""
        value = self._given.pop(name, None)
        if value is None and not needed:
            return None
        if not isinstance(value, str):
            raise self.refuse(name, "must be text" if value is not None else "is missing")
        if len(value) > TEXT_MAX:
            raise self.refuse(name, f"is longer than {TEXT_MAX} characters")
        return value

    def must_text(self, name: str) -> str:
        """A text that must be there."""
        value = self.text(name, needed=True)
        assert value is not None
        return value

    def integer(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """An integer within limits; without a default it must be there."""
        value = self._given.pop(name, None)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.refuse(name, "is missing" if value is None else "must be an integer")
        if not low <= value <= high:
            raise self.refuse(name, f"must be {low}..{high}")
        return value

    def flag(self, name: str) -> bool:
        """A boolean, false when it is not there."""
        value = self._given.pop(name, None)
        if value is not None and not isinstance(value, bool):
            raise self.refuse(name, "must be true or false")
        return bool(value)

    def list_of(self, name: str, kind: type, what: str) -> list[Any] | None:
        """A list of one kind of thing."""
        value = self._given.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, list) or any(type(one) is not kind for one in value):
            raise self.refuse(name, f"must be a list of {what}")
        return value

    def filter(self) -> Filter:
        """Which entries of a log are wanted."""
        value = self._given.pop("filter", None)
        if value is None:
            return Filter()
        if not isinstance(value, dict):
            raise self.refuse("filter", "must be an object")
        inner = Params(value, "filter.")
        opcodes = inner.list_of("opcodes", int, "integers")
        if opcodes is not None and not all(0 <= one <= 0xFF for one in opcodes):
            raise inner.refuse("opcodes", "must be 0..255")
        status = inner.text("status") or "all"
        if status not in STATUSES:
            raise inner.refuse("status", f"must be one of {', '.join(STATUSES)}")
        found = Filter(
            frozenset(opcodes) if opcodes is not None else None,
            status,
            (inner.text("text") or "").lower(),
        )
        inner.end()
        return found

    def end(self) -> None:
        """Nothing is left that nobody asked for."""
        for name in self._given:
            raise self.refuse(str(name)[:64], "is no parameter of this method")


@dataclass(frozen=True)
class Query:
    """What of a command log is wanted."""

    queue: str
    count: int
    filter: Filter

    @classmethod
    def of(cls, params: Params) -> Query:
        """Of the parameters of cmdlog."""
        return cls(
            params.must_text("queue"),
            params.integer("count", 1, COUNT_MAX, COUNT),
            params.filter(),
        )


@dataclass(frozen=True)
class Wish:
    """A subscription that somebody asks for."""

    interval_ms: int
    topics: tuple[str, ...]
    session: str | None
    query: Query | None

    @classmethod
    def of(cls, params: Params) -> Wish:
        """Of the parameters of subscribe."""
        interval_ms = params.integer("interval_ms", INTERVAL_MIN_MS, INTERVAL_MAX_MS)
        topics = params.list_of("topics", str, "texts")
        if topics is None:
            topics = ["tree", "iostat"]
        strange = [one for one in topics if one not in TOPICS]
        if strange or not topics:
            raise params.refuse("topics", f"must be some of {', '.join(TOPICS)}")
        session = params.text("session")
        query = Query.of(params) if "cmdlog" in topics else None
        return cls(interval_ms, tuple(dict.fromkeys(topics)), session, query)
