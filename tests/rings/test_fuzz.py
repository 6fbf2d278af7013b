"""The fuzz ring: how many targets work at once, and what it says of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from rings.fuzz_targets import FINDINGS, Program, Target
from rings.ring import LOGS, TOP, Outcome
from rings.ring_fuzz import AT_ONCE, FuzzRing

DONE = """
INFO: seed corpus: files: 55 min: 142b max: 3169b total: 38321b rss: 32Mb
#28546\tDONE   cov: 1537 ft: 7061 corp: 1009/1Mb lim: 3169 exec/s: 1097 rss: 480Mb
stat::number_of_executed_units: 28546
stat::average_exec_per_sec:     1097
"""


class Toy(Target):
    """A shell script in place of a fuzzer."""

    def __init__(self, name: str, script: str) -> None:
        super().__init__(f"toy-{name}")
        self.script = script

    def build(self) -> None:
        pass

    def command(self, seconds: float) -> Sequence[str | Path]:
        return ["sh", "-c", self.script]

    def figures(self, text: str) -> dict[str, Any]:
        return {"executions": text.count("ran")}

    def faults(self, text: str) -> list[str]:
        return ["it leaks"] if "leak" in text else []

    def again(self, text: str) -> str:
        return f"run it again: {self.name}"


def outcomes(**scripts: str) -> dict[str, Outcome]:
    """What the ring says of each of these scripts."""
    ring = FuzzRing()
    toys = [Toy(name, script) for name, script in scripts.items()]
    ring.targets = {toy.name: toy for toy in toys}
    ring.start(list(ring.targets))
    return {toy.name.removeprefix("toy-"): ring.outcome(toy.name) for toy in toys}


@pytest.fixture(autouse=True)
def _no_logs_left() -> Iterator[None]:
    yield
    for log in LOGS.glob("fuzz-toy-*"):
        log.unlink()


def test_two_targets_work_at_a_time(tmp_path: Path) -> None:
    # The first two wait for each other; whoever comes notes how many are there.
    meet = f"cd {tmp_path}; mkdir $$; ls -d [0-9]* | wc -l >>most; {{}} rmdir $$; echo ran"
    together = meet.format("until grep -q 2 most; do sleep 0.01; done;")
    alone = meet.format("sleep 0.1;")

    found = outcomes(a=together, b=together, c=alone, d=alone, e=alone)

    assert {outcome.kind for outcome in found.values()} == {"passed"}
    assert max(map(int, (tmp_path / "most").read_text().split())) == AT_ONCE == 2


@pytest.mark.parametrize(
    ("script", "texts"),
    [
        ("echo ran; echo heap-overflow; exit 1", ["heap-overflow", "exit status 1"]),
        ("echo ran; kill -9 $$", ["exit status -9"]),
        ("true", ["exit status 0"]),
        ("echo ran, leaking", ["it leaks"]),
    ],
)
def test_a_target_that_did_not_do_well_says_how_to_run_it_again(
    script: str, texts: list[str]
) -> None:
    outcome = outcomes(bad=script, good="echo ran")["bad"]

    assert outcome.kind == "failed"
    for text in [*texts, "run it again: toy-bad"]:
        assert text in outcome.text


def test_one_that_fails_does_not_stop_the_others() -> None:
    found = outcomes(a="exit 1", b="echo ran", c="echo ran; echo ran")

    assert [outcome.kind for outcome in found.values()] == ["failed", "passed", "passed"]
    assert found["c"].figures == {"executions": 2}


def test_figures_of_a_program() -> None:
    assert Program("command").figures(DONE) == {
        "executions": 28546,
        "executions/s": 1097,
        "edges covered": 1537,
    }
    assert Program("command").figures("Segmentation fault") == {}


def test_an_input_that_breaks_a_program_is_kept_and_named() -> None:
    kept = FINDINGS / "command-crash-77"
    text = f"x\nartifact_prefix='y'; Test unit written to {kept}\nBase64: eA==\n"

    assert kept.is_relative_to(TOP / "build")
    assert Program("command").again(text) == (
        "run it again: build/fuzz/tests/fuzz/fuzz_command build/findings/command-crash-77"
    )


def test_no_input_of_a_corpus_is_cut() -> None:
    for command in (Program("command").replay(), Program("command").command(20)):
        assert not [word for word in map(str, command) if word.startswith("-max_len")]


def test_every_program_has_a_corpus() -> None:
    for source in (TOP / "tests" / "fuzz").glob("fuzz_*.c"):
        assert any(Program(source.stem.removeprefix("fuzz_")).corpus.iterdir())
