"""Wrong data is caught on the first read, by single commands and by workers."""

import pytest

import nvme as d

RUNS = 20
RUNS_LONG = 100
HOUR_WORKERS = 16
#: Faults of reads and of writes, and which of them the read itself shows.
READ_FAULTS = ["bitflip", "stale", "misdirected"]
WRITE_FAULTS = ["bitflip", "misdirected", "torn", "lost"]
READ, WRITE = 2, 1


@pytest.fixture(autouse=True)
def checked():
    d.config(verify=True)
    yield
    d.config(verify=False)


@pytest.fixture
def runs(request, record_property):
    """How often each fault is injected."""
    count = RUNS_LONG if request.config.getoption("--long", False) else RUNS
    record_property("faults injected", count)
    return count


def value_of(action, run):
    """Misdirected data is so many LBAs away; the others need no value."""
    return 8 * (run % 7 + 1) if action == "misdirected" else 0


@pytest.fixture
def written(own_namespace):
    """LBAs 0..799 were written twice, so that there is something stale."""
    for _ in range(2):
        own_namespace.ioworker(
            io_count=100, lba_random=False, read_percentage=0, region_end=800
        ).start().close()
    return own_namespace


def rewrite(namespace):
    """Writes LBAs 0..799 once more. The device knows what they held while a rule needs it."""
    namespace.ioworker(
        io_count=100, lba_random=False, read_percentage=0, region_end=800
    ).start().close()


@pytest.mark.parametrize("action", READ_FAULTS)
def test_a_bad_read_of_one_command(own, written, action, runs):
    buf = d.Buffer(4096)
    with d.Qpair(own, 16) as qpair:
        for run in range(runs):
            slba = run * 13 % 700
            value = value_of(action, run)
            with d.sim(own).fault(action, opcode=READ, admin=False, times=1, value=value) as rule:
                rewrite(written)
                with pytest.warns(UserWarning, match="ERROR status: 02/81"):
                    written.read(qpair, buf, slba, 1 + run % 8).waitdone()
                assert rule.hits == 1
            written.read(qpair, buf, slba, 1 + run % 8).waitdone()


@pytest.mark.parametrize("action", WRITE_FAULTS)
def test_a_bad_write_is_seen_by_the_next_read(own, written, action, runs):
    buf = d.Buffer(4096)
    with d.Qpair(own, 16) as qpair:
        for run in range(runs):
            slba = run * 24 % 790
            value = value_of(action, run)
            with d.sim(own).fault(action, opcode=WRITE, admin=False, times=1, value=value) as rule:
                written.write(qpair, buf, slba, 8).waitdone()
                assert rule.hits == 1
            with pytest.warns(UserWarning, match="ERROR status: 02/81"):
                written.read(qpair, buf, slba, 8).waitdone()
            # What a misdirected write has hit is wrong, too.
            rewrite(written)


@pytest.mark.parametrize("action", READ_FAULTS)
def test_a_bad_read_of_a_worker(own, written, action, runs):
    for run in range(runs):
        with d.sim(own).fault(
            action,
            opcode=READ,
            admin=False,
            nth=1 + run * 3 % 190,
            times=1,
            value=value_of(action, run),
        ) as rule:
            rewrite(written)
            worker = written.ioworker(io_count=200, region_end=800, qdepth=8).start()
            with pytest.warns(UserWarning, match="ioworker ERROR status: 02/81, host: data"):
                results = worker.close()
            assert rule.hits == 1
        assert results.error == 0x281
        error = worker.errors[0]
        assert error.crc_expected != error.crc_got
        assert error.slba <= error.lba < error.slba + error.nlb
        if action == "misdirected":
            assert error.stamp != error.lba
            assert error.first_difference is not None


def test_a_mismatch_of_a_worker_is_no_word_of_the_drive(own, written):
    worker = written.ioworker(io_count=100, lba_random=False, region_end=800)
    with (
        d.sim(own).fault("bitflip", opcode=READ, admin=False, nth=3, times=1),
        pytest.warns(UserWarning, match="ioworker ") as caught,
    ):
        results = worker.start().close()

    error = worker.errors[0]
    assert (results.error, error.status, error.by_host) == (0x281, 0x281, True)
    assert error.command.status == 0
    text = (
        f"ioworker ERROR status: 02/81, host: data mismatch, LBA 0x{error.lba:x}, "
        f"CRC expected 0x{error.crc_expected:08x}, got 0x{error.crc_got:08x}, "
    )
    assert results.why.startswith(text)
    assert str(caught[0].message).startswith(text)
    assert "device" not in results.why
    assert "Unrecovered Read Error" not in results.why


def test_a_status_of_the_drive_is_its_own_under_a_worker(own, written):
    worker = written.ioworker(io_count=100, lba_random=False, region_end=800)
    with (
        d.sim(own).fault(status=0x281, opcode=READ, admin=False, nth=3, times=1),
        pytest.warns(UserWarning, match="ioworker device ERROR status: 02/81, Unrecovered"),
    ):
        worker.start().close()

    error = worker.errors[0]
    assert (error.status, error.by_host, error.command.status) == (0x281, False, 0x281)


@pytest.mark.parametrize("action", WRITE_FAULTS)
def test_a_bad_write_of_a_worker(own, written, action, runs):
    for run in range(runs):
        value = value_of(action, run)
        with d.sim(own).fault(
            action, opcode=WRITE, admin=False, nth=1 + run * 4 % 97, times=1, value=value
        ) as rule:
            rewrite(written)
            assert rule.hits == 1
        worker = written.ioworker(io_count=100, lba_random=False, region_end=800).start()
        with pytest.warns(UserWarning, match="ioworker ERROR status: 02/81, host: data"):
            worker.close()


def random_io(namespace, seconds):
    """Reads and writes of all sizes, by many workers, each in a region of its own."""
    size = namespace.capacity // namespace.sector_size // HOUR_WORKERS
    workers = [
        namespace.ioworker(
            time=seconds,
            io_size=range(1, 17),
            lba_align=1,
            qdepth=8,
            region_start=i * size,
            region_end=(i + 1) * size,
            op_percentage={2: 50, 1: 45, 0: 1, 8: 2, 9: 2},
            ptype=0xBEEF,
            pvalue=100,
        ).start()
        for i in range(HOUR_WORKERS)
    ]
    return [worker.close() for worker in workers]


def test_nothing_is_reported_without_faults(own_namespace):
    """Locks keep the commands of a worker apart from each other."""
    own_namespace.verify_enable()
    results = random_io(own_namespace, 3)

    assert [r.error for r in results] == [0] * HOUR_WORKERS
    assert all(r.io_count_write for r in results)


@pytest.mark.long
@pytest.mark.timeout(2 * 3600)
def test_nothing_is_reported_in_an_hour(own_namespace, record_property):
    own_namespace.verify_enable()
    results = random_io(own_namespace, 3600)
    record_property("workers", HOUR_WORKERS)
    record_property("time", f"{min(r.mseconds for r in results) / 1000:,.1f} s")
    record_property("reads", sum(r.io_count_read for r in results))
    record_property("other commands", sum(r.io_count_nonread for r in results))
    record_property("reported", sum(r.error != 0 for r in results))

    assert [r.error for r in results] == [0] * HOUR_WORKERS


def test_verify_off_lets_everything_pass(own, written):
    d.config(verify=False)
    with d.sim(own).fault("bitflip", opcode=READ, admin=False):
        assert written.ioworker(io_count=200, region_end=800).start().close().error == 0
