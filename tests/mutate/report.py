"""What came of a sample: a table, the list of survivors, and docs/mutation.md."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mutate.judge import Verdict

Key = tuple[str, str, str]
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def reasons(text: str) -> dict[Key, str]:
    """The mutants that no test can kill, and why: see equivalent.txt for its form."""
    found = {}
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if not lines:
            continue
        part: dict[str, list[str]] = {"-": [], "+": [], "=": []}
        for line in lines[1:]:
            part[line[0]].append(line[1:].strip())
        words = {mark: " ".join(" ".join(texts).split()) for mark, texts in part.items()}
        found[lines[0].strip(), words["-"], words["+"]] = words["="]
    return found


def area(path: str) -> str:
    return "/".join(Path(path).parts[:2])


def sorts(verdicts: Iterable[Verdict], known: Mapping[Key, str]) -> dict[str, dict[str, int]]:
    """How many are killed, survived or equivalent, by area; "all" has the sums."""
    counts: dict[str, dict[str, int]] = defaultdict(
        lambda: {"killed": 0, "survived": 0, "equivalent": 0}
    )
    for verdict in verdicts:
        kind = verdict.kind
        if kind == "survived" and verdict.mutant.key in known:
            kind = "equivalent"
        if kind in ("killed", "survived", "equivalent"):
            counts[area(verdict.mutant.path)][kind] += 1
            counts["all"][kind] += 1
    return {name: counts[name] for name in sorted(counts, key=lambda name: (name == "all", name))}


def share(count: Mapping[str, int]) -> str:
    """Killed, of those that can be."""
    whole = count["killed"] + count["survived"]
    return f"{100 * count['killed'] / whole:.0f} %" if whole else "-"


def table(verdicts: Sequence[Verdict], known: Mapping[Key, str]) -> str:
    rows = ["| area | mutants | killed | survived | equivalent | killed, of those that can be |"]
    rows.append("|---|---|---|---|---|---|")
    for name, count in sorts(verdicts, known).items():
        cells = [name, sum(count.values()), *count.values(), share(count)]
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(rows)


def survivors(verdicts: Iterable[Verdict], known: Mapping[Key, str]) -> str:
    """Those that nobody has explained, in the form of equivalent.txt but for the reason."""
    blocks = []
    for verdict in verdicts:
        if verdict.kind == "survived" and verdict.mutant.key not in known:
            path, old, new = verdict.mutant.key
            place = f"# line {verdict.mutant.line}: {verdict.by}"
            blocks.append(f"{place}\n{path}\n- {old}\n+ {new}\n")
    return "\n".join(blocks)


def publish(page: Path, figures: str) -> None:
    """Puts the figures where the page keeps them."""
    before, _, rest = page.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n{figures}\n{END}{after}")
