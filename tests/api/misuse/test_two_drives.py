"""Objects of two drives in one process: what belongs together, and what does not."""

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import nvme as d

FIRST, SECOND = "sim:size=16M,latency=none", "sim:size=32M,latency=none"


class Drive:
    """A controller and what is made of it."""

    def __init__(self, address: str) -> None:
        self.nvme = d.Controller(address)
        self.namespace = d.Namespace(self.nvme)
        self.qpair = d.Qpair(self.nvme, 8)


@pytest.fixture
def first() -> Iterator[Drive]:
    yield Drive(FIRST)
    gc.collect()


@pytest.fixture
def second() -> Iterator[Drive]:
    yield Drive(SECOND)
    gc.collect()


#: Every command of a Namespace, with a qpair.
COMMANDS: dict[str, Callable[[d.Namespace, d.Qpair, d.Buffer], Any]] = {
    "read": lambda ns, qpair, buf: ns.read(qpair, buf, 0),
    "write": lambda ns, qpair, buf: ns.write(qpair, buf, 0),
    "compare": lambda ns, qpair, buf: ns.compare(qpair, buf, 0),
    "write_zeroes": lambda ns, qpair, buf: ns.write_zeroes(qpair, 0),
    "write_uncorrectable": lambda ns, qpair, buf: ns.write_uncorrectable(qpair, 0),
    "verify": lambda ns, qpair, buf: ns.verify(qpair, 0),
    "copy": lambda ns, qpair, buf: ns.copy(qpair, buf, 1, 8),
    "dsm": lambda ns, qpair, buf: ns.dsm(qpair, buf, 1),
    "flush": lambda ns, qpair, buf: ns.flush(qpair),
    "send_cmd": lambda ns, qpair, buf: ns.send_cmd(0, qpair, nsid=1),
}


@pytest.fixture
def buf() -> d.Buffer:
    """What is a range to copy, and to deallocate."""
    buf = d.Buffer()
    buf.set_copy_range(0, 0, 1)
    return buf


@pytest.mark.parametrize("name", COMMANDS)
def test_a_qpair_of_another_controller_is_refused_before_anything_is_sent(first, second, buf, name):
    names = f"qpair 1 .* {second.nvme.addr}, namespace 1 .* {first.nvme.addr}$"
    with pytest.raises(ValueError, match=names):
        COMMANDS[name](first.namespace, second.qpair, buf)

    assert first.qpair.cmdlog_entries() == second.qpair.cmdlog_entries() == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_qpair_of_the_same_controller_is_taken(first, second, buf, name):
    COMMANDS[name](second.namespace, second.qpair, buf).waitdone()

    assert len(second.qpair.cmdlog_entries()) == 1


def test_every_command_of_a_namespace_is_listed_above():
    with_qpair = {name for name, thing in vars(d._core.Namespace).items() if "qpair" in _doc(thing)}

    assert with_qpair == set(COMMANDS)


def _doc(thing: Any) -> str:
    return (getattr(thing, "__text_signature__", None) or "").split(")")[0]


def test_a_buffer_is_of_no_controller(first, second, buf):
    first.namespace.write(first.qpair, buf, 3).waitdone()
    second.namespace.write(second.qpair, buf, 3).waitdone()
    del first
    gc.collect()

    second.namespace.read(second.qpair, buf, 3).waitdone()

    assert buf.data_head == 3
