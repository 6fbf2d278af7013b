# SPDX-License-Identifier: BSD-3-Clause
"""Counts the device's instructions per 4 KiB read with callgrind and holds them to the budget.

check_count.py PROGRAM BUDGET
"""

import re
import shutil
import subprocess
import sys
import tempfile

SKIP = 77
SHORT, LONG = 3_200, 12_800


def instructions(program: str, commands: int) -> int:
    """What callgrind counts inside ssd_step, everything it calls included."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                "valgrind",
                "--tool=callgrind",
                "--toggle-collect=ssd_step",
                f"--callgrind-out-file={folder}/out",
                program,
                str(commands),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        sys.exit(f"{program}: {done.stderr}")
    return int(found[1])


def main() -> int:
    program, budget = sys.argv[1], float(sys.argv[2])
    if not shutil.which("valgrind"):
        print("valgrind is not installed")
        return SKIP
    # The difference of two runs is free of everything that happens once.
    short, long = instructions(program, SHORT), instructions(program, LONG)
    per_read = (long - short) / (LONG - SHORT)
    print(f"device side: {per_read:.1f} instructions per read, budget {budget:.0f}")
    return 0 if per_read <= budget else 1


if __name__ == "__main__":
    sys.exit(main())
