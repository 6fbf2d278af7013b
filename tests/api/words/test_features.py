"""get-feature and set-feature."""

import pytest

from .tool import SMALL


def test_a_feature_has_its_value(pynvme):
    said = pynvme("get-feature", SMALL, "-f", 7)

    assert said.out == "get-feature:0x07 (Number of Queues), Current value:0x001f001f\n"


def test_a_feature_has_its_fields(pynvme):
    assert "Number of I/O Completion Queues" in pynvme("get-feature", SMALL, "-f", 7, "-H").out
    found = pynvme("get-feature", SMALL, "-f", 7, "-H", "-o", "json").json
    assert found["value"] == {"raw": 0x1F001F, "nsq": 31, "ncq": 31}


def test_json_of_a_feature_is_raw(pynvme):
    found = pynvme("get-feature", SMALL, "-f", 0x04, "-o", "json").json

    assert found == {"fid": 4, "name": "Temperature Threshold", "sel": 0, "value": 343}


def test_data_of_a_feature_are_decoded(pynvme):
    found = pynvme("get-feature", SMALL, "-f", 0x0E, "-o", "json").json

    assert found["data"]["timestamp_ms"] >= 0
    assert pynvme("get-feature", SMALL, "-f", 0x0E, "-b").code == 0
    assert len(pynvme.bytes) == 8


def test_a_feature_without_data_is_a_dword_in_binary(pynvme):
    pynvme("get-feature", SMALL, "-f", 7, "-b")

    assert pynvme.bytes == (0x1F001F).to_bytes(4, "little")


def test_capabilities_have_names(pynvme):
    found = pynvme("get-feature", SMALL, "-f", 4, "-s", 3, "-H", "-o", "json").json

    assert found["value"]["chang"] == 1


def test_without_a_feature_all_of_them_are_told(pynvme):
    found = pynvme("get-feature", SMALL, "-o", "json").json["features"]

    assert {each["fid"] for each in found} >= {1, 2, 4, 5, 6, 7, 8, 9, 10, 11}
    assert len(pynvme("get-feature", SMALL).out.splitlines()) == len(found)


def test_a_feature_that_is_not_there_is_exit_code_1(pynvme):
    assert pynvme("get-feature", SMALL, "-f", 0x7F).code == 1


@pytest.mark.parametrize("sent", ["0x155", "341"])
def test_a_feature_is_set(pynvme, sent):
    said = pynvme("set-feature", SMALL, "-f", 4, "-v", sent, "-o", "json")

    assert said.code == 0
    assert said.json["value"] == 341


def test_a_feature_is_set_with_data(pynvme, tmp_path):
    file = tmp_path / "timestamp"
    file.write_bytes((1_700_000_000_000).to_bytes(8, "little"))

    assert pynvme("set-feature", SMALL, "-f", 0x0E, "-d", file).code == 0


def test_data_that_are_too_short_send_nothing(pynvme, tmp_path):
    file = tmp_path / "short"
    file.write_bytes(b"123")

    said = pynvme("set-feature", SMALL, "-f", 0x0E, "-d", file)

    assert said.code == 2
    assert "8 bytes" in said.err
    assert pynvme("set-feature", SMALL, "-f", 0x0E, "-d", file, "-l", 8).code == 2


def test_a_value_must_be_given(pynvme):
    assert pynvme("set-feature", SMALL, "-f", 4).code == 2
    assert pynvme("set-feature", SMALL, "-v", 4).code == 2
    assert pynvme("set-feature", SMALL, "-f", 4, "-v", 1 << 32).code == 2
