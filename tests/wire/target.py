"""A target in a process of its own, which may be killed."""

import subprocess
import sys
from pathlib import Path
from typing import Self

from wire.conftest import NQN

#: Without media: what it keeps in memory is its connections and their commands.
SSD = "sim:media=null,latency=none,enable_s=0"
PAGE_BYTES = 4096


class Command:
    """``pynvme serve`` at one port, however often it is started."""

    def __init__(self) -> None:
        self.port = 0
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "nvme.cli",
                "serve",
                f"--tcp=127.0.0.1:{self.port}",
                "--nqn",
                NQN,
                SSD,
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[-1])

    def kill(self) -> None:
        """By SIGKILL: the kernel closes its connections, nobody says goodbye."""
        self.process.kill()
        self.process.wait()

    @property
    def listens_at(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}/{NQN}"

    @property
    def resident_bytes(self) -> int:
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * PAGE_BYTES

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()
        assert self.process.stdout
        self.process.stdout.close()
