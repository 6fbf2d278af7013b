"""Build directories of the rings."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

from rings.process import Process
from rings.ring import LOGS, TOP, tail

BIN = Path(sys.executable).parent
CONFIGURE_TIMEOUT_S = 120
COMPILE_TIMEOUT_S = 900
#: Rings that work side by side may want the same build.
BUILDING = RLock()


class BuildFailure(Exception):
    """A build failed; the text ends with what the compiler said."""


@dataclass
class Build:
    """One configuration of the project, in build/<name>."""

    name: str
    options: Sequence[str]
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder = TOP / "build" / self.name

    def run(self, what: str, timeout_s: float, *command: str | Path) -> None:
        log = LOGS / f"{what}-{self.name}.log"
        with BUILDING:
            failed = Process(command, log).wait(timeout_s)
            text = tail(log) if failed else ""
        if failed:
            raise BuildFailure(text)

    @cached_property
    def configured(self) -> bool:
        """Makes the build directory, or brings its options up to date."""
        known = (self.folder / "build.ninja").exists()
        command: list[str | Path] = [BIN / "meson"]
        command += ["configure", self.folder] if known else ["setup", self.folder, TOP]
        self.run("configure", CONFIGURE_TIMEOUT_S, *command, "-Dtests=enabled", *self.options)
        if known:
            self.run(
                "configure", CONFIGURE_TIMEOUT_S, BIN / "ninja", "-C", self.folder, "build.ninja"
            )
        return True

    def introspect(self, what: str) -> Any:
        assert self.configured
        command = [str(BIN / "meson"), "introspect", f"--{what}", str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def compile(self, *targets: str | Path) -> None:
        """Builds the targets, named by their files, or everything."""
        assert self.configured
        names = [str(Path(target).relative_to(self.folder)) for target in targets]
        ninja: list[str | Path] = [BIN / "ninja", "-C", self.folder, "-j2", "-k0"]
        self.run("compile", COMPILE_TIMEOUT_S, *ninja, *names)

    @cached_property
    def installed(self) -> Path:
        """Installs the Python package into the build directory; the folder to import it from.

        Once a session: more than one ring may be using it.
        """
        site = self.folder / "site"
        install = [BIN / "meson", "install", "-C", self.folder, "--no-rebuild"]
        with BUILDING:
            self.compile()
            shutil.rmtree(site, ignore_errors=True)
            self.run("install", COMPILE_TIMEOUT_S, *install)
        # Without it the package of .venv would be found instead, and nothing would be judged.
        if not list(site.glob("nvme/_core*.so")):
            raise BuildFailure(f"no extension was installed into {site}")
        return site


def sanitized(name: str, sanitizers: str) -> Build:
    site = TOP / "build" / name / "site"
    options = [
        f"-Db_sanitize={sanitizers}",
        "-Db_lundef=false",
        "-Dwerror=true",
        f"-Dprefix={site.parent / 'prefix'}",
        f"-Dpython.platlibdir={site}",
        f"-Dpython.purelibdir={site}",
    ]
    return Build(name, options)


ASAN = sanitized("asan", "address,undefined")
TSAN = sanitized("tsan", "thread")
# What install.sh builds and installs, with the unit tests on top.
PLAIN = Build("package", [])
