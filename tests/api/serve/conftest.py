"""A software SSD that is served, for each test of its own."""

from collections.abc import Iterator

import pytest

import nvme as d
from nvme.serve import Served

NQN = "nqn.2019-08.org.pynvme:test"


@pytest.fixture
def target() -> Iterator[Served]:
    """One SSD of 64 MiB, named NQN, at any free port."""
    with d.serve("sim:size=64M,latency=none,enable_s=0", tcp="127.0.0.1:0", nqn=NQN) as served:
        yield served
