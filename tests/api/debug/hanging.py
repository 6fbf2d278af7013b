"""A script that hangs, in a process of its own: it waits for a write that never comes back."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Its callback runs inside the wait, so that what it says is said there.
DRIVE = """
import os, sys
import nvme as d

nvme0 = d.Controller("sim:size=64M")
nvme0.timeout = 600_000
nvme0n1 = d.Namespace(nvme0)
qpair = d.Qpair(nvme0, 8)
buf = d.Buffer()

fault = d.sim(nvme0).fault(opcode=1, admin=False, drop=True)
fault.__enter__()

def ready(cdw0=0, status1=0):
    os.write(int(os.environ["READY_FD"]), b"!")

def send():
    nvme0n1.write(qpair, buf, 0x1234, 2)
    nvme0n1.read(qpair, buf, 0, 1, cb=ready)
"""
SCRIPT = (
    DRIVE
    + """
def wait_for_the_write():
    qpair.waitdone(2)

send()
wait_for_the_write()
"""
)


@contextmanager
def hanging(command: list[str], folder: Path, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """The process from when it hangs on; what is left of it in the end is killed."""
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as ready:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=os.environ
                | {"PYNVME_CMDLOG_DIR": str(folder), "READY_FD": str(writer)}
                | settings,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                pass_fds=[writer],
            )
        finally:
            os.close(writer)
        with process:
            try:
                said = ready.read(1)
                assert said == b"!", process.communicate()
                yield process
            finally:
                process.kill()


def script(text: str = SCRIPT) -> list[str]:
    """The command that runs a script."""
    return [sys.executable, "-c", text]
