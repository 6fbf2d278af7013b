"""What a busy machine may do to a test that looks at the clock."""

from collections.abc import Callable
from contextlib import suppress

TRIES = 5


def at_best(attempt: Callable[[], None]) -> None:
    """One attempt in some holds: whatever else the machine does only makes things later."""
    for _ in range(TRIES - 1):
        with suppress(AssertionError):
            return attempt()
    return attempt()
