"""A copy of the project with a build of its own, where a mutant can live."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mutate.draw import Mutant
from rings.process import Process

BIN = Path(sys.executable).parent
#: Of the compiler; no sanitizer, no optimisation, nothing for a debugger.
OPTIONS = ("-Doptimization=0", "-Ddebug=false", "-Dwerror=true", "-Dtests=enabled")
BUILD_TIMEOUT_S = 900


class TreeError(Exception):
    """The project does not build as it stands; the text says what the compiler said."""


@dataclass(frozen=True)
class Program:
    """A test() of a meson.build.

    targets: files that must be built, relative to the build folder
    sources: its own C files, relative to the project
    """

    name: str
    command: tuple[str, ...]
    folder: str
    targets: tuple[str, ...]
    sources: tuple[str, ...]


def project_files(top: Path) -> list[str]:
    """The files of the project, relative to top: of a checkout, or of a copy."""
    if not (top / ".git").exists():
        paths = [path for path in top.rglob("*") if path.is_file() and path.suffix != ".pyc"]
        return [str(path.relative_to(top)) for path in paths]
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    listed = subprocess.run(command, cwd=top, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.splitlines() if (top / name).is_file()]


def copy_project(top: Path, folder: Path) -> None:
    """Copies what differs, so that ninja builds no more than it must, and removes what has gone."""
    names = set(project_files(top))
    for name in names:
        source, copy = top / name, folder / name
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
    for part in ("src", "python", "tests"):
        for copy in (folder / part).rglob("*"):
            if copy.is_file() and str(copy.relative_to(folder)) not in names:
                copy.unlink()


class Tree:
    """The sources of `top` below `folder`, and a build with `options`."""

    def __init__(self, top: Path, folder: Path, *options: str) -> None:
        self.top, self.folder = top, folder
        self.build = folder / "build"
        self.site = self.build / "site"
        self.log = folder / "tree.log"
        copy_project(top, folder)
        known = (self.build / "build.ninja").exists()
        places = (f"-Dpython.platlibdir={self.site}", f"-Dpython.purelibdir={self.site}")
        prefix = f"-Dprefix={self.build / 'prefix'}"
        again = ["--reconfigure"] if known else []
        meson = [BIN / "meson", "setup", *again, self.build, folder]
        self.run(*meson, *OPTIONS, *places, prefix, *options)
        self.run(BIN / "ninja", "-C", self.build, "-j2")
        shutil.rmtree(self.site, ignore_errors=True)
        self.run(BIN / "meson", "install", "-C", self.build, "--no-rebuild")
        # A mutant may have the length of the original and come within the same second.
        shutil.rmtree(self.site / "nvme" / "__pycache__", ignore_errors=True)

    def run(self, *command: str | Path) -> None:
        if Process(command, self.log, folder=self.folder).wait(BUILD_TIMEOUT_S):
            raise TreeError(self.log.read_text(errors="replace")[-4000:])

    def introspect(self, what: str) -> Any:
        command = [str(BIN / "meson"), "introspect", f"--{what}", str(self.build)]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    @cached_property
    def programs(self) -> dict[str, Program]:
        """The unit tests, by name, but those that count instructions."""
        known = {target["id"]: target for target in self.introspect("targets")}
        found = {}
        for test in self.introspect("tests"):
            if any("python3" in Path(word).name for word in test["cmd"]):
                continue  # it starts valgrind, and optimised code has other figures
            needed = [known[name] for name in test["depends"]]
            names = [name for target in needed for name in target["filename"]]
            texts = [
                name
                for target in needed
                for group in target["target_sources"]
                for name in group.get("sources", [])
            ]
            found[test["name"]] = Program(
                name=test["name"],
                command=tuple(test["cmd"]),
                folder=test["workdir"] or str(self.build),
                targets=tuple(str(Path(name).relative_to(self.build)) for name in names),
                sources=tuple(str(Path(name).relative_to(self.folder)) for name in texts),
            )
        return found

    @cached_property
    def extension(self) -> str:
        """The target of the package's C part, relative to the build folder."""
        names = [name for target in self.introspect("targets") for name in target["filename"]]
        wanted = next(name for name in names if Path(name).name.startswith("_core."))
        return str(Path(wanted).relative_to(self.build))

    @cached_property
    def compile_commands(self) -> dict[str, list[str]]:
        """How each C file is compiled, by its path in the project."""
        found = {}
        for entry in json.loads((self.build / "compile_commands.json").read_text()):
            path = (self.build / entry["file"]).resolve()
            if path.is_relative_to(self.folder.resolve()):
                name = str(path.relative_to(self.folder.resolve()))
                found[name] = entry["command"].split()
        return found

    @contextmanager
    def changed(self, mutant: Mutant) -> Iterator[None]:
        """With the mutant in the sources, and in the package if that needs no compiler."""
        places = [self.folder / mutant.path]
        if mutant.path.startswith("python/"):
            places.append(self.site / Path(mutant.path).relative_to("python"))
        text = places[0].read_text()
        try:
            for place in places:
                place.write_text(mutant.applied(text))
            yield
        finally:
            for place in places:
                place.write_text(text)

    def compiles(self, targets: Sequence[str]) -> bool:
        """Builds the targets; False if the compiler refuses. The package gets its extension."""
        if not targets:
            return True
        ninja = [BIN / "ninja", "-C", self.build, "-j1", *targets]
        if Process(ninja, self.log, folder=self.folder).wait(BUILD_TIMEOUT_S):
            return False
        if self.extension in targets:
            place = self.site / "nvme" / Path(self.extension).name
            # A new file: the old one may still be mapped by a process that ends late.
            place.unlink(missing_ok=True)
            shutil.copy(self.build / self.extension, place)
        return True
