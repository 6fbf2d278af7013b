#!/usr/bin/env python3
"""Run a command in a throw-away Linux guest that sees the host's files and an NVMe drive of QEMU.

    python tests/vm/guest.py [--preset NAME] [options] -- COMMAND...

The command runs in the current directory with the current PATH; its output is streamed and its
exit status passed on. Status 125 means that the guest died, did not boot or ran out of time. The
command may write wherever it likes: only $PYNVME_VM_SHARE reaches the host, and that folder goes
with the guest.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # as a script, too, this is "vm"

from vm import initrd, kernel, rootfs, stage
from vm.presets import IOMMU, NOIOMMU, PRESETS, Preset
from vm.pulse import STILL_S, Pulse
from vm.qmp import QmpServer

DIED = 125
BOOT_TIMEOUT_S = 120
BOOTS = 3
POLL_S = 0.02
RUN_PREFIX = "pynvme-vm-"
KERNEL_ARGUMENTS = (
    "console=ttyS0 panic=-1 mitigations=off nokaslr tsc=reliable random.trust_cpu=on",
    # without it: "timer doesn't work through Interrupt-remapped IO-APIC" on a loaded host
    "no_timer_check",
    # half a second of self-tests under emulation
    "rodata=off cryptomgr.notests",
)

Sink = Callable[[bytes], object]


def to_stdout(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


@dataclass
class Tail:
    """Feeds a sink with what a file grows by."""

    path: Path
    sink: Sink
    offset: int = 0

    def feed(self) -> None:
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                data = file.read()
        except FileNotFoundError:
            return
        if data:
            self.offset += len(data)
            self.sink(data)


@dataclass
class Guest:
    """One guest for one command.

    ``outputs`` maps names of files that the command writes to $PYNVME_VM_SHARE to sinks which
    receive them as they grow. ``kernel_package`` is as of kernel.py. ``console_log`` is where the
    kernel's log goes. The guest ends with the thread that runs it.
    """

    preset: Preset = IOMMU
    smp: int = 2
    memory_mib: int = 1536
    root: str | None = None
    kernel_package: str = ""
    cwd: Path = field(default_factory=Path.cwd)
    timeout_s: float = 300
    still_s: float = STILL_S
    qemu_arguments: Sequence[str] = ()
    kernel_arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    verbose: bool = False
    sink: Sink = to_stdout
    outputs: Mapping[str, Sink] = field(default_factory=dict)
    console_log: Path | None = None
    boot_s: float | None = field(default=None, init=False)
    #: QEMU died of a signal, or its processors stood still: nothing that runs in it is to blame.
    killed: bool = field(default=False, init=False)
    started: float = field(default=0.0, init=False)

    def run(self, command: Sequence[str]) -> int:
        """Boot, run `command`, and return its exit status, or ``DIED``."""
        remove_orphans()
        image = kernel.prepare(package=self.kernel_package)
        root = self.root or rootfs.kind()
        if root is None:
            raise kernel.KernelError("neither virtiofsd nor QEMU's 9p is available")
        self.started = time.monotonic()
        for _ in range(BOOTS):
            status = self.boot(image, root, command)
            if status is not None:
                return status
        return DIED

    def boot(self, image: kernel.Kernel, root: str, command: Sequence[str]) -> int | None:
        """The exit status, or None if the kernel died before it got to the command.

        Kernels patch their own code while they boot; under emulation with two processors that
        goes wrong once in some hundred boots, on a loaded host.
        """
        with ExitStack() as processes:
            run = processes.enter_context(run_folder())
            share = run / "share"
            share.mkdir()
            stage.write(share, image, self.preset, command, self.cwd, self.environment)
            (run / "initrd").write_bytes(initrd.build(image, root, self.preset.modules))
            self.create_images(run)
            host_end, guest_end = socket.socketpair()
            processes.enter_context(host_end)
            with guest_end:
                qemu = self.start_qemu(image, root, run, guest_end, processes)
            try:
                return self.attend(qemu, run, QmpServer(host_end, share))
            finally:
                if self.console_log is not None and (run / "console").exists():
                    shutil.copyfile(run / "console", self.console_log)

    def create_images(self, run: Path) -> None:
        for name, size in self.preset.images.items():
            with (run / name).open("wb") as file:
                file.truncate(size)

    def start_qemu(
        self,
        image: kernel.Kernel,
        root: str,
        run: Path,
        control: socket.socket,
        processes: ExitStack,
    ) -> subprocess.Popen[bytes]:
        inherited = [control.fileno()]
        if root == "virtiofs":
            files, sockets = rootfs.serve_virtiofs(run / "share", processes, run / "log")
            inherited += sockets
        else:
            files = rootfs.serve_9p(run / "share")
        argv = [*self.machine(image, run), *files]
        argv += ["-chardev", f"socket,id=qmp,fd={control.fileno()}"]
        argv += ["-mon", "chardev=qmp,mode=control"]
        return rootfs.start(argv, processes, run / "log", inherited)

    def machine(self, image: kernel.Kernel, run: Path) -> list[str]:
        """QEMU's arguments without the file systems and the control channel."""
        words = [*KERNEL_ARGUMENTS, *self.preset.append, *self.kernel_arguments]
        words.append("loglevel=7" if self.verbose else "quiet loglevel=4")
        argv = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max"]
        argv += ["-machine", "q35,kernel-irqchip=split,memory-backend=memory"]
        argv += ["-object", f"memory-backend-memfd,id=memory,size={self.memory_mib}M,share=on"]
        argv += ["-m", str(self.memory_mib), "-smp", str(self.smp), "-nodefaults", "-no-reboot"]
        argv += ["-display", "none", "-serial", f"file:{run / 'console'}"]
        if self.preset.iommu:
            argv += ["-device", "intel-iommu,intremap=on,caching-mode=on"]
            words.append("intel_iommu=on")
        boots = image.bzimage if self.preset.bzimage else image.vmlinux
        argv += ["-kernel", str(boots), "-initrd", str(run / "initrd")]
        argv += ["-append", " ".join(words)]
        for arguments in (*self.preset.devices, *self.qemu_arguments):
            argv += shlex.split(arguments.replace("{run}", str(run)))
        return argv

    def attend(self, qemu: subprocess.Popen[bytes], run: Path, control: QmpServer) -> int | None:
        """Serve a running guest until its command has ended, it dies, or its time is over."""
        share, powered_on = run / "share", time.monotonic()
        tails = [Tail(share / "out", self.sink)]
        tails += [Tail(share / name, sink) for name, sink in self.outputs.items()]
        if self.verbose:
            tails.append(Tail(run / "console", to_stderr))
        pulse = Pulse(share, self.still_s)
        while True:
            dead = qemu.poll() is not None  # asked first: a guest that ended well leaves a status
            ended = (share / "status").exists()
            for tail in tails:
                tail.feed()
            if ended:
                return int((share / "status").read_text())
            elapsed_s = time.monotonic() - powered_on
            if self.boot_s is None and (share / "booted").exists():
                self.boot_s = elapsed_s
            if dead and self.boot_s is None and qemu.returncode == 0:
                self.died("the kernel died before the command", run)
                return None
            if dead:
                self.killed = qemu.returncode < 0
                return self.died(f"the guest died (QEMU status {qemu.returncode})", run)
            if beat := pulse.silent():
                self.killed = True
                return self.died(f"the guest stood still ({beat}, {self.still_s:g} s)", run)
            if time.monotonic() - self.started > self.timeout_s:
                return self.died(f"no end after {self.timeout_s:g} s", run)
            if self.boot_s is None and elapsed_s > BOOT_TIMEOUT_S:
                return self.died(f"no boot in {BOOT_TIMEOUT_S} s", run)
            control.serve()
            time.sleep(POLL_S)

    def died(self, why: str, run: Path) -> int:
        """Say why, with the last words of QEMU and of the guest's kernel."""
        lines = [f"guest: {why}"]
        for name in ("log", "console"):
            if (run / name).exists():
                text = (run / name).read_text(errors="replace")
                lines += [f"guest: {name}: {line}" for line in text.splitlines()[-15:]]
        to_stderr(("\n".join(lines) + "\n").encode())
        return DIED


def to_stderr(data: bytes) -> None:
    sys.stderr.write(data.decode(errors="replace"))
    sys.stderr.flush()


@contextmanager
def run_folder() -> Iterator[Path]:
    """A folder that ends with the guest; the process in its name tells when it is left over."""
    run = Path(tempfile.mkdtemp(prefix=f"{RUN_PREFIX}{os.getpid()}-"))
    try:
        yield run
    finally:
        shutil.rmtree(run, ignore_errors=True)


def remove_orphans() -> None:
    """Remove the folders of harnesses that were killed before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{RUN_PREFIX}*-*"):
        owner = folder.name.removeprefix(RUN_PREFIX).partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def parse(argv: list[str]) -> tuple[Guest, list[str]]:
    parser = argparse.ArgumentParser(
        description="Run a command in a throw-away guest with an NVMe drive of QEMU.",
        usage="%(prog)s [options] -- COMMAND...",
    )
    parser.add_argument("--preset", choices=sorted(PRESETS), default=IOMMU.name)
    parser.add_argument("--no-iommu", action="store_true", help=f"the preset {NOIOMMU.name}")
    parser.add_argument("--dev", action="append", default=[], metavar="'QEMU ARGS'")
    parser.add_argument("--append", action="append", default=[], metavar="'KERNEL ARGS'")
    parser.add_argument("--smp", type=int, default=Guest.smp)
    parser.add_argument("--mem", type=int, default=Guest.memory_mib, metavar="MIB")
    parser.add_argument("--root", choices=sorted(initrd.ROOT_MODULES))
    parser.add_argument("--kernel", default="", metavar="PACKAGE", help="as of kernel.py")
    parser.add_argument("--timeout", type=float, default=Guest.timeout_s, metavar="S")
    parser.add_argument("--user", type=int, metavar="UID", help="run the command as this user")
    parser.add_argument("--console", type=Path, metavar="FILE", help="keep the kernel's log")
    parser.add_argument("-v", "--verbose", action="store_true", help="show the kernel's log")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(argv)
    preset = NOIOMMU if options.no_iommu else PRESETS[options.preset]
    if options.user is not None:
        preset = replace(preset, user=options.user)
    guest = Guest(
        preset=preset,
        smp=options.smp,
        memory_mib=options.mem,
        root=options.root,
        kernel_package=options.kernel,
        timeout_s=options.timeout,
        qemu_arguments=options.dev,
        kernel_arguments=options.append,
        verbose=options.verbose,
        console_log=options.console,
    )
    return guest, options.command


def main(argv: list[str]) -> int:
    guest, command = parse(argv)
    return exit_status(lambda: guest.run(command))


def exit_status(run: Callable[[], int]) -> int:
    """What a program that runs a guest ends with: on a signal, after the guest is cleaned up."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        return run()
    except kernel.KernelError as error:
        print(f"guest: {error}", file=sys.stderr)
        return DIED
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
