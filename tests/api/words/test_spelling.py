"""Which words there are, in both spellings, and what all of them understand."""

import re

import pytest

from nvme.host import words

from .tool import SMALL

#: What users of nvme-cli type.
EXPECTED = (
    *("id-ctrl", "id-ns", "list-ns", "smart-log", "error-log", "fw-log", "effects-log"),
    *("self-test-log", "sanitize-log", "persistent-event-log", "telemetry-log", "get-log"),
    *("get-feature", "set-feature", "show-regs", "format", "sanitize", "device-self-test"),
    *("fw-download", "fw-commit", "create-ns", "delete-ns", "attach-ns", "detach-ns"),
    *("security-send", "security-recv", "dir-send", "dir-receive", "read", "write", "compare"),
    *("verify", "copy", "dsm", "write-zeroes", "write-uncor", "flush", "admin-passthru"),
    *("io-passthru", "subsystem-reset"),
)
TWO_WORDS = {
    "id ctrl": "id-ctrl",
    "id ns": "id-ns",
    "log smart": "smart-log",
    "log error": "error-log",
    "log fw": "fw-log",
    "log effects": "effects-log",
    "log self-test": "self-test-log",
    "log sanitize": "sanitize-log",
    "log persistent-event": "persistent-event-log",
    "log telemetry": "telemetry-log",
    "ns attach": "attach-ns",
    "ns detach": "detach-ns",
    "ns create": "create-ns",
    "ns delete": "delete-ns",
    "fw download": "fw-download",
    "security send": "security-send",
    "dir receive": "dir-receive",
}
FLAGS = ("--output-format", "--human-readable", "--dry-run", "--show-command", "--timeout")


@pytest.mark.parametrize("word", EXPECTED)
def test_a_word_of_nvme_cli_is_known(word):
    assert words.find([word, "sim", "-x"]) == (word, ["sim", "-x"])


@pytest.mark.parametrize("spelling", TWO_WORDS)
def test_the_spelling_of_version_3_is_the_same_word(spelling):
    assert words.find([*spelling.split(), "sim"]) == (TWO_WORDS[spelling], ["sim"])


@pytest.mark.parametrize("word", words.WORDS)
def test_every_word_has_help_and_the_common_flags(pynvme, word):
    said = pynvme(word, "--help")

    assert said.code == 0
    assert "exit codes" in said.out
    assert [flag for flag in FLAGS if flag not in said.out] == []


@pytest.mark.parametrize("word", words.WORDS)
def test_the_short_spelling_of_an_option_comes_first(pynvme, word):
    lines = [line.strip() for line in pynvme(word, "--help").out.splitlines()]

    assert [line for line in lines if re.match(r"--[^,]*, -\w\b", line)] == []


def test_the_help_of_the_tool_lists_the_words(pynvme):
    said = pynvme("--help")

    assert [word for word in words.WORDS if f"  {word} " not in said.out] == []


def test_both_spellings_say_the_same(pynvme):
    assert pynvme("id", "ctrl", SMALL).out == pynvme("id-ctrl", SMALL).out


def test_the_software_ssd_is_the_device_without_an_address(pynvme):
    assert "pynvme software SSD" in pynvme("id-ctrl").out


def test_a_first_word_alone_says_what_may_follow(pynvme):
    said = pynvme("log")

    assert said.code == 2
    assert "log smart" in said.err


def test_a_mistyped_word_gets_a_hint(pynvme):
    said = pynvme("smart-lgo")

    assert said.code == 2
    assert "did you mean smart-log?" in said.err


def test_reset_gives_drives_back_unless_the_kernel_never_had_them():
    assert words.find(["reset", "sim:size=1G"]) == ("ctrl-reset", ["sim:size=1G"])
    assert words.find(["reset", "01:00.0"]) is None
    assert words.find(["reset"]) is None
    assert words.find(["ctrl", "reset", "01:00.0"]) == ("ctrl-reset", ["01:00.0"])


def test_an_address_that_reaches_nothing_is_a_usage_error(pynvme):
    said = pynvme("id-ctrl", "nonsense:1")

    assert said.code == 2
    assert said.out == ""
    assert "no address of a device" in said.err


def test_a_wrong_format_is_a_usage_error(pynvme):
    said = pynvme("id-ctrl", SMALL, "-o", "yaml")

    assert said.code == 2
    assert "normal, json, binary" in said.err


def test_older_letters_still_mean_what_they_did(pynvme, tmp_path):
    identify = pynvme("admin-passthru", SMALL, "-o", "6", "--cdw10=1", "-l", 4096, "-r", "-b")
    assert identify.code == 0
    assert len(pynvme.bytes) == 4096

    tail = pynvme("get-log", SMALL, "-i", 2, "-l", 4, "-o", 128, "--output-format=json")
    assert tail.json["offset_bytes"] == 128

    file = tmp_path / "telemetry"
    assert pynvme("telemetry-log", SMALL, "-o", str(file)).code == 0
    assert file.read_bytes()[0] == 7
