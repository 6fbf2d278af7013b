"""The host of section tcp, in a process of its own: one worker, whose system calls are counted.

    LD_PRELOAD=calls.so python bench/tcp_host.py ADDRESS QDEPTH SECONDS

prints as JSON: IOPS, CPU time of a command in ns, system calls of a command, how many commands
there were with those that warmed it up, and the error of the worker.
"""

import ctypes
import json
import sys

from measure import Drive, workers


def main(address: str, qdepth: int, seconds: float) -> None:
    calls = ctypes.CDLL(None).bench_calls
    calls.restype = ctypes.c_uint64
    drive = Drive(address)
    warm = workers(drive, seconds / 4, qdepth)  # memory is touched, windows are open
    before = calls()
    run = workers(drive, seconds, qdepth)
    made = calls() - before
    drive.close()
    commands = run.iops * seconds
    both = commands + warm.iops * seconds / 4
    print(json.dumps([run.iops, run.cpu_ns, made / commands, both, warm.error or run.error]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
