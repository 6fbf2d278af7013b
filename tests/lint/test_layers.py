"""Folders are layers, and no include points upward."""

import re
from collections.abc import Iterable

import pytest

from lint.sources import TOP, files, none_of

# What a folder may include beside itself. "bus/soft.c" is the only bridge from bus to ssd.
MAY_INCLUDE: dict[str, set[str]] = {
    "base": set(),
    "spec": set(),
    "bus": {"base", "spec"},
    "bus/soft.c": {"base", "spec", "ssd"},
    "verify": {"base", "spec"},
    "nvme": {"bus", "verify", "spec", "base"},
    "ssd": {"spec", "base"},
    "target": {"ssd", "spec", "base"},
    "ioworker": {"nvme", "verify", "spec", "base", "bus/dma.h"},
    "pyext": {"base", "spec", "bus", "verify", "nvme", "ssd", "target", "ioworker"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)


def upward(name: str, text: str) -> Iterable[str]:
    """Includes in a file that its layer must not have. The name is relative to src/."""
    layer = name.split("/")[0]
    allowed = MAY_INCLUDE.get(name, MAY_INCLUDE.get(layer, set())) | {layer}
    for quote, target in INCLUDE.findall(text):
        if quote == "<":
            if target == "Python.h" and layer != "pyext":
                yield f"{name}: Python.h belongs to pyext"
            if target.startswith(("isa-l", "crc.h")) and layer != "base":
                yield f"{name}: ISA-L belongs to base"
        elif "/" not in target:
            yield f'{name}: "{target}" must be written from src/, as "layer/file.h"'
        elif target.split("/")[0] not in allowed and target not in allowed:
            yield f"{name}: {layer} must not include {target}"


def layers() -> set[str]:
    return {path.name for path in (TOP / "src").iterdir() if path.is_dir()}


def test_every_folder_of_src_is_a_layer() -> None:
    assert layers() - MAY_INCLUDE.keys() == set()


def test_no_include_points_upward() -> None:
    sources = files(".c", ".h", under=("src",))

    assert sources
    none_of(
        line
        for path in sources
        for line in upward(str(path.relative_to(TOP / "src")), path.read_text())
    )


@pytest.mark.parametrize(
    ("name", "line", "seen"),
    [
        ("bus/vfio.c", '#include "nvme/qpair.h"', True),
        ("bus/vfio.c", '#include "ssd/ssd.h"', True),
        ("bus/soft.c", '#include "ssd/ssd.h"', False),
        ("ioworker/run.c", '#include "bus/dma.h"', False),
        ("ioworker/run.c", '#include "bus/bus.h"', True),
        ("ssd/io/io.c", '# include "verify/verify.h"', True),
        ("ssd/io/io.c", '#include "ssd.h"', True),
        ("nvme/req.c", "#include <Python.h>", True),
        ("pyext/qpair.c", "#include <Python.h>", False),
        ("ssd/crc.c", "#include <isa-l/crc.h>", True),
        ("spec/wire.c", "#include <stdint.h>", False),
    ],
)
def test_the_layer_check_sees(name: str, line: str, seen: bool) -> None:
    assert bool(list(upward(name, line + "\n"))) == seen


def test_meson_builds_every_layer() -> None:
    text = (TOP / "meson.build").read_text()

    listed = re.search(r"layers = \[(.*?)\]", text, re.DOTALL)

    assert listed
    assert set(re.findall(r"'(\w+)'", listed[1])) == layers()
