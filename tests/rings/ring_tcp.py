"""The API tests over NVMe/TCP: this package as the host, and as the target in another process."""

import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rings.process import Process
from rings.ring import LOGS, TOP, CannotRun
from rings.scripts import ScriptRing, pytest_command

SSD = "sim:size=1G,latency=none"
READY_S = 60.0


class TcpRing(ScriptRing):
    """With the package of .venv, which must be built.

    What makes no sense over a fabric is in tests/api/fabric/cannot.py.
    """

    on_a_drive = True
    target: Process | None = None
    address = ""

    def serve(self) -> str:
        """Starts the target; its address."""
        log = LOGS / f"{self.name}-target.log"
        log.unlink(missing_ok=True)
        command: list[str | Path] = [Path(sys.executable).parent / "pynvme", "serve"]
        self.target = Process([*command, "--tcp", "127.0.0.1:0", SSD], log)
        until = time.monotonic() + READY_S
        while time.monotonic() < until and not self.target.ended():
            if found := re.search(r" at (127\.0\.0\.1:\d+)", log.read_text(errors="replace")):
                return found[1]
            time.sleep(0.05)
        raise CannotRun(f"pynvme serve says nothing; see {log}")

    def launch(self, report: Path, arguments: Sequence[str]) -> Process:
        if self.target is None or self.target.ended():
            self.address = self.serve()
        command = pytest_command(report, f"--pciaddr={self.address}", *arguments)
        return Process(command, self.log, {"PYTHONPATH": str(TOP / "tests")}, append=True)

    def stop(self) -> None:
        super().stop()
        if self.target and not self.target.ended():
            self.target.stop()


RING = TcpRing("tcp")
