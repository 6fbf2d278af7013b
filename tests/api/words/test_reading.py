"""Words that only ask: text, JSON and binary say the same."""

import re

import pytest

import nvme as d
from nvme import decode

from .tool import SMALL

#: Words and their options, with the view whose bytes binary output has.
VIEWS = {
    "id-ctrl": ((), decode.IdentifyController),
    "id-ns": (("-n", "1"), decode.IdentifyNamespace),
    "nvm-id-ctrl": ((), decode.IdentifyControllerNvm),
    "nvm-id-ns": ((), decode.IdentifyNamespaceNvm),
    "cmdset-ind-id-ns": ((), decode.IdentifyNamespaceIndependent),
    "smart-log": ((), decode.SmartLog),
    "fw-log": ((), decode.FirmwareLog),
    "effects-log": ((), decode.EffectsLog),
    "self-test-log": ((), decode.SelfTestLog),
    "sanitize-log": ((), decode.SanitizeLog),
    "supported-log-pages": ((), decode.SupportedLogPages),
    "fid-support-effects-log": ((), decode.FeatureEffectsLog),
    "list-ns": ((), decode.NamespaceList),
    "list-ctrl": ((), decode.ControllerList),
    "show-regs": ((), decode.Registers),
}
LISTS = {"list-ns", "list-ctrl"}  # whose text is a list, not a table
FIELD = re.compile(r"^(\w+) *: (\S*)", re.MULTILINE)


@pytest.mark.parametrize("word", sorted(VIEWS.keys() - LISTS))
def test_json_says_all_that_the_text_says(pynvme, word):
    options = VIEWS[word][0]
    text = dict(FIELD.findall(pynvme(word, SMALL, *options).out))
    found = pynvme(word, SMALL, *options, "-o", "json").json

    assert text
    for name, value in text.items():
        keys = [key for key in found if key == name or key.startswith(f"{name}_")]
        assert keys, name
        if isinstance(found[keys[0]], int) and re.fullmatch(r"\d+|0x[0-9a-f]+", value):
            assert found[keys[0]] == int(value, 0), name


@pytest.mark.parametrize("word", VIEWS)
def test_binary_is_the_structure(pynvme, word):
    options, view = VIEWS[word]

    assert pynvme(word, SMALL, *options, "-o", "binary").code == 0
    first = pynvme.bytes
    assert pynvme(word, SMALL, *options, "-b").code == 0

    assert len(first) == len(pynvme.bytes) == view.BYTES
    assert view(first)


def test_lists_are_numbered_lines(pynvme):
    assert pynvme("list-ns", SMALL).out == "[   0]:0x1\n"
    assert pynvme("list-ctrl", SMALL).out == "num of ctrls present: 1\n[   0]:0x1\n"


def test_human_readable_has_a_line_for_each_bit_field(pynvme):
    plain = pynvme("id-ctrl", SMALL).out
    human = pynvme("id-ctrl", SMALL, "-H").out
    found = pynvme("id-ctrl", SMALL, "-H", "-o", "json").json

    assert "fnvms" not in plain
    assert "Format NVM Supported" in human
    assert found["oacs"]["fnvms"] == 1
    assert found["oacs"]["raw"] == pynvme("id-ctrl", SMALL, "-o", "json").json["oacs"]


def test_units_are_in_the_keys(pynvme):
    found = pynvme("smart-log", SMALL, "-o", "json").json

    assert {"ctemp_kelvin", "avsp_percent", "dur_512000_bytes", "poh_hours"} <= found.keys()


def test_vendor_bytes_are_shown_when_asked(pynvme):
    assert "vs:" in pynvme("id-ctrl", SMALL, "-v").out
    assert "vs:" not in pynvme("id-ctrl", SMALL).out


def test_lists_are_lists(pynvme):
    assert pynvme("list-ns", f"{SMALL},ns=3").out.splitlines() == [
        "[   0]:0x1",
        "[   1]:0x2",
        "[   2]:0x3",
    ]
    assert pynvme("list-ns", f"{SMALL},ns=3", "-n", 2, "-o", "json").json == {"nsid": [2, 3]}


def test_errors_are_limited_to_what_was_asked_for(pynvme):
    assert len(pynvme("error-log", SMALL, "-e", 3, "-o", "json").json["entries"]) == 3
    assert pynvme("error-log", SMALL, "-e", 0).code == 2
    assert len(pynvme("error-log", SMALL, "-e", 60000, "-o", "json").json["entries"]) == 64


def test_the_event_log_is_whole(pynvme):
    found = pynvme("persistent-event-log", SMALL, "-o", "json").json

    assert found["header"]["tnev"] == len(found["events"]) >= 1
    assert "damaged" not in found


def test_an_event_log_that_is_cut_says_so(pynvme):
    found = pynvme("persistent-event-log", SMALL, "-l", 512, "-o", "json").json

    assert found["events"] == []
    assert "announced" in found["damaged"]


def test_telemetry_goes_to_a_file(pynvme, tmp_path):
    file = tmp_path / "telemetry"

    said = pynvme("telemetry-log", SMALL, "--output-file", file, "-d", 1, "-o", "json")

    log = decode.TelemetryLog(file.read_bytes())
    assert said.json["data_bytes"] == len(log.data) == 512 * log.header.dalb1
    assert log.header.thdgn == 1


def test_any_log_is_dumped_and_decoded(pynvme):
    said = pynvme("get-log", SMALL, "-i", 2)
    found = pynvme("get-log", SMALL, "-i", 2, "-o", "json").json

    assert said.out.startswith("log-id:0x2 (SMART / Health Information)")
    assert "0000: 00" in said.out
    assert len(bytes.fromhex(found["data"])) == found["data_len_bytes"] == 512
    assert found["decoded"]["avsp_percent"] == 100


def test_a_log_is_read_in_dwords(pynvme):
    assert pynvme("get-log", SMALL, "-i", 2, "-l", 6).code == 2
    assert pynvme("get-log", SMALL, "-i", 2, "--lpo", 2, "-l", 4).code == 2
    assert pynvme("get-log", SMALL).code == 2


def test_an_error_status_is_exit_code_1_and_valid_json(pynvme):
    said = pynvme("get-log", SMALL, "-i", 9, "-l", 512, "-o", "json")

    assert said.code == 1
    assert said.json["status"] == d.spec.Status.INVALID_LOG_PAGE
    assert said.json["status_text"] == "Invalid Log Page"
    assert "01/09 Invalid Log Page" in said.err


def test_an_inactive_namespace_is_zeros_or_a_status_never_a_traceback(pynvme):
    said = pynvme("id-ns", SMALL, "-n", 7)

    assert said.code in (0, 1)
    assert "Traceback" not in said.err


def test_registers_have_their_fields(pynvme):
    found = pynvme("show-regs", SMALL, "-H", "-o", "json").json

    assert found["csts"]["rdy"] == 1
    assert found["cc"]["en"] == 1
    assert found["vs"]["mjr"] == 1


def test_warnings_leave_json_valid(pynvme):
    said = pynvme("sanitize", SMALL, "-a", 2, "--wait", "--yes", "-o", "json")

    assert said.code == 0
    assert said.json["sstat"] & 7 == 1
    assert "AER notification is triggered" in said.err
