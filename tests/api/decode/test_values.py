"""Numbers of src/spec that libnvme and Linux have under the same name have the same value there."""

import os
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[3]
OURS = TOP / "src" / "spec"
#: Includes, and the files whose names count.
THEIRS = {
    "libnvme.h": [Path("/usr/include/nvme/types.h")],
    "linux/pci_regs.h": [Path("/usr/include/linux/pci_regs.h")],
}
#: A status of theirs has no Status Code Type, but for these masks and shifts of the field itself.
STATUS = re.compile(r"NVME_SC_(?!MASK|SHIFT)")
#: Names that say something else there, or whose value libnvme 1.3 has wrong (Base 2.1, figures of
#: BPRSEL, bits 29:10, and CRTO, bits 31:16).
OTHERS = {"NVME_FEAT_NS_WRITE_PROTECT", "NVME_BPRSEL_BPROF_MASK", "NVME_CRTO_CRIMT_MASK"}
DEFINED = re.compile(r"^\s*#define\s+(\w+)[ \t]+\S|^\t(\w+)\s*=\s*[^,]+,", re.MULTILINE)


def names(text: str) -> set[str]:
    return {macro or member for macro, member in DEFINED.findall(text)}


def values(include: list[str], wanted: list[str], folder: Path) -> dict[str, int]:
    """What a compiler says that they are."""
    lines = [f"#include <{each}>" for each in ["stdio.h", *include]]
    lines += ["int main(void)", "{"]
    lines += [f'\tprintf("%s %llu\\n", "{n}", (unsigned long long)({n}));' for n in wanted]
    source, program = folder / "values.c", folder / "values"
    source.write_text("\n".join([*lines, "}", ""]))
    command = ["cc", "-std=gnu11", "-w", f"-I{TOP / 'src'}", source, "-o", program]
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    subprocess.run(command, check=True, env=environment)
    out = subprocess.check_output([program], text=True, env=environment)
    return {name: int(value) for name, value in map(str.split, out.splitlines())}


@pytest.mark.parametrize("include", THEIRS)
def test_numbers_are_those_of(include, tmp_path):
    if not all(path.exists() for path in THEIRS[include]):
        pytest.skip(f"no {include}")
    ours = {name for path in OURS.glob("*.h") for name in names(path.read_text())}
    theirs = {name for path in THEIRS[include] for name in names(path.read_text())}
    wanted = sorted(ours & theirs - OTHERS)
    assert len(wanted) > 30
    headers = sorted(f"spec/{path.name}" for path in OURS.glob("*.h"))

    mine = values(headers, wanted, tmp_path)
    for name in filter(STATUS.match, mine):
        mine[name] &= 0xFF

    assert mine == values([include], wanted, tmp_path)
