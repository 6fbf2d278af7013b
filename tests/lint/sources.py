"""Where the sources are, and how to run a tool over them."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
FOLDERS = ("src", "python", "tests", "scripts", "bench", "vscode")
SKIPPED = {"__pycache__", "node_modules", "build"}


def files(*suffixes: str, under: tuple[str, ...] = FOLDERS) -> list[Path]:
    """All our source files with one of the suffixes, sorted."""

    def walk() -> Iterator[Path]:
        for folder in under:
            for root, folders, names in os.walk(TOP / folder):
                folders[:] = [name for name in folders if name not in SKIPPED]
                yield from (Path(root, name) for name in names if name.endswith(suffixes))

    return sorted(walk())


def shown(path: Path) -> str:
    """The path as a person would write it."""
    return str(path.relative_to(TOP))


def check(*command: str | Path) -> None:
    """Runs a tool of the virtual environment; what it finds fault with fails the test."""
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    done = subprocess.run(
        [str(word) for word in command],
        cwd=TOP,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(done.stdout or f"{command[0]}: exit status {done.returncode}", pytrace=False)


def none_of(findings: Iterable[str]) -> None:
    """Fails with the list of findings, if there is one."""
    if text := "\n".join(findings):
        pytest.fail(text, pytrace=False)
