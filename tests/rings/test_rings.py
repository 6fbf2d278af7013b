"""The rings themselves: what they read out of a process, however it ends."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from threading import Event, Thread

import pytest

from rings.conftest import Lane
from rings.process import Process
from rings.ring import LOGS, TOP, Outcome, Ring
from rings.ring_api import ApiRing, findings, sanitizer_options
from rings.ring_nvmet import NvmetRing
from rings.scripts import SESSION, ScriptRing, pytest_command
from rings.units import cases, figures, tap_outcomes

SCRIPT = """
import os, pytest
def test_passes(): pass
def test_fails(): assert 1 == 2
def test_skips(): pytest.skip("because")
@pytest.mark.xfail(reason="known")
def test_is_known_to_fail(): assert 0
@pytest.fixture
def broken(): raise ValueError("set-up")
def test_has_no_set_up(broken): pass
def test_dies(): os._exit(3)
def test_measures(record_property):
    record_property("resets", 1234)
    record_property("time", "1.5 s")
@pytest.mark.parametrize("a", ["b c"])
def test_comes_after(a): pass
"""
LEAK = """
=================================================================
==7==ERROR: LeakSanitizer: detected memory leaks

Direct leak of 77 byte(s) in 1 object(s) allocated from:
    #0 0x7f in __interceptor_malloc ../../../../src/libsanitizer/asan/asan_malloc_linux.cpp:69
    #1 0x7f in {caller}
    #2 0x7f in cfunction_vectorcall_NOARGS Objects/methodobject.c:486

SUMMARY: AddressSanitizer: 77 byte(s) leaked in 1 allocation(s).
"""
FAULTY = """
#include <stdlib.h>
int main(int argc, char **argv)
{
	char *volatile bytes = malloc(8);

	if (argc > 1)
		bytes[8] = 1;
	bytes = NULL;
}
"""


NUMBERS = count()


class ToyRing(ScriptRing):
    def launch(self, report: Path, arguments: Sequence[str]) -> Process:
        environment = {"PYTHONPATH": str(TOP / "tests")}
        return Process(pytest_command(report, *arguments), self.log, environment, append=True)


class CrashRing(ToyRing):
    def crash(self) -> str:
        return "the machine died"


class HastyRing(ToyRing):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.stall_s = 1.0


class UnbuiltRing(ToyRing):
    def launch(self, report: Path, arguments: Sequence[str]) -> Process:
        raise RuntimeError("does not build")

    def session_faults(self) -> str:
        return self.log.read_text()


def outcomes(
    script: str, kind: type[ToyRing] = ToyRing, beside: bool = False
) -> dict[str, Outcome]:
    """What a ring over one script says of each of its tests, by the test's name.

    beside: another thread does the work
    """
    ring = kind("toy")
    folder = TOP / "build" / f"toy-{next(NUMBERS)}"  # what is in a folder is read once
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "test_toy.py").write_text(script)
    ring.folder = str(folder.relative_to(TOP))
    names = ring.names(long=False)
    ring.start(names)
    worker = Thread(target=ring.work)
    if beside:
        worker.start()
    found = {name.rpartition("::")[2]: ring.outcome(name) for name in names}
    if beside:
        worker.join()
    return found


@pytest.fixture(scope="module")
def toy() -> Iterator[dict[str, Outcome]]:
    yield outcomes(SCRIPT)
    for left in LOGS.glob("toy*"):
        left.unlink()


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("test_passes", "passed", ""),
        ("test_fails", "failed", "assert 1 == 2"),
        ("test_skips", "skipped", "because"),
        ("test_is_known_to_fail", "xfailed", "known"),
        ("test_has_no_set_up", "failed", "ValueError: set-up"),
        ("test_dies", "failed", "the process ended in this test"),
        ("test_comes_after[b c]", "passed", ""),
    ],
)
def test_outcome_of(toy: dict[str, Outcome], name: str, kind: str, text: str) -> None:
    assert toy[name].kind == kind
    assert text in toy[name].text


def test_outcomes_are_the_same_when_another_thread_does_the_work(toy: dict[str, Outcome]) -> None:
    found = outcomes(SCRIPT, beside=True)

    assert {name: one.kind for name, one in found.items()} == {
        name: one.kind for name, one in toy.items()
    }


def test_a_process_that_takes_long_to_end_is_not_ended_by_the_thread_that_works() -> None:
    script = "import atexit, time\natexit.register(time.sleep, 2)\ndef test_passes(): pass\n"

    assert {one.kind for one in outcomes(script, beside=True).values()} == {"passed"}


class SlowRing(Ring):
    """Works until it is told to end; notes what begins and ends."""

    early = True

    def __init__(self, notes: list[str]) -> None:
        self.notes = notes
        self.end = Event()

    def names(self, long: bool) -> Sequence[str]:
        return ["test"]

    def outcome(self, name: str) -> Outcome:
        return Outcome("passed")

    def work(self) -> None:
        self.notes.append("begins")
        self.end.wait()
        self.notes.append("ends")


def test_early_rings_work_one_after_another() -> None:
    notes: list[str] = []
    first, second = SlowRing(notes), SlowRing(notes)
    lane = Lane([first, second])

    lane.wait_for_turn(first)
    assert not lane.begun[second].is_set()
    first.end.set()
    lane.wait_for_turn(second)
    second.end.set()
    lane.thread.join()

    assert notes == ["begins", "ends", "begins", "ends"]


def test_an_early_ring_does_not_begin_once_the_session_is_over() -> None:
    notes: list[str] = []
    first, second = SlowRing(notes), SlowRing(notes)
    lane = Lane([first, second])

    second.end.set()  # should it begin after all

    lane.wait_for_turn(first)
    lane.stop()
    first.end.set()
    lane.thread.join()

    assert notes == ["begins", "ends"]
    lane.wait_for_turn(second)  # returns: whoever asks for it runs it


def test_a_crash_that_is_no_fault_of_the_test_has_it_run_once_more(tmp_path: Path) -> None:
    script = f"""
import os, pathlib
def test_before(): pass
def test_dies_at_first():
    mark = pathlib.Path({str(tmp_path / "mark")!r})
    if not mark.exists():
        mark.touch()
        os._exit(9)
def test_dies_always(): os._exit(9)
def test_behind(): pass
"""

    found = outcomes(script, CrashRing)

    assert found["test_dies_at_first"].kind == "passed"
    assert found["test_dies_at_first"].figures == {"run again": "the machine died"}
    assert found["test_dies_always"].kind == "failed"
    assert found["test_before"].kind == found["test_behind"].kind == "passed"


def test_a_test_that_hangs_in_its_teardown_costs_only_itself() -> None:
    found = outcomes(
        """
import pytest, time
@pytest.fixture
def hangs():
    yield
    time.sleep(1000)
def test_before(): pass
def test_fails(hangs): assert 1 == 2
def test_passes(hangs): pass
def test_behind(): pass
""",
        HastyRing,
    )

    kinds = {name: outcome.kind for name, outcome in found.items() if name != SESSION}
    assert kinds == {
        "test_before": "passed",
        "test_fails": "failed",
        "test_passes": "failed",
        "test_behind": "passed",
    }
    assert "assert 1 == 2" in found["test_fails"].text
    assert "the process hung and was ended in this test" in found["test_passes"].text


class BlindRing(ToyRing, ApiRing):
    """Its sanitizer has left what is written here."""

    report_text = "LeakSanitizer has encountered a fatal error.\n"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.reports = TOP / "build" / "toy-reports"
        shutil.rmtree(self.reports, ignore_errors=True)
        self.reports.mkdir(parents=True)

    def launch(self, report: Path, arguments: Sequence[str]) -> Process:
        (self.reports / "report.1").write_text(self.report_text)
        return super().launch(report, arguments)

    def begin(self) -> None:
        ScriptRing.begin(self)


class SilentRing(BlindRing):
    report_text = ""


ABORTS = """
import atexit, os
def test_passes(): atexit.register(os.abort)
"""


def test_a_leak_check_that_fails_by_itself_spoils_no_session() -> None:
    assert outcomes(ABORTS, BlindRing)[SESSION].kind == "passed"

    found = outcomes(ABORTS, SilentRing)[SESSION]

    assert found.kind == "failed"
    assert "exit status -6" in found.text


def test_a_leak_check_that_fails_by_itself_excuses_no_test_that_is_missing() -> None:
    found = outcomes("import os\ndef test_dies(): os.abort()\n", BlindRing)

    assert found["test_dies"].kind == "failed"


def test_what_does_not_build_is_said_once() -> None:
    found = outcomes(SCRIPT, UnbuiltRing)

    assert found[SESSION] == Outcome("failed", "does not build")
    assert found["test_passes"].kind == "failed"


def test_figures_travel_with_the_outcome(toy: dict[str, Outcome]) -> None:
    assert toy["test_measures"].figures == {"resets": 1234, "time": "1.5 s"}
    assert toy["test_passes"].figures == {}


def test_figures_of_a_program() -> None:
    text = "ok 1 - a\n# figure IOs: 1,234\n# IOs: 7\n# figure longest wait: 3 us\n"

    assert figures(text) == {"IOs": "1,234", "longest wait": "3 us"}


def test_figures_stand_in_one_table_before_the_closing_line(tmp_path: Path) -> None:
    script = tmp_path / "test_it.py"
    script.write_text(
        """
def test_first(record_property):
    record_property("resets", 1234)
    record_property("rate", 12.345)
def test_nothing_to_say(): pass
def test_second(record_property):
    record_property("time", "1.5 s")
    assert 0
"""
    )
    command = [sys.executable, "-m", "pytest", "-p", "figures", "-p", "no:nvme", "--rootdir=."]
    environment = {**os.environ, "PYTHONPATH": str(TOP / "tests")}

    done = subprocess.run(
        [*command, script.name], cwd=tmp_path, env=environment, capture_output=True, text=True
    )

    lines = done.stdout.splitlines()
    at = next(n for n, line in enumerate(lines) if " figures " in line)
    assert [line.split() for line in lines[at + 1 : -1] if "FAILED" not in line][:3] == [
        ["test_it.py::test_first", "resets", "1,234"],
        ["rate", "12.3"],
        ["test_it.py::test_second", "time", "1.5", "s"],
    ]
    assert "1 failed, 2 passed" in lines[-1]


def test_process_that_worked_is_no_fault(toy: dict[str, Outcome]) -> None:
    assert toy[SESSION].kind == "passed"


def test_processes_end_with_a_session_that_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = f"""
import os, pathlib, time
from rings.process import Process
child = Process(["sleep", "600"], pathlib.Path({str(tmp_path / "log")!r}))
comm = pathlib.Path(f"/proc/{{child.child.pid}}/comm")
while comm.read_text() != "sleep\\n":
    time.sleep(0.01)
pathlib.Path({str(note)!r}).write_text(str(child.child.pid))
os.kill(os.getpid(), 9)
"""
    environment = {**os.environ, "PYTHONPATH": str(TOP / "tests")}

    subprocess.run([sys.executable, "-c", code], env=environment, check=False)

    left = Path("/proc", note.read_text())
    deadline = time.monotonic() + 60
    while left.exists() and "Z" not in left.joinpath("stat").read_text().split(")")[1]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cmocka_unit_test(a), cmocka_unit_test_setup(\n\tb, open)", ["a", "b"]),
        ("#define T(test) cmocka_unit_test_setup(test, open)\nT(a), T(b)", ["a", "b"]),
        ("cmocka_unit_test(a), cmocka_unit_test(a)", ["a"]),
        ("#define T(test) other(test)\nT(a)", []),
    ],
)
def test_cases_declared_by(text: str, names: list[str]) -> None:
    assert cases(text) == names


def test_tap_of_every_kind() -> None:
    text = (
        "1..4\nok 1 - a\nnot ok 2 - b\n# 0x1 != 0x2\nnot ok 3 # SKIP c\nnot ok 4 - d Could not run"
    )

    assert tap_outcomes(text) == {"a": "passed", "b": "failed", "c": "skipped", "d": "failed"}


def test_leak_of_our_own_is_found() -> None:
    assert len(findings(LEAK.format(caller="dma_alloc ../../src/bus/dma.c:3"))) == 1


def test_leak_of_the_interpreter_is_not_ours() -> None:
    assert findings(LEAK.format(caller="_PyMem_RawMalloc Objects/obmalloc.c:99")) == []


def test_any_other_report_of_a_sanitizer_is_found_whole() -> None:
    report = "==7==ERROR: AddressSanitizer: heap-use-after-free\n    #0 0x7f in list_del"

    assert findings(report) == [report]


def test_a_leak_check_that_failed_by_itself_finds_nothing() -> None:
    report = (
        "Tracer caught signal 11: addr=0x6e28 pc=0x7f9e3b2e80f0 sp=0x7f9e365ffd10\n"
        "==24942==LeakSanitizer has encountered a fatal error.\n"
    )

    assert findings(report) == []
    assert findings(f"{report}==24942==ERROR: AddressSanitizer: SEGV")


def test_a_fault_ends_a_process_by_a_signal_and_a_leak_does_not(tmp_path: Path) -> None:
    program, source = tmp_path / "faulty", tmp_path / "faulty.c"
    source.write_text(FAULTY)
    subprocess.run(["cc", "-fsanitize=address", "-o", program, source], check=True)
    environment = {**os.environ, **sanitizer_options()}

    leak, fault = (
        subprocess.run([program, *more], env=environment, capture_output=True, text=True)
        for more in ([], ["fault"])
    )

    assert "detected memory leaks" in leak.stderr
    assert leak.returncode == 0
    assert "heap-buffer-overflow" in fault.stderr
    assert fault.returncode == -signal.SIGABRT


def names_of_picks(
    monkeypatch: pytest.MonkeyPatch, there: list[str], long: bool = False
) -> tuple[list[str], str]:
    """What the ring that picks its tests takes of those that are there, and its complaint."""
    picks: dict[str, tuple[str, ...]] = {"test_some": ("test_one", "test_two"), "sub/test_all": ()}
    monkeypatch.setattr("rings.ring_nvmet.PICKED", picks)
    monkeypatch.setattr("rings.scripts.collected", lambda folder, long, on_a_drive: (there, ""))
    monkeypatch.setattr(NvmetRing, "prepare", lambda self: None)
    ring = NvmetRing("picks")
    return ring.names(long), "\n".join(ring.faults)


def test_a_ring_takes_the_tests_that_it_picks_and_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    picked = ["test_some.py::test_one[a]", "test_some.py::test_one[b.py::c]"]
    picked += ["test_some.py::test_two", "sub/test_all.py::test_any"]
    others = ["test_some.py::test_one_more", "test_all.py::test_any", "test_other.py::test_one"]
    there = [f"tests/api/{name}" for name in picked + others]

    names, complaint = names_of_picks(monkeypatch, there)

    assert names == [*there[: len(picked)], SESSION]
    assert not complaint


def test_a_ring_that_picks_takes_all_in_its_long_form(monkeypatch: pytest.MonkeyPatch) -> None:
    there = ["tests/api/test_other.py::test_one"]

    assert names_of_picks(monkeypatch, there, long=True) == ([*there, SESSION], "")


def test_a_ring_says_which_of_its_picks_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    complaint = names_of_picks(monkeypatch, ["tests/api/test_some.py::test_one"])[1]

    assert complaint == "no such tests: sub/test_all, test_two"
