"""System suspend as the power cycle of a drive that has no other."""

import sysconfig
from pathlib import Path

import pytest

from vm.presets import S3
from vm.probe import probe
from vm.ramroot import RamGuest

SCRIPT = Path(__file__).with_name("guest_s3.py")


@pytest.mark.long
def test_a_drive_without_power_control_is_power_cycled_by_suspend() -> None:
    if reason := probe():
        pytest.skip(reason)
    guest = RamGuest(S3, site=Path(sysconfig.get_path("platlib")), programs=("rtcwake",))

    status = guest.run(SCRIPT)

    assert status == 0, guest.output
    assert "the drive works" in guest.output
