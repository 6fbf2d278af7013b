"""The fuzz targets for some seconds each, under both sanitizers; longer by FUZZ_SECONDS."""

import os
import shutil
import sys
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from rings.builds import Build, BuildFailure
from rings.process import Process
from rings.ring import LOGS, TOP, CannotRun, Outcome, Ring, tail

SOURCES = TOP / "tests" / "fuzz"
OPTIONS = ["-Dfuzz=enabled", "-Db_sanitize=address,undefined", "-Db_lundef=false"]
SHORT_S, LONG_S = 3, 300
#: No single input may take longer, nor the whole much more than its time.
INPUT_TIMEOUT_S, GRACE_S = 10, 60


def clang_lacks() -> str:
    """Why nothing can be built here, or nothing."""
    if not shutil.which("clang"):
        return "needs clang"
    probe = LOGS / "fuzz-probe.log"
    command = ["clang", "-fsanitize=fuzzer,address", "-x", "c", "-o", os.devnull]
    source = SOURCES / "fuzz_address.c"
    # Only whether the library is there: the target itself is built by Meson.
    text = "int LLVMFuzzerTestOneInput(const char *d, long n) { return 0; }"
    probe.parent.mkdir(parents=True, exist_ok=True)
    program = probe.with_suffix(".c")
    program.write_text(text)
    if Process([*command, program], probe).wait(60):
        return "needs libclang-rt: clang here cannot link a fuzzer"
    return "" if source.exists() else "no targets"


class FuzzRing(Ring):
    def __init__(self) -> None:
        self.seconds = 0.0

    @cached_property
    def build(self) -> Build:
        os.environ["CC"] = "clang"
        try:
            build = Build("fuzz", OPTIONS)
            build.run("configure", 120, *self.setup(build))
            return build
        finally:
            del os.environ["CC"]

    @staticmethod
    def setup(build: Build) -> list[str | Path]:
        meson = Path(sys.executable).parent / "meson"
        known = ["--reconfigure"] if (build.folder / "build.ninja").exists() else []
        return [meson, "setup", *known, build.folder, TOP, "-Dtests=disabled", *OPTIONS]

    def names(self, long: bool) -> Sequence[str]:
        if why := clang_lacks():
            raise CannotRun(why)
        self.seconds = float(os.environ.get("FUZZ_SECONDS", LONG_S if long else SHORT_S))
        wanted = os.environ.get("FUZZ_TARGET", "")
        found = sorted(path.stem.removeprefix("fuzz_") for path in SOURCES.glob("fuzz_*.c"))
        return [name for name in found if wanted in ("", name)]

    def outcome(self, name: str) -> Outcome:
        begin = time.monotonic()
        log = LOGS / f"fuzz-{name}.log"
        try:
            program = self.build.folder / "tests" / "fuzz" / f"fuzz_{name}"
            ninja = Path(sys.executable).parent / "ninja"
            self.build.run(
                "compile", 900, ninja, "-C", self.build.folder, f"tests/fuzz/{program.name}"
            )
        except BuildFailure as failure:
            return Outcome("failed", f"does not build\n{failure}")
        status = Process(self.command(name, program), log).wait(self.seconds + GRACE_S)
        took_s = time.monotonic() - begin
        if status:
            return Outcome("failed", f"{tail(log, 60)}\nexit status {status}", took_s)
        return Outcome("passed", "", took_s)

    def command(self, name: str, program: Path) -> list[str | Path]:
        """What was found grows in build/; seeds and regressions come with the sources."""
        work = TOP / "build" / "corpus"
        grown = work / name
        grown.mkdir(parents=True, exist_ok=True)
        seeds = [SOURCES / "corpus" / name]
        return [
            program,
            grown,
            *(folder for folder in seeds if folder.exists()),
            f"-max_total_time={max(1, round(self.seconds))}",
            f"-timeout={INPUT_TIMEOUT_S}",
            "-len_control=0",
            "-max_len=3000",
            "-print_final_stats=1",
            f"-artifact_prefix={LOGS}/fuzz-{name}-",
        ]


RING = FuzzRing()
