"""The distribution's kernel, unpacked beside the system and never installed.

``prepare()`` resolves the current kernel through the distribution's meta package, downloads it with
apt, unpacks it into a cache, indexes its modules and inflates ``vmlinux`` out of ``vmlinuz``: QEMU
boots an uncompressed ELF by PVH some three seconds sooner than a bzImage under emulation.

Another kernel is named by its meta package, such as ``linux-image-6.12-amd64`` of Debian 12.

The cache is ``$PYNVME_VM_CACHE``, else ``$XDG_CACHE_HOME/pynvme-vm``, else ``~/.cache/pynvme-vm``.
A kernel appears in it by one rename, under a lock: a run that was killed half way leaves a ``tmp-``
folder that the next one removes, and two runs at once prepare it once.
"""

from __future__ import annotations

import fcntl
import lzma
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

META_PACKAGES = {"debian": "linux-image-amd64", "ubuntu": "linux-image-generic"}
#: On Debian 12: the kernel of Debian 13.
NEXT_KERNEL = "linux-image-6.12-amd64"
KERNEL_PACKAGE = re.compile(r"^\s*\|?Depends: (linux-(image|modules|modules-extra)-\d\S*)$", re.M)


class KernelError(Exception):
    """No kernel for the guest; the text says why in one sentence."""


@dataclass(frozen=True)
class Kernel:
    """An unpacked kernel: ``root`` holds ``boot/``, ``lib/modules/`` and ``vmlinux``."""

    root: Path
    release: str

    @property
    def vmlinux(self) -> Path:
        return self.root / "vmlinux"

    @property
    def bzimage(self) -> Path:
        return self.root / "boot" / f"vmlinuz-{self.release}"

    @property
    def modules(self) -> Path:
        return self.root / "lib" / "modules" / self.release


def cache_dir() -> Path:
    if explicit := os.environ.get("PYNVME_VM_CACHE"):
        return Path(explicit).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "pynvme-vm"


def link_name(package: str) -> str:
    """Of the link in the cache to a kernel."""
    return f"current-{package}" if package else "current"


def cached(package: str = "") -> Kernel | None:
    """The kernel prepared earlier, or None."""
    current = cache_dir() / link_name(package)
    if not (current / "vmlinux").is_file():
        return None
    root = current.resolve()
    return Kernel(root, root.name)


def meta_package() -> str | None:
    """The package that always depends on the distribution's newest kernel, or None."""
    fields: dict[str, str] = {}
    for line in Path("/etc/os-release").read_text().splitlines():
        key, _, value = line.partition("=")
        fields[key] = value.strip('"')
    for family in [fields.get("ID", ""), *fields.get("ID_LIKE", "").split()]:
        if family in META_PACKAGES:
            return META_PACKAGES[family]
    return None


def prepare(refresh: bool = False, package: str = "") -> Kernel:
    """Return the cached kernel; download and unpack it first if there is none, or on `refresh`.

    package: the meta package of another kernel than the distribution's own
    """
    kernel = cached(package)
    if kernel and not refresh:
        return kernel
    cache = cache_dir()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with locked(cache / "lock"):
            return cached_or_unpacked(cache, refresh, package)
    except OSError as error:
        raise KernelError(f"cannot prepare a kernel in {cache}: {error}") from error


def cached_or_unpacked(cache: Path, refresh: bool, package: str) -> Kernel:
    """With the lock held: whoever waited for another run finds its kernel here."""
    kernel = cached(package)
    if kernel and not refresh:
        return kernel
    for leftover in cache.glob("tmp-*"):
        shutil.rmtree(leftover)
    packages = kernel_packages(package)
    scratch = Path(tempfile.mkdtemp(prefix="tmp-", dir=cache))
    try:
        return publish(unpack(packages, scratch), cache, package)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock that ends with the process, whatever ends it."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def tool(*argv: str | Path, cwd: Path | None = None, feed: bytes | None = None) -> bytes:
    try:
        done = subprocess.run(
            argv, cwd=cwd, input=feed, capture_output=True, env={**os.environ, "LC_ALL": "C"}
        )
    except FileNotFoundError as error:
        raise KernelError(f"{argv[0]} is not installed") from error
    if done.returncode:
        tail = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise KernelError(f"{argv[0]} failed ({done.returncode}): {' '.join(tail)}")
    return done.stdout


def dependencies(package: str) -> list[str]:
    text = tool("apt-cache", "depends", package).decode()
    return [match[1] for match in KERNEL_PACKAGE.finditer(text)]


def kernel_packages(package: str) -> list[str]:
    """The packages of a kernel: one image, and where they are apart its modules."""
    meta = package or meta_package()
    if meta is None:
        raise KernelError("no kernel package is known for this distribution")
    try:
        first = dependencies(meta)
    except KernelError:
        first = []
    if not first and os.geteuid() == 0:  # a fresh container has no package lists
        tool("apt-get", "update", "-qq")
        first = dependencies(meta)
    images = [name for name in first if name.startswith("linux-image-")]
    if not images:
        raise KernelError(f"apt knows no kernel behind {meta}: run apt-get update")
    modules = [name for name in dependencies(images[0]) if name.startswith("linux-modules-")]
    extra = [name for name in first if name.startswith("linux-modules-extra-")]
    return [images[0], *modules, *extra]


def unpack(packages: list[str], scratch: Path) -> Kernel:
    tool("apt-get", "-o", "APT::Sandbox::User=root", "download", *packages, cwd=scratch)
    root = scratch / "root"
    root.mkdir()
    for package in scratch.glob("*.deb"):
        tool("dpkg-deb", "-x", package, root)
    if not (root / "lib").exists():  # newer packages ship usr/lib only
        (root / "lib").symlink_to("usr/lib")
    release = next((root / "lib" / "modules").iterdir()).name
    tool("depmod", "-b", root, release)
    kernel = Kernel(root, release)
    kernel.vmlinux.write_bytes(inflate_vmlinux(kernel.bzimage.read_bytes()))
    return kernel


def publish(kernel: Kernel, cache: Path, package: str) -> Kernel:
    """Move a finished kernel into the cache and point its link at it."""
    home, scratch = cache / kernel.release, kernel.root.parent
    if home.exists():
        home.rename(scratch / "replaced")
    kernel.root.rename(home)
    link = scratch / "current"
    link.symlink_to(kernel.release)
    link.replace(cache / link_name(package))
    return Kernel(home, kernel.release)


def inflate_vmlinux(image: bytes) -> bytes:
    """The ELF inside a bzImage, found by the x86 boot protocol's own fields."""
    if image[0x202:0x206] != b"HdrS":
        raise KernelError("the kernel image is not a bzImage")
    setup_sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    payload = image[start : start + length - 4]  # the last word is the inflated size
    elf = inflate(payload)
    if elf[:4] != b"\x7fELF":
        raise KernelError("the kernel image holds no ELF")
    return elf


def inflate(data: bytes) -> bytes:
    """Undo whatever compression the first bytes name; data that names none comes back as it is."""
    if data[:2] == b"\x1f\x8b":
        return zlib.decompressobj(wbits=31).decompress(data)
    if data[:6] == b"\xfd7zXZ\x00":
        return lzma.LZMADecompressor().decompress(data)
    if data[:4] == b"\x28\xb5\x2f\xfd":
        return tool("zstd", "-dc", feed=data)
    if data[:4] == b"\x02\x21\x4c\x18":
        return tool("lz4", "-dc", feed=data)
    return data


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--refresh"]
    try:
        print(prepare("--refresh" in sys.argv[1:], *words).root)
    except KernelError as error:
        sys.exit(f"kernel: {error}")
