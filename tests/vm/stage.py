"""The shell script that takes over from ``/init``: sets the machine up, then runs the command."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from vm.initrd import SHARE
from vm.kernel import Kernel
from vm.presets import PORT_BDF, Preset
from vm.pulse import beats

INHERITED = ("PATH", "HOME", "LANG", "TERM", "COLUMNS", "CI", "VIRTUAL_ENV")
INHERITED_PREFIXES = ("LC_", "PYTHON", "PYTEST", "PYNVME", "HYPOTHESIS", "ASAN", "UBSAN", "TSAN")

# `busybox poweroff` is for a guest whose host went away; the host kills QEMU when it sees `status`
STAGE2 = """
finish() {{
    echo "$1" >{share}/status.tmp
    mv {share}/status.tmp {share}/status
    busybox poweroff -f
}}
exec </dev/null >>{share}/out 2>&1
busybox hostname pynvme-vm
mount --bind {modules} /lib/modules
: >{share}/booted
/bin/sh -e {share}/setup || {{ echo "guest: set-up of preset {preset} failed"; finish 125; }}
{beats}{exports}
cd {cwd} || finish 125
{limits}
{command}
finish $?
"""


def inherited_environment() -> dict[str, str]:
    """What the command needs of our environment: paths, and the settings of tools it may run."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in INHERITED or name.startswith(INHERITED_PREFIXES)
    }


def closed_folders(paths: Sequence[Path]) -> list[Path]:
    """Folders on the way to `paths` that another user may not pass."""
    folders = {folder for path in paths for folder in (path, *path.parents) if folder.is_dir()}
    return sorted(folder for folder in folders if not folder.stat().st_mode & 0o001)


def as_user(user: int, command: Sequence[str], cwd: Path) -> tuple[str, list[str]]:
    """Shell text that makes things reachable for `user`, and the command that runs as that user.

    Our interpreter, which tests start again, may be below a private home folder: the overlay lets
    us open that folder in the guest alone.
    """
    programs = [Path(shutil.which(command[0]) or command[0]).absolute(), Path(sys.executable)]
    needed = [cwd, *programs, *(program.resolve() for program in programs)]
    setup = f"chown {user} /dev/vfio/[0-9]* 2>/dev/null || :\n"
    for folder in closed_folders(needed):
        setup += f"chmod o+rx {shlex.quote(str(folder))}\n"
    identity = f"--reuid={user} --regid={user} --clear-groups --inh-caps=-all"
    return setup, ["setpriv", *identity.split(), "env", "HOME=/tmp", *command]


def write(
    share: Path,
    kernel: Kernel,
    preset: Preset,
    command: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
) -> None:
    """Put ``stage2`` and ``setup`` into the share."""
    setup = preset.setup
    if preset.user is not None:
        reach, command = as_user(preset.user, command, cwd)
        setup += reach
    variables = inherited_environment() | {
        "PYNVME_VM": preset.name,
        "PYNVME_VM_PCIADDR": preset.pciaddr,
        "PYNVME_VM_PORT": PORT_BDF,
        "PYNVME_VM_SHARE": SHARE,
        **environment,
    }
    exports = "\n".join(f"export {name}={shlex.quote(text)}" for name, text in variables.items())
    limits = f"ulimit -l {preset.memlock_kib}" if preset.memlock_kib is not None else ""
    (share / "setup").write_text(setup)
    (share / "stage2").write_text(
        STAGE2.format(
            share=SHARE,
            modules=shlex.quote(str(kernel.root / "lib" / "modules")),
            preset=preset.name,
            beats=beats(SHARE),
            exports=exports,
            cwd=shlex.quote(str(cwd)),
            limits=limits,
            command=shlex.join(command),
        )
    )
