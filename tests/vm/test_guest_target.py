"""Linux's own NVMe/TCP host on our target: discover, connect, identify, mkfs, mount, reset, end."""

import shutil
import sys
from pathlib import Path

import pytest

from vm.guest import Guest
from vm.kernel import NEXT_KERNEL
from vm.presets import PRESETS
from vm.probe import probe

SCRIPT = Path(__file__).with_name("linux_host.sh")
PROGRAMS = ("nvme", "mkfs.ext4", "busybox")


class Output(list[bytes]):
    def __call__(self, data: bytes) -> None:
        self.append(data)

    @property
    def text(self) -> str:
        return b"".join(self).decode(errors="replace")


@pytest.mark.parametrize("kernel", ["", pytest.param(NEXT_KERNEL, marks=pytest.mark.long)])
def test_linux_uses_a_served_ssd_with_digests_from_discovery_to_disconnect(kernel: str) -> None:
    if reason := probe(kernel):
        pytest.skip(reason)
    if missing := [name for name in PROGRAMS if not shutil.which(name)]:
        pytest.skip(f"not installed: {', '.join(missing)}")
    for _ in range(2):
        output = Output()
        guest = Guest(preset=PRESETS["tcphost"], sink=output, timeout_s=600, kernel_package=kernel)
        status = guest.run(["sh", str(SCRIPT), sys.executable])
        if not guest.killed:
            break

    assert status == 0, output.text
    assert "all steps done" in output.text
