"""The NVMe drives of this machine, as data: ``pynvme status --json``."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DEVICES = Path("/sys/bus/pci/devices")
#: Drivers through which a script reaches a drive.
READY = ("vfio-pci", "uio_pci_generic")


def _read(path: Path) -> str | None:
    """The text of an attribute of sysfs, or None where the kernel has no such attribute."""
    try:
        return path.read_text(errors="replace").strip() or None
    except OSError:
        return None


def _drive(line: str) -> dict[str, Any]:
    """One line of ``setup.sh list``, and what the kernel says of that function."""
    address, driver, nodes, used = line.split("\t")
    function = DEVICES / address
    controller = next(iter(sorted(function.glob("nvme/nvme*"))), function / "nvme")
    ids = (_read(function / name) for name in ("vendor", "device"))
    return {
        "address": address.removeprefix("0000:"),
        "driver": driver or None,
        "ready": driver in READY,
        "used": used or None,
        "devices": nodes.split(),
        "model": _read(controller / "model"),
        "serial": _read(controller / "serial"),
        "firmware": _read(controller / "firmware_rev"),
        "pci_id": ":".join((each or "").removeprefix("0x") for each in ids),
    }


def show(setup: Path, addresses: Sequence[str]) -> int:
    """Print {"drives": [...]}; returns the exit status of the script, which says what is wrong.

    What is not known is null: the kernel tells model, serial number and firmware only of drives
    that it drives itself.
    """
    command = ["bash", str(setup), "list", *addresses]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if not done.returncode:
        drives = [_drive(line) for line in done.stdout.splitlines()]
        print(json.dumps({"drives": drives}, indent=2))
    return done.returncode
