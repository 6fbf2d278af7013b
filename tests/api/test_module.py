"""The module itself: import, config, exceptions."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import nvme as d

EXCEPTIONS = (
    "NvmeEnumerateError",
    "NvmeDeletionError",
    "QpairCreationError",
    "QpairDeletionError",
    "NamespaceCreationError",
    "NamespaceDeletionError",
)


#: What only the commands, a report or a mishap needs.
LATE = {
    *("argparse", "asyncio", "dataclasses", "gettext", "inspect", "json", "logging", "signal"),
    *("socket", "subprocess", "tempfile", "textwrap", "threading", "traceback"),
    *("pytest", "rich", "yaml"),
    *("nvme.cli", "nvme.command_line", "nvme.decode", "nvme.host", "nvme.ioworker", "nvme.perf"),
    *("nvme.progress", "nvme.raw", "nvme.serve_command", "nvme.sessions", "nvme.spec"),
}


def run(code: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, **options
    )


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_exceptions_have_one_base(name):
    assert issubclass(getattr(d, name), d.NvmeError)
    assert issubclass(d.NvmeError, Exception)


def test_import_changes_no_signal_handler_and_starts_no_thread():
    code = """
import os, signal
before = [signal.getsignal(s) for s in signal.valid_signals()]
import nvme
assert before == [signal.getsignal(s) for s in signal.valid_signals()]
assert len(os.listdir("/proc/self/task")) == 1
"""

    done = run(code)

    assert done.returncode == 0, done.stderr


def test_import_loads_nothing_that_a_script_may_never_need():
    done = run(
        "import sys; before = set(sys.modules); import nvme; print(*set(sys.modules) - before)"
    )

    loaded = set(done.stdout.split())
    assert "nvme.controller" in loaded
    assert not loaded & LATE


def test_no_module_needs_what_only_type_checkers_have():
    code = """
import importlib, pkgutil, sys
sys.modules["typing_extensions"] = None
import nvme
for module in pkgutil.walk_packages(nvme.__path__, "nvme."):
    if module.name not in ("nvme.console.top", "nvme.console.log_screen"):  # Textual needs it
        importlib.import_module(module.name)
"""

    done = run(code)

    assert done.returncode == 0, done.stderr


def test_import_twice_is_harmless():
    done = run(
        "import nvme, sys; core = nvme._core\n"
        "for name in [n for n in sys.modules if n.split('.')[0] == 'nvme']: del sys.modules[name]\n"
        "import nvme; assert len(nvme.Buffer(10)) == 10"
    )

    assert done.returncode == 0, done.stderr


def open_to_all(path: Path) -> bool:
    """Whether anybody may go all the way to a file."""
    return all(folder.stat().st_mode & 0o001 for folder in path.parents)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_import_and_the_software_ssd_need_no_privilege():
    needed = (sys.executable, os.path.realpath(sys.executable), d.__file__)
    if not all(open_to_all(Path(path)) for path in needed):
        pytest.skip("this Python belongs to root alone")
    done = run("import nvme; assert nvme.Controller()[0x1c] == 1", user=65534, cwd="/")

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"verify": True}, 0b001),
        ({"verify": False}, 0b000),
        ({"verify": True, "fua_read": True}, 0b011),
        ({"verify": None, "fua_write": True}, 0b101),
        ({"verify": False, "fua_read": True, "fua_write": True}, 0b110),
    ],
)
def test_config_returns_the_word_after_the_call(arguments, word):
    d.config(verify=True)
    try:
        assert d.config(**arguments) == word
    finally:
        d.config(verify=False)


def test_config_leaves_verify_alone_when_it_is_not_named():
    d.config(verify=True)

    assert d.config() == 1
    assert d.config(verify=False) == 0
    assert d.config() == 0


def test_dotdict_has_attributes():
    r = d.DotDict(io_count_read=5)
    r.mseconds = 10

    assert r.io_count_read == r["io_count_read"] == 5
    assert r["mseconds"] == 10
    with pytest.raises(AttributeError):
        r.nothing  # noqa: B018


def test_the_version_is_text():
    assert d.__version__.count(".") == 2
