"""In the guest: what our words and Debian's nvme-cli say of one drive, as JSON.

    python tests/vm/words.py BDF FILE

The drive is with vfio-pci first, then with the kernel's driver.
"""

import contextlib
import io
import json
import subprocess
import sys
import time
from pathlib import Path

#: Words with their options and the device for nvme-cli. Without -c it wants to map the BAR.
WORDS = {
    "id-ctrl": ((), "/dev/nvme0"),
    "id-ns": (("-n", "1"), "/dev/nvme0"),
    "smart-log": ((), "/dev/nvme0"),
    "error-log": ((), "/dev/nvme0"),
    "fw-log": ((), "/dev/nvme0"),
    "effects-log": (("-c", "0"), "/dev/nvme0"),
}
FORMATS = ("normal", "json")
PATIENCE_S = 60


def ours(word: str, bdf: str, form: str) -> str:
    """What our word prints."""
    from nvme import cli

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = cli.main([word, bdf, *WORDS[word][0], "-o", form])
    if status:
        raise SystemExit(f"{word} -o {form}: exit code {status}")
    return said.getvalue()


def theirs(word: str, form: str) -> str:
    """What nvme-cli's word prints."""
    options, device = WORDS[word]
    command = ["nvme", word, device, *options, "-o", form]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60, text=True)
    if done.returncode or not done.stdout:
        raise SystemExit(f"{' '.join(command)}: exit status {done.returncode}, {done.stderr}")
    return done.stdout


def give_to_the_kernel(bdf: str) -> None:
    """Take the drive from vfio-pci, and wait for the block device."""
    function = Path("/sys/bus/pci/devices") / bdf
    subprocess.run(["modprobe", "nvme"], check=True)
    (function / "driver_override").write_text("nvme\n")
    (function / "driver" / "unbind").write_text(bdf)
    Path("/sys/bus/pci/drivers_probe").write_text(bdf)
    deadline = time.monotonic() + PATIENCE_S
    while not Path("/dev/nvme0n1").exists():
        if time.monotonic() > deadline:
            raise SystemExit("the kernel's driver does not show /dev/nvme0n1")
        time.sleep(0.1)


def main(bdf: str, file: str) -> None:
    """Ask both of them everything."""
    found = {"ours": {word: {form: ours(word, bdf, form) for form in FORMATS} for word in WORDS}}
    give_to_the_kernel(bdf)
    found["theirs"] = {word: {form: theirs(word, form) for form in FORMATS} for word in WORDS}
    Path(file).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
