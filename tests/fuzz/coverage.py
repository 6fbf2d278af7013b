"""How much of its layer each fuzz target reaches with what it has found: one line a target.

    python tests/fuzz/coverage.py [TARGET...]

Runs the corpus of the repository and what build/corpus has grown to, once, in a build of its own
(build/coverage). Needs clang and its llvm-profdata and llvm-cov: on Debian the package llvm.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
FOLDER = TOP / "build" / "coverage"
CORPORA = (TOP / "tests" / "fuzz" / "corpus", TOP / "build" / "corpus")
BIN = Path(sys.executable).parent
INSTRUMENT = "-fprofile-instr-generate"
#: What each target is after: a layer, or the files in which it is parsed.
AIMS = {
    "address": ("src/bus/address.c", "src/ssd/options.c"),
    "cmdlog": ("src/nvme/cmdlog/file.c", "src/nvme/cmdlog/read.c"),
    "command": ("src/ssd",),
    "device": ("src/ssd",),
    "driver": ("src/nvme",),
    "verify": ("src/verify",),
}


def run(*command: str | Path, **variables: str) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        errors="replace",
        cwd=TOP,
        env={**os.environ, **variables},
        check=False,
    )
    if done.returncode:
        sys.exit(
            f"{command[0]}: exit status {done.returncode}\n{(done.stdout + done.stderr)[-3000:]}"
        )
    return done.stdout


def tool(name: str) -> str:
    """The one of clang's version, if there is more than one."""
    version = re.search(r"version (\d+)", run("clang", "--version"))
    for candidate in (f"{name}-{version[1]}" if version else name, name):
        if found := shutil.which(candidate):
            return found
    sys.exit(f"needs {name}: on Debian it is in the package llvm")


def build(names: Sequence[str]) -> None:
    known = ["--reconfigure"] if (FOLDER / "build.ninja").exists() else []
    flags = [f"-Dc_args={INSTRUMENT} -fcoverage-mapping", f"-Dc_link_args={INSTRUMENT}"]
    options = ["-Dtests=disabled", "-Dfuzz=enabled", "-Db_lundef=false", *flags]
    # What meson tries the compiler with is instrumented, too, and would leave a profile here.
    variables = {"CC": "clang", "LLVM_PROFILE_FILE": os.devnull}
    run(BIN / "meson", "setup", *known, FOLDER, TOP, *options, **variables)
    run(BIN / "ninja", "-C", FOLDER, "-j2", *(f"tests/fuzz/fuzz_{name}" for name in names))


def within(file: str, aims: Sequence[str]) -> bool:
    path = os.path.relpath(os.path.join(FOLDER, file), TOP)
    return any(path == aim or path.startswith(f"{aim}/") for aim in aims)


def line(name: str) -> str:
    program, raw = FOLDER / "tests" / "fuzz" / f"fuzz_{name}", FOLDER / f"{name}.profraw"
    merged = raw.with_suffix(".profdata")
    corpora = [corpus / name for corpus in CORPORA if (corpus / name).is_dir()]
    run(program, "-runs=0", *corpora, LLVM_PROFILE_FILE=str(raw))
    run(tool("llvm-profdata"), "merge", "-o", merged, raw)
    profile = f"-instr-profile={merged}"
    text = run(tool("llvm-cov"), "export", "-summary-only", profile, program)
    files = json.loads(text)["data"][0]["files"]
    found = [file["summary"] for file in files if within(file["filename"], AIMS[name])]
    parts = []
    for kind in ("lines", "regions", "functions"):
        count = sum(summary[kind]["count"] for summary in found)
        covered = sum(summary[kind]["covered"] for summary in found)
        parts.append(f"{kind} {covered / count:6.1%} of {count:5}")
    inputs = sum(len(list(corpus.iterdir())) for corpus in corpora)
    return "  ".join([f"{name:8} {inputs:5} inputs", *parts, "in", " ".join(AIMS[name])])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", nargs="*", choices=[*AIMS, []], help="all of them if not given")
    names = parser.parse_args().target or list(AIMS)
    build(names)
    for name in names:
        print(line(name), flush=True)
