"""In a guest: the power cycle of a drive whose slot has no power control, by system suspend.

    python guest_s3.py 0000:01:00.0

Exit status 0 if the drive works before and after.
"""

import shutil  # noqa: F401  (what a power cycle imports, for the listing of the RAM disk)
import subprocess  # noqa: F401
import sys
import time

import nvme as d

OFF_S = 4
LBA = 77


def suspends() -> int:
    with open("/sys/power/suspend_stats/success") as file:
        return int(file.read())


def check(addr: str) -> None:
    pcie = d.Pcie(addr)
    nvme0 = d.Controller(pcie)
    ns = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    written, read = d.Buffer(512, "written"), d.Buffer(512, "read")
    written[:] = bytes(range(256)) * 2
    ns.write(qpair, written, LBA).waitdone()
    print("written", flush=True)

    before, started = suspends(), time.clock_gettime(time.CLOCK_BOOTTIME)
    d.Subsystem(nvme0).power_cycle(sec=OFF_S)
    took_s = time.clock_gettime(time.CLOCK_BOOTTIME) - started
    print(f"power cycle of {took_s:.1f} s", flush=True)

    assert suspends() == before + 1, "the system did not suspend"
    assert took_s >= OFF_S - 1, took_s  # the alarm counts whole seconds
    try:
        ns.read(qpair, read, LBA).waitdone()
    except SystemError as error:
        print(f"old queue: {error}", flush=True)
    else:
        raise AssertionError("a queue of before lives on")
    fresh = d.Qpair(nvme0, 16)
    ns.read(fresh, read, LBA).waitdone()
    assert read[:] == written[:], "other data after the power cycle"
    ns.write(fresh, written, LBA + 1).waitdone()
    assert fresh.msix_isset(), "no interrupt of a queue made after the power cycle"
    nvme0.identify(d.Buffer(4096)).waitdone()
    print("the drive works", flush=True)


if __name__ == "__main__":
    check(sys.argv[1])
