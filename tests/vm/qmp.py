"""QEMU's control channel, for the host and, through the share, for tests inside the guest.

In a guest: ``qmp.ask("device_del", id="nv0")``, or from a shell
``python tests/vm/qmp.py device_del id=nv0``. A command is a file ``qmp.N.req`` in the share and its
answer ``qmp.N.rsp``; both appear by a rename, complete.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

TIMEOUT_S = 30


class QmpError(Exception):
    """QEMU refused the command; the text is its own."""


class QmpServer:
    """The host's end: passes on what the guest asks for, and nothing before it asks."""

    def __init__(self, connection: socket.socket, share: Path) -> None:
        connection.settimeout(TIMEOUT_S)
        self.stream = connection.makefile("rw", encoding="utf-8")
        self.share = share
        self.ready = False

    def serve(self) -> None:
        """Answer every request that is waiting."""
        for request in self.share.glob("qmp.*.req"):
            text = request.read_text()
            request.unlink()
            answer = self.execute(text)
            publish(request.with_suffix(".rsp"), answer)

    def execute(self, text: str) -> str:
        """Send one command in JSON and return QEMU's answer, skipping events."""
        try:
            if not self.ready:
                self.stream.readline()  # the greeting
                self.exchange('{"execute": "qmp_capabilities"}')
                self.ready = True
            return self.exchange(text)
        except OSError as error:
            return json.dumps({"error": {"desc": f"QEMU does not answer: {error}"}})

    def exchange(self, text: str) -> str:
        self.stream.write(text + "\n")
        self.stream.flush()
        for line in self.stream:
            if {"return", "error"} & json.loads(line).keys():
                return line
        return json.dumps({"error": {"desc": "QEMU is gone"}})


def publish(path: Path, text: str) -> None:
    scratch = path.with_suffix(".tmp")
    scratch.write_text(text)
    scratch.rename(path)


def ask(command: str, **arguments: object) -> Any:
    """In the guest: have QEMU execute `command` and return its result."""
    request = Path(os.environ["PYNVME_VM_SHARE"]) / f"qmp.{os.getpid()}-{time.monotonic_ns()}.req"
    answer = request.with_suffix(".rsp")
    body = {"execute": command}
    publish(request, json.dumps(body | {"arguments": arguments} if arguments else body))
    deadline = time.monotonic() + TIMEOUT_S
    while not answer.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no answer to {command} in {TIMEOUT_S} s")
        time.sleep(0.02)
    result = json.loads(answer.read_text())
    answer.unlink()
    if "error" in result:
        raise QmpError(f"{command}: {result['error']['desc']}")
    return result["return"]


def main(argv: list[str]) -> int:
    if not argv:
        print("usage: qmp.py COMMAND [NAME=VALUE]...", file=sys.stderr)
        return 2
    command, *pairs = argv
    arguments: dict[str, object] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        arguments[name] = int(value) if value.isdigit() else value
    try:
        print(json.dumps(ask(command, **arguments), indent=1))
    except (QmpError, TimeoutError) as error:
        print(f"qmp: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
