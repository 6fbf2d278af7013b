"""Numbers and times as scripts give them, looked at before anything waits for them."""

from __future__ import annotations

import math
from typing import Any

#: As Qpair.wait_int(): nobody waits longer, and every clock can count it.
SECONDS_MAX = 1e9


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
        raise ValueError(f"{name} must be 0..1e9 s, not {value}")
    return number
