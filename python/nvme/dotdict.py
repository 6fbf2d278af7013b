"""A dict whose keys are attributes, too."""

from typing import Any


class DotDict(dict[str, Any]):
    """A dict with attribute access: ``r.io_count_read`` is ``r["io_count_read"]``."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(name) from None
