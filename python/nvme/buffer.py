"""nvme.Buffer."""

from __future__ import annotations

from typing import TypeVar

from nvme import _core

T = TypeVar("T", int, str)


class Buffer(_core.Buffer):
    __doc__ = _core.Buffer.__doc__

    def data(
        self,
        byte_end: int,
        byte_begin: int | None = None,
        type: type[T] = int,  # type: ignore[assignment]
    ) -> T:
        """The field from byte_begin to byte_end, both included, as the specification numbers them.

        byte_begin: None for a field of one byte
        type: int (little endian) or str (ASCII, padding stripped); others are an AssertionError
        """
        return self._data(byte_end, byte_begin, type)
