"""Views: read-only objects over the bytes of a structure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from nvme.decode.bits import Bits
from nvme.decode.field import Field, Flags, elements, rows

if TYPE_CHECKING:
    from typing_extensions import Buffer as Bytes

NAME = 10  # columns of a name in a table
VALUE = 22


def taken(data: Bytes, least: int, what: str) -> bytes:
    """A copy of bytes-like data. Raises ValueError if there are fewer bytes than `least`."""
    with memoryview(data) as all_of_it:
        if all_of_it.nbytes < least:
            raise ValueError(f"{what} has {least} bytes, here are only {all_of_it.nbytes}")
        return bytes(all_of_it)


class View:
    """A structure: the rows of its class are its attributes.

    data: bytes, a bytearray, a nvme.Buffer ...; they are copied, and may be longer
    Raises ValueError if there are fewer bytes than the structure has; no content of the bytes
    makes a view raise anything.

    bytes(view) are the structure's bytes, repr(view) is a table. Views of one kind are equal if
    their bytes are.
    """

    __slots__ = ("_data",)
    _data: bytes

    #: What the specification calls it, and where it describes it.
    TITLE: ClassVar[str] = ""
    SECTION: ClassVar[str] = ""
    BYTES: ClassVar[int] = 0
    FIELDS: ClassVar[tuple[Field[Any], ...]] = ()

    def __init_subclass__(cls, size: int = 0, section: str = "", **rest: Any) -> None:
        super().__init_subclass__(**rest)
        cls.TITLE = (cls.__doc__ or cls.__name__).strip().splitlines()[0].rstrip(".")
        cls.BYTES = size or cls.BYTES
        cls.SECTION = section or cls.SECTION
        cls.FIELDS = rows(cls) or cls.FIELDS

    def __init__(self, data: Bytes) -> None:
        object.__setattr__(self, "_data", taken(data, self.BYTES, self.TITLE)[: self.BYTES])

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{name}: a view is read-only")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{name}: a view is read-only")

    def __reduce__(self) -> tuple[type[Self], tuple[bytes]]:
        return type(self), (self._data,)

    def __bytes__(self) -> bytes:
        return self._data

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, View) or type(self) is not type(other):
            return NotImplemented
        return self._data == other._data

    def __hash__(self) -> int:
        return hash((type(self), self._data))

    def asdict(self, *, bits: bool = False, units: bool = False) -> dict[str, Any]:
        """Every field that is not reserved, as integers, text, lists and dicts.

        Of lists only the elements that the structure says are in use. Bytes are hexadecimal text.

        bits: a bit field is a dict of its fields beside "raw", not an integer
        units: keys end in the unit, as in "ctemp_kelvin"
        """
        found = {}
        for field in self.FIELDS:
            if not field.hidden:
                value = getattr(self, field.name)
                key = field.key if units else field.name
                found[key] = field.plain(self, value, bits, units)
        return found

    def note(self, name: str, value: Any) -> str:
        """What else a table says of a value: a temperature in degrees, the name of a code."""
        return ""

    def lines(self, bits: bool = True, indent: str = "") -> list[str]:
        """The lines of the table. bits: with a line for each part of a bit field."""
        found = []
        for field in self.FIELDS:
            if field.hidden:
                continue
            value = getattr(self, field.name)
            said = " ".join(filter(None, (field.shown(self, value), self.note(field.name, value))))
            found.append(f"{indent}{field.name:<{NAME}}: {said:<{VALUE}} {field.text}".rstrip())
            if bits and isinstance(field, Flags):
                found += value.lines(indent + "  ")
            for label, each in elements(field, self, value):
                found += element_lines(label, each, bits, indent + "  ")
        return found

    def __repr__(self) -> str:
        where = f" ({self.SECTION})" if self.SECTION else ""
        return "\n".join([f"{self.TITLE}{where}", *self.lines(indent="  ")])


def element_lines(label: str, each: View | Bits, bits: bool, indent: str) -> list[str]:
    """Lines of a structure or of a bit field within another: small ones take one."""
    if isinstance(each, Bits):
        return [
            f"{indent}{label:<{NAME}}: {int(each):#010x} {each.summary() if bits else ''}".rstrip()
        ]
    if len(each.FIELDS) <= 4:
        parts = []
        for field in each.FIELDS:
            if not field.hidden:
                value = getattr(each, field.name)
                parts.append(f"{field.name} {field.shown(each, value)}")
        return [f"{indent}{label:<{NAME}}: {', '.join(parts)}"]
    return [f"{indent}{label}", *each.lines(bits, indent + "  ")]
