"""The software SSD and another device, compared. On the software SSD: RAM and file media."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import nvme as d
from diff.justified import LIST
from diff.pair import Failed, Pair, explore, replay
from diff.side import Side
from diff.steps import DSM, Generator

pytestmark = pytest.mark.filterwarnings("ignore:AER notification")

BYTES = 64 << 20
OURS = (
    f"sim:size={BYTES},ns=2,ms=8,mdts=128K,vs=1.4,mqes=2048,latency=none,erase_s=0,shutdown_s=0.001"
)
SIZES = {1: BYTES, 2: BYTES}
#: Commands of one session: on the software SSD, on the guest's device, and of its long form.
SHORT, GUEST, LONG = 10_000, 1_500, 100_000

Record = Callable[[str, object], None]


@pytest.fixture
def pair(pciaddr: str, tmp_path: Path) -> Iterator[Pair]:
    """Our device, and the device under test or else our device with file media."""
    theirs = pciaddr
    if theirs.startswith("sim"):
        theirs = f"{OURS},file={tmp_path / 'media'}"
    found = Pair(Side(OURS, SIZES), Side(theirs, SIZES))
    yield found
    found.close()
    gc.collect()
    left = {name: count for name, count in d._core.counts().items() if count}
    assert not left, f"left behind: {left}"


@pytest.fixture
def record(pciaddr: str) -> Path:
    """Where the shortest sequence of a failure is kept."""
    where = Path("build") / "diff"
    where.mkdir(parents=True, exist_ok=True)
    return where / f"{pciaddr.split(':')[0]}.json"


def compare(pair: Pair, seed: int, commands: int, record: Path, note: Record) -> None:
    start = time.monotonic()
    explore(pair, seed, commands, record)
    note("commands", pair.commands)
    note("seconds", round(time.monotonic() - start, 1))
    note("justified differences", sum(pair.seen.values()))
    for name, count in sorted(pair.seen.items()):
        note(f"justified: {name}", count)


def test_both_devices_answer_alike(
    pair: Pair, pciaddr: str, record: Path, record_property: Record
) -> None:
    commands = SHORT if pciaddr.startswith("sim") else GUEST

    compare(pair, 1, commands, record, record_property)


@pytest.mark.long
def test_both_devices_answer_alike_for_long(
    pair: Pair, pciaddr: str, record: Path, record_property: Record
) -> None:
    compare(pair, 2, LONG, record, record_property)

    if not pciaddr.startswith("sim"):
        unmet = [entry.name for entry in LIST if entry.name not in pair.seen]
        assert not unmet, f"not a difference any more: {unmet}"


def test_the_shortest_sequence_is_found_and_kept(pair: Pair, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    ssd = d.sim(pair.ours.nvme)

    with (
        ssd.fault(admin=False, opcode=DSM, status=0x006),
        pytest.raises(Failed, match="00/06"),
    ):
        explore(pair, 1, 2_000, kept)

    assert [step.kind for step in replay(kept)] == ["dsm"]
    assert json.loads(kept.read_text())


def test_a_seed_makes_the_same_sequence_again() -> None:
    first, again, other = (Generator(seed).sequence(200) for seed in (5, 5, 6))

    assert first == again != other
