"""Numbers and times as scripts give them, looked at before anything waits for them."""

from __future__ import annotations

import math
import operator
from typing import Any

__tracebackhide__ = True

#: As Qpair.wait_int(): nobody waits longer, and every clock can count it.
SECONDS_MAX = 1e9


U16, U32, U64 = 2**16 - 1, 2**32 - 1, 2**64 - 1


def field(value: Any, name: str, high: int, low: int = 0) -> int:
    """An argument that a field of a command has room for, else ValueError or TypeError.

    Nothing is masked silently: the device gets what the script has written, or nothing at all.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an int, not {type(value)}") from None
    if not low <= number <= high:
        got = f", not {value}" if abs(number) < 2**128 else ""  # a longer one says nothing
        raise ValueError(f"{name} must be {low}..{high}{got}")
    return number


def switch(value: Any, name: str) -> bool:
    """On or off; not a str, whose "no" would be true."""
    if not isinstance(value, int):
        raise TypeError(f"{name} must be True or False, not {value!r}")
    return bool(value)


def optional_callable(value: Any, name: str) -> None:
    """None, or what can be called, else TypeError."""
    if value is not None and not callable(value):
        raise TypeError(f"{name} must be callable, not {type(value)}")


def real(value: Any, name: str) -> float:
    """A finite number, else ValueError or TypeError: nan is neither below nor above a limit."""
    try:
        finite = math.isfinite(value)
    except TypeError:
        raise TypeError(f"{name} must be a number, not {type(value)}") from None
    except OverflowError:
        raise ValueError(f"{name} is too large") from None
    if not finite:
        raise ValueError(f"{name} must be a number, not {value}")
    return float(value)


def seconds(value: Any, name: str) -> float:
    """A time to wait, in seconds."""
    number = real(value, name)
    if not 0 <= number <= SECONDS_MAX:
        raise ValueError(f"{name} must be 0..1e9 s, not {number:g}")
    return number
