"""A target of the tests' own for each test, and controllers of it."""

from collections.abc import Iterator

import pytest

from .peer import Target


@pytest.fixture
def target() -> Iterator[Target]:
    with Target() as target:
        yield target
