"""How the tests of words run them."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from nvme import cli

SMALL = "sim:size=64M,latency=none"


class Said(NamedTuple):
    """What a word came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output, which must be JSON and nothing else."""
        return json.loads(self.out)


class Tool:
    """Runs words in this process."""

    def __init__(self, capsysbinary) -> None:
        self._capture = capsysbinary
        self.bytes = b""

    def __call__(self, *argv: str | int) -> Said:
        self._capture.readouterr()
        try:
            code = cli.main([str(each) for each in argv])
        except SystemExit as end:
            code = end.code
        out, err = self._capture.readouterr()
        self.bytes = out
        return Said(code, out.decode(errors="replace"), err.decode(errors="replace"))


@contextmanager
def spawned(argv: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A word in a process of its own, which does not outlive the test."""
    command = [sys.executable, "-m", "nvme.cli", *argv]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes, **options) as process:
        try:
            yield process
        finally:
            process.kill()
