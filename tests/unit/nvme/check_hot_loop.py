# SPDX-License-Identifier: BSD-3-Clause
"""Counts the host's instructions per read with callgrind and holds them to the budget.

check_hot_loop.py PROGRAM BUDGET FUNCTION...
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SKIP = 77
SHORT, LONG = 20_000, 60_000
#: What must not be called on the way of an IO: locks, memory, system calls. Once in a hundred
#: commands is not on the way: a doorbell wakes the device's thread up when it sleeps.
FORBIDDEN = re.compile(
    r"mutex_lock|malloc|calloc|realloc|free|syscall|sched_yield|nanosleep|clock_gettime|ioctl|"
    r"pread|pwrite|mmap|printf"
)
RARE = 100


def forbidden_calls(report: str) -> int:
    """Calls in what callgrind wrote: a name is written out once, then its number stands for it."""
    names: dict[str, str] = {}
    calls, callee = 0, ""
    for line in report.splitlines():
        if found := re.match(r"c?fn=(\(\d+\))(?: (.*))?", line):
            names[found[1]] = found[2] or names.get(found[1], "")
            callee = names[found[1]] if line.startswith("c") else callee
        elif line.startswith("calls=") and FORBIDDEN.search(callee):
            calls += int(line[6:].split()[0])
    return calls


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
        calls = forbidden_calls(Path(folder, "out").read_text())
    found = re.search(r"Collected : (\d+)", done.stderr)
    if calls > count / RARE:
        sys.exit(f"{program}: {function} took {calls} locks, memory or system calls, {count} IOs")
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
