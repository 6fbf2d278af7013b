"""--nvme-strict: the test fails that caused what otherwise is a warning."""

import pytest

from .test_plugin import OLD_CONFTEST, run

pytest_plugins = ["pytester"]

__all__ = ["run"]

#: Each of the first half fails if it is strict, and only that; none of the second half does.
SCRIPT = """
import gc
import threading

import pytest

import nvme as d


def test_bad_status(nvme0):
    nvme0.send_cmd(0xff).waitdone()

def test_bad_status_of_an_io_command(nvme0n1, qpair):
    nvme0n1.send_cmd(0xff, qpair, nsid=1).waitdone()

def test_bad_status_of_a_command_of_the_tool(nvme0):
    nvme0.id_data(0, cns=0xff)

def test_bad_status_in_a_thread(nvme0n1, qpair):
    thread = threading.Thread(target=lambda: nvme0n1.send_cmd(0xff, qpair, nsid=1).waitdone())
    thread.start()
    thread.join()

def test_bad_timeout(nvme0, nvme0n1, qpair, buf):
    nvme0.timeout = 100
    with d.sim(nvme0).fault("delay", admin=False, opcode=2, delay=0.3):
        nvme0n1.read(qpair, buf, 0)
        try:
            qpair.waitdone()
        finally:
            nvme0.timeout = 5000

def test_bad_event(nvme0):
    try:
        nvme0.setfeatures(4, cdw11=200).waitdone(2)
    finally:
        nvme0.setfeatures(4, cdw11=400).getlogpage(2, d.Buffer(), 512).waitdone(2)

def test_bad_event_that_nobody_waits_for(nvme0):
    nvme0.setfeatures(4, cdw11=200)

def test_bad_event_that_was_aborted():
    own = d.Controller("sim:size=16M")
    own.abort([e.cid for e in own.cmdlog_entries() if e.opcode == 12][0]).waitdone(2)

def test_bad_worker(nvme0, nvme0n1):
    with d.sim(nvme0).fault(admin=False, opcode=2, status=0x281):
        nvme0n1.ioworker(io_count=10).start().close()

def test_bad_worker_that_nobody_closed(nvme0, nvme0n1):
    with d.sim(nvme0).fault(admin=False, opcode=2, status=0x281):
        worker = nvme0n1.ioworker(io_count=10).start()
        while worker.running:
            pass
        del worker
        gc.collect()

def test_bad_worker_of_the_host(nvme0n1):
    nvme0n1.ioworker(io_size=65536, io_count=1).start().close()

def test_bad_data(nvme0, nvme0n1, qpair, buf, verify):
    nvme0n1.write(qpair, buf, 0, 8).waitdone()
    with d.sim(nvme0).fault("bitflip", opcode=2, admin=False):
        nvme0n1.read(qpair, buf, 0, 8).waitdone()

def test_bad_data_that_a_callback_sees(nvme0, nvme0n1, qpair, buf, verify):
    nvme0n1.write(qpair, buf, 0, 8).waitdone()
    with d.sim(nvme0).fault("bitflip", opcode=2, admin=False):
        nvme0n1.read(qpair, buf, 0, 8, cb=lambda cdw0, status1: None).waitdone()

def test_bad_assertion(nvme0):
    def cb(cdw0, status1):
        assert cdw0 == 1234567
    nvme0.getfeatures(7, cb=cb).waitdone()


def test_fine(nvme0, nvme0n1, qpair, buf, verify):
    nvme0n1.write(qpair, buf, 0, 8).waitdone()
    nvme0n1.read(qpair, buf, 0, 8).waitdone()
    nvme0.getfeatures(7).waitdone()
    assert nvme0n1.ioworker(io_count=10).start().close().error == 0

def test_fine_status_that_is_expected(nvme0):
    with pytest.warns(UserWarning, match="ERROR status: 00/01"):
        nvme0.send_cmd(0xff).waitdone()

def test_fine_status_that_a_callback_sees(nvme0):
    nvme0.send_cmd(0xff, cb=lambda cdw0, status1: None).waitdone()

@pytest.mark.filterwarnings("default:ERROR status")
def test_fine_status_that_is_allowed(nvme0):
    nvme0.send_cmd(0xff).waitdone()

def test_fine_event_that_is_expected(nvme0, aer):
    nvme0.setfeatures(4, cdw11=400).getlogpage(2, d.Buffer(), 512).waitdone(2)
    got = []
    aer(lambda cdw0, status1: got.append(cdw0))
    nvme0.setfeatures(4, cdw11=200).waitdone(2)
    nvme0.setfeatures(4, cdw11=400).getlogpage(2, d.Buffer(), 512).waitdone(2)
    assert len(got) == 1

@pytest.mark.filterwarnings("default:ERROR status. 02/81, host")
def test_fine_data_that_may_differ(nvme0, nvme0n1, qpair, buf, verify):
    nvme0n1.write(qpair, buf, 0, 8).waitdone()
    with d.sim(nvme0).fault("bitflip", opcode=2, admin=False):
        nvme0n1.read(qpair, buf, 0, 8, cb=lambda cdw0, status1: None).waitdone()

def test_fine_warning_of_the_scripts_own():
    import warnings
    warnings.warn("something else")
"""
BAD, FINE = SCRIPT.count("def test_bad"), SCRIPT.count("def test_fine")


def failures(result: pytest.RunResult) -> set[str]:
    lines = [
        line for line in result.outlines if line.startswith(("FAILED ", "ERROR ")) and "::" in line
    ]
    return {line.split("::")[1].split()[0] for line in lines}


@pytest.fixture
def all_bad() -> set[str]:
    return {line.split()[1].split("(")[0] for line in SCRIPT.splitlines() if "def test_bad" in line}


def test_off_by_default_nothing_fails(run):
    run(SCRIPT).assert_outcomes(passed=BAD + FINE)


def test_strict_fails_the_tests_that_caused_it_and_no_others(run, all_bad):
    result = run(SCRIPT, "--nvme-strict")

    assert failures(result) == all_bad
    result.assert_outcomes(passed=FINE, failed=BAD)


def test_strict_can_be_the_rule_of_a_folder(run, pytester, all_bad):
    pytester.makeini("[pytest]\nnvme_strict = true\n")

    assert failures(run(SCRIPT)) == all_bad


def test_strict_works_beside_a_conftest_of_1_0(run, pytester, all_bad):
    pytester.makeconftest(OLD_CONFTEST)

    assert failures(run(SCRIPT, "--nvme-strict")) == all_bad


def test_filters_of_the_folder_win(run, pytester):
    pytester.makeini("[pytest]\nnvme_strict = true\nfilterwarnings = default:ERROR status\n")

    result = run(
        """
        def test_allowed(nvme0): nvme0.send_cmd(0xff).waitdone()
        def test_not_allowed(nvme0):
            def cb(cdw0, status1): assert 0
            nvme0.getfeatures(7, cb=cb).waitdone()
        """
    )

    result.assert_outcomes(passed=1, failed=1)


def test_strict_without_warnings_says_what_it_needs(run):
    result = run("def test(): pass", "--nvme-strict", "-p", "no:warnings")

    assert "--nvme-strict needs pytest's own plugin 'warnings'" in result.stderr.str()


def test_a_failure_names_the_line_of_the_script(run):
    result = run("def test(nvme0):\n    nvme0.send_cmd(0xff).waitdone()", "--nvme-strict")

    result.stdout.fnmatch_lines([">*nvme0.send_cmd(0xff).waitdone()", "E *UserWarning: ERROR*"])
    assert "warn.py" not in result.stdout.str()


def test_an_error_shows_the_line_of_the_script_and_nothing_of_the_package(run):
    result = run("def test(nvme0):\n    nvme0.abort(70000)")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([">*nvme0.abort(70000)", "E *ValueError: cid must be*"])
    assert "admin.py" not in result.stdout.str()
