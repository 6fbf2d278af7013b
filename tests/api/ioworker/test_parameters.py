"""Namespace.ioworker(): what each parameter does, seen in the last commands of the worker."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nvme as d

READ, WRITE, FLUSH, DSM = 2, 1, 0, 9
NAN, INF = float("nan"), float("inf")


def sent(namespace, count=200, **parameters):
    """The commands of a worker, in order, one at a time: (slba, nlb, opcode)."""
    recent = [None] * count
    parameters = {"qdepth": 2, "iops": 0, **parameters}
    worker = namespace.ioworker(io_count=count, output_cmdlog_list=recent, **parameters).start()
    assert worker.close().error == 0
    return recent


@pytest.fixture(scope="module")
def small():
    """Namespace of a software SSD, for what Hypothesis tries."""
    nvme = d.Controller("sim:size=1M,latency=none")
    namespace = d.Namespace(nvme)
    yield namespace
    namespace.close()
    del nvme


def starts(namespace, count=200, **parameters):
    """Where its commands began."""
    return sorted(slba for slba, _, _ in sent(namespace, count, **parameters))


def test_sequential_goes_by_alignment_and_wraps(nvme0n1):
    found = starts(nvme0n1, 10, lba_random=False, io_size=8, lba_align=16, region_end=80)

    assert found == sorted([0, 16, 32, 48, 64] * 2)


def test_random_stays_aligned_in_the_region(nvme0n1):
    found = starts(nvme0n1, 2000, io_size=8, region_start=1001, region_end=2000)

    assert len(set(found)) > 100
    assert all(slba % 8 == 0 and 1008 <= slba <= 1992 for slba in found)


def test_the_region_ends_with_the_namespace(nvme0n1):
    last = nvme0n1.capacity // nvme0n1.sector_size
    found = starts(nvme0n1, 100, io_size=8, lba_align=1, region_start=last - 16)

    assert all(last - 16 <= slba <= last - 8 for slba in found)


@pytest.mark.parametrize(
    ("lba_start", "first"), [(0, 80), (8, 80), (96, 96), (97, 97), (10**9, 80), (10**18, 80)]
)
def test_lba_start_is_where_the_first_command_goes(nvme0n1, lba_start, first):
    (slba, _, _), *_ = sent(
        nvme0n1, 1, lba_random=False, region_start=80, region_end=800, lba_start=lba_start
    )

    assert slba == first


def test_a_negative_step_goes_down(nvme0n1):
    found = starts(nvme0n1, 4, lba_random=False, lba_start=80, lba_step=-16, region_end=800)

    assert found == [32, 48, 64, 80]


def test_a_percentage_of_random_commands(nvme0n1):
    recent = sent(nvme0n1, 3000, lba_random=20)
    slbas = {slba for slba, _, _ in recent}

    followed = sum(slba + 8 in slbas for slba in slbas)
    assert 0.7 < followed / len(slbas) < 0.9


@pytest.mark.parametrize("sizes", [[1, 8, 64], range(1, 17), (2, 4)])
def test_sizes_are_chosen_alike(nvme0n1, sizes):
    recent = sent(nvme0n1, 1600, io_size=sizes)
    counts = {size: sum(nlb == size for _, nlb, _ in recent) for size in sizes}

    assert sum(counts.values()) == 1600
    assert all(abs(n - 1600 / len(sizes)) < 6 * (1600 / len(sizes)) ** 0.5 for n in counts.values())
    assert all(slba % nlb == 0 for slba, nlb, _ in recent)


def test_sizes_are_chosen_by_weight_and_have_their_alignment(nvme0n1):
    recent = sent(nvme0n1, 2000, io_size={8: 90, 16: 10}, lba_align=[32, 64])

    small = sum(nlb == 8 for _, nlb, _ in recent)
    assert 1700 < small < 1900
    assert all(slba % (4 * nlb) == 0 for slba, nlb, _ in recent)


@pytest.mark.parametrize("percent", [0, 30, 100])
def test_reads_and_writes_are_mixed(nvme0n1, percent):
    results = nvme0n1.ioworker(io_count=4000, read_percentage=percent).start().close()

    assert results.io_count_read + results.io_count_write == 4000
    assert results.io_count_nonread == results.io_count_write
    assert abs(results.io_count_read - percent * 40) < (200 if percent == 30 else 1)


def test_op_percentage_is_replaced_by_the_counts(nvme0n1):
    mix = {READ: 50, WRITE: 30, FLUSH: 15, DSM: 5}
    results = nvme0n1.ioworker(io_count=2000, op_percentage=mix).start().close()

    assert sum(mix.values()) == 2000
    assert results.error == 0
    assert (results.io_count_read, results.io_count_write) == (mix[READ], mix[WRITE])
    assert results.io_count_nonread == 2000 - mix[READ]
    assert 850 < mix[READ] < 1150
    assert 200 < mix[FLUSH] < 400
    assert 40 < mix[DSM] < 180


def test_a_distribution_favours_its_slices(nvme0n1):
    weights = [0] * 100
    weights[10], weights[90] = 7500, 2500
    found = starts(nvme0n1, 2000, distribution=weights, region_end=80000, lba_start=8000)

    low = sum(8000 <= slba < 8800 for slba in found)
    high = sum(72000 <= slba < 72800 for slba in found)
    assert low + high == 2000
    assert 1380 < low < 1620


def test_a_sequence_is_replayed(nvme0n1):
    sequence = [(0, READ, 10, 1), (1000, WRITE, 500, 8), (20000, READ, 3, 2)]
    recent = [None] * 3
    results = (
        nvme0n1.ioworker(io_sequence=sequence, output_cmdlog_list=recent, qdepth=4).start().close()
    )

    # Those under way at one time may complete in any order (NVMe base 2.0, 3.3.1.2.1).
    assert sorted(recent) == [(3, 2, READ), (10, 1, READ), (500, 8, WRITE)]
    assert results.mseconds >= 20
    assert (results.io_count_read, results.io_count_write) == (2, 1)


def test_a_longer_list_keeps_what_it_had(nvme0n1):
    recent = ["mine"] * 5
    nvme0n1.ioworker(io_count=3, lba_random=False, output_cmdlog_list=recent).start().close()

    assert sorted(recent[:3]) == [(0, 8, READ), (8, 8, READ), (16, 8, READ)]
    assert recent[3:] == ["mine", "mine"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({}, bytes(8)),
        ({"ptype": 0, "pvalue": 1}, b"\xff" * 8),
        ({"ptype": 32, "pvalue": 0x01020304}, b"\x04\x03\x02\x01" * 2),
    ],
)
def test_data_of_writes(nvme0n1, qpair, buf, pattern, expected):
    nvme0n1.ioworker(
        io_count=2, lba_random=False, read_percentage=0, region_end=16, **pattern
    ).start().close()

    nvme0n1.read(qpair, buf, 9).waitdone()
    assert buf.data(7, 0) == 9
    assert buf[8:16] == expected


def test_random_data_differs_from_write_to_write(nvme0n1, qpair, buf):
    nvme0n1.ioworker(
        io_count=2, lba_random=False, read_percentage=0, region_end=16, ptype=0xBEEF, pvalue=100
    ).start().close()

    nvme0n1.read(qpair, buf, 0).waitdone()
    first = buf[8:400]
    nvme0n1.read(qpair, buf, 8).waitdone()
    assert len(set(first)) > 100
    assert buf[8:400] != first


def test_numbers_may_be_floats(nvme0n1):
    results = (
        nvme0n1.ioworker(
            io_size=8.0, lba_align=8.0, read_percentage=50.0, qdepth=16.0, io_count=1e3,
            region_start=0.0, region_end=1e5, iops=1e6, lba_start=0.0, time=30.0,
        )
        .start()
        .close()
    )  # fmt: skip

    assert results.io_count_read + results.io_count_write == 1000


@pytest.mark.parametrize(
    ("start", "end", "size"),
    [(0, 15, 16), (8, 15, 8), (100, 101, 2), (0, 1, 2), (1, 9, 8), (0, 4, 8), (5, 13, 8)],
)
def test_a_region_in_which_no_command_fits_is_refused(own, own_namespace, start, end, size):
    before = d.sim(own).stats.reads
    with pytest.raises(AssertionError, match=f"no IO of io_size {size} fits into the region"):
        own_namespace.ioworker(io_count=1, region_start=start, region_end=end, io_size=size)

    assert d.sim(own).stats.reads == before


@pytest.mark.parametrize("sizes", [[8, 16, 64], {8: 90, 64: 9, 16: 1}])
def test_every_size_must_fit(nvme0n1, sizes):
    with pytest.raises(AssertionError, match=r"no IO of io_size 64 fits"):
        nvme0n1.ioworker(io_count=1, io_size=sizes, region_end=63)
    assert sent(nvme0n1, 10, io_size=sizes, region_end=64)


def test_the_last_place_of_the_namespace_is_not_passed(nvme0n1):
    last = nvme0n1.capacity // nvme0n1.sector_size
    with pytest.raises(AssertionError, match="no IO of io_size 64 fits"):
        nvme0n1.ioworker(io_count=1, io_size=64, lba_align=1, region_start=last - 63)
    found = starts(nvme0n1, 10, io_size=64, lba_align=1, region_start=last - 64)

    assert set(found) == {last - 64}


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_command_leaves_its_region(small, data):
    """Whatever the arguments: by the commands that the software SSD got."""
    lbas = st.integers(0, 300)
    sizes = data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=3, unique=True))
    start, end = data.draw(lbas), data.draw(lbas)
    parameters = {
        "io_size": sizes,
        "lba_align": data.draw(st.none() | st.integers(1, 50)),
        "lba_random": data.draw(st.sampled_from([True, False, 50])),
        "lba_start": data.draw(lbas),
        "lba_step": data.draw(st.none() | st.integers(-100, 100)),
        "distribution": data.draw(st.none() | st.just([0, 200] * 50)),
        "op_percentage": dict(data.draw(st.sampled_from([{2: 100}, {1: 50, 9: 25, 8: 25}]))),
        "region_start": start,
        "region_end": end,
    }
    try:
        recent = sent(small, 60, **parameters)
    except AssertionError:
        assert end - start < max(sizes) + 50  # refused for good reason: alignment may cost a bit
        return
    assert all(start <= slba and slba + nlb <= end for slba, nlb, _ in recent)


def test_a_region_is_filled_once(own, own_namespace):
    """Neither time nor a count: the end of the region is the end of the worker."""
    recent = [None] * 10
    results = (
        own_namespace.ioworker(
            lba_random=False,
            read_percentage=0,
            region_start=3,
            region_end=30,
            output_cmdlog_list=recent,
        )
        .start()
        .close()
    )

    assert sorted(recent[:4]) == [(3, 8, WRITE), (11, 8, WRITE), (19, 8, WRITE), (27, 3, WRITE)]
    assert recent[4:] == [None] * 6
    assert results.io_count_write == 4
    assert d.sim(own).stats.writes == 27


@pytest.mark.parametrize(
    "parameters",
    [
        {"lba_random": True, "region_end": 800},
        {"lba_random": 50, "region_end": 800},
        {"lba_random": False},
        {"lba_random": False, "region_end": 800, "lba_step": 8},
    ],
)
def test_only_a_sequential_worker_with_a_region_needs_no_end(nvme0n1, parameters):
    with pytest.raises(AssertionError, match="either time or io_count is needed"):
        nvme0n1.ioworker(**parameters)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("lba_random", 0, 100), ("read_percentage", 0, 100), ("qprio", 0, 3), ("qdepth", 2, 1023)],
)
def test_a_number_has_its_range(nvme0n1, name, least, most):
    for value in (least - 1, most + 1):
        with pytest.raises(AssertionError, match=rf"{name} must be {least}\.\.{most}, not {value}"):
            nvme0n1.ioworker(io_count=1, **{name: value})
    for value in (least, most):
        assert nvme0n1.ioworker(io_count=1, **{name: value})


def test_a_sequence_flushes_and_trims(nvme0n1, qpair, buf):
    nvme0n1.write(qpair, buf, 100, 8).waitdone()
    sequence = [(0, WRITE, 200, 8), (1000, FLUSH, 0, 0), (2000, DSM, 100, 8)]
    recent = [None] * 3
    nvme0n1.ioworker(io_sequence=sequence, output_cmdlog_list=recent).start().close()

    assert sorted(recent) == [(0, 0, FLUSH), (100, 8, DSM), (200, 8, WRITE)]


@pytest.mark.parametrize(
    ("sequence", "why"),
    [
        ([(0, READ, 0, 0)], "a command of no LBAs"),
        ([(0, DSM, 0, 0)], "a command of no LBAs"),
        ([(0, READ, 0, 65537)], "a count of LBAs must be"),
        ([(0, READ, 10, 8), (1, READ, 96, 5)], "command 1 of the sequence, 5 LBAs at 96, leaves"),
    ],
)
def test_a_sequence_that_cannot_be_is_refused(nvme0n1, sequence, why):
    with pytest.raises(AssertionError, match=why):
        nvme0n1.ioworker(io_sequence=sequence, region_end=100)


@pytest.mark.parametrize("depth", [1, 2, 1023])
def test_iodepth_stands_in_for_qdepth(own_namespace, depth):
    results = own_namespace.ioworker(io_count=3000, iodepth=depth, qdepth=0).start().close()

    assert results.io_count_read == 3000


def test_iodepth_goes_from_one_to_what_the_queues_hold(nvme0, nvme0n1):
    mqes = nvme0.cap & 0xFFFF
    for depth in (0, mqes + 1):
        with pytest.raises(AssertionError, match=rf"iodepth must be 1\.\.{mqes} \(MQES\)"):
            nvme0n1.ioworker(io_count=1, iodepth=depth)
    assert nvme0n1.ioworker(io_count=10, iodepth=mqes).start().close().io_count_read == 10


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"output_io_per_second": ()}, "output_io_per_second must be a list"),
        ({"output_cmdlog_list": (None,)}, "output_cmdlog_list must be a list"),
        ({"output_latency_distribution_ns": ()}, "output_latency_distribution_ns must be a list"),
        ({"output_percentile_latency": [50]}, "output_percentile_latency must be a dict"),
        ({"output_percentile_latency": {"50": 0}}, "a percentile must be a number"),
        ({"op_percentage": [(2, 100)]}, "op_percentage must be a dict"),
        ({"io_size": "8"}, "io_size must be a number"),
        ({"qdepth": "8"}, "qdepth must be a number"),
        ({"region_end": None}, "region_end must be a number"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_runs(nvme0n1, parameters, why):
    with pytest.raises(TypeError, match=why):
        nvme0n1.ioworker(**{"io_count": 1, **parameters})


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"time": 0, "io_count": 0},
        {"io_count": 1, "qdepth": 0},
        {"io_count": 1, "qdepth": 1},
        {"io_count": 1, "qdepth": 1024},
        {"io_count": 1, "region_start": 2**62},
        {"io_count": 1, "region_start": 800, "region_end": 800},
        {"io_count": 1, "io_size": 0},
        {"io_count": 1, "io_size": []},
        {"io_count": 1, "io_size": [8, 16], "lba_align": [8]},
        {"io_count": 1, "lba_align": 0},
        {"io_count": 1, "read_percentage": 101},
        {"io_count": 1, "lba_random": 101},
        {"io_count": 1, "op_percentage": {2: 99}},
        {"io_count": 1, "distribution": [100] * 99},
        {"io_count": 1, "distribution": [101] * 100},
        {"io_count": 1, "iops": -1},
        {"io_count": 1, "iops": NAN},
        {"io_count": 1, "iops": INF},
        {"io_count": 1, "iops": 10**400},
        {"io_count": 1, "qprio": 4},
        {"io_count": -1},
        {"io_count": NAN},
        {"io_count": INF},
        {"time": -1},
        {"time": 3601 * 1000},
        {"time": NAN},
        {"time": NAN, "io_count": 1},
        {"time": INF},
        {"time": -INF},
        {"time": 10**400},
        {"io_sequence": []},
        {"io_sequence": [(NAN, READ, 0, 1)]},
        {"io_sequence": [(INF, READ, 0, 1)]},
        {"io_sequence": [(-1, READ, 0, 1)]},
        {"io_sequence": [(3601e9, READ, 0, 1)]},
        {"io_sequence": [(10, READ, 0, 1), (5, READ, 0, 1)]},
        {"io_count": 1, "output_percentile_latency": {100: 0}},
        {"io_count": 1, "output_percentile_latency": {0: 0}},
        {"io_count": 1, "output_percentile_latency": {NAN: 0}},
    ],
)
def test_wrong_parameters_are_assertion_errors(nvme0n1, parameters):
    with pytest.raises(AssertionError):
        nvme0n1.ioworker(**parameters)


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"time": NAN}, "time must be a number, not nan"),
        ({"time": -1}, r"time must be 0\.\.1000 hours, not -1"),
        ({"time": 10**400}, "time is too large"),
        ({"io_count": 1, "iops": INF}, "iops must be a number, not inf"),
        ({"io_count": 1, "iops": -1}, "iops must not be negative, but is -1"),
        ({"io_sequence": [(-1, READ, 0, 1)]}, r"io_sequence: .* 0\.\.1000 hours, not -1 us"),
        ({"io_sequence": [(NAN, READ, 0, 1)]}, "io_sequence: a time must be a number, not nan"),
    ],
)
def test_an_impossible_number_is_named(nvme0n1, parameters, why):
    with pytest.raises(AssertionError, match=why):
        nvme0n1.ioworker(**parameters)


@pytest.mark.parametrize("name", ["time", "iops"])
@pytest.mark.parametrize("value", ["1", None])
def test_what_is_no_number_at_all_is_a_type_error(nvme0n1, name, value):
    with pytest.raises(TypeError, match=f"{name} must be a number, not <class"):
        nvme0n1.ioworker(**{"io_count": 1, name: value})


@pytest.mark.parametrize("iops", [1e18, 1e19, 1e300])
def test_a_rate_beyond_any_drive_is_no_limit(nvme0n1, iops):
    results = nvme0n1.ioworker(io_count=1000, iops=iops, time=3600).start().close()

    assert results.io_count_read == 1000


def test_the_signature_is_the_manuals():
    import inspect

    parameters = inspect.signature(d.Namespace.ioworker).parameters
    positional = [
        p for p in parameters if parameters[p].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]

    assert positional[1:] == [
        "io_size", "lba_align", "lba_random", "read_percentage", "time", "qdepth",
        "region_start", "region_end", "iops", "io_count", "lba_start", "qprio",
        "output_io_per_second", "output_percentile_latency",
    ]  # fmt: skip


def test_the_same_seed_gives_the_same_commands(nvme0n1):
    d.srand(5)
    first = starts(nvme0n1)
    second = starts(nvme0n1)
    d.srand(5)

    assert starts(nvme0n1) == first
    assert second != first


def test_a_queue_depth_of_the_devices_limit(nvme0, nvme0n1):
    entries = (nvme0.cap & 0xFFFF) + 1
    depth = min(1023, entries)

    assert nvme0n1.ioworker(io_count=5000, qdepth=depth).start().close().io_count_read == 5000
    if entries < 1023:
        with pytest.raises(AssertionError, match="MQES"):
            nvme0n1.ioworker(io_count=1, qdepth=entries + 1)
