"""The pytest plugin, seen from script folders of users."""

from importlib.metadata import entry_points

import pytest

pytest_plugins = ["pytester"]

#: What a script folder of 1.0 brings: an option and fixtures of its own.
OLD_CONFTEST = """
import logging
import pytest
import yaml
import nvme as d

def pytest_addoption(parser):
    parser.addoption("--pciaddr", action="store", default="", help="the DUT")

@pytest.fixture(scope="session")
def pciaddr(request):
    return request.config.getoption("--pciaddr")

@pytest.fixture(scope="session")
def nvme0(pciaddr):
    controller = d.Controller(bytes(pciaddr, encoding="utf8"))
    controller.mine = yaml.safe_load("[1, 2]")
    yield controller

@pytest.fixture(scope="session")
def nvme0n1(nvme0):
    ret = d.Namespace(nvme0, 1)
    yield ret
    ret.close()
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run a script in a process of its own, with the plugin as an installed package has it."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def go(script: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(script)
        plugin = [] if _installed() else ["-p", "nvme.pytest_plugin"]
        return pytester.runpytest_subprocess(*plugin, *options, timeout=120)

    return go


def _installed() -> bool:
    """The entry point is there if the package is installed, and not only built."""
    return any(point.name == "nvme" for point in entry_points(group="pytest11"))


def test_without_an_option_the_software_ssd_is_the_device_and_the_header_says_so(run):
    result = run("def test(nvme0, pciaddr): assert nvme0.addr == pciaddr == 'sim'")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["nvme: the device under test is the software SSD (sim)*"])


def test_the_option_names_the_device(run):
    result = run("def test(nvme0n1): assert nvme0n1.capacity == 1 << 24", "--pciaddr=sim:size=16M")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*software SSD (sim:size=16M)*"])


def test_another_device_is_named_in_the_header(run):
    result = run("def test(): pass", "--pciaddr=01:00.0")

    result.stdout.fnmatch_lines(["nvme: the device under test is 01:00.0"])


def test_the_option_is_listed_once(run):
    result = run("", "--help")

    assert result.stdout.str().count("--pciaddr") == 1


def test_all_fixtures_are_there(run):
    result = run(
        """
        import nvme as d

        def test(pciaddr, pcie, nvme0, nvme0n1, subsystem, buf, aer, verify, qpair):
            assert isinstance(pciaddr, str)
            assert isinstance(pcie, d.Pcie)
            assert isinstance(subsystem, d.Subsystem)
            assert (len(buf), repr(buf)) == (40967, "<buffer name: default buffer>")
            assert callable(aer)
            assert verify is True and d.config() == 1
            nvme0n1.read(qpair, buf, 0).waitdone()

        def test_after():
            assert d.config() == 0
        """
    )

    result.assert_outcomes(passed=2)


def test_a_conftest_of_1_0_works_beside_the_plugin_and_wins(run, pytester):
    pytester.makeconftest(OLD_CONFTEST)

    result = run(
        """
        import nvme as d

        def test_its_fixture(nvme0, nvme0n1):
            assert nvme0.mine == [1, 2]
            assert nvme0n1.id_data(7, 0) != 0

        def test_our_fixtures_on_top(pcie, buf, qpair, nvme0, nvme0n1):
            nvme0n1.read(qpair, buf, 0).waitdone()
        """,
        "--pciaddr=sim:size=16M",
    )

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*software SSD (sim:size=16M)*"])


def test_a_conftest_in_a_folder_below_works_too(run, pytester):
    folder = pytester.mkpydir("scripts")
    (folder / "conftest.py").write_text(OLD_CONFTEST)
    (folder / "test_below.py").write_text("def test(nvme0): assert nvme0.mine")

    run("def test(): pass", "--pciaddr=sim:size=16M").assert_outcomes(passed=2)
    run("def test(): pass", "scripts", "--pciaddr=sim:size=16M").assert_outcomes(passed=1)


def test_what_a_test_leaves_on_the_admin_queue_is_forgotten(run):
    result = run(
        """
        import pytest
        import nvme as d

        def test_leaves_commands_behind(nvme0):
            nvme0.timeout = 50
            for _ in range(5):
                nvme0.getfeatures(7, cb=lambda cdw0, status1: 1 / 0)
            nvme0.send_cmd(0xff)

        def test_finds_none_of_them(nvme0):
            with pytest.raises(TimeoutError):
                nvme0.waitdone()
            assert nvme0.getfeatures(7).waitdone() != 0
        """,
        "-W",
        "error",
    )

    result.assert_outcomes(passed=2)


def test_a_failing_test_shows_the_last_commands_of_each_queue(run):
    result = run(
        """
        def test(nvme0, nvme0n1, qpair, buf):
            nvme0n1.write(qpair, buf, 0x1234, 2).waitdone()
            nvme0.getfeatures(7).waitdone()
            assert False
        """
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*nvme commands of this test*",
            "sim qpair 0: * commands",
            "*Get Features (0a) sqid:0*cdw10:00000007*=> Successful*",
            "sim qpair 1: 1 commands",
            "*Write (01) sqid:1*cdw10:00001234*cdw12:00000001*=> Successful*",
        ]
    )


def test_a_passing_test_shows_none(run):
    result = run("def test(nvme0): nvme0.getfeatures(7).waitdone()")

    assert "nvme commands" not in result.stdout.str()


def test_a_warning_of_a_script_can_be_an_error(run):
    result = run("def test(nvme0): nvme0.send_cmd(0xff).waitdone()", "-W", "error")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*UserWarning: ERROR status: 00/01*"])


def test_two_processes_of_xdist_have_an_ssd_each(run):
    pytest.importorskip("xdist")

    result = run(
        """
        import pytest

        @pytest.mark.parametrize("n", range(8))
        def test(n, nvme0n1, qpair, buf):
            nvme0n1.write(qpair, buf, n).waitdone()
        """,
        "-n2",
    )

    result.assert_outcomes(passed=8)


def test_an_address_without_a_device_is_an_error_of_the_tests_that_need_it(run):
    result = run("def test(nvme0): pass\ndef test_other(): pass", "--pciaddr=ff:1f.7")

    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["*NvmeEnumerateError*"])
