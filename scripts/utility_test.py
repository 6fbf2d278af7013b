"""Things to do to a drive, as tests.

    make test TESTS=scripts/utility_test.py::test_download_firmware \
        pciaddr=01:00.0 FIRMWARE=FILE
"""

import os

import pytest

import nvme as d


def test_download_firmware(nvme0):
    """FIRMWARE names the image; an image for the software SSD comes from `pynvme sim firmware`."""
    image = os.environ.get("FIRMWARE")
    if not image:
        pytest.skip("set FIRMWARE to the file")
    before = nvme0.id_data(71, 64, str)

    nvme0.downfw(image)
    nvme0.reset()

    print(f"firmware was {before}, is {nvme0.id_data(71, 64, str)}")


@pytest.mark.parametrize("data_size", [4096, 512])
def test_format(nvme0n1, data_size):
    if nvme0n1.get_lba_format(data_size) is None:
        pytest.skip(f"no LBA format of {data_size} bytes")
    nvme0n1.format(data_size)

    assert nvme0n1.sector_size == data_size


def test_power_cycle(nvme0, subsystem):
    def power_cycles():
        smart_log = d.Buffer(512)
        nvme0.getlogpage(2, smart_log, 512).waitdone()
        return smart_log.data(127, 112)

    before = power_cycles()
    subsystem.shutdown_notify()
    try:
        subsystem.power_cycle(2)
    except d.NvmeError as why:
        nvme0.reset()
        pytest.skip(str(why))

    assert power_cycles() == before + 1


def test_trim(nvme0n1, qpair):
    ranges = d.Buffer()
    ranges.set_dsm_range(0, 0, 1024)

    nvme0n1.dsm(qpair, ranges, 1).waitdone()


def test_print_smart_log(nvme0):
    smart_log = d.Buffer(512, "SMART / health information")
    nvme0.getlogpage(2, smart_log, 512).waitdone()

    print(smart_log.dump(192))
    print(f"temperature {smart_log.data(2, 1) - 273} degrees, used {smart_log[5]} %")
