"""Programs that count instructions (suite "plain"), in the build that users get."""

from rings.builds import PLAIN
from rings.units import UnitRing


class PlainRing(UnitRing):
    def belongs(self, suites: set[str]) -> bool:
        return "plain" in suites


RING = PlainRing(PLAIN)
