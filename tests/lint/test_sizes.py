"""Files of at most 500 lines, functions of at most 80, folders of at most 40 files.

An exception is a line "path: reason" or "path:function: reason" in size_exceptions.txt.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from lint.sources import TOP, files, none_of, shown

FILE_LINES = 500
FUNCTION_LINES = 80
FOLDER_FILES = 40
EXCEPTIONS = Path(__file__).with_name("size_exceptions.txt")


def c_functions(text: str) -> Iterable[tuple[str, int]]:
    """Name and lines of each function, from its signature to its closing brace in column 0."""
    start = 0
    name = ""
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"[A-Za-z_]", line):
            called = re.search(r"(\w+)\(", line)
            # A signature of several lines begins at the one with the name.
            if called:
                start, name = number, called[1]
        elif line.startswith("}") and name:
            # "};" and "} name;" end data, not a function.
            if line.rstrip() == "}":
                yield name, number - start + 1
            name = ""


def python_functions(text: str) -> Iterable[tuple[str, int]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def exceptions() -> dict[str, str]:
    """What is allowed to be long, and why."""
    found = {}
    for line in EXCEPTIONS.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            what, reason = line.split(": ", 1)
            found[what] = reason.strip()
    return found


def test_files_are_short() -> None:
    sources = files(".c", ".h", ".py", ".pyi", ".sh", ".ts")

    long = {
        shown(path): count
        for path in sources
        if (count := len(path.read_text().splitlines())) > FILE_LINES
    }

    assert sources
    none_of(f"{name}: {count} lines" for name, count in long.items() if name not in exceptions())


def test_functions_are_short() -> None:
    long = {}
    for path in files(".c", ".h", ".py"):
        functions = python_functions if path.suffix == ".py" else c_functions
        for name, count in functions(path.read_text()):
            if count > FUNCTION_LINES:
                long[f"{shown(path)}:{name}"] = count

    none_of(f"{name}: {count} lines" for name, count in long.items() if name not in exceptions())


def test_folders_are_small() -> None:
    sources = files(".c", ".h", ".py", ".ts")

    crowded = Counter(shown(path.parent) for path in sources)

    none_of(
        f"{name}: {count} files; split it by what they are about"
        for name, count in crowded.items()
        if count > FOLDER_FILES and name not in exceptions()
    )


def test_exceptions_have_reasons_and_are_still_there() -> None:
    for what, reason in exceptions().items():
        assert reason
        assert (TOP / what.split(":")[0]).exists()


def test_the_size_check_counts_functions() -> None:
    text = "static int\nlong_one(int a,\n\t int b)\n{\n\treturn a;\n}\n\nint x[] = {\n\t1,\n};\n"

    assert list(c_functions(text)) == [("long_one", 5)]
    assert list(python_functions("def f():\n    a = 1\n    return a\n")) == [("f", 3)]
