"""Fixtures of the tests of nvme-cli's words."""

import pytest

from .tool import SMALL, Tool


@pytest.fixture
def pynvme(capsysbinary) -> Tool:
    """The command line."""
    return Tool(capsysbinary)


@pytest.fixture
def kept(tmp_path) -> str:
    """A software SSD whose data and firmware outlive a word."""
    return f"{SMALL},media=file,file={tmp_path / 'media'}"
