"""Test NVMe SSDs in Python.

    import nvme as d

    nvme0 = d.Controller(b"01:00.0")     # or d.Controller() for the software SSD
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    buf = d.Buffer(4096)
    nvme0n1.read(qpair, buf, 0, 8).waitdone()
    print(buf.dump(64))

Commands are asynchronous: they return at once, and waitdone() waits for their completions.
"""

import atexit as _atexit
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from nvme import _core
from nvme._core import (
    NamespaceCreationError,
    NamespaceDeletionError,
    NvmeDeletionError,
    NvmeEnumerateError,
    NvmeError,
    QpairCreationError,
    QpairDeletionError,
    config,
    srand,
)
from nvme.buffer import Buffer
from nvme.controller import Controller
from nvme.dotdict import DotDict
from nvme.fabric import DiscoveryEntry, discover
from nvme.namespace import Namespace
from nvme.pcie import Pcie
from nvme.qpair import Qpair
from nvme.serve import serve
from nvme.software_ssd import sim
from nvme.subsystem import Subsystem
from nvme.verify import load as verify_load
from nvme.verify import save as verify_save

if _TYPE_CHECKING:
    from nvme import decode as decode
    from nvme import spec as spec

__version__ = "0.1.0"

__all__ = [
    "Buffer",
    "Controller",
    "DiscoveryEntry",
    "DotDict",
    "Namespace",
    "NamespaceCreationError",
    "NamespaceDeletionError",
    "NvmeDeletionError",
    "NvmeEnumerateError",
    "NvmeError",
    "Pcie",
    "Qpair",
    "QpairCreationError",
    "QpairDeletionError",
    "Subsystem",
    "config",
    "discover",
    "serve",
    "sim",
    "srand",
    "verify_load",
    "verify_save",
]

_atexit.register(_core.close_all)

#: Modules that are imported when a script first names them.
_LAZY = frozenset(("decode", "spec"))


def __getattr__(name: str) -> _Any:
    if name in _LAZY:
        from importlib import import_module

        return import_module(f"nvme.{name}")
    raise AttributeError(f"module 'nvme' has no attribute {name!r}")
