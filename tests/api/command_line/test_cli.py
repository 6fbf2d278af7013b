"""The command line: what each command prints, and what it says of wrong arguments."""

import json
import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import nvme as d
from nvme import cli, drives
from nvme.command_line import Parser, guarded, whole
from nvme.host import words

TOP = Path(__file__).resolve().parents[3]
COMMANDS = ("sim", "perf", "setup", "reset", "status", "cmdlog", "identify")


def refused(capsys, *argv, code=2):
    """The line about arguments that are refused."""
    try:
        got = cli.main(argv)
    except SystemExit as end:
        got = end.code
    out, err = capsys.readouterr()
    assert (got, out) == (code, "")
    assert err.count("\n") == 1, "an error is one line"
    return err


def helped(capsys, *argv):
    """The help, its lines put together."""
    try:
        code = cli.main([*argv, "--help"])
    except SystemExit as end:
        code = end.code
    assert not code
    return " ".join(capsys.readouterr().out.split())


def test_sim_lists_the_options(capsys):
    for argv in (["sim"], ["sim", "--help"]):
        assert cli.main(argv) == 0

        text = capsys.readouterr().out
        assert "size" in text
        assert "mdts" in text


@pytest.mark.parametrize("word", ["bogus", "--bogus", "size"])
def test_sim_has_no_other_arguments(capsys, word):
    line = refused(capsys, "sim", word)

    assert f"pynvme sim: unknown: '{word}'" in line
    assert "firmware" in line


def test_sim_firmware_makes_an_image_that_the_drive_takes(tmp_path):
    image = tmp_path / "image.bin"
    assert cli.main(["sim", "firmware", "--fr=9.9", str(image)]) == 0
    nvme0 = d.Controller("sim:size=16M")

    nvme0.downfw(image, slot=2, action=1)
    nvme0.reset()

    assert nvme0.id_data(71, 64, str) == "9.9"


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["/nowhere/image"], "/nowhere/image: No such file or directory"),
        (["x", "--payload=/nowhere/p"], "/nowhere/p: No such file or directory"),
        (["x", "--fr=123456789"], "--fr"),
        (["x", "--fr=caf\u00e9"], "1 to 8 printable ASCII characters, not 'caf\u00e9'"),
        ([], "image"),
    ],
)
def test_an_image_that_cannot_be_made_is_one_line(capsys, argv, text):
    line = refused(capsys, "sim", "firmware", *argv)

    assert line.startswith("pynvme sim firmware: ")
    assert text in line


def test_identify_tells_what_a_device_says(capsys):
    assert cli.main(["identify", "sim:size=16M"]) == 0

    text = capsys.readouterr().out
    assert "serial number" in text
    assert "NVMe version     1.3" in text
    assert "namespace 1      16777216 bytes in LBAs of 512" in text


def test_identify_tells_of_every_namespace(capsys):
    assert cli.main(["identify", "sim:size=16M,ns=3"]) == 0

    text = capsys.readouterr().out
    assert [f"namespace {n} " in text for n in (1, 2, 3, 4)] == [True] * 3 + [False]


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("/dev/nvme0", "`pynvme status`"),
        ("/dev/nvme0n1", "`pynvme status`"),
        ("nonsense", "is no address of a device"),
        ("sim:nonsense=1", "nonsense"),
        ("7f:1f.7", "7f:1f.7"),
    ],
)
def test_a_wrong_address_is_one_line(capsys, address, text):
    line = refused(capsys, "identify", address)

    assert line.startswith("pynvme identify: ")
    assert text in line


def test_the_kernels_name_leads_scripts_to_the_address_too():
    with pytest.raises(d.NvmeEnumerateError, match="`pynvme status`"):
        d.Controller("/dev/nvme0")


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        ([], "a command is missing: known are sim, perf, "),
        (["frobnicate"], "unknown command 'frobnicate': known are sim, perf, "),
        (["idenitfy"], "did you mean identify?"),
        (["--bogus"], "unknown command '--bogus'"),
        (["identify", "sim", "sim"], "unrecognized arguments: sim"),
        (["identify", "--bogus"], "unrecognized arguments: --bogus"),
        (["setup", "--bogus"], "unrecognized arguments: --bogus"),
        (["perf", "--bogus"], "unknown option --bogus: known are --blocksize"),
        (["cmdlog", "--bogus"], "unrecognized arguments: --bogus"),
        (["cmdlog", "--coun", "1"], "unrecognized arguments: --coun"),
        (["cmdlog", "-n", "x"], "-n/--count: must be 0..1048576 commands, not 'x'"),
        (["cmdlog", "-n", "-1"], "-n/--count: must be 0..1048576 commands, not -1"),
    ],
)
def test_wrong_words_are_answered_with_the_right_ones(capsys, argv, text):
    assert text in refused(capsys, *argv)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(capsys, name):
    assert len(helped(capsys, name)) > 100


@pytest.mark.parametrize("name", [*sorted({*cli.COMMANDS} - {"sim"}), "sim firmware", *words.WORDS])
def test_every_argument_is_explained(monkeypatch, capsys, name):
    arguments = []
    real = Parser.format_help

    def noting(parser):
        arguments.extend(parser._actions)
        return real(parser)

    monkeypatch.setattr(Parser, "format_help", noting)
    helped(capsys, *name.split())

    assert arguments
    assert [each.option_strings or each.dest for each in arguments if not each.help] == []


def test_the_help_lists_all_commands_and_the_exit_codes(capsys):
    text = helped(capsys)

    for name, command in cli.COMMANDS.items():
        assert f" {name} {command.help} " in text
        assert len(command.help) > 20, "it says what the command does"
    assert "exit codes: 0 all well; 1 " in text


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["identify"], "(default: sim)"),
        (["cmdlog"], "0: all that are kept (default: 0)"),
        (["sim", "firmware"], "(default: 2.0)"),
        (["setup"], "(default: every drive"),
    ],
)
def test_help_tells_the_defaults(capsys, argv, text):
    assert text in helped(capsys, *argv)


# --- how it ends ---


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (d.NvmeError("no\nsuch thing"), 2, "no such thing"),
        (ValueError("wrong"), 2, "wrong"),
        (FileNotFoundError(2, "No such file", "x"), 2, "x: No such file"),
        (OSError("odd"), 2, "odd"),
        (TimeoutError("too late"), 1, "too late"),
    ],
)
def test_an_error_is_a_line_and_a_code(capsys, error, code, text):
    def fail():
        raise error

    assert guarded("pynvme x", fail) == code
    assert capsys.readouterr().err == f"pynvme x: {text}\n"


def test_a_fault_of_our_own_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        guarded("pynvme x", lambda: 1 // 0)


def test_warnings_are_lines(capsys):
    assert guarded("pynvme x", lambda: warnings.warn("careful", stacklevel=2) or 0) == 0
    assert capsys.readouterr().err == "pynvme x: careful\n"


@pytest.mark.parametrize(
    ("count", "lines"), [(0, 0), (3, 3), (4, "and 1 more events"), (30, "and 27 more events")]
)
def test_a_storm_of_events_is_a_few_lines(capsys, count, lines):
    def storm():
        for number in range(count):
            logging.getLogger("nvme").error("event %d", number)
        return 0

    assert guarded("pynvme x", storm) == 0

    said = capsys.readouterr().err.splitlines()
    assert said[:3] == [f"pynvme x: event {number}" for number in range(min(count, 3))]
    if isinstance(lines, str):
        assert lines in said.pop()
    assert len(said) == min(count, 3)


def test_nobody_reads_the_output_any_more():
    code = "import sys; from nvme.cli import main; sys.exit(main(['sim']))"
    read, write = os.pipe()
    os.close(read)

    done = subprocess.run(
        [sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, text=True, timeout=60
    )
    os.close(write)

    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("9", 9), ("0x9", 9)])
def test_whole_numbers(text, number):
    assert whole(0, 9)(text) == number


# --- beside the package ---


def test_the_setup_script_is_part_of_the_package():
    assert cli.SETUP.exists()


@pytest.mark.parametrize(
    ("name", "argv", "call"),
    [
        ("setup", ["01:00.0"], ["bind", "01:00.0"]),
        ("reset", [], ["release"]),
        ("status", ["01:00.0", "02:00.0"], ["status", "01:00.0", "02:00.0"]),
    ],
)
def test_drives_are_the_business_of_the_script(monkeypatch, tmp_path, name, argv, call):
    script = tmp_path / "setup.sh"
    script.write_text(f'printf "%s\\n" "$@" >{tmp_path}/call; exit 7\n')
    monkeypatch.setattr(cli, "SETUP", script)

    assert cli.main([name, *argv]) == 1

    assert (tmp_path / "call").read_text().split() == call


def test_status_as_data_has_what_the_script_and_the_kernel_know(monkeypatch, tmp_path, capsys):
    script = tmp_path / "setup.sh"
    lines = [
        "0000:01:00.0\\tnvme\\t/dev/nvme0\\tmounted at /;mounted at /boot",
        "0001:02:00.0\\tvfio-pci\\t\\t",
        "0000:03:00.0\\t\\t\\t",
    ]
    script.write_text("".join(f"printf '{line}\\n'\n" for line in lines))
    function = tmp_path / "0000:01:00.0"
    (function / "nvme" / "nvme0").mkdir(parents=True)
    (function / "nvme" / "nvme0" / "model").write_text("A MODEL       \n")
    (function / "vendor").write_text("0x1b36\n")
    (function / "device").write_text("0x0010\n")
    monkeypatch.setattr(cli, "SETUP", script)
    monkeypatch.setattr(drives, "DEVICES", tmp_path)

    assert cli.main(["status", "--json"]) == 0

    mounted, taken, free = json.loads(capsys.readouterr().out)["drives"]
    assert mounted == {
        "address": "01:00.0",
        "driver": "nvme",
        "ready": False,
        "used": "mounted at /;mounted at /boot",
        "devices": ["/dev/nvme0"],
        "model": "A MODEL",
        "serial": None,
        "firmware": None,
        "pci_id": "1b36:0010",
    }
    assert (taken["address"], taken["ready"], taken["used"]) == ("0001:02:00.0", True, None)
    assert (free["driver"], free["ready"]) == (None, False)


def test_status_as_data_fails_with_the_script(monkeypatch, tmp_path, capsys):
    script = tmp_path / "setup.sh"
    script.write_text("exit 1\n")
    monkeypatch.setattr(cli, "SETUP", script)

    assert cli.main(["status", "--json", "nonsense"]) == 1

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("command", "code", "text"),
    [
        (["./install.sh", "--help"], 0, "./install.sh --tests"),
        (["./install.sh", "--bogus"], 1, "install.sh: unknown option --bogus; known are --help"),
        (["make", "help"], 0, "make test-long"),
        (["make", "bogus"], 2, "make: unknown target bogus; 'make help'"),
    ],
)
def test_the_front_doors_explain_themselves(command, code, text):
    if not (TOP / "install.sh").exists():
        pytest.skip("only in a checkout")

    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=60)

    assert done.returncode == code
    assert text in (done.stderr if code else done.stdout)
