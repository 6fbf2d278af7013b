"""Fixtures for test scripts; a conftest of a script folder may replace any of them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import nvme as d
from nvme.controller import DEFAULT_ADDRESS
from nvme.events import AerCallback

BUF_BYTES = 40_967
QPAIR_DEPTH = 64


def device_address(config: pytest.Config) -> str:
    """Address of the device under test; the software SSD when none was given."""
    return config.getoption("--pciaddr", default="") or DEFAULT_ADDRESS


@pytest.fixture(scope="session")
def pciaddr(request: pytest.FixtureRequest) -> str:
    """Address of the device under test."""
    return device_address(request.config)


@pytest.fixture(scope="session")
def nvme0(pciaddr: str) -> d.Controller:
    """The controller under test."""
    return d.Controller(pciaddr)


@pytest.fixture(scope="session")
def pcie(nvme0: d.Controller) -> d.Pcie:
    """Config space of the device under test."""
    return d.Pcie(nvme0)


@pytest.fixture(scope="session")
def subsystem(nvme0: d.Controller) -> d.Subsystem:
    """The NVM subsystem of the device under test."""
    return d.Subsystem(nvme0)


@pytest.fixture(scope="session")
def nvme0n1(nvme0: d.Controller) -> Iterator[d.Namespace]:
    """The first namespace of the controller."""
    namespace = d.Namespace(nvme0, 1)
    yield namespace
    namespace.close()


@pytest.fixture(scope="session")
def buf() -> d.Buffer:
    """A large buffer."""
    return d.Buffer(BUF_BYTES, "default buffer")


@pytest.fixture
def qpair(nvme0: d.Controller) -> Iterator[d.Qpair]:
    """An IO queue pair, deleted when the test ends."""
    mqes = nvme0.cap & 0xFFFF
    with d.Qpair(nvme0, min(QPAIR_DEPTH, mqes + 1)) as pair:
        yield pair


@pytest.fixture
def aer(nvme0: d.Controller) -> Iterator[Callable[[AerCallback], Any]]:
    """Registers a callback for AERs, ``aer(func)``, until the test ends."""
    yield nvme0.register_aer_cb
    nvme0.register_aer_cb(None)


@pytest.fixture
def verify(nvme0: d.Controller) -> Iterator[bool]:
    """Verifies the data of every read until the test ends; True if that is really on."""
    before = d.config() & 1
    yield bool(d.config(verify=True) & 1)
    d.config(verify=bool(before))
