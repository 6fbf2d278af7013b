"""JSON-RPC 2.0 over two file descriptors, a line an object; docs/console.md."""

from __future__ import annotations

import json
import os
import select
import sys
import time
import traceback
from typing import Any

from nvme.console.params import RpcError
from nvme.console.service import LINE_BYTES, Service

_CHUNK = 65536
#: What a pipe takes without blocking once it takes anything.
_PIECE = 4096
#: While a client leaves so much unread, its requests wait.
_UNREAD = 1 << 20


def dump(message: dict[str, Any]) -> bytes:
    """A line."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def failure(id: Any, error: RpcError) -> bytes:
    """The line of an error."""
    body = {"code": error.code, "message": str(error), "data": error.data}
    return dump({"jsonrpc": "2.0", "id": id, "error": body})


def _checked(message: Any) -> dict[str, Any]:
    """A request. Raises RpcError."""
    if isinstance(message, list):
        raise RpcError(-32600, "batches are not supported: send requests one by one")
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise RpcError(-32600, 'a request is an object with "jsonrpc": "2.0"')
    if not isinstance(message.get("method"), str):
        raise RpcError(-32600, "a request has a method, which is text")
    if not isinstance(message.get("params", {}), dict):
        raise RpcError(-32602, "params must be an object")
    return message


def _id_of(message: Any) -> Any:
    """Of a request, or null where it has none that could be answered."""
    id = message.get("id") if isinstance(message, dict) else None
    return id if isinstance(id, int | float | str) and not isinstance(id, bool) else None


def answer(service: Service, line: bytes) -> bytes:
    """What a line of the client is answered with; nothing for a notification."""
    id = None
    try:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise RpcError(-32700, f"no JSON: {str(error)[:200]}") from None
        id = _id_of(message)
        request = _checked(message)
        if "id" in request and id is None:
            raise RpcError(-32600, "an id must be a number or text")
        result = service.call(request["method"], request.get("params", {}))
        return dump({"jsonrpc": "2.0", "id": id, "result": result}) if "id" in request else b""
    except RpcError as error:
        is_notification = error.code != -32700 and isinstance(message, dict) and "id" not in message
        return b"" if is_notification and message.get("jsonrpc") == "2.0" else failure(id, error)
    except Exception as defect:
        traceback.print_exc(file=sys.stderr)
        return failure(id, RpcError(-32603, f"a defect of the console: {defect!r}"[:500]))


class Lines:
    """Bytes that come in pieces, as lines; one that is too long is None, once."""

    def __init__(self) -> None:
        self._rest = b""
        self._skips = False

    def add(self, piece: bytes) -> list[bytes | None]:
        """Lines that are complete by now."""
        *full, self._rest = (self._rest + piece).split(b"\n")
        found: list[bytes | None] = []
        for line in full:
            if self._skips:
                self._skips = False
            elif len(line) > LINE_BYTES:
                found.append(None)
            elif line.strip():
                found.append(line)
        if len(self._rest) > LINE_BYTES:
            if not self._skips:
                found.append(None)
            self._skips = True
        if self._skips:
            self._rest = b""
        return found

    def end(self) -> list[bytes | None]:
        """The last line, which need not have an end."""
        return self.add(b"\n") if self._rest else []


class Server:
    """One client, on two file descriptors."""

    def __init__(self, source: int, sink: int) -> None:
        self._service = Service()
        self._source = source
        self._sink = sink
        self._lines = Lines()
        self._unread = bytearray()

    def run(self) -> None:
        """Serves until the client ends its side. BrokenPipeError: it went away."""
        while self._wait():
            self._notify()
        for line in self._lines.end():
            self._take(line)
        while self._unread:
            self._write(len(self._unread))

    def _take(self, line: bytes | None) -> None:
        if line is None:
            why = f"a line of more than {LINE_BYTES} bytes"
            self._unread += failure(None, RpcError(-32600, why))
        else:
            self._unread += answer(self._service, line)

    def _write(self, most: int) -> None:
        del self._unread[: os.write(self._sink, self._unread[:most])]

    def _wait(self) -> bool:
        """Until something comes, can go, or is due. False: nothing will come any more."""
        poll = select.poll()
        if len(self._unread) < _UNREAD:
            poll.register(self._source, select.POLLIN)
        if self._unread:
            poll.register(self._sink, select.POLLOUT)
        events = dict(poll.poll(self._timeout_ms()))
        if events.get(self._sink, 0):
            self._write(_PIECE)
        if events.get(self._source, 0):
            piece = os.read(self._source, _CHUNK)
            for line in self._lines.add(piece):
                self._take(line)
            return bool(piece)
        return True

    def _timeout_ms(self) -> float | None:
        due_s = self._service.next_due_s()
        if due_s is None or self._unread:
            return None
        return max(0.0, (due_s - time.monotonic()) * 1e3 + 1)

    def _notify(self) -> None:
        """What is due, unless the client has not even read the last one."""
        if self._unread:
            return
        for method, params in self._service.due(time.monotonic()):
            self._unread += dump({"jsonrpc": "2.0", "method": method, "params": params})
