"""Firmware images for the software SSD."""

import pytest

import nvme as d
from nvme import simfw


@pytest.fixture
def drive():
    nvme0 = d.Controller("sim:size=16M,sn=FW,latency=none")
    yield nvme0
    del nvme0


def test_the_checksum_is_crc32c():
    assert simfw.crc32c(b"123456789") == 0xE3069283


def test_an_image_is_whole_dwords_and_has_its_payload():
    image = simfw.build(b"abcde", "2.0")

    assert len(image) % 4 == 0
    assert image[64:69] == b"abcde"
    assert image[16:24] == b"2.0     "


@pytest.mark.parametrize("fr", ["", " ", "123456789", "caf\u00e9", "a\nb"])
def test_a_revision_is_checked(fr):
    with pytest.raises(ValueError):
        simfw.build(b"", fr)


def test_an_image_beyond_the_drives_limit_is_refused():
    fits = simfw.MAX_BYTES - simfw.HEADER_BYTES

    assert len(simfw.build(bytes(fits), "2.0")) == 16 << 20
    with pytest.raises(ValueError, match="image of 16777220 bytes.* at most 16777216"):
        simfw.build(bytes(fits + 1), "2.0")


def test_the_drive_refuses_a_damaged_image(drive, tmp_path):
    data = bytearray(simfw.build(bytes(5000), "9.9"))
    data[3000] ^= 1
    image = tmp_path / "image.bin"
    image.write_bytes(data)

    with pytest.warns(UserWarning, match="ERROR status: 01/07"):
        drive.downfw(str(image), 2, 1)
