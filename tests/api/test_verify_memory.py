"""What is known of the data: what forgets it, what survives, and how it is saved."""

import gc
import subprocess
import sys

import pytest

import nvme as d


@pytest.fixture(autouse=True)
def checked():
    d.config(verify=True)
    yield
    d.config(verify=False)


@pytest.fixture
def qp(own):
    with d.Qpair(own, 16) as qpair:
        yield qpair


@pytest.fixture
def buf8():
    return d.Buffer(4096)


def is_checked(own, namespace, qpair, slba):
    """Whether wrong data of this LBA would be reported."""
    import warnings

    with (
        d.sim(own).fault("bitflip", opcode=2, admin=False, times=1),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        namespace.read(qpair, d.Buffer(512), slba).waitdone()
    return any("02/81" in str(one.message) for one in caught)


def test_what_was_never_written_is_not_checked(own, own_namespace, qp):
    assert not is_checked(own, own_namespace, qp, 5)


def test_what_was_written_is_checked(own, own_namespace, qp, buf8):
    own_namespace.write(qp, buf8, 5, 8).waitdone()

    assert is_checked(own, own_namespace, qp, 5)
    assert is_checked(own, own_namespace, qp, 12)
    assert not is_checked(own, own_namespace, qp, 13)


def test_trimmed_lbas_are_forgotten(own, own_namespace, qp, buf8):
    own_namespace.write(qp, buf8, 5, 8).waitdone()
    ranges = d.Buffer(4096)
    ranges.set_dsm_range(0, 6, 2)
    own_namespace.dsm(qp, ranges, 1).waitdone()

    assert [is_checked(own, own_namespace, qp, lba) for lba in (5, 6, 7, 8)] == [1, 0, 0, 1]


def test_zeroed_lbas_are_forgotten(own, own_namespace, qp, buf8):
    own_namespace.write(qp, buf8, 5, 8).waitdone()
    own_namespace.write_zeroes(qp, 6, 2).waitdone()

    assert [is_checked(own, own_namespace, qp, lba) for lba in (5, 6, 7, 8)] == [1, 0, 0, 1]


def test_a_format_forgets_everything(own, own_namespace, buf8):
    with d.Qpair(own, 16) as qp:
        own_namespace.write(qp, buf8, 5, 8).waitdone()
        own_namespace.format(512)
        assert not is_checked(own, own_namespace, qp, 5)


def sanitize_state(nvme):
    log = d.Buffer(512)
    nvme.getlogpage(0x81, log, 20).waitdone()
    return log[2] & 7


@pytest.mark.parametrize(
    "sanitize", [lambda nvme: nvme.sanitize(), lambda nvme: nvme.send_cmd(0x84, cdw10=2)]
)
@pytest.mark.filterwarnings("ignore:AER notification")
def test_a_sanitize_forgets_every_namespace(buf8, sanitize):
    nvme = d.Controller("sim:size=64M,ns=2,latency=none,sanitize_s=0.05")
    namespaces = [d.Namespace(nvme, 1), d.Namespace(nvme, 2)]
    with d.Qpair(nvme, 16) as qp:
        for namespace in namespaces:
            namespace.write(qp, buf8, 5, 8).waitdone()
            assert is_checked(nvme, namespace, qp, 5)
        sanitize(nvme).waitdone()
        while sanitize_state(nvme) == 2:
            pass

        assert not any(is_checked(nvme, namespace, qp, 5) for namespace in namespaces)


def test_a_format_of_one_namespace_leaves_the_others_alone(buf8):
    nvme = d.Controller("sim:size=64M,ns=2,latency=none")
    first, second = d.Namespace(nvme, 1), d.Namespace(nvme, 2)
    with d.Qpair(nvme, 16) as qp:
        for namespace in (first, second):
            namespace.write(qp, buf8, 5, 8).waitdone()
        nvme.format(0, 0, 2).waitdone()

        assert is_checked(nvme, first, qp, 5)
        assert not is_checked(nvme, second, qp, 5)


@pytest.mark.parametrize("how", ["abort", "reset"])
def test_a_write_that_is_cut_short_is_forgotten(how, buf8):
    nvme = d.Controller("sim:size=64M,latency=none")
    namespace = d.Namespace(nvme)
    with d.Qpair(nvme, 16) as qp, d.sim(nvme).fault(opcode=1, admin=False, delay=5, nth=2):
        namespace.write(qp, buf8, 5, 8).waitdone()
        assert is_checked(nvme, namespace, qp, 5)
        namespace.write(qp, buf8, 5, 4, cb=lambda cdw0, status1: None)
        if how == "abort":
            nvme.abort(qp.latest_cid, qp.sqid).waitdone()
            qp.waitdone()
        else:
            nvme.reset()
    with d.Qpair(nvme, 16) as qp:
        assert [is_checked(nvme, namespace, qp, lba) for lba in (5, 8, 9)] == [0, 0, 1]


def test_a_failed_write_is_forgotten(own, own_namespace, qp, buf8):
    own_namespace.write(qp, buf8, 5, 8).waitdone()
    with (
        d.sim(own).fault(status=0x280, opcode=1, admin=False),
        pytest.warns(UserWarning, match="02/80"),
    ):
        own_namespace.write(qp, buf8, 6, 2).waitdone()

    assert [is_checked(own, own_namespace, qp, lba) for lba in (5, 6, 7, 8)] == [1, 0, 0, 1]


def test_stamps_are_number_and_token(own_namespace, qp, buf8):
    own_namespace.write(qp, buf8, 100, 8).waitdone()
    first = buf8.data(511, 504)

    for i in range(8):
        assert buf8.data(512 * i + 7, 512 * i) == 100 + i
        assert buf8.data(512 * i + 511, 512 * i + 504) == first + i


def test_tokens_rise_by_one_an_lba_across_workers(own_namespace, qp, buf8):
    own_namespace.write(qp, buf8, 0, 8).waitdone()
    before = buf8.data(511, 504)
    for _ in range(3):
        own_namespace.ioworker(io_count=100, io_size=4, read_percentage=0).start().close()
    own_namespace.write(qp, buf8, 0, 8).waitdone()

    assert buf8.data(511, 504) == before + 8 + 3 * 100 * 4


def test_conflicting_data_is_reported(own, own_namespace, qp, buf8):
    own_namespace.write(qp, buf8, 0, 1).waitdone()
    with d.sim(own).fault(delay=0.2, opcode=2, admin=False):
        own_namespace.read(qp, d.Buffer(4096), 0, 1)
        own_namespace.write(qp, buf8, 0, 1)
        with pytest.warns(UserWarning, match="02/81"):
            qp.waitdone(2)


def test_locks_avoid_false_reports(own, own_namespace, qp, buf8):
    assert own_namespace.verify_enable()
    own_namespace.write(qp, buf8, 0, 1).waitdone()
    with d.sim(own).fault(delay=0.2, opcode=2, admin=False):
        own_namespace.read(qp, d.Buffer(4096), 0, 1)
        own_namespace.write(qp, buf8, 0, 1)
        qp.waitdone(2)
    own_namespace.verify_enable(False)


def test_after_a_power_loss_only_durable_lbas_are_strict(own, own_namespace, buf8):
    with d.Qpair(own, 16) as qp:
        own_namespace.write(qp, buf8, 0, 1).waitdone()
        own_namespace.flush(qp).waitdone()
        own_namespace.write(qp, buf8, 1, 1, 1 << 14).waitdone()
        own_namespace.write(qp, buf8, 2, 1).waitdone()
    d.Subsystem(own).power_cycle(0.1)

    with d.Qpair(own, 16) as qp:
        assert [is_checked(own, own_namespace, qp, lba) for lba in range(3)] == [1, 1, 0]


def test_after_an_orderly_shutdown_all_lbas_are_strict(own, own_namespace, buf8):
    with d.Qpair(own, 16) as qp:
        own_namespace.write(qp, buf8, 0, 8).waitdone()
    d.Subsystem(own).shutdown_notify()
    d.Subsystem(own).power_cycle(0.1)

    with d.Qpair(own, 16) as qp:
        assert is_checked(own, own_namespace, qp, 5)


def test_saved_data_is_checked_after_loading(own, own_namespace, qp, buf8, tmp_path):
    own_namespace.write(qp, buf8, 5, 8).waitdone()
    assert d.verify_save(tmp_path / "table") >= 1
    own_namespace.write_zeroes(qp, 5, 8).waitdone()
    assert not is_checked(own, own_namespace, qp, 5)

    d.verify_load(tmp_path / "table")

    with pytest.warns(UserWarning, match="02/81"):
        own_namespace.read(qp, buf8, 5).waitdone()


def test_data_on_a_file_is_checked_in_the_next_session(tmp_path, buf8):
    address = f"sim:size=16M,media=file,file={tmp_path / 'drive'}"

    def session():
        nvme = d.Controller(address)
        return nvme, d.Namespace(nvme)

    nvme, namespace = session()
    namespace.ioworker(io_count=500, read_percentage=0, io_size=8).start().close()
    assert d.verify_save(tmp_path / "table") >= 1
    namespace.close()
    del nvme, namespace
    gc.collect()

    nvme, namespace = session()
    assert d.verify_load(tmp_path / "table") >= 1
    assert namespace.ioworker(io_count=4000, lba_random=False).start().close().error == 0
    with (
        d.sim(nvme).fault("bitflip", opcode=2, admin=False),
        pytest.warns(UserWarning, match="02/81"),
    ):
        assert namespace.ioworker(io_count=4000, lba_random=False).start().close().error == 0x281


@pytest.mark.parametrize("content", [b"", b"x" * 1000, b"pynvme verify 1\0" + bytes(2000)])
def test_other_files_are_refused(own_namespace, tmp_path, content):
    (tmp_path / "file").write_bytes(content)

    with pytest.raises(ValueError):
        d.verify_load(tmp_path / "file")


def test_a_damaged_file_changes_nothing(own, own_namespace, qp, buf8, tmp_path):
    own_namespace.write(qp, buf8, 5, 8).waitdone()
    d.verify_save(tmp_path / "table")
    content = bytearray((tmp_path / "table").read_bytes())
    content[-100] ^= 1
    (tmp_path / "table").write_bytes(content)

    with pytest.raises(ValueError):
        d.verify_load(tmp_path / "table")


@pytest.mark.parametrize("state", ["shut down", "without power", "removed", "reset by hand"])
def test_saving_needs_no_drive(own, own_namespace, buf8, tmp_path, state):
    with d.Qpair(own, 16) as qp:
        own_namespace.write(qp, buf8, 5, 8).waitdone()
        own_namespace.flush(qp).waitdone()
    if state == "shut down":
        d.Subsystem(own).shutdown_notify()
    elif state == "without power":
        d.Subsystem(own).poweroff()
    elif state == "removed":
        d.sim(own).remove()
    else:
        own[0x14] = 0

    saved = d.verify_save(tmp_path / "table")

    assert saved >= 1
    assert b"SIM0000000000001" in (tmp_path / "table").read_bytes()


def test_data_saved_without_power_is_checked_when_it_is_back(own, own_namespace, buf8, tmp_path):
    with d.Qpair(own, 16) as qp:
        own_namespace.write(qp, buf8, 5, 8).waitdone()
        own_namespace.flush(qp).waitdone()
    subsystem = d.Subsystem(own)
    subsystem.poweroff()
    d.verify_save(tmp_path / "table")
    subsystem.poweron()
    with d.Qpair(own, 16) as qp:
        own_namespace.write_zeroes(qp, 5, 8).waitdone()
        assert not is_checked(own, own_namespace, qp, 6)

        d.verify_load(tmp_path / "table")

        assert is_checked(own, own_namespace, qp, 6)


def test_the_serial_number_is_known_without_the_standard_initialisation(tmp_path):
    def init(nvme):
        nvme.init_adminq()
        nvme.enable()
        nvme.wait_csts(True)

    nvme = d.Controller("sim:size=16M,latency=none,sn=MINE", init)
    namespace = d.Namespace(nvme)
    d.sim(nvme).remove()

    assert d.verify_save(tmp_path / "table") >= 1
    assert b"MINE" in (tmp_path / "table").read_bytes()
    namespace.close()


def test_saving_nothing_is_an_error_and_keeps_the_file(tmp_path):
    script = """
import sys
import nvme as d
try:
    d.verify_save(sys.argv[1])
except ValueError as why:
    print(why)
"""
    table = tmp_path / "table"
    table.write_bytes(b"of yesterday")

    done = subprocess.run(
        [sys.executable, "-c", script, table], capture_output=True, text=True, check=True
    )

    assert done.stdout == "no namespace is open: there is nothing to save\n"
    assert table.read_bytes() == b"of yesterday"
