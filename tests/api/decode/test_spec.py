"""Names of numbers: spec.py and the core's names agree."""

import re
import subprocess
import sys

import pytest

import nvme as d
from nvme import spec

NAMED = {
    spec.AdminOpcode: 0x100,
    spec.IoOpcode: 0x100,
    spec.FabricsType: 0x100,
    spec.Feature: 0x100,
    spec.LogPage: 0x100,
    spec.Status: 0x800,
}
NO_NAME = {"Unknown", "Vendor specific"}


def member(text: str) -> str:
    """The name of a member, from the specification's spelling."""
    return re.sub(r"[^A-Za-z0-9]+", "_", text.replace("I/O", "IO")).strip("_").upper()


@pytest.mark.parametrize("cls", NAMED, ids=lambda cls: cls.__name__)
def test_every_number_has_the_name_that_the_core_has(cls):
    texts = {number: cls.text_of(number) for number in range(NAMED[cls])}

    core = {member(text): number for number, text in texts.items() if text not in NO_NAME}

    assert {each.name: int(each) for each in cls} == core
    assert all(each.text == texts[each] for each in cls)


def test_fabrics_statuses_are_those_that_differ_from_the_nvm_command_sets():
    differ = {
        number: spec.FabricsStatus.text_of(number)
        for number in range(0x800)
        if spec.FabricsStatus.text_of(number) != spec.Status.text_of(number)
    }

    assert {int(each): each.text for each in spec.FabricsStatus} == differ
    assert all(member(each.text) == each.name for each in spec.FabricsStatus)


def test_names_are_numbers():
    assert spec.Status.UNRECOVERED_READ_ERROR == 0x281
    assert spec.Feature.NUMBER_OF_QUEUES == 7
    assert spec.LogPage.SANITIZE_STATUS == 0x81
    assert spec.AdminOpcode.FORMAT_NVM == 0x80
    assert spec.IoOpcode.DATASET_MANAGEMENT == 9
    assert spec.FabricsType.CONNECT == 1


def test_a_number_without_a_name_has_a_text():
    assert spec.AdminOpcode.text_of(0x03) == "Unknown"
    assert spec.Feature.text_of(0xFF) == "Vendor specific"
    assert spec.Status.text_of(0x7C1) == "Vendor specific"
    with pytest.raises(ValueError):
        spec.AdminOpcode(0x03)


def test_import_leaves_decoders_and_names_for_later():
    code = (
        "import sys, nvme as d\n"
        "late = {'nvme.decode', 'nvme.spec'} & set(sys.modules)\n"
        "assert not late, late\n"
        "assert d.spec.Status(0x281).text == 'Unrecovered Read Error'\n"
        "assert d.decode.SmartLog.BYTES == 512\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr


def test_other_names_of_the_package_are_still_attribute_errors():
    with pytest.raises(AttributeError, match="nothing"):
        d.nothing  # noqa: B018
