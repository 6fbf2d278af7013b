"""Workers whose target dies, is reset under them, or is beset by others."""

import gc
import resource
import socket
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import nvme as d
from nvme import _core
from wire.target import Command

HALF_OPEN = 1000
#: Of a connection that has said no more than half a header; with what a sanitizer adds.
HALF_OPEN_BYTES = 16 << 10
QUEUES = 16
SHORT, LONG = 10, 100
#: Command Aborted due to SQ Deletion: of a worker that a reset or a lost connection has ended.
CUT_OFF = 0x008
COUNTS = ("commands", "buffers", "requests", "qpairs", "threads", "fds", "recorder_slots")


@pytest.fixture
def command() -> Iterator[Command]:
    with Command() as command:
        yield command


def wait_for(what: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not what():
        assert time.monotonic() < limit
        time.sleep(0.001)


def started(namespace: d.Namespace, workers: int) -> list[Any]:
    """Workers that have done something."""
    found = [
        namespace.ioworker(time=3600, io_size=8, read_percentage=50, qdepth=16).start()
        for _ in range(workers)
    ]
    wait_for(lambda: all(worker.snapshot[2] for worker in found))
    return found


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Enough of them for both ends of many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4 * HALF_OPEN, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_half_open_connections_cost_little_and_disturb_no_host(
    descriptors: None, command: Command, record_property: Callable[[str, object], None]
) -> None:
    namespace = d.Namespace(d.Controller(command.address))
    (worker,) = started(namespace, 1)
    before = command.resident_bytes

    peers = [socket.create_connection(command.listens_at) for _ in range(HALF_OPEN)]
    for peer in peers[::2]:
        peer.sendall(b"\0\0")  # the beginning of an ICReq
    done = worker.snapshot[2]
    wait_for(lambda: worker.snapshot[2] > done + HALF_OPEN)
    grown = command.resident_bytes - before

    assert grown < HALF_OPEN * HALF_OPEN_BYTES
    worker.stop()
    assert worker.close().error == 0
    record_property("bytes a half-open connection", grown // HALF_OPEN)
    for peer in peers:
        peer.close()
    namespace.close()


def killed(command: Command, nvme: d.Controller) -> None:
    """Its target is killed under four workers, each of which says what became of it."""
    workers = started(d.Namespace(nvme), 4)

    command.kill()
    with pytest.warns(UserWarning, match="connection is lost"):
        results = [worker.close() for worker in workers]

    for result in results:
        assert result.io_count_read + result.io_count_nonread > 0
        assert result.error == CUT_OFF
        assert "the connection is lost" in result.why
    with pytest.raises(SystemError, match="connection is lost"):
        nvme.id_data(23, 4)


def test_workers_of_a_killed_target_say_why_they_end_and_a_new_controller_works(
    command: Command,
) -> None:
    killed(command, d.Controller(command.address))
    command.start()

    namespace = d.Namespace(d.Controller(command.address))

    assert namespace.ioworker(io_size=8, io_count=1000).start().close().io_count_read > 0
    namespace.close()


def test_a_controller_finds_its_target_again_by_a_reset(command: Command) -> None:
    nvme = d.Controller(command.address)
    killed(command, nvme)
    command.start()

    nvme.reset()

    namespace = d.Namespace(nvme)
    assert namespace.ioworker(io_size=8, io_count=1000).start().close().error == 0
    namespace.close()


@pytest.mark.parametrize("times", [SHORT, pytest.param(LONG, marks=pytest.mark.long)])
def test_resets_under_as_many_workers_as_there_are_queues(
    command: Command, times: int, record_property: Callable[[str, object], None]
) -> None:
    nvme = d.Controller(command.address)
    namespace = d.Namespace(nvme)
    gc.collect()
    before, ios = _core.counts(), 0

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "ioworker (device|host) ERROR")
        for _ in range(times):
            workers = started(namespace, QUEUES)
            nvme.reset()
            results = [worker.close() for worker in workers]
            assert {result.error for result in results} <= {0, CUT_OFF}
            ios += sum(result.io_count_read + result.io_count_nonread for result in results)

    assert namespace.ioworker(io_size=8, io_count=1000).start().close().error == 0
    gc.collect()
    after = _core.counts()
    assert {name: after[name] for name in COUNTS} == {name: before[name] for name in COUNTS}
    record_property("IOs of workers", ios)
    namespace.close()
