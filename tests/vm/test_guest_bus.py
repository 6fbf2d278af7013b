"""The bus against functions that nobody here wrote: VFIO behind an IOMMU, UIO without one."""

import pytest

from rings.builds import PLAIN
from vm.guest import Guest
from vm.presets import NVME_BDF, PRESETS
from vm.probe import probe

PROGRAM = PLAIN.folder / "tests" / "unit" / "bus" / "guest_bus"


class Output(list[bytes]):
    def __call__(self, data: bytes) -> None:
        self.append(data)

    @property
    def text(self) -> str:
        return b"".join(self).decode(errors="replace")


@pytest.fixture(scope="module", autouse=True)
def _program() -> None:
    if reason := probe():
        pytest.skip(reason)
    PLAIN.compile(PROGRAM)


def run(preset: str) -> tuple[int, str]:
    """QEMU 7.2 dies at times when its device loses power or is reset: then once more."""
    for _ in range(2):
        output = Output()
        guest = Guest(preset=PRESETS[preset], sink=output)
        status = guest.run([str(PROGRAM), NVME_BDF])
        if not guest.killed:
            break
    return status, output.text


@pytest.mark.parametrize("preset", ["iommu", "noiommu"])
def test_a_real_function_does_what_the_bus_promises(preset: str) -> None:
    status, text = run(preset)

    assert status == 0, text


def test_a_user_with_little_locked_memory_is_told_what_to_raise() -> None:
    status, text = run("user")

    assert status not in (0, 125), text
    assert "RLIMIT_MEMLOCK is 1024 KiB" in text
