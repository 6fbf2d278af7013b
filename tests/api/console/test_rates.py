"""Rates: of counts at two moments, whoever wrote them and whenever."""

import itertools

import pytest

from nvme.console.describe import latency
from nvme.console.feed import Session, Snapshot
from nvme.console.layout import ADMIN, BUCKETS, IO, WORKER, Controller, Counts, Slot, bucket_end_ns
from nvme.console.rates import Rates

SECOND = 1_000_000_000


def buckets(**counts):
    return tuple(counts.get(f"b{i}", 0) for i in range(BUCKETS))


def counts(commands=0, at=0, errors=0, latencies=(), **more):
    spread = [0] * BUCKETS
    for index, n in latencies:
        spread[index] += n
    fields = {"reads": 0, "writes": 0, "read_bytes": 0, "written_bytes": 0} | more
    total = sum(bucket_end_ns(index) * n for index, n in latencies)
    return Counts(
        updated_ns=at,
        commands=commands,
        errors=errors,
        latency_sum_ns=total,
        latency_max_ns=max([bucket_end_ns(index) for index, n in latencies], default=0),
        latency=tuple(spread),
        **fields,
    )


def slot(
    sqid, of=None, edition=2, kind=WORKER, closed_ns=0, controller=1, outstanding=0, about=None
):
    kind = kind if sqid else ADMIN
    return Slot(
        sqid,
        edition,
        1,
        closed_ns,
        sqid,
        kind,
        controller,
        32,
        "sim",
        outstanding,
        of or counts(),
        about,
    )


def admin(temperature=None, controller=1):
    about = Controller(None, None, None, None, None, "ready", 0, temperature, 1)
    return slot(0, counts(50, SECOND), controller=controller, about=about)


def snapshot(second, *slots, id="1-1-1"):
    session = Session(id, 1, 1, True, None, True, None, None, slots)
    return Snapshot(second * 1e3, int(second * SECOND), (session,), ())


def at(second, **fields):
    return counts(at=int(second * SECOND), **fields)


def rates(*moments):
    found = Rates()
    for moment in moments:
        last = found.iostat(moment)
    return last


def test_the_first_look_has_no_rates():
    found = rates(snapshot(10, admin(), slot(1, at(10, commands=1000))))

    assert found["interval_ms"] is None
    for kind in ("sessions", "controllers"):
        assert [one["iops"] for one in found[kind]] == [None]
    assert [one["iops"] for one in found["queues"]] == [None, None]


def test_a_rate_is_of_the_time_between_two_publications():
    found = rates(
        snapshot(10.05, admin(), slot(1, at(10.0, commands=1000, read_bytes=10, errors=1))),
        snapshot(11.01, admin(), slot(1, at(11.0, commands=3000, read_bytes=4106, errors=3))),
    )

    queue = found["queues"][1]
    assert (queue["iops"], queue["read_bytes_per_s"], queue["errors_per_s"]) == (2000, 4096, 2)
    assert found["interval_ms"] == pytest.approx(960)


def test_a_queue_that_rests_has_the_rate_of_all_the_time():
    found = rates(
        snapshot(10, slot(1, at(2, commands=1000))),
        snapshot(12, slot(1, at(12, commands=1001))),
    )
    assert found["queues"][0]["iops"] == 0.5

    found = rates(
        snapshot(10, slot(1, at(10, commands=1000))),
        snapshot(12, slot(1, at(10, commands=1000))),
    )
    assert found["queues"][0]["iops"] == 0


def test_a_queue_that_is_new_began_with_nothing():
    found = rates(snapshot(10, admin()), snapshot(12, admin(), slot(1, at(12, commands=100))))

    assert found["queues"][1]["iops"] == 50
    assert found["controllers"][0]["iops"] == 50


def test_a_queue_in_the_same_place_is_another_one():
    found = rates(
        snapshot(10, slot(1, at(10, commands=5000), edition=2)),
        snapshot(12, slot(1, at(12, commands=100), edition=4)),
    )

    assert found["queues"][0]["iops"] == 50


def test_what_was_deleted_meanwhile_counts_in_the_sum():
    found = rates(
        snapshot(10, admin(), slot(1, at(10, commands=1000))),
        snapshot(12, admin(), slot(1, at(12, commands=1100), closed_ns=5)),
    )

    assert [one["id"] for one in found["queues"]] == ["1-1-1/0.2"]
    assert found["controllers"][0]["iops"] == 50


def test_the_admin_queue_is_in_no_sum():
    busy = slot(0, at(12, commands=1000), outstanding=4, about=admin().about)

    found = rates(
        snapshot(10, admin(), slot(1, at(10), outstanding=7)),
        snapshot(12, busy, slot(1, at(12), outstanding=7)),
    )

    assert (found["controllers"][0]["iops"], found["controllers"][0]["outstanding"]) == (0, 7)


def test_sums_go_up_to_controller_and_session():
    def both(second, n):
        return snapshot(
            second,
            admin(40, 1),
            slot(1, at(second, commands=n)),
            slot(2, at(second, commands=n)),
            admin(60, 2),
            slot(3, at(second, commands=n), controller=2),
        )

    found = rates(both(10, 100), both(11, 200))

    assert [one["iops"] for one in found["controllers"]] == [200, 100]
    (session,) = found["sessions"]
    assert (session["iops"], session["temperature_celsius"]) == (300, 60)


def test_a_look_that_comes_too_soon_is_of_the_time_before():
    found = rates(
        snapshot(10, slot(1, at(10, commands=0))),
        snapshot(11, slot(1, at(11, commands=1000))),
        snapshot(11.05, slot(1, at(11.05, commands=1050))),
    )

    assert found["interval_ms"] == pytest.approx(1050)
    assert found["queues"][0]["iops"] == pytest.approx(1000)


def test_counts_that_go_back_are_no_negative_rate():
    found = rates(
        snapshot(10, slot(1, at(10, commands=1000, latencies=[(40, 1000)]))),
        snapshot(11, slot(1, at(11, commands=10, latencies=[(40, 10)]))),
    )

    assert (found["queues"][0]["iops"], found["queues"][0]["latency"]) == (0, None)


def test_latencies_are_of_the_interval():
    found = rates(
        snapshot(10, slot(1, at(10, commands=1000, latencies=[(100, 1000)]))),
        snapshot(11, slot(1, at(11, commands=1100, latencies=[(100, 1000), (40, 99), (60, 1)]))),
    )

    latencies = found["queues"][0]["latency"]
    assert latencies["p50_us"] == latencies["p99_us"] == bucket_end_ns(40) / 1e3
    assert latencies["p999_us"] == latencies["max_us"] == bucket_end_ns(60) / 1e3


def test_a_session_that_ended_has_no_rates():
    ended = snapshot(10, admin())
    ended = ended._replace(sessions=(ended.sessions[0]._replace(alive=False),))

    assert rates(ended)["sessions"] == []


def test_ends_of_buckets_follow_each_other():
    ends = [bucket_end_ns(index) for index in range(BUCKETS)]

    assert ends[:9] == [0, 1, 2, 3, 4, 5, 6, 7, 9]
    assert ends[-2] == 7 * 2**34 - 1
    assert all(low < high <= low * 1.25 + 1 for low, high in itertools.pairwise(ends))


def test_percentiles_never_leave_what_was_seen():
    assert latency(buckets(), 0, 0) is None
    found = latency(buckets(b143=1), 2**40, 2**40)
    assert {found[name] for name in ("p50_us", "p99_us", "max_us")} == {2**40 / 1e3}
    found = latency(buckets(b40=1), 4200, bucket_end_ns(40) - 5)
    assert found["p50_us"] == found["max_us"] == (bucket_end_ns(40) - 5) / 1e3


def test_a_queue_of_a_script_is_one_too():
    found = rates(
        snapshot(10, slot(1, at(10, commands=10), kind=IO)),
        snapshot(12, slot(1, at(12, commands=20), kind=IO)),
    )

    assert found["queues"][0]["iops"] == 5
