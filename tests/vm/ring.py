#!/usr/bin/env python3
"""Run pytest in a guest, on the drive that the guest has.

    python tests/vm/ring.py [--preset NAME] [--kernel PACKAGE] [--timeout S] [--console FILE]
        --report FILE -- ARGS...

runs this interpreter with ``-m pytest --pciaddr=<the drive> ARGS`` at the top of the project. See
report.py for what is in the report; it grows while the tests run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # as a script, too, this is "vm"

from vm.guest import Guest, Sink, exit_status, to_stdout
from vm.initrd import SHARE
from vm.presets import IOMMU, PRESETS

TOP = Path(__file__).resolve().parents[2]
TIMEOUT_S = 600.0


def pytest_command(args: list[str], pciaddr: str) -> list[str]:
    command = [sys.executable, "-m", "pytest", "-p", "vm.report", f"--outcomes={SHARE}/report"]
    command += ["-p", "no:cacheprovider"]
    if pciaddr:
        command.append(f"--pciaddr={pciaddr}")
    return [*command, *args]


def run_pytest(
    args: list[str],
    report: Path,
    preset: str = IOMMU.name,
    timeout: float = TIMEOUT_S,
    sink: Sink = to_stdout,
    console: Path | None = None,
    kernel: str = "",
) -> int:
    """Run pytest with `args` in a guest of that preset; pytest's exit status, or 125.

    `timeout` is in seconds, boot included. `report` is written anew, what pytest prints goes to
    `sink`, the kernel's log to `console`; `kernel` is as of kernel.py. Raises
    KernelError where no guest can run.
    """
    machine = PRESETS[preset]
    with report.open("wb", buffering=0) as lines:
        guest = Guest(
            preset=machine,
            kernel_package=kernel,
            cwd=TOP,
            timeout_s=timeout,
            environment={"PYTHONPATH": str(TOP / "tests")},
            sink=sink,
            outputs={"report": lines.write},
            console_log=console,
        )
        return guest.run(pytest_command(args, machine.pciaddr))


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(usage="%(prog)s [options] --report FILE -- ARGS...")
    parser.add_argument("--preset", choices=sorted(PRESETS), default=IOMMU.name)
    parser.add_argument("--kernel", default="", metavar="PACKAGE", help="as of kernel.py")
    parser.add_argument("--timeout", type=float, default=TIMEOUT_S, metavar="S")
    parser.add_argument("--console", type=Path, metavar="FILE", help="keep the kernel's log")
    parser.add_argument("--report", type=Path, required=True, metavar="FILE")
    parser.add_argument("args", nargs="*")
    options = parser.parse_args(argv)
    args, report, console = options.args, options.report, options.console
    return exit_status(
        lambda: run_pytest(
            args, report, options.preset, options.timeout, console=console, kernel=options.kernel
        )
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
