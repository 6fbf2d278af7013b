"""Formatters and checkers of the two languages, in the versions of constraints.txt."""

import os
import sysconfig

import pytest

from lint.sources import TOP, check, files

PYTHON = [name for name in ("python", "tests", "scripts", "bench") if (TOP / name).is_dir()]


def test_c_is_formatted() -> None:
    sources = files(".c", ".h")

    assert sources
    check("clang-format", "--dry-run", "-Werror", *sources)


def test_python_is_formatted() -> None:
    check("ruff", "format", "--check", *PYTHON)


def test_python_is_clean() -> None:
    check("ruff", "check", *PYTHON)


def test_python_package_is_typed() -> None:
    check("mypy")


def test_shell_parses() -> None:
    for script in (TOP / "install.sh", TOP / ".ci" / "run", *files(".sh")):
        check("bash", "-n", script)


@pytest.mark.parametrize("folder", sorted(p.name for p in (TOP / "src").iterdir() if p.is_dir()))
def test_headers_compile_alone(folder: str) -> None:
    headers = files(".h", under=(f"src/{folder}",))
    if not headers:
        pytest.skip(f"src/{folder} has no header")
    flags = "-fsyntax-only -std=gnu11 -D_GNU_SOURCE -DPy_LIMITED_API=0x030b0000 -Isrc -x c"
    flags += (
        f" -Wall -Wextra -Wno-unused-parameter -Werror -isystem {sysconfig.get_path('include')}"
    )

    check(os.environ.get("CC", "cc"), *flags.split(), *headers)
