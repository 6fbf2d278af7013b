"""Arguments of any kind, for every call there is, in processes of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "fuzz" / "random_calls.py"
SECONDS = 3


@pytest.mark.parametrize("seed", range(3))
def test_any_arguments_return_or_raise_what_is_documented(seed: int) -> None:
    command = [sys.executable, "-X", "faulthandler", str(SCRIPT), str(seed), str(SECONDS)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, f"seed {seed}: {done.returncode}\n{done.stderr[-4000:]}"
    returned, raised = map(int, done.stdout.split()[-2:])
    assert returned > 100
    assert raised > 100
