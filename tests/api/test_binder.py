"""Arguments of any kind, for every call there is, in processes of their own."""

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import nvme as d
from nvme import _core

SCRIPT = Path(__file__).resolve().parents[1] / "fuzz" / "random_calls.py"
NAMES = SCRIPT.with_name("random_arguments.py")
SECONDS = 3


@pytest.mark.parametrize("seed", range(3))
def test_any_arguments_return_or_raise_what_is_documented(seed: int) -> None:
    command = [sys.executable, "-X", "faulthandler", str(SCRIPT), str(seed), str(SECONDS)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, f"seed {seed}: {done.returncode}\n{done.stderr[-4000:]}"
    returned, raised = map(int, done.stdout.split()[-2:])
    assert returned > 100
    assert raised > 100


@pytest.mark.parametrize(("seed", "sets"), [(1, 10), pytest.param(2, 1000, marks=pytest.mark.long)])
def test_errors_of_random_arguments_name_a_parameter(
    seed: int, sets: int, record_property: Callable[[str, object], None]
) -> None:
    command = [sys.executable, "-X", "faulthandler", str(NAMES), str(seed), str(sets)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=3600)

    assert done.returncode == 0, f"{done.returncode}\n{done.stderr[-4000:]}"
    *wrong, last = done.stdout.splitlines()
    methods, returned, raised, nameless = map(int, last.split())
    record_property("methods, argument sets each", f"{methods}, {sets}")
    assert wrong == []
    assert nameless == 0
    assert methods > 110
    assert returned > methods * sets / 4
    assert raised > methods * sets / 4


def test_what_is_not_a_number_is_no_time_and_no_rate(nvme0n1, qpair) -> None:
    one_read = {"sizes": struct.pack("<III", 8, 8, 1), "ops": struct.pack("<II", 2, 1)}
    worker = _core.Worker(nvme0n1, **one_read, io_count=1)
    worker.start()
    assert worker.join(60)
    nvme0n1.read(qpair, d.Buffer(), 0)  # an interrupt, or wait_int() would wait without the check

    for call in (qpair.wait_int, worker.join, worker.percentile):
        with pytest.raises(ValueError, match="nan"):
            call(float("nan"))
        with pytest.raises(ValueError, match="is too large"):
            call(10**400)
    with pytest.raises(ValueError, match="iops must be a number, not nan"):
        _core.Worker(nvme0n1, **one_read, io_count=1, iops=float("nan"))
    qpair.waitdone()


def test_what_is_not_a_number_is_no_probability(own) -> None:
    with (
        pytest.raises(ValueError, match="probability must be a number, not nan"),
        d.sim(own).fault("drop", probability=float("nan")),
    ):
        pass
    assert d.sim(own).faults == []
