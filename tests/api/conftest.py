"""What the API tests share: the device they run on, and what it cannot do."""

import gc
from collections.abc import Iterator

import pytest

import nvme as d
from nvme.fixtures import device_address
from nvme.software_ssd import SoftwareSsd

from .fabric import cannot
from .qemu import CANNOT

#: Fixtures that mean the device under test.
DEVICE = {"nvme0", "pciaddr"}
QEMU_MODEL = "QEMU NVMe Ctrl"
LINUX_MODEL = "Linux"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On a drive only what touches it is worth the time; a guest is slow."""
    if device_address(config).startswith("sim"):
        return
    others = [item for item in items if not DEVICE & set(getattr(item, "fixturenames", ()))]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if DEVICE & set(getattr(item, "fixturenames", ()))]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Everything that must be given back has been given back."""
    if session.testsfailed:
        return  # what failed may still hold something
    gc.collect()
    left = {name: count for name, count in d._core.counts().items() if count}
    if left:
        print(f"\nleft at the end of the session: {left}")
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


@pytest.fixture(scope="session")
def model(nvme0: d.Controller) -> str:
    """Model name of the device under test."""
    return nvme0.id_data(63, 24, str)


@pytest.fixture(scope="session")
def ssd(nvme0: d.Controller) -> SoftwareSsd:
    """The software SSD under test, for tests of faults."""
    try:
        return d.sim(nvme0)
    except TypeError:
        pytest.skip("needs the faults of the software SSD")


@pytest.fixture(scope="session")
def pcie(nvme0: d.Controller) -> d.Pcie:
    """The plugin's, but for drives that have no such thing."""
    if nvme0._fabric:
        pytest.skip(f"over a fabric: {cannot.NO_FUNCTION}")
    return d.Pcie(nvme0)


@pytest.fixture
def own() -> Iterator[d.Controller]:
    """A software SSD of the test's own, whatever the device under test is."""
    nvme = d.Controller("sim:size=64M,latency=none")
    yield nvme
    del nvme
    gc.collect()


@pytest.fixture
def own_namespace(own: d.Controller) -> Iterator[d.Namespace]:
    """Namespace 1 of `own`."""
    namespace = d.Namespace(own)
    yield namespace
    namespace.close()


def why_not_over_a_fabric(node: pytest.Function, model: str) -> str:
    """Why this test cannot pass on a drive over NVMe/TCP, or nothing."""
    callspec = getattr(node, "callspec", None)
    values = callspec.params.values() if callspec else ()
    kinds = {value for value in values if isinstance(value, str)}
    if kinds & cannot.RESETS:
        return cannot.NO_FUNCTION
    name = node.originalname
    reason = cannot.FILES.get(node.path.stem) or cannot.CANNOT.get(name, "")
    return reason or (cannot.LINUX.get(name, "") if model == LINUX_MODEL else "")


@pytest.fixture(autouse=True)
def what_a_fabric_cannot(request: pytest.FixtureRequest) -> None:
    """Skips tests of what only a PCI function has."""
    if not DEVICE & set(request.fixturenames) or request.node.path.parent.name == "fabric":
        return
    if not request.getfixturevalue("nvme0")._fabric:
        return
    if why := why_not_over_a_fabric(request.node, request.getfixturevalue("model")):
        pytest.skip(f"over a fabric: {why}")


@pytest.fixture(autouse=True)
def what_qemu_cannot(request: pytest.FixtureRequest) -> None:
    """Skips tests of what QEMU's device does not have."""
    name = request.node.originalname
    if name not in CANNOT or not DEVICE & set(request.fixturenames):
        return
    if request.getfixturevalue("model") == QEMU_MODEL:
        pytest.skip(f"QEMU's device: {CANNOT[name]}")
