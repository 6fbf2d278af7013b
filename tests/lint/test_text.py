"""Words that must not be in the sources."""

import re

from lint.sources import files, none_of, shown

# Written in two parts, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" + "DO|FIX" + "ME|X" + r"XX)\b|not implemented" + " yet")
TEXTS = (".c", ".h", ".py", ".pyi", ".sh", ".ts", "meson.build")


def marks(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if UNFINISHED.search(line)]


def test_nothing_is_marked_unfinished() -> None:
    sources = files(*TEXTS)

    assert sources
    none_of(f"{shown(path)}: {line}" for path in sources for line in marks(path.read_text()))


def test_the_mark_check_sees() -> None:
    assert marks("/* TO" + "DO: later */\nint todo;\n") == ["/* TO" + "DO: later */"]
