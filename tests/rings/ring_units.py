"""The C unit tests under AddressSanitizer and UndefinedBehaviorSanitizer."""

from rings.builds import ASAN
from rings.units import UnitRing

RING = UnitRing(ASAN)
