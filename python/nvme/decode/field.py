"""The rows of a structure's table: each is an attribute of the view, and read-only.

Every row says byte offset, width in bytes, what it is, and its unit; the name of the row is that
of the attribute: the specification's abbreviation in lower case.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from nvme.decode.bits import Bits
from nvme.decode.unit import Unit

if TYPE_CHECKING:
    from nvme.decode.view import View

T = TypeVar("T")
V = TypeVar("V", bound="View")
B = TypeVar("B", bound=Bits)


class Field(Generic[T]):
    """A row: `width` bytes at `offset` of a structure.

    section: of the specification, where it is not the structure's
    """

    name = ""
    #: Not shown and not part of asdict().
    hidden = False
    unit: Unit | None = None

    def __init__(self, offset: int, width: int, text: str, section: str = "") -> None:
        self.offset, self.width, self.text, self.section = offset, width, text, section

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.name = name

    @property
    def end(self) -> int:
        """The offset behind it."""
        return self.offset + self.width

    @overload
    def __get__(self, view: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, view: View, owner: type[Any]) -> T: ...
    def __get__(self, view: View | None, owner: type[Any]) -> Self | T:
        if view is None:
            return self
        return self.decode(bytes(view)[self.offset : self.end])

    def __set__(self, view: View, value: Any) -> None:
        raise AttributeError(f"{self.name} is read-only")

    def decode(self, data: bytes) -> T:
        """The attribute, from its bytes."""
        raise NotImplementedError

    def plain(self, view: View, value: T, bits: bool, units: bool) -> Any:
        """What asdict() has: integers, text, lists and dicts."""
        return value

    def shown(self, view: View, value: T) -> str:
        """The value in a table."""
        return str(value)

    @property
    def key(self) -> str:
        """The name, with the unit at its end."""
        return f"{self.name}_{self.unit.key}" if self.unit else self.name


class Uint(Field[int]):
    """An unsigned integer, little endian. base 16: a table shows it in hexadecimal."""

    def __init__(
        self,
        offset: int,
        width: int,
        text: str,
        unit: Unit | None = None,
        base: int = 10,
        section: str = "",
    ) -> None:
        super().__init__(offset, width, text, section)
        self.unit, self.base = unit, base

    def decode(self, data: bytes) -> int:
        return int.from_bytes(data, "little")

    def shown(self, view: View, value: int) -> str:
        said = f"{value:#x}" if self.base == 16 else str(value)
        return f"{said} {self.unit.symbol}" if self.unit else said


class Text(Field[str]):
    """Text; the blanks and zeros at its end are padding. Bytes that are none are shown as \\xNN."""

    def __init__(
        self, offset: int, width: int, text: str, encoding: str = "ascii", section: str = ""
    ) -> None:
        super().__init__(offset, width, text, section)
        self.encoding = encoding

    def decode(self, data: bytes) -> str:
        return data.rstrip(b"\0 ").decode(self.encoding, errors="backslashreplace")

    def shown(self, view: View, value: str) -> str:
        # A drive's text must not steer a terminal.
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in value)


class Raw(Field[bytes]):
    """Bytes as they are: identifiers in the order of the wire, vendor data."""

    def decode(self, data: bytes) -> bytes:
        return data

    def plain(self, view: View, value: bytes, bits: bool, units: bool) -> str:
        return value.hex()

    def shown(self, view: View, value: bytes) -> str:
        if len(value) > 32:
            return f"{value[:16].hex()}... ({len(value)} bytes)" if any(value) else "all zeros"
        return value.hex()


class Vendor(Raw):
    """Bytes that mean something to the vendor only: an attribute, but in no table."""

    hidden = True


class Reserved(Raw):
    """Bytes that mean nothing."""

    hidden = True

    def __init__(self, offset: int, width: int) -> None:
        super().__init__(offset, width, "Reserved")


class Flags(Field[B]):
    """A bit field; the attribute is an integer with attributes of its own."""

    def __init__(
        self, offset: int, width: int, bits: type[B], text: str = "", section: str = ""
    ) -> None:
        super().__init__(offset, width, text or bits.TITLE, section)
        self.bits = bits

    def decode(self, data: bytes) -> B:
        return self.bits(int.from_bytes(data, "little"))

    def plain(self, view: View, value: B, bits: bool, units: bool) -> Any:
        return value.asdict() if bits else int(value)

    def shown(self, view: View, value: B) -> str:
        return f"{int(value):#x}"


class Many(Field[tuple[T, ...]]):
    """Elements of one width. used: how many of them the structure itself says are there."""

    def __init__(
        self,
        offset: int,
        width: int,
        count: int,
        text: str,
        used: Callable[[Any], int] | None = None,
        section: str = "",
    ) -> None:
        super().__init__(offset, width * count, text, section)
        self.each, self.count, self.used = width, count, used

    def element(self, data: bytes) -> T:
        """One element, from its bytes."""
        raise NotImplementedError

    def decode(self, data: bytes) -> tuple[T, ...]:
        return tuple(
            self.element(data[at : at + self.each]) for at in range(0, len(data), self.each)
        )

    def in_use(self, view: View, value: tuple[T, ...]) -> tuple[T, ...]:
        """Those that count."""
        return value if self.used is None else value[: max(0, self.used(view))]


class Uints(Many[int]):
    """Unsigned integers."""

    def __init__(
        self,
        offset: int,
        width: int,
        count: int,
        text: str,
        unit: Unit | None = None,
        used: Callable[[Any], int] | None = None,
        section: str = "",
    ) -> None:
        super().__init__(offset, width, count, text, used, section)
        self.unit = unit

    def element(self, data: bytes) -> int:
        return int.from_bytes(data, "little")

    def plain(self, view: View, value: tuple[int, ...], bits: bool, units: bool) -> list[int]:
        return list(self.in_use(view, value))

    def shown(self, view: View, value: tuple[int, ...]) -> str:
        said = " ".join(str(each) for each in self.in_use(view, value)) or "none"
        return f"{said} {self.unit.symbol}" if self.unit else said


class FlagsMany(Many[B], Generic[B]):
    """Bit fields, one after the other; those that are 0 say nothing."""

    def __init__(
        self, offset: int, width: int, count: int, bits: type[B], text: str, section: str = ""
    ) -> None:
        super().__init__(offset, width, count, text, None, section)
        self.bits = bits

    def element(self, data: bytes) -> B:
        return self.bits(int.from_bytes(data, "little"))

    def label(self, index: int) -> str:
        """What an element is the one of."""
        return f"{self.name}{index}"

    def plain(self, view: View, value: tuple[B, ...], bits: bool, units: bool) -> dict[str, Any]:
        return {
            self.label(i): each.asdict() if bits else int(each)
            for i, each in enumerate(value)
            if each
        }

    def shown(self, view: View, value: tuple[B, ...]) -> str:
        return f"{sum(bool(each) for each in value)} of {self.count}"


class Texts(Many[str]):
    """Short texts, each padded."""

    def element(self, data: bytes) -> str:
        return data.rstrip(b"\0 ").decode("ascii", errors="backslashreplace")

    def plain(self, view: View, value: tuple[str, ...], bits: bool, units: bool) -> list[str]:
        return list(value)

    def shown(self, view: View, value: tuple[str, ...]) -> str:
        return " ".join(repr(each) for each in value)


class Views(Many[V], Generic[V]):
    """Structures within the structure, one after the other."""

    def __init__(
        self,
        offset: int,
        view: type[V],
        count: int,
        text: str,
        used: Callable[[Any], int] | None = None,
        section: str = "",
    ) -> None:
        super().__init__(offset, view.BYTES, count, text, used, section)
        self.view = view

    def element(self, data: bytes) -> V:
        return self.view(data)

    def plain(self, view: View, value: tuple[V, ...], bits: bool, units: bool) -> list[Any]:
        return [each.asdict(bits=bits, units=units) for each in self.in_use(view, value)]

    def shown(self, view: View, value: tuple[V, ...]) -> str:
        return f"{len(self.in_use(view, value))} of {self.count}"


def elements(field: Field[Any], view: View, value: Any) -> list[tuple[str, Any]]:
    """The structures and bit fields in a row that get lines of their own, with their labels."""
    if isinstance(field, Views):
        return [(f"{field.name}[{i}]", each) for i, each in enumerate(field.in_use(view, value))]
    if isinstance(field, FlagsMany):
        return [(field.label(i), each) for i, each in enumerate(value) if each]
    return []


def rows(owner: type[Any]) -> tuple[Field[Any], ...]:
    """The rows that a class has, by offset."""
    found = [each for each in vars(owner).values() if isinstance(each, Field)]
    return tuple(sorted(found, key=lambda field: (field.offset, field.width)))
