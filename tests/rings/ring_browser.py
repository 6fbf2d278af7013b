"""The packaged extension in a workbench of VS Code, in a browser, beside a test that runs.

Only with --long: it takes minutes where the machine has other things to do.

Needs Node.js 20, Chromium and ripgrep. The workbench is built once, into ~/.cache, by the contents
of the files that say what it is.
"""

import hashlib
import os
import re
import shutil
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from rings.node import OFFLINE, lacks, major
from rings.process import Process
from rings.ring import LOGS, TOP, CannotRun, Outcome, Ring, tail

FOLDER = TOP / "tests" / "vscode"
TESTS = FOLDER / "console.test.mjs"
RUN = TOP / "build" / "vscode" / "browser"
PACKAGE = TOP / "vscode" / "package.sh"
#: code-server 4.100.3 runs on no other.
NODE = 20
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NEEDED = {"rg": "ripgrep", "c++": "a C++ compiler", "make": "make"}
INSTALL_S, PACKAGE_S, RUN_S = 1800, 900, 1200
NAME = re.compile(r'^test\("(.+)",', re.MULTILINE)
LINE = re.compile(r"^(not ok|ok) \d+ - (.+)$", re.MULTILINE)


def browser() -> str:
    """The path of a Chromium; empty: there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), "")


def lacking() -> str:
    """What is missing for the ring; empty: nothing."""
    if why := lacks(NODE):
        return why
    if major() != NODE:
        return f"the workbench needs Node.js {NODE}, and this is {major()}"
    if not browser():
        return "there is no Chromium"
    missing = [what for name, what in NEEDED.items() if not shutil.which(name)]
    return f"needed to build the workbench: {', '.join(missing)}" if missing else ""


def tools() -> Path:
    """Where the workbench is, or will be, for the files that are there now."""
    files = ("package.json", "package-lock.json", "workbench.sh")
    content = b"".join((FOLDER / name).read_bytes() for name in files)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = f"workbench-{hashlib.sha256(content).hexdigest()[:16]}"
    return cache / "pynvme-vscode" / name


class BrowserRing(Ring):
    def names(self, long: bool) -> Sequence[str]:
        if not long:
            return []
        if why := lacking():
            raise CannotRun(why)
        return NAME.findall(TESTS.read_text())

    def outcome(self, name: str) -> Outcome:
        return self.outcomes.get(name) or Outcome("failed", f"did not run\n{self.said}")

    @cached_property
    def said(self) -> str:
        return tail(LOGS / "browser.log", 60)

    @cached_property
    def outcomes(self) -> dict[str, Outcome]:
        names = self.names(long=True)
        for what, command, timeout_s in (
            ("workbench", [FOLDER / "workbench.sh", tools()], INSTALL_S),
            ("extension", [PACKAGE], PACKAGE_S),
        ):
            if fault := self.prepared(what, command, timeout_s):
                return dict.fromkeys(names, fault)
        return self.run()

    def prepared(
        self, what: str, command: Sequence[str | Path], timeout_s: float
    ) -> Outcome | None:
        log = LOGS / f"browser-{what}.log"
        if not Process(command, log).wait(timeout_s):
            return None
        text = log.read_text(errors="replace")
        kind = "skipped" if OFFLINE.search(text) else "failed"
        return Outcome(kind, f"no {what}\n{tail(log)}")

    def run(self) -> dict[str, Outcome]:
        [vsix] = (TOP / "build").glob("pynvme-console-*.vsix")
        environment = {
            "WORKBENCH_TOOLS": str(tools()),
            "WORKBENCH_BROWSER": browser(),
            "WORKBENCH_FOLDER": str(RUN),
            "WORKBENCH_VSIX": str(vsix),
        }
        log = LOGS / "browser.log"
        begin_s = time.monotonic()
        words = ["node", "--test", "--test-reporter=tap", TESTS]
        Process(words, log, environment).wait(RUN_S)
        took_s = time.monotonic() - begin_s
        text = log.read_text(errors="replace")
        found = {}
        for word, name in LINE.findall(text):
            passed = word == "ok"
            found[name] = Outcome("passed" if passed else "failed", "" if passed else self.said)
        if found:
            next(iter(found.values())).duration_s = took_s
        return found


RING = BrowserRing()
