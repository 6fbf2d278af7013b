"""The C unit tests that start threads (suite "threads") under ThreadSanitizer."""

from rings.builds import TSAN
from rings.units import UnitRing


class ThreadRing(UnitRing):
    def belongs(self, suites: set[str]) -> bool:
        return "threads" in suites


# Without address randomisation: older sanitizers do not know the layout of newer kernels.
RING = ThreadRing(TSAN, wrapper=["setarch", "--addr-no-randomize"])
