"""The API tests in a QEMU guest: the package that users get, on QEMU's NVMe behind real VFIO."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from rings.process import Process
from rings.ring import LOGS, TOP, CannotRun, tail
from rings.scripts import ScriptRing
from vm.probe import probe


class GuestRing(ScriptRing):
    #: The machine, of vm/presets.py.
    preset = "iommu"
    #: Of vm/kernel.py: a meta package, or "" for the distribution's own kernel.
    kernel = ""
    on_a_drive = True

    def prepare(self) -> None:
        if why := probe(self.kernel):
            raise CannotRun(why)

    def crash(self) -> str:
        """QEMU 7.2 dies at times when a reset meets commands in flight, and at times one of its
        processors gets no timer interrupt any more: bugs of its own."""
        found = re.search(
            r"the guest (died \(QEMU status -\d+\)|stood still \(.*?\))", tail(self.log)
        )
        return found.group() if found else ""

    def launch(self, report: Path, arguments: Sequence[str]) -> Process:
        command: list[str | Path] = [sys.executable, TOP / "tests" / "vm" / "ring.py"]
        command += [f"--timeout={self.timeout_s}", "--preset", self.preset]
        command += [f"--kernel={self.kernel}"]
        command += ["--console", LOGS / f"{self.name}-console.log"]
        command += ["--report", report, "--", *arguments]
        return Process(command, self.log, append=True)


class EarlyGuestRing(GuestRing):
    # It keeps one core busy for minutes; the other rings use the time.
    early = True


RING = EarlyGuestRing("guest")
