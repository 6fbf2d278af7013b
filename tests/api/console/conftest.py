"""A folder of recorder files that is nobody else's, sessions in it, and a client that looks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from nvme.console.service import Service

from .live import Client, Live


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files of this test are; of this process, too, as far as it looks for some."""
    monkeypatch.setenv("PYNVME_CMDLOG_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def live(folder: Path) -> Iterator[Live]:
    """A session with a controller and a qpair."""
    with Live(folder) as session:
        yield session


@pytest.fixture
def client(folder: Path) -> Iterator[Client]:
    """A client of a console, which has nothing to complain about."""
    one = Client(folder)
    yield one
    assert one.end() == (0, b"")


@pytest.fixture
def service(folder: Path) -> Service:
    """The console without a client."""
    return Service()
