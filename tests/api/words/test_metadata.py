"""Blocks with metadata, and I/O commands whose every field is the user's."""

import pytest

from .tool import SMALL

SECTOR, MS = 512, 8


@pytest.fixture
def with_metadata(kept, pynvme) -> str:
    """A kept drive formatted with metadata in a buffer of their own."""
    address = f"{kept},ms=8"
    formats = pynvme("id-ns", address, "-o", "json").json["lbaf"]
    lbaf = next(i for i, each in enumerate(formats) if list(each.values())[:2] == [MS, 9])
    assert pynvme("format", address, "-l", lbaf, "-m", 0, "--yes").code == 0
    return address


def test_metadata_are_written_and_read(pynvme, with_metadata, tmp_path):
    data, metadata, back = (tmp_path / name for name in ("data", "metadata", "back"))
    data.write_bytes(b"d" * 2 * SECTOR)
    metadata.write_bytes(bytes(range(2 * MS)))

    sent = ("-c", 1, "-d", data, "-M", metadata)
    assert pynvme("write", with_metadata, *sent, "--yes").code == 0
    assert pynvme("compare", with_metadata, *sent).code == 0
    assert pynvme("read", with_metadata, "-c", 1, "-M", back).code == 0

    assert pynvme.bytes == data.read_bytes()
    assert back.read_bytes() == metadata.read_bytes()
    found = pynvme("read", with_metadata, "-c", 1, "-o", "json").json
    assert found["metadata"] == metadata.read_bytes().hex()


def test_a_write_without_its_metadata_is_refused(pynvme, with_metadata, tmp_path):
    data = tmp_path / "data"
    data.write_bytes(b"d" * SECTOR)

    said = pynvme("write", with_metadata, "-d", data, "--yes")

    assert said.code == 2
    assert "8 bytes of metadata" in said.err


def test_metadata_at_the_end_of_the_data_are_part_of_them(pynvme, kept):
    address = f"{kept},ms=8"
    formats = pynvme("id-ns", address, "-o", "json").json["lbaf"]
    lbaf = next(i for i, each in enumerate(formats) if list(each.values())[:2] == [MS, 9])
    assert pynvme("format", address, "-l", lbaf, "-m", 1, "--yes").code == 0

    assert pynvme("read", address, "-c", 1).code == 0

    assert len(pynvme.bytes) == 2 * (SECTOR + MS)


def test_protection_that_the_drive_makes_needs_no_metadata(pynvme, kept, tmp_path):
    address = f"{kept},ms=8"
    formats = pynvme("id-ns", address, "-o", "json").json["lbaf"]
    lbaf = next(i for i, each in enumerate(formats) if list(each.values())[:2] == [MS, 9])
    assert pynvme("format", address, "-l", lbaf, "-m", 0, "-i", 1, "--yes").code == 0
    data = tmp_path / "data"
    data.write_bytes(b"d" * SECTOR)

    assert pynvme("write", address, "-d", data, "-p", 8, "--yes").code == 0
    assert pynvme("read", address, "-p", 8).code == 0

    assert pynvme.bytes == data.read_bytes()


def test_every_dword_of_an_io_command_can_be_set(pynvme):
    options = ("--opcode=2", "-n", 1, "-l", 512, "-r", "-2", 5, "-3", 6, "-o", "json")

    command = pynvme("io-passthru", SMALL, *options, "--dry-run").json["commands"][0]
    said = pynvme("io-passthru", SMALL, *options)

    assert (command["cdw2"], command["cdw3"]) == (5, 6)
    assert said.code == 0
    assert len(bytes.fromhex(said.json["data"])) == 512


def test_the_error_status_of_such_a_command_is_told(pynvme):
    said = pynvme("io-passthru", SMALL, "--opcode=2", "-n", 9, "-l", 512, "-r", "-2", 1)

    assert said.code == 1
    assert "00/0b" in said.err
