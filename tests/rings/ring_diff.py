"""QEMU's NVMe device and the software SSD, side by side in a guest."""

from rings.ring_guest import GuestRing


class DiffRing(GuestRing):
    folder = "tests/diff"
    preset = "diff"


RING = DiffRing("diff")
