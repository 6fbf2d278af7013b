"""Calls everything that the core shows to Python, with arguments of any kind, for some seconds.

    python random_calls.py SEED SECONDS

Every call returns, or raises what is documented: an NvmeError, a SystemError of ours for what is
closed, or what Python itself raises for wrong arguments. It prints how many
calls returned and how many raised.
"""

import contextlib
import inspect
import os
import random
import sys
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
#: They read or write files of this process (by number), wait as told, or end everything.
LEFT_OUT = {"_verify_save", "_verify_load", "wait_int", "join", "close_all", "remove", "_long"}
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
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.nvme = d.Controller("sim:size=16M,latency=none")
        self.returned = self.raised = 0
        self.renew()

    def renew(self) -> None:
        """What a random call has closed or reset is made anew."""
        self.nvme.timeout = 20
        self.nvme._reset(0)
        self.objects: dict[str, Any] = {
            "Controller": self.nvme,
            "Buffer": d.Buffer(8192),
            "Qpair": d.Qpair(self.nvme, 8),
            "Namespace": d.Namespace(self.nvme, 1),
            "Pcie": d.Pcie(self.nvme),
            "Sim": _core.Sim(self.nvme),
            "module": _core,
        }

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
        if name == "cb" and self.random.random() < 0.8:
            return self.random.choice(CALLBACKS)
        if self.random.random() < 0.6:
            return self.random.choice([0, 1, 2, 8, 255])
        return self.argument()

    def arguments(self, function: Callable[..., Any]) -> tuple[list[Any], dict[str, Any]]:
        try:
            names = [name for name in inspect.signature(function).parameters if name != "self"]
        except (TypeError, ValueError):
            names = []
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
            positional[:1] = [self.random.choice([self.argument(), "sim:size=1", 7, None])]
        made = function(*positional, **keywords)
        if kind in ("Buffer", "Qpair", "Namespace"):
            self.objects[kind] = made

    def step(self) -> str:
        if self.random.random() < 0.01:
            self.renew()
        kind, thing = self.random.choice(list(self.objects.items()))
        if kind != "module" and self.random.random() < 0.05:
            self.make(kind)
            return f"{kind}()"
        names = [name for name in dir(thing) if name not in LEFT_OUT and name[:2] != "__"]
        names += ["__getitem__", "__setitem__", "__len__"] if kind != "module" else []
        name = self.random.choice(names)
        found = getattr(type(thing) if kind != "module" else thing, name, None)
        if kind == "module" and inspect.isclass(found):
            return name  # made by make()
        if callable(found):
            bound = getattr(thing, name)
            positional, keywords = self.arguments(bound)
            bound(*positional, **keywords)
        else:
            self.attribute(thing, name)
        return name

    def run(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                self.step()
                self.returned += 1
            except EXPECTED as error:
                if isinstance(error, SystemError) and any(text in str(error) for text in BROKEN):
                    raise
                self.raised += 1
            except ZeroDivisionError:
                self.raised += 1  # of a callback
            self.nvme.timeout = 20


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    caller = Caller(int(sys.argv[1]))
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        caller.run(float(sys.argv[2]))
    print(caller.returned, caller.raised)
