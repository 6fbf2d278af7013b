"""The files of .vscode: what they name is there."""

import json
import re
from typing import Any

import pytest

from lint.sources import TOP

FOLDER = TOP / ".vscode"
FILES = sorted(path.name for path in FOLDER.glob("*.json"))
COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)


def read(name: str) -> Any:
    """A file as the editor reads it: comments have lines of their own."""
    return json.loads(COMMENT.sub("", (FOLDER / name).read_text()))


@pytest.mark.parametrize("name", FILES)
def test_the_editor_can_read(name: str) -> None:
    assert read(name)


def test_there_are_settings_launches_tasks_and_recommendations() -> None:
    assert FILES == ["extensions.json", "launch.json", "settings.json", "tasks.json"]


def test_the_interpreter_is_the_one_that_the_installer_makes() -> None:
    python = read("settings.json")["python.defaultInterpreterPath"]
    launched = {each.get("python", python) for each in read("launch.json")["configurations"]}

    assert launched == {python}
    assert python == "${workspaceFolder}/.venv/bin/python3"


def test_tasks_call_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^(\w[\w-]*):", (TOP / "Makefile").read_text(), re.MULTILINE))

    called = [each["command"].split()[:2] for each in read("tasks.json")["tasks"]]

    assert [words[0] for words in called] == ["make"] * len(called)
    assert {words[1] for words in called} == {"setup", "reset", "test"} <= targets


def test_commands_of_the_extension_are_there() -> None:
    text = "".join((FOLDER / name).read_text() for name in FILES)
    registered = (TOP / "vscode" / "src" / "extension.ts").read_text()

    named = set(re.findall(r"\$\{command:(pynvme\.\w+)\}", text))

    assert named
    assert {name for name in named if f'"{name}":' not in registered} == set()


def test_the_extension_has_the_version_of_the_package() -> None:
    version = re.search(r"version: '([\d.]+)'", (TOP / "meson.build").read_text())

    assert version
    for name in ("package.json", "package-lock.json"):
        assert json.loads((TOP / "vscode" / name).read_text())["version"] == version[1]
