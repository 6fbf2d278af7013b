"""Logs that are a list of entries, and data that begins with a header."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

from nvme.decode.view import View, taken

if TYPE_CHECKING:
    from typing_extensions import Buffer as Bytes

V = TypeVar("V", bound=View)


class Entries(Sequence[V], Generic[V]):
    """Entries of one kind, one after the other; bytes behind the last whole one do not count.

    Raises ValueError if there is not even one.
    """

    TITLE: ClassVar[str] = ""
    SECTION: ClassVar[str] = ""
    ENTRY: type[V]

    def __init__(self, data: Bytes) -> None:
        size = self.ENTRY.BYTES
        self._data = taken(data, size, f"an entry of {self.TITLE}")
        whole = len(self._data) // size * size
        self._found = tuple(self.ENTRY(self._data[at : at + size]) for at in range(0, whole, size))

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> V: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[V]: ...
    def __getitem__(self, index: int | slice) -> V | Sequence[V]:
        return self._found[index]

    def __bytes__(self) -> bytes:
        return self._data

    def asdict(self, *, bits: bool = False, units: bool = False) -> dict[str, Any]:
        """All entries, as "entries"."""
        return {"entries": [each.asdict(bits=bits, units=units) for each in self._found]}

    def lines(self, bits: bool = True, indent: str = "") -> list[str]:
        """The tables of the entries."""
        found = []
        for i, each in enumerate(self._found):
            found += [f"{indent}entry[{i}]", *each.lines(bits, indent + "  ")]
        return found

    def __repr__(self) -> str:
        where = f" ({self.SECTION})" if self.SECTION else ""
        return "\n".join([f"{self.TITLE}{where}", *self.lines(indent="  ")])
