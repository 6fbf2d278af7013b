"""Both ends of NVMe/TCP with a hostile network between them, under both sanitizers."""

from rings.ring_api import ApiRing


class WireRing(ApiRing):
    folder = "tests/wire"


RING = WireRing("wire")
