"""Bit fields: integers whose parts have names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self, overload


class Bit:
    """Bits low to low + width - 1 of a Bits class. The attribute is the raw integer.

    text: what it is, as the specification names it
    names: what its values mean
    """

    name = ""

    def __init__(
        self, low: int, text: str, width: int = 1, names: Mapping[int, str] | None = None
    ) -> None:
        self.low, self.width, self.text = low, width, text
        self.names = names or {}

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.name = name

    @property
    def high(self) -> int:
        """The highest bit."""
        return self.low + self.width - 1

    @property
    def mask(self) -> int:
        """The bits in their place."""
        return ((1 << self.width) - 1) << self.low

    @overload
    def __get__(self, bits: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, bits: Bits, owner: type[Any]) -> int: ...
    def __get__(self, bits: Bits | None, owner: type[Any]) -> Self | int:
        if bits is None:
            return self
        return int.__int__(bits) >> self.low & ((1 << self.width) - 1)

    def __set__(self, bits: Bits, value: Any) -> None:
        raise AttributeError(f"{self.name} is read-only")

    def meaning(self, value: int) -> str:
        """What a value means; '' if nothing is said of it."""
        return self.names.get(value, "")


class Bits(int):
    """An integer with named bit fields: compares, counts and prints as the raw integer.

    Its attributes are the fields, raw integers; asdict() has all of them beside "raw", and repr()
    is a table. Bits that have no name are reserved.
    """

    BITS: ClassVar[int] = 32
    FIELDS: ClassVar[tuple[Bit, ...]] = ()
    TITLE: ClassVar[str] = ""

    def __init_subclass__(cls, bits: int = 0, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        cls.BITS = bits or cls.BITS
        found = [value for value in vars(cls).values() if isinstance(value, Bit)]
        cls.FIELDS = tuple(sorted(found, key=lambda bit: bit.low))
        cls.TITLE = (cls.__doc__ or cls.__name__).strip().splitlines()[0].rstrip(".")

    @property
    def reserved(self) -> int:
        """What is set of the bits that have no name."""
        named = 0
        for field in self.FIELDS:
            named |= field.mask
        return int(self) & ~named

    def asdict(self) -> dict[str, int]:
        """The whole value as "raw", then every field."""
        return {
            "raw": int(self),
            **{field.name: getattr(self, field.name) for field in self.FIELDS},
        }

    def lines(self, indent: str = "  ") -> list[str]:
        """A line for each field, the highest first, and one for reserved bits that are set."""
        found = []
        for field in reversed(self.FIELDS):
            value = getattr(self, field.name)
            meaning = field.meaning(value)
            said = f"{field.text}: {meaning}" if meaning else field.text
            where = f"[{field.high}:{field.low}]"
            found.append(f"{indent}{where:<8}{field.name:<11}: {value:#x}  {said}")
        if self.reserved:
            found.append(f"{indent}{'':<8}{'reserved':<11}: {self.reserved:#x}")
        return found

    def summary(self) -> str:
        """The fields that are not 0, in one line: "csupp lbcc cse=1"."""
        found = []
        for field in self.FIELDS:
            value = getattr(self, field.name)
            if value:
                found.append(field.name if field.width == 1 else f"{field.name}={value}")
        return " ".join(found)

    def __repr__(self) -> str:
        return "\n".join([f"{self.TITLE}: {int(self):#x}", *self.lines()])

    def __str__(self) -> str:
        return str(int(self))
