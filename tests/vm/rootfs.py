"""How the guest sees the host: its whole tree, read only, and one writable folder, the share.

virtiofs is the faster way, but its daemon has no switch for "read only". It is started in a mount
namespace of its own in which every mount is read only; nothing the guest does as root gets past
that. Where the daemon or the right to make a namespace is missing, QEMU itself exports the tree by
9p.
"""

from __future__ import annotations

import functools
import os
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

VIRTIOFSD = Path("/usr/lib/qemu/virtiofsd")
PRIVATE_MOUNTS = ("unshare", "--mount", "--propagation", "private")
# "/" must become read only or nothing is exported; another mount that cannot is detached
READ_ONLY = """
mount -o remount,bind,ro / || exit 1
while read -r id parent device root point rest; do
    point=$(printf '%b' "$point")
    [ "$point" = / ] || mount -o remount,bind,ro "$point" 2>/dev/null || umount -l "$point"
done </proc/self/mountinfo
exec "$@"
"""


@functools.cache
def kind() -> str | None:
    """``"virtiofs"``, ``"9p"``, or None where neither works."""
    private = [*PRIVATE_MOUNTS, "true"]
    if (
        os.geteuid() == 0
        and VIRTIOFSD.is_file()
        and subprocess.run(private, capture_output=True).returncode == 0
    ):
        return "virtiofs"
    devices = subprocess.run(
        ["qemu-system-x86_64", "-device", "help"], capture_output=True, text=True
    )
    return "9p" if "virtio-9p-pci" in devices.stdout else None


def serve_9p(share: Path) -> list[str]:
    """The QEMU arguments that export the tree and the share by 9p."""
    root = "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"
    return [
        *("-fsdev", root, "-device", "virtio-9p-pci,fsdev=root,mount_tag=root"),
        *("-fsdev", f"local,id=share,path={share},security_model=none"),
        *("-device", "virtio-9p-pci,fsdev=share,mount_tag=share"),
    ]


def serve_virtiofs(share: Path, processes: ExitStack, log: Path) -> tuple[list[str], list[int]]:
    """Start both daemons; the arguments for QEMU and the sockets that it inherits."""
    arguments: list[str] = []
    inherited: list[int] = []
    sources = (("root", Path("/"), "always"), ("share", share, "none"))
    for tag, source, cache in sources:
        options = f"source={source},cache={cache},sandbox=chroot"
        connection = start_virtiofsd(options, tag == "root", processes, log)
        arguments += ["-chardev", f"socket,id={tag},fd={connection.fileno()}"]
        arguments += ["-device", f"vhost-user-fs-pci,chardev={tag},tag={tag}"]
        inherited.append(connection.fileno())
    return arguments, inherited


def start_virtiofsd(
    options: str, read_only: bool, processes: ExitStack, log: Path
) -> socket.socket:
    """Start one daemon and return a connection to it, for QEMU."""
    prefix = [*PRIVATE_MOUNTS, "sh", "-c", READ_ONLY, "sh"] if read_only else []
    connection = processes.enter_context(socket.socket(socket.AF_UNIX))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("")  # the kernel picks an abstract name: nothing to clean up, no length limit
        listener.listen(1)
        daemon = [*prefix, str(VIRTIOFSD), f"--fd={listener.fileno()}", "-o", options]
        start([*daemon, "--thread-pool-size=1"], processes, log, inherited=[listener.fileno()])
        connection.connect(listener.getsockname())
    return connection


def start(
    argv: list[str], processes: ExitStack, log: Path, inherited: list[int]
) -> subprocess.Popen[bytes]:
    """Start a process that is killed when `processes` closes, or this thread ends by any means."""
    with log.open("ab") as messages:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *argv],
            stdin=subprocess.DEVNULL,
            stdout=messages,
            stderr=messages,
            pass_fds=inherited,
            start_new_session=True,  # Ctrl-C is for us, who still print what there is
        )
    processes.callback(stop, process)
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
