"""How many arguments a callback wants; for callables that are not plain functions."""

from collections.abc import Callable
from typing import Any

TWO = 2  # cdw0 and status1


def arity(callback: Callable[..., Any]) -> int:
    """Required positional parameters of `callback`; two when it has no signature."""
    import inspect

    try:
        parameters = inspect.signature(callback).parameters.values()
    except (TypeError, ValueError):
        return TWO
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is p.empty for p in parameters)
