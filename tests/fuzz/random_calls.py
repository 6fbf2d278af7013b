"""Calls everything that the core shows to Python, with arguments of any kind, for some seconds.

    python random_calls.py SEED SECONDS

First everything is called once without arguments, with keywords, and with too much of the wrong
kind; then anything happens at random. Every call returns, or raises what is documented: an
NvmeError, a SystemError of ours for what is closed, or what Python itself raises for wrong
arguments. It prints how many calls returned and how many raised.
"""

import contextlib
import faulthandler
import inspect
import os
import random
import struct
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from typing import Any

import nvme as d
from nvme import _core

EXPECTED = (
    d.NvmeError,
    TypeError,
    ValueError,
    OverflowError,
    IndexError,
    OSError,
    MemoryError,
    RuntimeError,
    BufferError,
    AttributeError,
    AssertionError,
    SystemError,
)
#: A SystemError of the interpreter: a function of the extension broke its rules.
BROKEN = ("returned NULL", "returned a result", "without exception", "bad argument")
PATIENCE_S = 120
#: Ten minutes of patience, in Python.
LEFT_OUT = {"_long"}
#: They wait as long as they are told.
WAITS = {"wait_int", "join", "_execute"}
TIMES = [0, 1, 5, 0.5, 0.0, -1, -0.5, float("nan"), "1", None, -(2**70), b""]
#: They use a file of this process, by its number: one of ours, or none at all.
FILES = {"_verify_save", "_verify_load"}
NO_FILES = [-1, 99999, 2**31, 2**70, "0", None, 0.5]
#: Nothing goes on without a new drive.
FATAL = {"close_all", "remove"}
OPTIONS = ["size=1M", "size=x", "lba=4096", "ms=8", "ns=2", "ns=33", "vs=1.4", "mqes=2", "=", ","]
OPTIONS += ["media=null", "cache=0", "nothing=1", "size", "ioqueues=1", "aerl=0", "mdts=8K", "\0"]
NUMBERS = [-(2**70), -(2**31), -1, 0, 1, 2, 7, 8, 511, 512, 4096, 65535, 65536, 2**60, 2**64, 2**70]
OTHERS = [
    None,
    True,
    "",
    "text",
    "\0",
    "\ud800",
    b"",
    b"\xff" * 64,
    0.5,
    float("nan"),
    float("inf"),
]
CALLBACKS = [lambda cqe: None, lambda cdw0, status: None, lambda *any: 1 / 0, len]


class Caller:
    def __init__(self, seed: int, folder: str) -> None:
        self.random = random.Random(seed)
        self.forged = os.path.join(folder, "forged.cmdlog")
        self.file = os.memfd_create("table")
        self.drives = self.returned = self.raised = 0
        self.lost = True
        self.renew()

    def renew(self) -> None:
        """What a random call has closed, reset or taken away is made anew."""
        if not self.lost:
            try:
                self.nvme._reset(0)
            except (d.NvmeError, SystemError):
                self.lost = True  # without power, or removed by a fault
        if self.lost:
            self.drives += 1
            self.nvme = d.Controller(f"sim:size=16M,latency=none,seed={self.drives}")
        self.nvme.timeout = 20
        try:
            namespace = d.Namespace(self.nvme, 1)
        except d.NamespaceCreationError:
            # A random admin command has deleted or detached it: a new drive has one.
            assert not self.lost
            self.lost = True
            self.renew()
            return
        self.lost = False
        self.objects: dict[str, Any] = {
            "Controller": self.nvme,
            "Buffer": d.Buffer(8192),
            "Qpair": d.Qpair(self.nvme, 8),
            "Namespace": namespace,
            "Pcie": d.Pcie(self.nvme),
            "Sim": _core.Sim(self.nvme),
            "Target": _core.Target("127.0.0.1:0", [("size=16M", None)], [], 1, 64 << 20),
            "Worker": _core.Worker(
                namespace,
                sizes=struct.pack("<III", 8, 8, 1),
                ops=struct.pack("<IIII", 2, 1, 1, 1),
                io_count=100,
                qdepth=4,
                nrecent=10,
            ),
            "module": _core,
        }
        self.forge()

    def forge(self) -> None:
        """A recorder file that somebody damaged."""
        with open(_core.cmdlog_path(), "rb") as log:
            image = bytearray(log.read(2**20))
        for _ in range(self.random.randrange(8)):
            at = self.random.choice([self.random.randrange(len(image)), 4096, 4160, 0])
            image[at : at + 8] = self.random.randbytes(8)
        with open(self.forged, "wb") as file:
            file.write(image[: self.random.choice([len(image), self.random.randrange(len(image))])])

    def argument(self) -> Any:
        match self.random.randrange(8):
            case 0 | 1 | 2:
                return self.random.choice(NUMBERS)
            case 3:
                return self.random.choice(OTHERS)
            case 4:
                return self.random.choice(CALLBACKS)
            case _:
                return self.random.choice(list(self.objects.values()))

    def likely(self, name: str) -> Any:
        """What a parameter of that name probably wants, or anything."""
        fitting = {"qpair": "Qpair", "buf": "Buffer", "mbuf": "Buffer", "nvme": "Controller"}
        if name in fitting and self.random.random() < 0.8:
            return self.objects[fitting[name]]
        if name == "ns" and self.random.random() < 0.8:
            return self.objects["Namespace"]
        if name == "cb" and self.random.random() < 0.8:
            return self.random.choice(CALLBACKS)
        if name == "path" and self.random.random() < 0.8:
            return self.random.choice([self.forged, _core.cmdlog_path(), "/", "/dev/null"])
        if name in ("sizes", "ops", "slices", "replay"):
            return self.random.choice([None, None, self.random.randbytes(12), bytes(24), "x"])
        if self.random.random() < 0.6:
            return self.random.choice([0, 1, 2, 8, 255])
        return self.argument()

    def arguments(self, function: Callable[..., Any]) -> tuple[list[Any], dict[str, Any]]:
        name = function.__name__
        if name in FILES:
            return [self.random.choice([self.file, self.file, *NO_FILES])], {}
        try:
            names = [name for name in inspect.signature(function).parameters if name != "self"]
        except (TypeError, ValueError):
            names = []
        if name in WAITS:
            times = {"timeout": self.random.choice(TIMES)}
            # What is not named "timeout" cannot be given by place: it could end up in that.
            return [], {**{other: self.likely(other) for other in names[:3]}, **times}
        if not names or self.random.random() < 0.2:
            return [self.argument() for _ in range(self.random.randrange(12))], {}
        split = self.random.randrange(len(names) + 1)
        keywords = {name: self.likely(name) for name in names[split:] if self.random.random() < 0.7}
        if self.random.random() < 0.1:
            keywords[self.random.choice([*names, "no_such"])] = self.argument()
        return [self.likely(name) for name in names[:split]], keywords

    def attribute(self, thing: Any, name: str) -> None:
        if self.random.random() < 0.3:
            setattr(thing, name, self.argument())
        elif self.random.random() < 0.1:
            delattr(thing, name)
        else:
            getattr(thing, name)

    def make(self, kind: str) -> None:
        function = getattr(_core, kind)
        positional, keywords = self.arguments(function)
        sizes = [*positional[:1], keywords.get("size", 0)]
        # Memory is really taken, up to what no machine has.
        if kind == "Buffer" and any(isinstance(n, int) and 2**24 < n < 2**50 for n in sizes):
            return
        # Nothing but the software SSD is to be touched.
        if kind in ("Controller", "Pcie"):
            sim = "sim:" + ",".join(self.random.choices(OPTIONS, k=self.random.randrange(4)))
            positional[:1] = [self.random.choice([self.argument(), sim, 7, None])]
            keywords.pop("addr", None)
        if kind == "Target":
            positional[:1] = [self.random.choice(["127.0.0.1:0", "", 7, None])]
            keywords.pop("address", None)
        made = function(*positional, **keywords)
        if kind in ("Buffer", "Qpair", "Namespace", "Worker"):
            self.objects[kind] = made

    def names(self, kind: str) -> list[str]:
        """What can be called or read of an object, or the module."""
        names = [name for name in dir(self.objects[kind]) if name not in LEFT_OUT]
        names = [name for name in names if name[:2] != "__"]
        if kind == "module":
            return [name for name in names if not inspect.isclass(getattr(_core, name))]
        special = ["__getitem__", "__setitem__", "__delitem__", "__len__", "__enter__", "__exit__"]
        return names + [name for name in special if hasattr(self.objects[kind], name)]

    def counted(self, function: Callable[..., Any], *positional: Any, **keywords: Any) -> None:
        try:
            function(*positional, **keywords)
            self.returned += 1
        except EXPECTED as error:
            if isinstance(error, SystemError) and any(text in str(error) for text in BROKEN):
                raise
            self.raised += 1
        except ZeroDivisionError:
            self.raised += 1  # of a callback
        # Whatever it was set to: what still runs is waited for as long as that.
        with contextlib.suppress(d.NvmeError, SystemError):
            self.nvme.timeout = 20

    def sweep(self) -> None:
        """Everything once, in three ways. What has no object here would not be called at all."""
        kinds = {name for name, found in vars(_core).items() if inspect.isclass(found)}
        kinds -= {name for name in kinds if issubclass(getattr(_core, name), Exception)}
        assert kinds < set(self.objects), kinds - set(self.objects)
        for kind in sorted(kinds):
            for arguments in ([], [object()] * 30, [None]):
                self.counted(getattr(_core, kind), *arguments)
            self.counted(getattr(_core, kind), no_such=1)
        for kind in [*sorted(kinds), "module"]:
            for name in self.names(kind):
                for shape in range(3):
                    self.counted(self.call_in_turn, kind, name, shape)
                    if name in FATAL:
                        self.lost = True
                        self.renew()
            self.renew()

    def call_in_turn(self, kind: str, name: str, shape: int) -> None:
        found = getattr(self.objects[kind], name)
        if not callable(found):
            self.attribute(self.objects[kind], name)
        elif shape == 0:
            found()
        elif shape == 1:
            found(*[object()] * 30)
        else:
            positional, keywords = self.arguments(found)
            found(*positional, **keywords)

    def step(self) -> None:
        if self.random.random() < 0.01:
            self.renew()
        kind = self.random.choice(list(self.objects))
        if kind != "module" and self.random.random() < 0.05:
            self.make(kind)
            return
        name = self.random.choice(self.names(kind))
        if name in FATAL:
            if self.random.random() > 0.05:
                return
            self.lost = True
        thing = self.objects[kind]
        # A property is not read to see what it is.
        found = getattr(type(thing) if kind != "module" else thing, name, None)
        if callable(found):
            positional, keywords = self.arguments(getattr(thing, name))
            getattr(thing, name)(*positional, **keywords)
        else:
            self.attribute(thing, name)

    def run(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self.sweep()
        while time.monotonic() < until:
            self.counted(self.step)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    # What hangs says where.
    faulthandler.dump_traceback_later(float(sys.argv[2]) + PATIENCE_S, exit=True)
    with tempfile.TemporaryDirectory() as folder:
        caller = Caller(int(sys.argv[1]), folder)
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            caller.run(float(sys.argv[2]))
    print(caller.returned, caller.raised, flush=True)
