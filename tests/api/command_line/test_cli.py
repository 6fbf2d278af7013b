"""The command line."""

import pytest

import nvme as d
from nvme import cli


def test_sim_lists_the_options(capsys):
    assert cli.main(["sim", "--help"]) == 0

    text = capsys.readouterr().out
    assert "size" in text
    assert "mdts" in text


def test_sim_firmware_makes_an_image_that_the_drive_takes(tmp_path):
    image = tmp_path / "image.bin"
    assert cli.main(["sim", "firmware", "--fr=9.9", str(image)]) == 0
    nvme0 = d.Controller("sim:size=16M")

    nvme0.downfw(image, slot=2, action=1)
    nvme0.reset()

    assert nvme0.id_data(71, 64, str) == "9.9"


def test_identify_tells_what_a_device_says(capsys):
    assert cli.main(["identify", "sim:size=16M"]) == 0

    text = capsys.readouterr().out
    assert "serial number" in text
    assert "NVMe version     1.3" in text
    assert "namespace 1      16777216 bytes in LBAs of 512" in text


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit):
        cli.main(["frobnicate"])
    assert "invalid choice" in capsys.readouterr().err


def test_a_missing_log_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "RECORDS", str(tmp_path))

    with pytest.raises(SystemExit, match="no command log"):
        cli.main(["cmdlog"])


def test_the_setup_script_is_part_of_the_package():
    assert cli.SETUP.exists()
