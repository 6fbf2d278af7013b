"""A guest whose whole system is in its first RAM disk: it lives through system suspend.

Neither kind of the usual root does, and QEMU wakes only a guest that was booted by its firmware.
The RAM disk holds the interpreter, the modules that one script imports, the libraries that all of
them need, a few programs and busybox: made anew for each guest, in about a second. What the script
prints and its exit status come over the serial port.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from vm import initrd, kernel, rootfs
from vm.guest import DIED, Guest, remove_orphans, run_folder
from vm.presets import Preset

POLL_S = 0.2
LISTING = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("script", sys.argv[1])
spec.loader.exec_module(importlib.util.module_from_spec(spec))
print(json.dumps([m.__file__ for m in sys.modules.values() if getattr(m, "__file__", None)]))
"""
INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec </dev/null >/dev/console 2>&1
mkdir -p /dev/shm
mount -t tmpfs shm /dev/shm
finish() {{ echo; echo "@status $1"; sleep 1; poweroff -f; }}
for module in /modules/*; do insmod $module || finish 125; done
sh -e /setup || finish 125
{command}
finish $?
"""
APPLETS = ("env", "sleep", "basename", "readlink")
LIBRARY = re.compile(r"(/\S+) \(0x")
STATUS = re.compile(r"^@status (\d+)\r?$", re.MULTILINE)


def libraries(programs: list[Path]) -> set[Path]:
    """What the dynamic loader maps for these programs and modules."""
    listed = subprocess.run(["ldd", *programs], capture_output=True, text=True).stdout
    return {Path(name) for name in LIBRARY.findall(listed)}


def imported(script: Path, environment: dict[str, str]) -> list[Path]:
    """The files of all modules that are loaded once `script` was imported."""
    done = subprocess.run(
        [interpreter(), "-c", LISTING, script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise kernel.KernelError(f"{script.name} cannot be imported: {done.stderr.strip()}")
    return [Path(name) for name in json.loads(done.stdout)]


def interpreter() -> Path:
    """The program itself: a virtual environment is no more than a link to it."""
    return Path(sys.executable).resolve()


def build(
    image: kernel.Kernel, preset: Preset, script: Path, programs: tuple[str, ...], site: Path
) -> bytes:
    """The RAM disk of a guest that runs `script` with packages of `site`, as `preset` is set up."""
    environment = {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    found = [shutil.which(name) for name in programs]
    modules = imported(script, environment)
    binaries = [Path(name) for name in found if name]
    binaries += [interpreter(), *(path for path in modules if ".so" in path.suffixes)]
    files = {*modules, *binaries, *libraries(binaries), script}
    cpio = initrd.Cpio()
    folders = {folder for path in files for folder in path.parents if folder != Path("/")}
    folders |= {Path("/", name) for name in ("bin", "dev", "proc", "sys", "tmp", "modules", "run")}
    for folder in sorted(folders):
        cpio.add(str(folder)[1:], stat.S_IFDIR | 0o755)
    for path in sorted(files):
        cpio.add(str(path)[1:], stat.S_IFREG | 0o755, path.read_bytes())
    cpio.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    initrd.add_busybox(cpio, APPLETS)
    initrd.add_modules(cpio, image, preset.modules)
    exports = " ".join(f"{name}={text}" for name, text in environment.items())
    command = f"env {exports} {interpreter()} {script} {preset.pciaddr}"
    cpio.add("setup", stat.S_IFREG | 0o644, preset.setup.encode())
    cpio.add("init", stat.S_IFREG | 0o755, INIT.format(command=command).encode())
    return cpio.finish()


@dataclass
class RamGuest:
    """One guest for one Python script, which is called with the address of the preset's drive.

    ``programs`` are those of this machine that the script starts. ``output`` is everything that
    came over the serial port, the kernel's warnings between the script's lines.
    """

    preset: Preset
    site: Path
    programs: tuple[str, ...] = ()
    timeout_s: float = 300
    output: str = field(default="", init=False)

    def run(self, script: Path) -> int:
        """Boot and run `script`; its exit status, or ``DIED``."""
        remove_orphans()
        image = kernel.prepare()
        machine = Guest(preset=self.preset, smp=1, memory_mib=768)
        with ExitStack() as processes:
            run = processes.enter_context(run_folder())
            (run / "initrd").write_bytes(
                build(image, self.preset, script, self.programs, self.site)
            )
            machine.create_images(run)
            qemu = rootfs.start(machine.machine(image, run), processes, run / "log", [])
            return self.attend(qemu, run)

    def attend(self, qemu: subprocess.Popen[bytes], run: Path) -> int:
        until = time.monotonic() + self.timeout_s
        while qemu.poll() is None and time.monotonic() < until:
            self.output = text_of(run / "console")
            if status := STATUS.search(self.output):
                return int(status[1])
            time.sleep(POLL_S)
        self.output = text_of(run / "console")
        if status := STATUS.search(self.output):
            return int(status[1])
        self.output += f"guest: QEMU's status is {qemu.poll()}\n" + text_of(run / "log")
        return DIED


def text_of(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""
