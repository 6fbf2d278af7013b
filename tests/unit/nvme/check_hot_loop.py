# SPDX-License-Identifier: BSD-3-Clause
"""Counts the host's instructions per read with callgrind and holds them to the budget.

check_hot_loop.py PROGRAM BUDGET FUNCTION...
"""

import re
import shutil
import subprocess
import sys
import tempfile

SKIP = 77
SHORT, LONG = 20_000, 60_000


def instructions(program: str, function: str, count: int) -> int:
    """What callgrind counts inside one function, everything it calls included."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                "valgrind",
                "--tool=callgrind",
                f"--toggle-collect={function}",
                f"--callgrind-out-file={folder}/out",
                program,
                str(count),
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
    program, budget, functions = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    if not shutil.which("valgrind"):
        print("valgrind is not installed")
        return SKIP
    total = 0.0
    for function in functions:
        # The difference of two runs is free of everything that happens once.
        short = instructions(program, function, SHORT)
        long = instructions(program, function, LONG)
        per_io = (long - short) / (LONG - SHORT)
        print(f"{function}: {per_io:.1f} instructions per read")
        total += per_io
    print(f"host side: {total:.1f} instructions per read, budget {budget:.0f}")
    return 0 if 0 < total <= budget else 1


if __name__ == "__main__":
    sys.exit(main())
