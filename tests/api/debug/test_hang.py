"""Ctrl-\\ on a script that hangs: where it is, what its queues wait for, and its end."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .hanging import DRIVE, SCRIPT, hanging, script

WRITE = re.compile(
    r"^sim:size=64M qpair 1: 1 outstanding\n"
    r"  Write \(01\) sqid:1 cid:\d+ nsid:1 cdw10:00001234 cdw11:00000000 cdw12:00000001 "
    r"=> outstanding for \d+\.\d{6} s$",
    re.MULTILINE,
)


def ended(command: list[str], folder: Path, **settings: str) -> str:
    """What it says on standard error when SIGQUIT ends it."""
    with hanging(command, folder, **settings) as process:
        process.send_signal(signal.SIGQUIT)
        said = process.communicate()[1]
        assert process.returncode == -signal.SIGQUIT, said
        return said


def caught(code: str) -> list[str]:
    """Whether a process has a handler of SIGQUIT: each time that the code says look()."""
    look = """
def look():
    with open("/proc/self/status") as file:
        masks = dict(line.split(":") for line in file)
    print(bool(int(masks["SigCgt"], 16) & 1 << 2))
"""
    command = [sys.executable, "-c", look + code]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [word for word in said.split() if word in ("True", "False")]


def test_it_says_where_the_script_waits_and_for_what(tmp_path):
    said = ended(script(), tmp_path)

    assert "in wait_for_the_write" in said
    assert WRITE.search(said), said
    assert re.search(r"^sim:size=64M qpair 0: 0 outstanding, and \d Asynch", said, re.MULTILINE)


def test_it_does_so_while_c_code_holds_the_interpreter(tmp_path):
    """Ctrl-C is not heard then."""
    stuck = "send()\nqpair.waitdone()\nimport ctypes\nready()\nctypes.PyDLL(None).pause()\n"

    said = ended(script(DRIVE.replace("cb=ready", "") + stuck), tmp_path)

    assert 'File "<string>", line' in said
    assert WRITE.search(said), said


def test_every_thread_is_shown(tmp_path):
    thread = """
import threading
def watch():
    threading.Event().wait()
threading.Thread(target=watch, daemon=True).start()
"""
    said = ended(script(thread + SCRIPT), tmp_path)

    assert "in watch" in said
    assert "in wait_for_the_write" in said


def test_pytests_capture_does_not_swallow_it(tmp_path):
    (tmp_path / "test_it.py").write_text(
        DRIVE + "\ndef test_that_hangs():\n    send()\n    qpair.waitdone(2)\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "nvme.pytest_plugin", "test_it.py"]

    said = ended(command, tmp_path, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")

    assert "in test_that_hangs" in said
    assert WRITE.search(said), said


def test_an_import_installs_nothing_and_the_first_drive_does():
    code = "import nvme as d\nlook()\nnvme0 = d.Controller('sim:size=16M')\nlook()"

    assert caught(code) == ["False", "True"]


def test_the_plugin_takes_it_back(tmp_path):
    code = f"""
import os, pytest
class Look:
    def pytest_sessionstart(self):
        look()
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
pytest.main(["-s", "-p", "nvme.pytest_plugin", "{tmp_path}"], [Look()])
look()
"""

    assert caught(code) == ["True", "False"]


@pytest.mark.parametrize("handler", ["signal.SIG_IGN", "lambda *_: print('mine')"])
def test_a_script_that_has_a_use_for_the_signal_keeps_it(handler):
    code = f"""
import os, signal
signal.signal(signal.SIGQUIT, {handler})
import nvme as d
nvme0 = d.Controller("sim:size=16M")
os.kill(os.getpid(), signal.SIGQUIT)
print("and goes on")
"""
    done = subprocess.run(script(code), capture_output=True, text=True, env=os.environ)

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("and goes on\n")
    assert ("mine" in done.stdout) == ("mine" in handler)
    assert "most recent call" not in done.stderr
    assert "Outstanding" not in done.stderr
