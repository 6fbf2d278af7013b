"""Wrong data is caught on the first read, by single commands and by workers."""

import pytest

import nvme as d

RUNS = 20
#: Faults of reads and of writes, and which of them the read itself shows.
READ_FAULTS = ["bitflip", "stale", "misdirected"]
WRITE_FAULTS = ["bitflip", "misdirected", "torn", "lost"]
READ, WRITE = 2, 1


@pytest.fixture(autouse=True)
def checked():
    d.config(verify=True)
    yield
    d.config(verify=False)


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
def test_a_bad_read_of_one_command(own, written, action):
    buf = d.Buffer(4096)
    with d.Qpair(own, 16) as qpair:
        for run in range(RUNS):
            slba = run * 13 % 700
            value = value_of(action, run)
            with d.sim(own).fault(action, opcode=READ, admin=False, times=1, value=value) as rule:
                rewrite(written)
                with pytest.warns(UserWarning, match="ERROR status: 02/81"):
                    written.read(qpair, buf, slba, 1 + run % 8).waitdone()
                assert rule.hits == 1
            written.read(qpair, buf, slba, 1 + run % 8).waitdone()


@pytest.mark.parametrize("action", WRITE_FAULTS)
def test_a_bad_write_is_seen_by_the_next_read(own, written, action):
    buf = d.Buffer(4096)
    with d.Qpair(own, 16) as qpair:
        for run in range(RUNS):
            slba = run * 24
            value = value_of(action, run)
            with d.sim(own).fault(action, opcode=WRITE, admin=False, times=1, value=value) as rule:
                written.write(qpair, buf, slba, 8).waitdone()
                assert rule.hits == 1
            with pytest.warns(UserWarning, match="ERROR status: 02/81"):
                written.read(qpair, buf, slba, 8).waitdone()
            # What a misdirected write has hit is wrong, too.
            rewrite(written)


@pytest.mark.parametrize("action", READ_FAULTS)
def test_a_bad_read_of_a_worker(own, written, action):
    for run in range(RUNS):
        with d.sim(own).fault(
            action, opcode=READ, admin=False, nth=1 + run * 3, times=1, value=value_of(action, run)
        ) as rule:
            rewrite(written)
            worker = written.ioworker(io_count=200, region_end=800, qdepth=8).start()
            with pytest.warns(UserWarning, match="ioworker device ERROR status: 02/81"):
                results = worker.close()
            assert rule.hits == 1
        assert results.error == 0x281
        error = worker.errors[0]
        assert error.crc_expected != error.crc_got
        assert error.slba <= error.lba < error.slba + error.nlb
        if action == "misdirected":
            assert error.stamp != error.lba
            assert error.first_difference is not None


@pytest.mark.parametrize("action", WRITE_FAULTS)
def test_a_bad_write_of_a_worker(own, written, action):
    for run in range(RUNS):
        value = value_of(action, run)
        with d.sim(own).fault(
            action, opcode=WRITE, admin=False, nth=1 + run * 4, times=1, value=value
        ) as rule:
            rewrite(written)
            assert rule.hits == 1
        worker = written.ioworker(io_count=100, lba_random=False, region_end=800).start()
        with pytest.warns(UserWarning, match="ioworker device ERROR status: 02/81"):
            worker.close()


def test_nothing_is_reported_without_faults(own_namespace):
    workers = [
        own_namespace.ioworker(
            time=1, read_percentage=50, qdepth=4, region_start=i * 8000, region_end=(i + 1) * 8000,
            lba_random=False, io_size=8,
        ).start()
        for i in range(4)
    ]  # fmt: skip

    assert [worker.close().error for worker in workers] == [0] * 4


def test_verify_off_lets_everything_pass(own, written):
    d.config(verify=False)
    with d.sim(own).fault("bitflip", opcode=READ, admin=False):
        assert written.ioworker(io_count=200, region_end=800).start().close().error == 0
