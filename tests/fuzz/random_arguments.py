"""Calls every public method with arguments of any kind; errors have to name what was wrong.

    python random_arguments.py SEED SETS [CLASS.METHOD]

All that is known of a method is its signature. Every call returns, or raises what is documented. An
error about an argument, which is a TypeError, ValueError, IndexError or AssertionError, names a
parameter of the very method as its signature has it, or says which arguments the method takes. It
prints the methods, how many calls returned and how many raised, and every error that names nothing.
"""

import contextlib
import faulthandler
import gc
import inspect
import os
import random
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import nvme as d
from nvme import raw

ADDRESS = "sim:size=1M,latency=none,shutdown_s=0,dst_s=0,dst_extended_s=0,erase_s=0,sanitize_s=0"
#: What says that it is an argument's fault.
ARGUMENT = (TypeError, ValueError, IndexError, AssertionError)
#: What is documented beside that: closed or stale objects, drives that are gone, files.
STATE = (d.NvmeError, SystemError, TimeoutError, OSError, MemoryError, UserWarning)
#: A SystemError of the interpreter: a function of the extension broke its rules.
BROKEN = ("returned NULL", "returned a result", "without exception", "bad argument")
PATIENCE_S = 3000
#: Larger ones would take that much time, or that much memory.
LARGE = 2**24
NUMBERS = [-(2**70), -(2**31), -1, 0, 1, 2, 3, 7, 8, 15, 16, 63, 64, 255, 256, 511, 512, 1023, 1024]
NUMBERS += [4095, 4096, 4097, 65535, 65536, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1, 2**64]
NUMBERS += [2**70, 10**5000]
THINGS = [None, True, False, "", "text", "0", "\0", "\ud800", b"", b"\xff" * 64, 0.5, -0.5]
THINGS += [
    float("nan"),
    float("inf"),
    1e300,
    [],
    [1, 2],
    (),
    {},
    {1: 2},
    range(3),
    object(),
    int,
    str,
]
CALLABLES = [lambda cqe: None, lambda cdw0, status1: None, lambda *any: None, len]
#: The waits of power cycles and retries; a script's own time is not the matter here.
PAUSE = time.sleep


class Drive:
    """Everything there is a method of, made anew when a call has used it up."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.make()

    def make(self) -> None:
        self.nvme = d.Controller(ADDRESS)
        self.nvme.timeout = 1
        namespace = d.Namespace(self.nvme)
        cq, sq = raw.CompletionQueue(self.nvme, 60, 8), raw.SubmissionQueue(self.nvme, 60, 8, 60)
        self.objects: dict[str, Any] = {
            "Buffer": d.Buffer(8192),
            "Controller": self.nvme,
            "Namespace": namespace,
            "Pcie": d.Pcie(self.nvme),
            "Qpair": d.Qpair(self.nvme, 8),
            "Subsystem": d.Subsystem(self.nvme),
            "CompletionQueue": cq,
            "SubmissionQueue": sq,
        }

    def drop(self) -> None:
        self.objects.clear()
        del self.nvme
        gc.collect()


def constructors() -> dict[str, Callable[..., Any]]:
    classes = (d.Buffer, d.Namespace, d.Pcie, d.Qpair, d.Subsystem, raw.Command)
    classes += (raw.CompletionQueue, raw.SubmissionQueue)
    return {cls.__name__: cls for cls in classes}


def functions() -> dict[str, Callable[..., Any]]:
    return {f.__name__: f for f in (d.config, d.srand, d.sim, raw.prps, raw.prp_list)}


def methods(objects: dict[str, Any]) -> dict[str, list[str]]:
    """Public methods of each class; workers have tests of their own."""
    return {
        kind: [
            name
            for name in dir(thing)
            if name[0] != "_" and callable(getattr(type(thing), name, None)) and name != "ioworker"
        ]
        for kind, thing in objects.items()
    }


class Caller:
    def __init__(self, seed: int, folder: str) -> None:
        self.random = random.Random(seed)
        self.drive = Drive(folder)
        self.returned = self.raised = 0
        self.wrong: list[str] = []
        self.folder = folder

    def value(self, name: str) -> Any:
        """Of any kind; half of the time of the kind that the name promises, or a call is rare."""
        choice = self.random.random()
        fitting = {"qpair": "Qpair", "buf": "Buffer", "mbuf": "Buffer", "nvme": "Controller"}
        if name in fitting and choice < 0.8:
            return self.drive.objects[fitting[name]]
        if name in ("filename", "path") and choice < 0.5:
            return os.path.join(self.folder, "image")
        if choice < 0.5:
            return self.random.choice(NUMBERS)
        if choice < 0.7:
            return self.random.randrange(64)
        if choice < 0.9:
            return self.random.choice(THINGS)
        if choice < 0.95:
            return self.random.choice(CALLABLES)
        return self.random.choice(list(self.drive.objects.values()))

    def arguments(self, signature: inspect.Signature) -> tuple[list[Any], dict[str, Any]]:
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        for name, parameter in signature.parameters.items():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            if parameter.default is not parameter.empty and self.random.random() < 0.6:
                continue
            positionally = (
                parameter.kind is not parameter.KEYWORD_ONLY
                and len(positional) == list(signature.parameters).index(name)
                and (parameter.kind is parameter.POSITIONAL_ONLY or self.random.random() < 0.5)
            )
            if positionally:
                positional.append(self.value(name))
            else:
                keywords[name] = self.value(name)
        return positional, keywords

    @contextlib.contextmanager
    def quick(self, positional: list[Any], keywords: dict[str, Any]) -> Iterator[None]:
        """Nothing waits as long as it says; memory is not taken in earnest."""
        time.sleep = lambda seconds: None
        try:
            yield
        finally:
            time.sleep = PAUSE

    def takes_too_much(self, label: str, values: list[Any]) -> bool:
        numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
        if (
            label in ("Buffer", "SubmissionQueue", "CompletionQueue")
            or label.endswith("_list")
            or label == "prps"
        ):
            return any(LARGE < n < 2**62 for n in numbers)
        # By default, too, a completion is waited for as long as a drive may take.
        waits = label.endswith(("wait_int", ".wait"))
        return waits and (not values or any(0.1 < n <= 1e12 for n in numbers))

    def call(self, label: str, function: Callable[..., Any]) -> None:
        signature = inspect.signature(function)
        positional, keywords = self.arguments(signature)
        if self.takes_too_much(label, [*positional, *keywords.values()]):
            return
        try:
            with self.quick(positional, keywords):
                function(*positional, **keywords)
            self.returned += 1
        except Exception as error:
            self.raised += 1
            if isinstance(error, SystemError) and any(text in str(error) for text in BROKEN):
                raise
            if not helps(error, label, signature):
                said = f"{label}{shown(positional, keywords)}: {error!r}"
                self.wrong.append(said[:300])

    def run(self, sets: int, only: str | None) -> list[str]:
        done = []
        for name, function in {**functions(), **constructors()}.items():
            if only in (None, name):
                done.append(name)
                for _ in range(sets):
                    self.call(name, function)
                self.renew()
        for kind, names in methods(self.drive.objects).items():
            for name in names:
                if only not in (None, f"{kind}.{name}"):
                    continue
                done.append(f"{kind}.{name}")
                for _ in range(sets):
                    self.call(f"{kind}.{name}", getattr(self.drive.objects[kind], name))
                self.renew()
        return done

    def renew(self) -> None:
        self.drive.drop()
        self.drive.make()


def helps(error: Exception, label: str, signature: inspect.Signature) -> bool:
    """Names a parameter, or, by the name of the method, says how many there are."""
    if isinstance(error, STATE):
        return bool(str(error))
    if not isinstance(error, ARGUMENT):
        return False
    text = str(error)
    names = [re.escape(name) for name in signature.parameters]
    if any(re.search(rf"\b{name}\b", text) for name in names):
        return True
    # Python says of a method, or of a function that it was given, how it is called.
    return any(f"{name}()" in text for name in (label.split(".")[-1], "<lambda>", "len"))


def shown(positional: list[Any], keywords: dict[str, Any]) -> str:
    def short(value: Any) -> str:
        return "10**5000" if value == 10**5000 else ascii(value)[:60]

    words = [short(value) for value in positional]
    words += [f"{name}={short(value)}" for name, value in keywords.items()]
    return f"({', '.join(words)})"


def main(seed: int, sets: int, only: str | None = None) -> None:
    warnings.simplefilter("ignore")
    faulthandler.dump_traceback_later(PATIENCE_S, exit=True)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "image"), "wb") as image:
            image.write(bytes(8192))
        caller = Caller(seed, folder)
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            done = caller.run(sets, only)
    for line in caller.wrong:
        print(line)
    print(len(done), caller.returned, caller.raised, len(caller.wrong))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
