"""The extension for VSCode without VSCode: types, style, package, and the tests in vscode/test."""

import re
import sys
import time
import zipfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from rings import snippets
from rings.node import OFFLINE, lacks
from rings.process import Process
from rings.ring import LOGS, TOP, CannotRun, Outcome, Ring, tail

FOLDER = TOP / "vscode"
SCRIPT = FOLDER / "package.sh"
TIMEOUT_S = 900
#: An item, and the words for package.sh.
SCRIPTS = {"types": ("check",), "style": ("lint",), "package": ()}
UNITS = "units::"
#: The installed package runs them, on the software SSD.
SNIPPETS = "snippets"
STRICT = (
    sys.executable,
    "-m",
    "pytest",
    "--nvme-strict",
    "-p",
    "no:cacheprovider",
    "-c",
    "/dev/null",
)
#: What must be in the package for it to start at all.
PACKED = {"dist/extension.js", "dist/webview.js", "dist/webview.css", "package.json", "readme.md"}
PASSED = re.compile(r"^# pass (\d+)$", re.MULTILINE)


class VscodeRing(Ring):
    def names(self, long: bool) -> Sequence[str]:
        if why := lacks(20):
            raise CannotRun(why)
        tests = sorted((FOLDER / "test").glob("*.test.ts"))
        return [*SCRIPTS, SNIPPETS, *(UNITS + path.name.removesuffix(".test.ts") for path in tests)]

    def outcome(self, name: str) -> Outcome:
        if name == SNIPPETS:
            made = snippets.write(FOLDER, TOP / "build" / "vscode" / "snippets")
            return self.process(name, [*STRICT, *made])
        if not name.startswith(UNITS):
            return self.packed(name) if name == "package" else self.run(name, *SCRIPTS[name])
        if self.bundled.kind != "passed":
            return self.bundled
        unit = name.removeprefix(UNITS)
        test = f"../build/vscode/unit/{unit}.test.js"
        result = self.run(unit, "unit", "--", test)
        text = self.log(unit).read_text(errors="replace")
        counted = PASSED.search(text)
        if result.kind == "passed" and not (counted and int(counted[1])):
            return Outcome("failed", f"{tail(self.log(unit))}\nno test ran")
        return result

    @cached_property
    def bundled(self) -> Outcome:
        return self.run("bundle", "bundle-tests")

    def log(self, name: str) -> Path:
        return LOGS / f"vscode-{name}.log"

    def run(self, name: str, *words: str) -> Outcome:
        return self.process(name, [SCRIPT, *words])

    def process(self, name: str, command: Sequence[str | Path]) -> Outcome:
        begin_s = time.monotonic()
        status = Process(command, self.log(name)).wait(TIMEOUT_S)
        took_s = time.monotonic() - begin_s
        text = self.log(name).read_text(errors="replace")
        if status == 0:
            return Outcome("passed", "", took_s)
        kind = "skipped" if OFFLINE.search(text) else "failed"
        return Outcome(kind, f"{tail(self.log(name))}\nexit status {status}", took_s)

    def packed(self, name: str) -> Outcome:
        result = self.run(name)
        if result.kind != "passed":
            return result
        [package] = (TOP / "build").glob("pynvme-console-*.vsix")
        with zipfile.ZipFile(package) as file:
            inside = {each.removeprefix("extension/").lower() for each in file.namelist()}
        if missing := PACKED - inside:
            return Outcome("failed", f"not in {package.name}: {', '.join(sorted(missing))}")
        return result


RING = VscodeRing()
