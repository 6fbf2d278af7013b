"""The guest's first file system: busybox, kernel modules and ``/init``, as an uncompressed cpio.

``/init`` loads the modules, lays a RAM overlay over the host's tree, so that the guest may write
anywhere and the host sees none of it, and hands over to the script ``stage2`` in the share.
"""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass, field
from pathlib import Path

from vm.kernel import Kernel, KernelError, inflate

SHARE = "/run/pynvme-vm"
"""Where the guest finds the one host folder that it may write to."""

ROOT_MODULES = {
    "virtiofs": ("virtio_pci", "overlay", "virtiofs"),
    "9p": ("virtio_pci", "overlay", "9pnet_virtio", "9p"),
}
MOUNT_ROOT = {
    "virtiofs": "mount -t virtiofs -o ro root /lower",
    "9p": "mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,ro,cache=loose root /lower",
}
MOUNT_SHARE = {
    "virtiofs": f"mount -t virtiofs share /r{SHARE}",
    "9p": f"mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,cache=none share /r{SHARE}",
}
APPLETS = ("sh", "mount", "mkdir", "insmod", "chroot", "echo", "poweroff")
INIT = """#!/bin/sh
fail() {{ echo "init: $1 failed" >/dev/console; poweroff -f; }}
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*; do insmod $module || fail "insmod $module"; done
{mount_root} || fail "mount of the host's tree"
mount -t tmpfs -o size=75% up /up
mkdir /up/upper /up/work
mount -t overlay -o lowerdir=/lower,upperdir=/up/upper,workdir=/up/work root /r || fail overlay
mkdir -p /r/proc /r/sys /r/dev /r/run /r/tmp /r/lib/modules
mount -o move /proc /r/proc
mount -o move /sys /r/sys
mount -o move /dev /r/dev
mkdir -p /r/dev/pts /r/dev/shm
mount -t devpts devpts /r/dev/pts
mount -t tmpfs shm /r/dev/shm
mount -t tmpfs run /r/run
mkdir /r{share}
{mount_share} || fail "mount of the share"
exec chroot /r /bin/sh {share}/stage2
"""


class ModuleIndex:
    """What depmod knows about one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.folder = kernel.modules
        self.needs: dict[str, tuple[str, list[str]]] = {}
        for line in (self.folder / "modules.dep").read_text().splitlines():
            path, _, needs = line.partition(":")
            self.needs[module_name(path)] = (path, needs.split())
        builtin = (self.folder / "modules.builtin").read_text().splitlines()
        self.builtin = {module_name(path) for path in builtin}

    def load_order(self, names: tuple[str, ...]) -> list[Path]:
        """Files in the order of insmod, each once; what is built in needs none."""
        order: dict[str, None] = {}
        for name in map(module_name, names):
            if name in self.needs:
                path, needs = self.needs[name]
                order.update(dict.fromkeys([*reversed(needs), path]))
            elif name not in self.builtin:
                raise KernelError(f"this kernel has no module {name}")
        return [self.folder / path for path in order]


def module_name(path: str) -> str:
    """``kernel/drivers/vfio/vfio-pci.ko.xz`` and ``vfio_pci`` are the same module."""
    return path.rpartition("/")[2].partition(".ko")[0].replace("-", "_")


@dataclass
class Cpio:
    """An archive in the "newc" format, as the kernel unpacks it into its first root."""

    blob: bytearray = field(default_factory=bytearray)
    inode: int = 0

    def add(
        self, name: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)
    ) -> None:
        self.inode += 1
        encoded = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
        self.blob += b"070701" + b"".join(b"%08x" % value for value in fields) + encoded
        self.pad()
        self.blob += data
        self.pad()

    def pad(self) -> None:
        self.blob += bytes(-len(self.blob) % 4)

    def finish(self) -> bytes:
        self.add("TRAILER!!!", 0)
        return bytes(self.blob)


def busybox() -> Path | None:
    """The busybox that needs no loader and no library, or None."""
    found = shutil.which("busybox", path=os.defpath + ":/usr/local/bin")
    if found is None:
        return None
    path = Path(found).resolve()
    return path if b"/ld-linux" not in path.read_bytes()[:4096] else None


def add_busybox(cpio: Cpio, more: tuple[str, ...] = ()) -> None:
    """busybox, the applets of every /init and some `more`, in an existing /bin."""
    shell = busybox()
    if shell is None:
        raise KernelError("busybox-static is not installed")
    cpio.add("bin/busybox", stat.S_IFREG | 0o755, shell.read_bytes())
    for applet in (*APPLETS, *more):
        cpio.add(f"bin/{applet}", stat.S_IFLNK | 0o777, b"busybox")


def add_modules(cpio: Cpio, kernel: Kernel, names: tuple[str, ...]) -> None:
    """Modules in an existing /modules, by name in the order of insmod."""
    for rank, path in enumerate(ModuleIndex(kernel).load_order(names)):
        # busybox's insmod cannot read a compressed module
        data = inflate(path.read_bytes())
        cpio.add(f"modules/{rank:02}-{module_name(path.name)}", stat.S_IFREG | 0o644, data)


def build(kernel: Kernel, root: str, extra_modules: tuple[str, ...]) -> bytes:
    """The archive for a guest with this kind of root that has `extra_modules` loaded as well."""
    cpio = Cpio()
    for folder in ("bin", "dev", "proc", "sys", "lower", "up", "r", "modules"):
        cpio.add(folder, stat.S_IFDIR | 0o755)
    cpio.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    add_busybox(cpio)
    add_modules(cpio, kernel, ROOT_MODULES[root] + extra_modules)
    init = INIT.format(mount_root=MOUNT_ROOT[root], mount_share=MOUNT_SHARE[root], share=SHARE)
    cpio.add("init", stat.S_IFREG | 0o755, init.encode())
    return cpio.finish()
