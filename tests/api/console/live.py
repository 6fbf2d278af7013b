"""Sessions to look at, in processes of their own; and a client of ``pynvme console``."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

CONSOLE = [sys.executable, "-c", "import sys; from nvme.cli import main; sys.exit(main())"]
#: Runs what it is told, a line of JSON each, and says what came out of it.
BODY = """
import json, sys
scope = {}
exec("import nvme as d", scope)
for line in sys.stdin:
    code = json.loads(line)
    try:
        value = eval(code, scope)
    except SyntaxError:
        value = exec(code, scope)
    print(json.dumps(value, default=str), flush=True)
"""
START = """
nvme0 = d.Controller("sim:size=64M")
nvme0n1 = d.Namespace(nvme0)
qpair = d.Qpair(nvme0, 8)
buf = d.Buffer()
"""


ENDS_WITHIN_S = 60


class Live:
    """A process with a software SSD that does what it is told."""

    def __init__(self, folder: Path, start: str = START) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", BODY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYNVME_CMDLOG_DIR": str(folder)},
        )
        if start:
            self(start)

    def __call__(self, code: str) -> Any:
        """The value of an expression, or None of statements."""
        self.process.stdin.write(json.dumps(code) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """The process ends as a script does; one that does not is killed, for nobody else would."""
        self.process.stdin.close()
        try:
            self.process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        finally:
            self.process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Client:
    """A client of ``pynvme console --stdio``."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [*CONSOLE, "console", "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYNVME_CMDLOG_DIR": str(folder)},
        )
        self.notes: list[dict[str, Any]] = []
        self._ids = 0

    def send(self, line: bytes) -> None:
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """The next line."""
        line = self.process.stdout.readline()
        assert line.endswith(b"\n"), self.process.stderr.read()
        return json.loads(line)

    def answer(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to a request; what came before it is in `notes`."""
        self._ids += 1
        request = {"jsonrpc": "2.0", "id": self._ids, "method": method, "params": params}
        self.send(json.dumps(request).encode() + b"\n")
        while (message := self.receive()).get("id") != self._ids:
            self.notes.append(message)
        return message

    def __call__(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a method."""
        return self.answer(method, **params)["result"]

    def error(self, method: str, **params: Any) -> dict[str, Any]:
        return self.answer(method, **params)["error"]

    def note(self, method: str) -> dict[str, Any]:
        """Params of the next notification of that name; what comes before it is dropped."""
        while True:
            message = self.notes.pop(0) if self.notes else self.receive()
            if message.get("method") == method:
                return message["params"]

    def end(self) -> tuple[int, bytes]:
        """Its exit code, and what it said to people."""
        self.process.stdin.close()
        rest = self.process.stderr.read()
        code = self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
        return code, rest
