"""A worker that fails with fw_debug=True: the drive is left as it is, for somebody to look at."""

import gc
import time
import warnings
from collections.abc import Iterator

import pytest

import nvme as d
from nvme.dotdict import DotDict
from nvme.ioworker import IOWorker
from nvme.serve import Served

DELETE_SQ, DELETE_CQ = 0x00, 0x04
READ, READ_ERROR = 2, 0x281
LEFT = "qpair 1 is left on the drive until a reset (fw_debug)"


def close(worker: IOWorker) -> DotDict:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return worker.close()


def failing(nvme: d.Controller, namespace: d.Namespace, **arguments) -> DotDict:
    """The results of a worker whose tenth read fails."""
    with d.sim(nvme).fault(opcode=READ, nth=10, times=1, status=READ_ERROR):
        return close(namespace.ioworker(io_count=100, qdepth=8, **arguments).start())


def deletions(nvme: d.Controller) -> list[int]:
    """Queues that the drive was told to delete, by the admin queue's command log."""
    return sorted(
        entry.opcode
        for entry in nvme.cmdlog_entries()
        if entry.sqid == 0 and entry.opcode in (DELETE_SQ, DELETE_CQ)
    )


def test_a_failure_leaves_the_queues_on_the_drive(own, own_namespace):
    results = failing(own, own_namespace, fw_debug=True)

    assert results.error == READ_ERROR
    assert results.why.endswith(LEFT)
    assert deletions(own) == []


def test_a_failure_without_it_deletes_them(own, own_namespace):
    results = failing(own, own_namespace)

    assert results.error == READ_ERROR
    assert "left on the drive" not in results.why
    assert deletions(own) == [DELETE_SQ, DELETE_CQ]


def test_a_good_end_with_it_deletes_them(own, own_namespace):
    results = own_namespace.ioworker(io_count=100, fw_debug=True).start().close()

    assert (results.error, results.why) == (0, "")
    assert deletions(own) == [DELETE_SQ, DELETE_CQ]


def test_what_is_left_is_part_of_the_one_warning(own, own_namespace):
    with (
        d.sim(own).fault(opcode=READ, nth=10, times=1, status=READ_ERROR),
        pytest.warns(UserWarning, match="ioworker device ERROR status: 02/81") as warned,
    ):
        own_namespace.ioworker(io_count=100, qdepth=8, fw_debug=True).start().close()

    assert [str(one.message).endswith(LEFT) for one in warned] == [True]


def test_a_timeout_leaves_the_command_where_it_is(own, own_namespace):
    own.timeout = 200
    with d.sim(own).fault(opcode=READ, nth=10, times=1, drop=True):
        results = close(own_namespace.ioworker(time=3600, qdepth=8, fw_debug=True).start())

    assert (results.host_error, deletions(own)) == (-3, [])
    assert results.why.endswith(LEFT)


def test_a_fatal_status_leaves_them_too(own, own_namespace):
    with d.sim(own).fault(opcode=READ, nth=10, times=1, fatal=True):
        results = close(own_namespace.ioworker(time=3600, qdepth=8, fw_debug=True).start())

    assert "CSTS.CFS" in results.why
    assert results.why.endswith(LEFT)


def test_nothing_is_left_where_a_reset_took_them(own, own_namespace):
    worker = own_namespace.ioworker(time=3600, fw_debug=True).start()
    while not worker.snapshot[2]:
        time.sleep(0.001)
    own.reset()
    results = close(worker)

    assert results.error == 0x0008
    assert "left on the drive" not in results.why


def test_nothing_is_left_of_a_worker_that_never_started(own, own_namespace):
    results = close(own_namespace.ioworker(io_size=65536, io_count=1, fw_debug=True).start())

    assert results.host_error == -2
    assert "left on the drive" not in results.why


def test_commands_in_flight_are_not_waited_for(own, own_namespace):
    """Reads that take an hour are in flight when another one fails."""
    with (
        d.sim(own).fault("delay", opcode=READ, nth=2, delay=3600),
        d.sim(own).fault(opcode=READ, nth=1, times=1, status=READ_ERROR),
    ):
        results = close(own_namespace.ioworker(time=3600, qdepth=8, fw_debug=True).start())

    assert (results.error, results.host_error) == (READ_ERROR, 0)


def test_the_next_qpair_takes_an_identifier_beside_it(own, own_namespace):
    failing(own, own_namespace, fw_debug=True)

    qpair = d.Qpair(own, 8)
    assert qpair.sqid == 2
    own_namespace.read(qpair, d.Buffer(512), 0).waitdone()
    qpair.delete()


def test_the_drive_still_knows_the_queues(own, own_namespace):
    """A script may delete them by hand: the drive takes it."""
    failing(own, own_namespace, fw_debug=True)

    for opcode in (DELETE_SQ, DELETE_CQ):
        statuses: list[int] = []
        own.send_cmd(opcode, cdw10=1, cb=lambda cqe, into=statuses: into.append(cqe[3] >> 17))
        own.waitdone()
        assert statuses == [0]


def test_a_reset_gives_everything_back(own, own_namespace):
    before = d._core.counts()
    failing(own, own_namespace, fw_debug=True)
    assert d._core.counts() != before, "nothing was left"
    own.reset()

    assert d._core.counts() == before
    qpair = d.Qpair(own, 8)
    assert qpair.sqid == 1
    qpair.delete()


def test_so_does_the_end_of_the_controller():
    before = d._core.counts()
    nvme = d.Controller("sim:size=64M,latency=none")
    namespace = d.Namespace(nvme)
    failing(nvme, namespace, fw_debug=True)
    del namespace, nvme
    gc.collect()

    assert d._core.counts() == before


def test_sixteen_failures_in_turn_leave_sixteen_queues(own, own_namespace):
    results = [failing(own, own_namespace, fw_debug=True) for _ in range(16)]

    assert [f"qpair {n} is left" in r.why for n, r in enumerate(results, 1)] == [True] * 16
    assert deletions(own) == []
    own.reset()


# --- over NVMe/TCP: a queue is a connection ---


@pytest.fixture
def served() -> Iterator[Served]:
    with d.serve("sim:size=64M,latency=none", tcp="127.0.0.1:0") as target:
        yield target


def connections(served: Served, wanted: int) -> int:
    """How many there are, once they are as many as wanted or 20 seconds are over."""
    limit = time.monotonic() + 20
    while served.connections != wanted and time.monotonic() < limit:
        time.sleep(0.001)
    return served.connections


def failing_remotely(served: Served, nvme: d.Controller, nth: int = 10, **arguments) -> DotDict:
    namespace = d.Namespace(nvme)
    with served.ssd.fault(opcode=READ, nth=nth, times=1, status=READ_ERROR):
        return close(namespace.ioworker(io_count=100, qdepth=8, **arguments).start())


def test_over_tcp_the_connection_stays(served):
    remote = d.Controller(served.address)
    results = failing_remotely(served, remote, fw_debug=True)
    qpair = d.Qpair(remote, 8)  # the target sees what happened before it first

    assert results.why.endswith(LEFT)
    assert served.connections == 3
    qpair.delete()


def test_over_tcp_it_stays_with_commands_in_flight(served):
    remote = d.Controller(served.address)
    with served.ssd.fault("delay", opcode=READ, nth=2, delay=3600):
        results = failing_remotely(served, remote, fw_debug=True, nth=1)
        qpair = d.Qpair(remote, 8)

        assert results.why.endswith(LEFT)
        assert served.connections == 3
    qpair.delete()


def test_over_tcp_it_goes_without_fw_debug(served):
    remote = d.Controller(served.address)
    failing_remotely(served, remote)

    assert connections(served, 1) == 1


def test_over_tcp_the_next_qpair_takes_an_identifier_beside_it(served):
    remote = d.Controller(served.address)
    failing_remotely(served, remote, fw_debug=True)

    qpair = d.Qpair(remote, 8)
    assert qpair.sqid == 2
    qpair.delete()


def test_over_tcp_a_reset_ends_the_connection(served):
    remote = d.Controller(served.address)
    failing_remotely(served, remote, fw_debug=True)
    remote.reset()

    assert connections(served, 1) == 1
    qpair = d.Qpair(remote, 8)
    assert qpair.sqid == 1
    qpair.delete()


def test_over_tcp_so_does_the_end_of_the_controller(served):
    nvme = d.Controller(served.address)
    failing_remotely(served, nvme, fw_debug=True)
    del nvme
    gc.collect()

    assert connections(served, 0) == 0
