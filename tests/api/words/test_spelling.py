"""Which words there are, in both spellings, and what all of them understand."""

import re

import pytest

from nvme.host import words

from .tool import SMALL

#: What users of nvme-cli type, and what they type for the same in version 3 or by habit.
ALSO = {
    "id-ctrl": ("id ctrl",),
    "id-ns": ("id ns", "ns id"),
    "nvm-id-ctrl": ("id nvm-ctrl",),
    "nvm-id-ns": ("id nvm-ns",),
    "cmdset-ind-id-ns": ("id ind-ns",),
    "ns-descs": ("id ns-descs", "ns descs"),
    "list-ns": ("ns list", "id list-ns"),
    "list-ctrl": ("id list-ctrl",),
    "smart-log": ("log smart",),
    "error-log": ("log error",),
    "fw-log": ("log fw",),
    "effects-log": ("log effects",),
    "self-test-log": ("log self-test",),
    "sanitize-log": ("log sanitize",),
    "persistent-event-log": ("log persistent-event",),
    "telemetry-log": ("log telemetry",),
    "endurance-log": ("log endurance",),
    "supported-log-pages": ("log supported-log-pages", "log supported"),
    "fid-support-effects-log": ("log fid-support-effects",),
    "get-log": ("log get",),
    "get-feature": ("feat get", "feature get"),
    "set-feature": ("feat set", "feature set"),
    "show-regs": ("ctrl show-regs",),
    "ctrl-reset": ("ctrl reset",),
    "subsystem-reset": ("subsystem reset",),
    "device-self-test": ("ctrl self-test",),
    "format": ("ns format",),
    "sanitize": ("ctrl sanitize",),
    "fw-download": ("fw download", "firmware download"),
    "fw-commit": ("fw commit", "firmware commit"),
    "create-ns": ("ns create",),
    "delete-ns": ("ns delete",),
    "attach-ns": ("ns attach",),
    "detach-ns": ("ns detach",),
    "security-send": ("security send",),
    "security-recv": ("security recv", "security receive", "security-receive"),
    "dir-send": ("dir send",),
    "dir-receive": ("dir receive", "dir recv", "dir-recv"),
    "read": ("io read",),
    "write": ("io write",),
    "compare": ("io compare",),
    "verify": ("io verify",),
    "copy": ("io copy",),
    "dsm": ("io dsm",),
    "write-zeroes": ("io write-zeroes",),
    "write-uncor": ("io write-uncor",),
    "flush": ("io flush",),
    "admin-passthru": ("admin passthru", "passthru admin", "admin-passthrough"),
    "io-passthru": ("io passthru", "passthru io", "io-passthrough"),
}
FLAGS = ("--output-format", "--human-readable", "--dry-run", "--show-command", "--timeout")


@pytest.mark.parametrize("word", ALSO)
def test_every_spelling_of_nvme_cli_is_known(word):
    for spelling in (word, *ALSO[word]):
        assert words.find([*spelling.split(), "sim"]) == (word, ["sim"]), spelling


def test_every_word_and_spelling_is_in_the_list():
    """A new one belongs into the list above."""
    assert set(words.WORDS) == set(ALSO)
    assert set(words.SPELLINGS) == {spelling for each in ALSO.values() for spelling in each}


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
