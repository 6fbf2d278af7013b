"""The table of nvme-cli's words: which there are, and the module that has each.

A word is one of nvme-cli 2 ("smart-log") or two of nvme-cli 3 ("log smart"). Modules are imported
when one of their words is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Entry(NamedTuple):
    """A row: the module, the words of nvme-cli 3, and a line of help."""

    module: str
    also: str
    help: str


WORDS = {
    "id-ctrl": Entry("identify", "id ctrl", "identify the controller"),
    "id-ns": Entry("identify", "id ns", "identify a namespace"),
    "nvm-id-ctrl": Entry("identify", "id nvm-ctrl", "limits of the NVM command set"),
    "nvm-id-ns": Entry("identify", "id nvm-ns", "a namespace, NVM command set"),
    "cmdset-ind-id-ns": Entry("identify", "id ind-ns", "a namespace, any command set"),
    "ns-descs": Entry("identify", "id ns-descs", "identification descriptors of a namespace"),
    "list-ns": Entry("identify", "ns list", "namespace identifiers"),
    "list-ctrl": Entry("identify", "id list-ctrl", "controller identifiers"),
    "smart-log": Entry("logs", "log smart", "health"),
    "error-log": Entry("logs", "log error", "errors"),
    "fw-log": Entry("logs", "log fw", "firmware slots"),
    "effects-log": Entry("logs", "log effects", "supported commands and their effects"),
    "self-test-log": Entry("logs", "log self-test", "results of self-tests"),
    "sanitize-log": Entry("logs", "log sanitize", "state of a sanitize operation"),
    "persistent-event-log": Entry("logs", "log persistent-event", "what happened to the drive"),
    "telemetry-log": Entry("logs", "log telemetry", "telemetry, into a file"),
    "endurance-log": Entry("logs", "log endurance", "health of an endurance group"),
    "supported-log-pages": Entry("logs", "log supported-log-pages", "supported log pages"),
    "fid-support-effects-log": Entry("logs", "log fid-support-effects", "supported features"),
    "get-log": Entry("logs", "log get", "any log page, raw"),
    "get-feature": Entry("features", "feat get", "a feature, or all"),
    "set-feature": Entry("features", "feat set", "set a feature"),
    "show-regs": Entry("control", "ctrl show-regs", "controller registers"),
    "ctrl-reset": Entry("control", "ctrl reset", "reset the controller"),
    "subsystem-reset": Entry("control", "subsystem reset", "reset the NVM subsystem"),
    "device-self-test": Entry("control", "ctrl self-test", "run a self-test"),
    "format": Entry("erase", "ns format", "format a namespace: its data are lost"),
    "sanitize": Entry("erase", "ctrl sanitize", "sanitize the drive: all data are lost"),
    "fw-download": Entry("firmware", "fw download", "download a firmware image"),
    "fw-commit": Entry("firmware", "fw commit", "commit a firmware image to a slot"),
    "create-ns": Entry("namespaces", "ns create", "create a namespace"),
    "delete-ns": Entry("namespaces", "ns delete", "delete a namespace: its data are lost"),
    "attach-ns": Entry("namespaces", "ns attach", "attach a namespace to controllers"),
    "detach-ns": Entry("namespaces", "ns detach", "detach a namespace from controllers"),
    "security-send": Entry("transfers", "security send", "send by a security protocol"),
    "security-recv": Entry("transfers", "security recv", "receive by a security protocol"),
    "dir-send": Entry("transfers", "dir send", "send a directive"),
    "dir-receive": Entry("transfers", "dir receive", "receive a directive"),
    "read": Entry("blocks", "io read", "read blocks"),
    "write": Entry("blocks", "io write", "write blocks"),
    "compare": Entry("blocks", "io compare", "compare blocks with data"),
    "verify": Entry("blocks", "io verify", "have the drive verify blocks"),
    "copy": Entry("ranges", "io copy", "copy ranges of blocks"),
    "dsm": Entry("ranges", "io dsm", "dataset management: deallocate ranges"),
    "write-zeroes": Entry("blocks", "io write-zeroes", "set blocks to zero"),
    "write-uncor": Entry("blocks", "io write-uncor", "make blocks unreadable"),
    "flush": Entry("blocks", "io flush", "commit the volatile cache"),
    "admin-passthru": Entry("passthru", "admin passthru", "any admin command"),
    "io-passthru": Entry("passthru", "io passthru", "any I/O command"),
}
#: Other spellings, as nvme-cli has them too.
SPELLINGS = {entry.also: word for word, entry in WORDS.items()} | {
    "feature get": "get-feature",
    "feature set": "set-feature",
    "id list-ns": "list-ns",
    "log supported": "supported-log-pages",
    "passthru admin": "admin-passthru",
    "passthru io": "io-passthru",
    "firmware download": "fw-download",
    "firmware commit": "fw-commit",
    "ns descs": "ns-descs",
    "ns id": "id-ns",
    "dir recv": "dir-receive",
    "dir-recv": "dir-receive",
    "security-receive": "security-recv",
    "security receive": "security-recv",
    "admin-passthrough": "admin-passthru",
    "io-passthrough": "io-passthru",
}
GROUPS = frozenset(spelling.split()[0] for spelling in SPELLINGS if " " in spelling)
#: "pynvme reset" gives drives back to the kernel; these it never had.
NEVER_THE_KERNELS = ("sim", "vfio-user:")


def find(argv: Sequence[str]) -> tuple[str, list[str]] | None:
    """The word that a command line begins with, as in WORDS, and its arguments; None: none."""
    if not argv:
        return None
    first, two = argv[0], " ".join(argv[:2])
    if two in SPELLINGS:
        return SPELLINGS[two], list(argv[2:])
    if first == "reset" and any(each.startswith(NEVER_THE_KERNELS) for each in argv[1:]):
        return "ctrl-reset", list(argv[1:])
    word = SPELLINGS.get(first, first)
    return (word, list(argv[1:])) if word in WORDS else None


def group(argv: Sequence[str]) -> list[str]:
    """What may follow a first word of nvme-cli 3; empty if the first word is none."""
    if not argv or argv[0] not in GROUPS:
        return []
    return sorted(spelling for spelling in SPELLINGS if spelling.split()[0] == argv[0])


def known(argv: Sequence[str]) -> bool:
    """Whether a command line is nvme-cli's business."""
    return find(argv) is not None or bool(group(argv))


def main(argv: Sequence[str]) -> int:
    """Run a word; returns the exit code."""
    from nvme.command_line import UsageError
    from nvme.host.word import run

    found = find(argv)
    if not found:
        raise UsageError(f"{' '.join(argv[:2])!r}: known are {', '.join(group(argv))}")
    word, rest = found
    return run(word, WORDS[word], rest)


def table() -> str:
    """A line a word, for the help."""
    return "\n".join(f"  {word:<25}{entry.also:<25}{entry.help}" for word, entry in WORDS.items())
