"""The C unit tests that start threads (suite "threads") under ThreadSanitizer."""

import subprocess

from rings.builds import TSAN
from rings.units import UnitRing

# Older sanitizers do not know where newer kernels put things at random.
FIXED_ADDRESSES = ["setarch", "--addr-no-randomize"]


def fixed_addresses() -> list[str]:
    """The words before a command that fix its addresses; none where that is forbidden."""
    done = subprocess.run([*FIXED_ADDRESSES, "true"], capture_output=True, check=False)
    return [] if done.returncode else FIXED_ADDRESSES


class ThreadRing(UnitRing):
    def belongs(self, suites: set[str]) -> bool:
        return "threads" in suites


RING = ThreadRing(TSAN, wrapper=fixed_addresses())
