"""Whether guests can run here."""

from __future__ import annotations

import platform
import shutil

from vm import initrd, kernel, rootfs


def probe(package: str = "") -> str | None:
    """Why no guest can run on this machine, in one sentence; None if one can.

    The kernel, of that package, is downloaded when it is the only thing that is missing.
    """
    if platform.machine() != "x86_64":
        return f"guests are x86_64 machines that run this machine's {platform.machine()} programs"
    for program in ("qemu-system-x86_64", "setpriv"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    if initrd.busybox() is None:
        return "a static busybox is not installed (package busybox-static)"
    if rootfs.kind() is None:
        return "neither virtiofsd nor a QEMU with 9p is available to share this machine's files"
    try:
        kernel.prepare(package=package)
    except kernel.KernelError as error:
        return str(error)
    return None
