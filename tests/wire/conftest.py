"""A target, a network that can be made hostile, and a host."""

from collections.abc import Iterator

import pytest

import nvme as d
from nvme.serve import Served
from wire.proxy import Proxy

#: Named, so that no host learns the target's own address by discovery.
NQN = "nqn.2019-08.org.example:wire"
SSD = "sim:size=64M,latency=none"


@pytest.fixture(scope="module")
def target() -> Iterator[Served]:
    with d.serve(SSD, tcp="127.0.0.1:0", nqn=NQN) as target:
        yield target


@pytest.fixture
def network(target: Served) -> Iterator[Proxy]:
    with Proxy(f"{target.address}/{NQN}") as proxy:
        yield proxy
