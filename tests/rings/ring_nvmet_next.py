"""ring_nvmet.py on the target of Linux 6.12; in the long form only."""

from rings.ring_nvmet import NvmetRing
from vm.kernel import NEXT_KERNEL


class NextNvmetRing(NvmetRing):
    kernel = NEXT_KERNEL

    def names(self, long: bool) -> list[str]:
        return super().names(long) if long else []


RING = NextNvmetRing("nvmet-next")
