"""What the console says of sessions: identity, states, counts, workers, deaths."""

import pytest

from nvme.console.service import find_queue


def queue_of(service, sqid, **params):
    found = service.call("queues", params)["queues"]
    (queue,) = [one for one in found if one["sqid"] == sqid]
    return queue


def controller_of(service, **params):
    (controller,) = service.call("controllers", params)["controllers"]
    return controller


def session_of(service):
    (session,) = service.call("sessions", {})["sessions"]
    return session


def test_a_session_is_its_process(service, live):
    session = session_of(service)

    assert (session["pid"], session["state"], session["own"]) == (live.pid, "running", True)
    assert "scope = {}" in session["title"]
    assert (session["controllers"], session["queues"]) == (1, 2)
    assert session["addresses"] == ["sim:size=64M"]
    assert session["started_ms"] <= controller_of(service)["opened_ms"]


def test_a_controller_says_who_it_is(service, live):
    model, serial, firmware = live(
        "[nvme0.id_data(63, 24, str), nvme0.id_data(23, 4, str), nvme0.id_data(71, 64, str)]"
    )

    found = controller_of(service)

    assert (found["model"], found["serial"], found["firmware"]) == (model, serial, firmware)
    assert (found["capacity_bytes"], found["nvme_version"]) == (64 << 20, "1.3.0")
    assert (found["state"], found["resets"], found["address"]) == ("ready", 0, "sim:size=64M")


def test_a_temperature_is_what_a_smart_log_last_said(service, live):
    assert controller_of(service)["temperature_celsius"] is None

    kelvin = live("nvme0.smart().ctemp")

    found = controller_of(service)
    assert found["temperature_celsius"] == kelvin - 273
    assert found["opened_ms"] <= found["temperature_ms"]


def test_another_log_leaves_no_temperature(service, live):
    live("nvme0.getlogpage(1, buf, 64).waitdone()")
    live("nvme0.getlogpage(2, buf, 64, 4).waitdone()")

    assert controller_of(service)["temperature_celsius"] is None


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("nvme0[0x14] = nvme0[0x14] & ~1", "down"),
        ("d.sim(nvme0).power(False)", "down"),
        ("nvme0.reset()", "ready"),
        ("d.Pcie(nvme0).reset()", "ready"),
    ],
)
def test_what_a_script_does_to_a_controller_is_its_state(service, live, code, state):
    live(code)

    assert controller_of(service)["state"] == state


def test_resets_are_counted(service, live):
    live("nvme0.reset()")
    live("nvme0.reset()")

    assert controller_of(service)["resets"] == 2


def test_counts_of_a_queue_are_those_of_its_commands(service, live):
    live("[nvme0n1.read(qpair, buf, i, 2).waitdone() for i in range(5)] and None")
    live("[nvme0n1.write(qpair, buf, i, 3).waitdone() for i in range(4)] and None")
    live("nvme0n1.flush(qpair).waitdone()")

    queue = queue_of(service, 1)

    assert (queue["commands"], queue["errors"]) == (10, 0)
    assert (queue["reads"], queue["read_bytes"]) == (5, 5 * 2 * 512)
    assert (queue["writes"], queue["written_bytes"]) == (4, 4 * 3 * 512)
    assert (queue["kind"], queue["depth"], queue["outstanding"]) == ("script", 7, 0)
    assert queue["worker"] is None


def test_a_command_that_failed_is_an_error_and_moved_no_data(service, live):
    live("nvme0n1.read(qpair, buf, 1 << 40, cb=lambda cdw0, status: None).waitdone()")

    queue = queue_of(service, 1)

    assert (queue["commands"], queue["errors"], queue["read_bytes"]) == (1, 1, 0)


def test_outstanding_commands_show_before_they_complete(service, live):
    live("fault = d.sim(nvme0).fault(opcode=2, admin=False, drop=True); fault.__enter__()")
    live("[nvme0n1.read(qpair, buf, i) for i in range(3)] and None")

    queue = queue_of(service, 1)

    assert (queue["outstanding"], queue["commands"], queue["updated_ms"]) == (3, 0, None)
    assert controller_of(service)["outstanding"] == 3


def test_latencies_are_those_of_the_command_log(service, live):
    latencies = live(
        "[nvme0n1.read(qpair, buf, i).waitdone() for i in range(50)] and "
        "[entry.latency_us for entry in qpair.cmdlog_entries()]"
    )

    found = queue_of(service, 1)["latency"]

    assert found["mean_us"] == pytest.approx(sum(latencies) / 50, abs=0.001)
    assert found["max_us"] == pytest.approx(max(latencies), abs=0.001)
    middle = sorted(latencies)[24]
    assert middle <= found["p50_us"] <= middle * 1.25 + 0.001
    assert found["p50_us"] <= found["p99_us"] <= found["p999_us"] <= found["max_us"]


WORKER = """
worker = nvme0n1.ioworker(io_size=[8, 16], lba_random=False, qdepth=12, read_percentage=75,
                          region_start=64, region_end=1024, iops=5000, time=3600)
worker.start()
"""


def test_a_worker_shows_its_parameters(service, live):
    live(WORKER)
    live("import time\nwhile not worker.snapshot[2]: time.sleep(0.01)")

    queue = queue_of(service, 2)

    assert (queue["kind"], queue["depth"]) == ("worker", 12)
    worker = queue["worker"]
    assert worker["ops"] == [
        {"opcode": 2, "name": "Read", "percent": 75.0},
        {"opcode": 1, "name": "Write", "percent": 25.0},
    ]
    assert (worker["io_size_lbas"], worker["lba_bytes"]) == ([8, 16], 512)
    assert (worker["region"], worker["random_percent"]) == ([64, 1024], 0)
    assert (worker["iops_limit"], worker["time_s"], worker["io_count"]) == (5000.0, 3600.0, None)
    assert (worker["qdepth"], worker["running"], worker["why"]) == (12, True, None)
    assert 0 < worker["percent"] < 100
    assert queue["commands"] > 0


def test_counts_of_a_worker_are_its_results(service, live):
    live(
        "worker = nvme0n1.ioworker(io_size=8, read_percentage=50, io_count=3000, qdepth=8).start()"
    )
    results = live("worker.close()")

    queue = queue_of(service, 2, closed=True)

    assert (queue["commands"], queue["state"]) == (3000, "closed")
    assert queue["reads"] == results["io_count_read"]
    assert queue["writes"] == results["io_count_nonread"]
    assert queue["read_bytes"] == results["io_count_read"] * 4096
    assert queue["written_bytes"] == results["io_count_nonread"] * 4096
    assert queue["latency"]["max_us"] == pytest.approx(results["latency_max_us"], abs=1)
    assert (queue["worker"]["running"], queue["worker"]["percent"]) == (False, 100.0)


def test_trims_of_a_worker_move_no_data_of_lbas(service, live):
    live("worker = nvme0n1.ioworker(io_size=8, op_percentage={9: 100}, io_count=100).start()")
    live("worker.close()")

    queue = queue_of(service, 2, closed=True)

    assert (queue["commands"], queue["writes"], queue["written_bytes"]) == (100, 100, 0)


def test_a_worker_says_why_it_ended(service, live):
    live(
        "fault = d.sim(nvme0).fault(opcode=2, admin=False, nth=50, status=0x281); fault.__enter__()"
    )
    live("import warnings; warnings.simplefilter('ignore')")
    live("nvme0n1.ioworker(io_size=8, io_count=1000, iodepth=1).start().close() and None")

    queue = queue_of(service, 2, closed=True)

    assert (queue["worker"]["why"], queue["errors"]) == ("status 02/81", 1)
    assert queue["commands"] == 50


def test_a_worker_whose_queue_a_reset_took_says_so(service, live):
    live("import warnings; warnings.simplefilter('ignore')")
    live("import time; worker = nvme0n1.ioworker(io_size=8, time=60).start()")
    live("while not worker.progress: time.sleep(0.01)")
    live("nvme0.reset()")
    live("worker.close() and None")

    worker = queue_of(service, 2, closed=True)["worker"]

    assert not worker["running"]
    assert "reset" in worker["why"]


def test_a_deleted_queue_is_listed_on_demand(service, live):
    live("nvme0n1.read(qpair, buf, 0).waitdone()")
    live("qpair.delete()")

    assert [one["sqid"] for one in service.call("queues", {})["queues"]] == [0]
    queue = queue_of(service, 1, closed=True)
    assert (queue["state"], queue["commands"]) == ("closed", 1)
    assert queue["opened_ms"] <= queue["closed_ms"]


def test_an_id_never_becomes_another_queues(service, live):
    before = queue_of(service, 1)["id"]

    live("qpair.delete(); qpair = d.Qpair(nvme0, 8)")

    after = queue_of(service, 1)["id"]
    assert after != before
    with pytest.raises(Exception, match="no such queue"):
        find_queue(service.feed.snapshot(), before)


def test_two_controllers_of_a_session_have_their_own_queues(service, live):
    live("other = d.Controller('sim:size=32M'); more = d.Qpair(other, 4)")

    controllers = service.call("controllers", {})["controllers"]

    assert [one["address"] for one in controllers] == ["sim:size=64M", "sim:size=32M"]
    for one, depth in zip(controllers, (7, 3), strict=True):
        queues = service.call("queues", {"controller": one["id"]})["queues"]
        assert [queue["sqid"] for queue in queues] == [0, 1]
        assert queues[1]["depth"] == depth
    assert session_of(service)["controllers"] == 2


def test_a_closed_controller_is_gone_from_the_tree(service, live):
    live("del qpair, nvme0n1, buf, nvme0")

    assert service.call("controllers", {})["controllers"] == []
    closed = controller_of(service, closed=True)
    assert (closed["state"], closed["model"]) == ("closed", "pynvme software SSD")


def test_a_killed_session_shows_its_last_moment(service, live):
    live("fault = d.sim(nvme0).fault(opcode=1, admin=False, drop=True); fault.__enter__()")
    live("nvme0n1.read(qpair, buf, 5).waitdone()")
    live("nvme0n1.write(qpair, buf, 6) and None")
    live.kill()

    session, queue = session_of(service), queue_of(service, 1)

    assert (session["state"], session["queues"]) == ("ended", 2)
    assert session["started_ms"] <= queue["updated_ms"] <= session["ended_ms"]
    assert (queue["state"], queue["outstanding"], queue["commands"]) == ("open", 1, 1)
    log = service.call("cmdlog", {"queue": queue["id"]})
    assert [(one["name"], one["status"]) for one in log["entries"]] == [
        ("Write", None),
        ("Read", 0),
    ]
    assert controller_of(service)["state"] == "ready"


def test_a_session_that_ended_well_still_shows_its_commands(service, live):
    live("nvme0n1.read(qpair, buf, 5).waitdone()")
    live.close()

    queue = queue_of(service, 1)

    assert (session_of(service)["state"], queue["state"]) == ("ended", "closed")
    assert service.call("cmdlog", {"queue": queue["id"]})["total"] == 1


def test_a_stopped_process_shows_all_of_its_queues(service, live):
    live("nvme0n1.read(qpair, buf, 5).waitdone()")
    live.process.send_signal(19)

    try:
        assert (session_of(service)["state"], queue_of(service, 1)["commands"]) == ("running", 1)
    finally:
        live.process.send_signal(18)
