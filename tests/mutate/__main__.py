"""python -m mutate: draws a sample, judges it, and says what survived."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Condition

from mutate import report
from mutate.cover import Coverage, Finder, collect
from mutate.draw import Mutant, sequence, sources
from mutate.judge import Judge, Verdict
from mutate.tree import Tree, copy_project

TOP = Path(__file__).resolve().parents[2]
WORK = TOP / "build" / "mutate"
#: What is judged, though somebody goes on working.
SOURCE = WORK / "source"
RESULTS, SURVIVORS = WORK / "results.json", WORK / "survivors.txt"
EQUIVALENT = TOP / "tests" / "mutate" / "equivalent.txt"
PAGE = TOP / "docs" / "mutation.md"
WHOLE = ("killed", "survived")


class Sample:
    """Hands out mutants until enough of them were worth a verdict.

    The verdicts that count are those of the first mutants of the order, whatever the jobs do.
    """

    def __init__(self, mutants: Iterable[Mutant], number: int, seed: int = 0) -> None:
        self.mutants, self.number, self.seed = iter(mutants), number, seed
        self.before: list[Verdict] = []
        self.known: dict[Mutant, Verdict] = {}
        self.verdicts: dict[int, Verdict] = {}
        self.given = 0
        self.changed = Condition()

    @property
    def valid(self) -> int:
        return sum(verdict.kind in WHOLE for verdict in self.verdicts.values())

    def take(self) -> Iterator[tuple[int, Mutant]]:
        while True:
            with self.changed:
                # Each that is being judged may count.
                self.changed.wait_for(
                    lambda: (
                        self.valid >= self.number
                        or self.valid + self.given - len(self.verdicts) < self.number
                    )
                )
                mutant = None if self.valid >= self.number else next(self.mutants, None)
                if mutant is None:
                    return
                index = self.given
                self.given += 1
            yield index, mutant

    def put(self, index: int, verdict: Verdict) -> None:
        with self.changed:
            self.verdicts[index] = verdict
            self.changed.notify_all()

    def ordered(self) -> list[Verdict]:
        return self.before + [self.verdicts[index] for index in sorted(self.verdicts)]


def coverage(jobs: int, fresh: bool) -> Coverage:
    """What is known from the last time, brought up to date."""
    path, folder = WORK / "coverage.json", WORK / "cover"
    fresh = fresh or not path.exists()
    known = Coverage(files=sources(SOURCE)) if fresh else Coverage.load(path)
    if new := sorted(set(sources(SOURCE)) - set(known.files)):
        print("left out until --fresh measures everything anew:", *new, flush=True)
    known.follow(folder, SOURCE)
    copy_project(SOURCE, folder)
    known.save(path)
    collect(Tree(SOURCE, folder, "-Db_coverage=true"), jobs, known, path)
    return known


def work(job: int, sample: Sample, finder: Finder) -> None:
    judge = Judge(Tree(SOURCE, WORK / f"job{job}"), finder)
    for index, mutant in sample.take():
        begin = time.monotonic()
        verdict = sample.known.get(mutant) or judge.judge(mutant)
        sample.put(index, verdict)
        # After each, so that an end in between loses nothing.
        with sample.changed:
            save(sample.seed, sample.ordered())
        if verdict.kind in WHOLE:
            took_s = time.monotonic() - begin
            where = f"{mutant.path}:{mutant.line}"
            print(f"{sample.valid:4} {verdict.kind:8} {took_s:4.0f} s {where} {verdict.by}")
            sys.stdout.flush()


def save(seed: int, verdicts: list[Verdict]) -> None:
    whole = {"seed": seed, "verdicts": [verdict.as_json() for verdict in verdicts]}
    RESULTS.write_text(json.dumps(whole))


def draw(options: argparse.Namespace, known: list[str]) -> Sample:
    mutants = sequence(SOURCE, options.seed, options.patterns)
    return Sample((one for one in mutants if one.path in known), options.number, options.seed)


def reached(seed: int) -> dict[Mutant, Verdict]:
    """What a run with the same seed had found when it was ended."""
    last = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    verdicts = [Verdict.from_json(entry) for entry in last.get("verdicts", ())]
    return {one.mutant: one for one in verdicts} if last.get("seed") == seed else {}


def again() -> Sample:
    """The survivors of the last sample; the others keep their verdicts."""
    last = json.loads(RESULTS.read_text())
    verdicts = [Verdict.from_json(entry) for entry in last["verdicts"]]
    survivors = [verdict.mutant for verdict in verdicts if verdict.kind == "survived"]
    sample = Sample(moved(survivors), len(survivors), last["seed"])
    sample.before = [verdict for verdict in verdicts if verdict.kind != "survived"]
    return sample


def figures(verdicts: list[Verdict], seed: int) -> str:
    command = ["git", "log", "-1", "--format=%h of %cs"]
    commit = subprocess.run(command, cwd=TOP, capture_output=True, text=True).stdout.strip()
    known = report.reasons(EQUIVALENT.read_text())
    count = {kind: sum(v.kind == kind for v in verdicts) for kind in ("invalid", "same")}
    return (
        f"Commit {commit}, seed {seed}. {count['invalid']} more did not compile, and of"
        f" {count['same']} more the compiler made the same code; others were drawn for them.\n\n"
        f"{report.table(verdicts, known)}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m mutate", description=__doc__)
    parser.add_argument("patterns", nargs="*", help="only files that match, as in 'src/nvme/*'")
    parser.add_argument("--number", type=int, default=300, help="of mutants, 300 by default")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--again", action="store_true", help="what survived the last time")
    parser.add_argument("--resume", action="store_true", help="a sample that was interrupted")
    parser.add_argument("--fresh", action="store_true", help="measure anew what each test reaches")
    parser.add_argument("--publish", action="store_true", help="put figures in docs/mutation.md")
    options = parser.parse_args()

    WORK.mkdir(parents=True, exist_ok=True)
    copy_project(TOP, SOURCE)
    finder = Finder(SOURCE, coverage(options.jobs, options.fresh))
    sample = again() if options.again else draw(options, finder.coverage.files)
    if options.resume:
        sample.known = reached(sample.seed)
    if finder.coverage.broken:
        print("not used, they fail without a mutant:", *finder.coverage.broken)
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(lambda job: work(job, sample, finder), range(options.jobs)))

    verdicts = sample.ordered()
    left = report.survivors(verdicts, report.reasons(EQUIVALENT.read_text()))
    SURVIVORS.write_text(left)
    whole = figures(verdicts, sample.seed)
    print(f"\n{left}\n{whole}\n\nsurvivors without a reason: {SURVIVORS}")
    if options.publish:
        report.publish(PAGE, whole)
    return 0


def moved(mutants: Iterable[Mutant]) -> Iterator[Mutant]:
    """The mutants where their lines are now; without those whose line is gone."""
    for mutant in mutants:
        lines = (SOURCE / mutant.path).read_text().splitlines(keepends=True)
        places = [number for number, line in enumerate(lines, 1) if line == mutant.old]
        if places:
            nearest = min(places, key=lambda number: abs(number - mutant.line))
            yield Mutant(mutant.path, nearest, mutant.old, mutant.new)


if __name__ == "__main__":
    sys.exit(main())
