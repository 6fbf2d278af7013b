"""Instructions of one command, which do not depend on the machine's mood; and the cost of a CRC."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
BUILD = TOP / "build" / "bench"
MESON = Path(sys.executable).with_name("meson")
WORKER = "tests/unit/ioworker/ioworker_hot_loop"
CRC = "tests/unit/verify/verify_crc_cost"
COUNTER = TOP / "tests" / "unit" / "nvme" / "check_hot_loop.py"


def build() -> None:
    """Builds the two programs in which there is something to count."""
    if not (BUILD / "build.ninja").exists():
        subprocess.run([MESON, "setup", BUILD, TOP], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(
        [MESON, "compile", "-C", BUILD, "-j2", WORKER, CRC],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def per_read() -> float | None:
    """Of the host side of a 4 KiB random read at depth 32, by callgrind; None without it."""
    if not shutil.which("valgrind"):
        return None
    done = subprocess.run(
        [sys.executable, COUNTER, BUILD / WORKER, "350", "ioworker_step"],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"host side: ([\d.]+)", done.stdout)
    return float(found[1]) if found else None


def crc_ns() -> float:
    """CRC32C of eight LBAs of 512 bytes."""
    done = subprocess.run([BUILD / CRC], capture_output=True, text=True, check=True)
    return float(done.stdout)
