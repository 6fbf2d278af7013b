"""Subscriptions: what comes by itself, when it is news, and how it ends."""

import pytest

from nvme.console.rates import SHORTEST_MS
from nvme.console.service import Service

from .live import Live


@pytest.fixture
def clock():
    """Subscriptions of a service, served whenever the test says what time it is."""

    class Clock:
        def __init__(self, service: Service) -> None:
            self.service = service

        def notes(self, now_s: float) -> list[tuple[str, dict]]:
            return list(self.service.due(now_s))

        def names(self, now_s: float) -> list[str]:
            return [name for name, _ in self.notes(now_s)]

    return Clock


def subscribe(service, **params):
    found = service.call("subscribe", {"interval_ms": 1000, **params})
    number = found["subscription"]
    return service.subscriptions[number].due_s


def test_the_first_notifications_come_at_once(client, live):
    client("subscribe", interval_ms=60000)

    tree, iostat = client.note("tree"), client.note("iostat")

    assert [one["pid"] for one in tree["sessions"]] == [live.pid]
    assert [len(tree[kind]) for kind in ("controllers", "queues")] == [1, 2]
    assert (iostat["interval_ms"], iostat["subscription"]) == (None, tree["subscription"])


def test_rates_come_every_interval(client, live):
    live("worker = nvme0n1.ioworker(io_size=8, time=3600).start()")
    client("subscribe", interval_ms=100, topics=["iostat"])

    notes = iter(lambda: client.note("iostat"), None)
    first = next(notes)
    # A console that was late comes again too soon for a rate.
    second = next(note for note in notes if note["interval_ms"] is not None)
    third = next(notes)

    assert first["interval_ms"] is None
    assert second["interval_ms"] >= SHORTEST_MS
    assert second["time_ms"] < third["time_ms"]
    assert third["sessions"][0]["iops"] > 0
    live.kill()


def test_a_tree_comes_only_when_it_has_changed(service, live, clock):
    at = clock(service)
    due_s = subscribe(service, topics=["tree"])
    assert at.names(due_s) == ["tree"]

    live("nvme0n1.read(qpair, buf, 0).waitdone()")
    assert at.names(due_s + 1) == []
    live("more = d.Qpair(nvme0, 4)")
    assert at.names(due_s + 2) == ["tree"]
    live("nvme0[0x14] = nvme0[0x14] & ~1")
    assert at.names(due_s + 3) == ["tree"]
    live.kill()
    assert at.names(due_s + 4) == ["tree"]
    assert at.names(due_s + 5) == []


def test_a_log_comes_only_when_it_has_changed(service, live, clock):
    at = clock(service)
    (queue,) = [one for one in service.call("queues", {})["queues"] if one["sqid"]]
    due_s = subscribe(
        service, topics=["cmdlog"], queue=queue["id"], count=2, filter={"opcodes": [2]}
    )
    assert [len(params["entries"]) for _, params in at.notes(due_s)] == [0]

    live("nvme0n1.write(qpair, buf, 0).waitdone()")
    assert at.names(due_s + 1) == []
    live("nvme0n1.read(qpair, buf, 7).waitdone()")
    ((name, params),) = at.notes(due_s + 2)

    assert (name, params["queue"], params["matched"]) == ("cmdlog", queue["id"], 1)
    assert params["entries"][0]["slba"] == "0x7"


def test_a_log_of_a_queue_that_is_gone_ends_the_subscription(service, live, clock):
    at = clock(service)
    (queue,) = [one for one in service.call("queues", {})["queues"] if one["sqid"]]
    due_s = subscribe(service, topics=["iostat", "cmdlog"], queue=queue["id"])
    at.notes(due_s)

    live("qpair.delete(); qpair = d.Qpair(nvme0, 8)")

    *_, (name, params) = at.notes(due_s + 1)
    assert (name, params["code"], params["topic"]) == ("error", -32001, "cmdlog")
    assert "no such queue" in params["message"]
    assert service.subscriptions == {}


def test_a_session_whose_file_goes_ends_the_subscription(service, live, clock):
    at = clock(service)
    (session,) = service.call("sessions", {})["sessions"]
    due_s = subscribe(service, session=session["id"])
    assert at.names(due_s) == ["tree", "iostat"]

    live("import os; os.unlink(d._core.cmdlog_path())")

    ((name, params),) = at.notes(due_s + 1)
    assert (name, params["code"]) == ("error", -32001)


def test_a_subscription_of_a_session_shows_no_other(service, folder, live, clock):
    with Live(folder) as other:
        sessions = service.call("sessions", {})["sessions"]
        (chosen,) = [one for one in sessions if one["pid"] == other.pid]
        due_s = subscribe(service, session=chosen["id"])

        for _, params in clock(service).notes(due_s):
            for kind in ("controllers", "queues"):
                assert {one["session"] for one in params[kind]} == {chosen["id"]}


def test_an_interval_that_was_missed_is_left_out(service, clock):
    at = clock(service)
    due_s = subscribe(service, topics=["iostat"])
    assert at.names(due_s) == ["iostat"]

    assert at.names(due_s + 10) == ["iostat"]
    assert at.names(due_s + 10.9) == []
    assert at.names(due_s + 11) == ["iostat"]


def test_nothing_comes_before_it_is_due(service, clock):
    at = clock(service)
    due_s = subscribe(service, topics=["iostat"])

    assert at.names(due_s - 0.001) == []
    assert at.names(due_s) == ["iostat"]
    assert at.names(due_s + 0.999) == []
    assert at.names(due_s + 1) == ["iostat"]


def test_nothing_comes_after_an_unsubscription(client, live):
    number = client("subscribe", interval_ms=100)["subscription"]
    client.note("iostat")

    assert client("unsubscribe", subscription=number) == {}

    client.notes.clear()
    client("hello")
    assert client.notes == []
    assert client.error("unsubscribe", subscription=number)["code"] == -32001
