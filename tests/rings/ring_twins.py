"""Two software SSDs side by side, with RAM and with file media, under both sanitizers."""

from rings.ring_api import ApiRing


class TwinsRing(ApiRing):
    folder = "tests/diff"


RING = TwinsRing("twins")
