"""Every view and every bit field that nvme.decode has."""

import importlib
import pkgutil

from nvme import decode
from nvme.decode.bits import Bits
from nvme.decode.entries import Entries
from nvme.decode.view import View

for module in pkgutil.iter_modules(decode.__path__):
    importlib.import_module(f"nvme.decode.{module.name}")


def below(cls: type) -> list[type]:
    """All subclasses, in the order of their names."""
    found = {cls}
    for each in cls.__subclasses__():
        found |= set(below(each))
    return sorted(found, key=lambda each: (each.__module__, each.__name__))


def defined(cls: type) -> list[type]:
    return [each for each in below(cls) if each is not cls and getattr(each, "__module__", "")]


VIEWS = [cls for cls in defined(View) if cls.FIELDS]
BITS = defined(Bits)
LISTS = [
    decode.NamespaceDescriptors,
    decode.PersistentEventLog,
    decode.TelemetryLog,
    *(cls for cls in defined(Entries) if hasattr(cls, "ENTRY")),
]
