"""Lists of Identify: namespaces, controllers, identification descriptors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from nvme.decode.field import Reserved, Uint, Uints
from nvme.decode.view import View, taken

if TYPE_CHECKING:
    from typing_extensions import Buffer as Bytes

NAMESPACES = 1024
CONTROLLERS = 2047


def _until_zero(numbers: tuple[int, ...]) -> int:
    return numbers.index(0) if 0 in numbers else len(numbers)


class NamespaceList(View, size=4096, section="Base 2.1, 5.1.13.2.2"):
    """Namespace List.

    Iterates over the identifiers, which end at the first zero; len() counts them. `nsid` has all
    1,024 entries.
    """

    nsid = Uints(
        0, 4, NAMESPACES, "Namespace Identifiers", used=lambda view: _until_zero(view.nsid)
    )

    def __iter__(self) -> Iterator[int]:
        return iter(self.nsid[: len(self)])

    def __len__(self) -> int:
        return _until_zero(self.nsid)


class ControllerList(View, size=4096, section="Base 2.1, 4.6.1"):
    """Controller List.

    Iterates over the identifiers; len() counts them. A count beyond 2,047 is taken as 2,047.
    """

    count = Uint(0, 2, "Number of Identifiers")
    cntlid = Uints(
        2, 2, CONTROLLERS, "Controller Identifiers", used=lambda view: min(view.count, CONTROLLERS)
    )

    def __iter__(self) -> Iterator[int]:
        return iter(self.cntlid[: len(self)])

    def __len__(self) -> int:
        return min(self.count, CONTROLLERS)


class NamespaceDescriptor(View, size=4, section="Base 2.1, 5.1.13.2.3"):
    """Namespace Identification Descriptor: the header; `nid` is the identifier behind it."""

    __slots__ = ("nid",)
    nid: bytes

    nidt = Uint(0, 1, "Namespace Identifier Type")
    nidl = Uint(1, 1, "Namespace Identifier Length")
    rsvd2 = Reserved(2, 2)

    def __init__(self, data: Bytes) -> None:
        super().__init__(data)
        with memoryview(data) as all_of_it:
            nid = bytes(all_of_it.cast("B")[self.BYTES : self.BYTES + self.nidl])
        object.__setattr__(self, "nid", nid)

    @property
    def kind(self) -> str:
        """What it is: eui64, nguid, uuid or csi; or "nidt N"."""
        return NIDT.get(self.nidt, f"nidt {self.nidt}")

    def asdict(self, *, bits: bool = False, units: bool = False) -> dict[str, Any]:
        return {**super().asdict(bits=bits, units=units), "nid": self.nid.hex()}

    def lines(self, bits: bool = True, indent: str = "") -> list[str]:
        return [f"{indent}{self.kind:<10}: {self.nid.hex()}"]


NIDT = {1: "eui64", 2: "nguid", 3: "uuid", 4: "csi"}


class NamespaceDescriptors(Sequence[NamespaceDescriptor]):
    """The Namespace Identification Descriptor list (CNS 03h).

    A sequence of descriptors. The list ends at a length of 0, or where a descriptor would reach
    beyond the data: then `damaged` says so. Its attributes eui64, nguid, uuid (bytes) and csi
    (int) are the identifiers, None where there is no such one.
    Raises ValueError if there are fewer than 4 bytes.
    """

    TITLE = "Namespace Identification Descriptors"

    def __init__(self, data: Bytes) -> None:
        raw = taken(data, NamespaceDescriptor.BYTES, self.TITLE)
        found: list[NamespaceDescriptor] = []
        at = 0
        #: What is wrong with the list; '' if nothing is.
        self.damaged = ""
        while at + NamespaceDescriptor.BYTES <= len(raw) and raw[at + 1]:
            descriptor = NamespaceDescriptor(raw[at:])
            if len(descriptor.nid) < descriptor.nidl:
                self.damaged = f"the descriptor at byte {at} reaches beyond the data"
                break
            found.append(descriptor)
            at += NamespaceDescriptor.BYTES + descriptor.nidl
        self._found = tuple(found)
        self._data = raw

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> NamespaceDescriptor: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[NamespaceDescriptor]: ...
    def __getitem__(
        self, index: int | slice
    ) -> NamespaceDescriptor | Sequence[NamespaceDescriptor]:
        return self._found[index]

    def __bytes__(self) -> bytes:
        return self._data

    def _of(self, nidt: int) -> bytes | None:
        return next((each.nid for each in self._found if each.nidt == nidt), None)

    @property
    def eui64(self) -> bytes | None:
        """IEEE Extended Unique Identifier, 8 bytes."""
        return self._of(1)

    @property
    def nguid(self) -> bytes | None:
        """Namespace Globally Unique Identifier, 16 bytes."""
        return self._of(2)

    @property
    def uuid(self) -> bytes | None:
        """Namespace UUID, 16 bytes."""
        return self._of(3)

    @property
    def csi(self) -> int | None:
        """Command Set Identifier."""
        found = self._of(4)
        return None if found is None else int.from_bytes(found, "little")

    def asdict(self, *, bits: bool = False, units: bool = False) -> dict[str, Any]:
        """The descriptors, and what is wrong with them, if anything is."""
        found: dict[str, Any] = {"descriptors": [each.asdict() for each in self._found]}
        return {**found, "damaged": self.damaged} if self.damaged else found

    def lines(self, bits: bool = True, indent: str = "") -> list[str]:
        """A line a descriptor."""
        found = [line for each in self._found for line in each.lines(indent=indent)]
        return [*found, f"{indent}damaged: {self.damaged}"] if self.damaged else found

    def __repr__(self) -> str:
        return "\n".join([self.TITLE, *self.lines(indent="  ")])
