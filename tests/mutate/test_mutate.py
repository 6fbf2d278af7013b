"""The tool itself, as far as it needs neither builds nor universalmutator."""

from pathlib import Path

import pytest

from mutate import __main__ as tool
from mutate.__main__ import Sample
from mutate.cover import Coverage, Finder
from mutate.draw import Mutant, prose, sources
from mutate.judge import API_BUDGET_S, Judge, Verdict, compiled
from mutate.report import publish, reasons, share, sorts, survivors, table
from mutate.suite import Test as OneTest
from mutate.tree import Tree, copy_project

C = """/* A comment
 * of two lines. */
#include <a.h>
#define LIMIT 4

int f(int a)
{
\tif (a < LIMIT)
\t\treturn g(a,
\t\t\t 1);
\treturn 0;
}
"""


def mutant(line: int = 8, new: str = "\tif (a <= LIMIT)\n") -> Mutant:
    return Mutant("src/a.c", line, C.splitlines(keepends=True)[line - 1], new)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    tmp_path = tmp_path / "project"
    tmp_path.mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.c").write_text(C)
    (tmp_path / "python" / "nvme").mkdir(parents=True)
    return tmp_path


def finder(project: Path) -> Finder:
    coverage = Coverage(
        hits={"unit": {"src/a.c": [6, 8, 9]}, "tests/api/test_a.py": {"src/a.c": [6, 8, 9, 11]}},
        code={"src/a.c": [6, 8, 9, 11]},
        took_s={"unit": 5.0, "tests/api/test_a.py": 1.0},
    )
    return Finder(project, coverage)


def test_a_mutant_changes_one_line() -> None:
    assert mutant().applied(C) == C.replace("a < LIMIT", "a <= LIMIT")


def test_a_mutant_is_the_same_wherever_its_line_moves() -> None:
    assert mutant().key == Mutant("src/a.c", 70, "if (a < LIMIT)", "if (a <= LIMIT)").key


def test_comments_and_braces_are_not_mutated() -> None:
    assert prose("a.c", C.splitlines()) == {1, 2, 3, 5, 7, 12}
    assert prose("a.py", ['"""Text.', 'More."""', "import a", "b = 1"]) == {1, 2, 3}


def test_files_are_chosen_by_pattern(project: Path) -> None:
    assert sources(project) == sources(project, ["src/*"]) == ["src/a.c"]
    assert sources(project, ["src/nvme/*"]) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (8, ["unit", "tests/api/test_a.py"]),  # units first, though they take longer
        (10, ["unit", "tests/api/test_a.py"]),  # the rest of line 9
        (11, ["tests/api/test_a.py"]),
        (4, ["unit", "tests/api/test_a.py"]),  # whoever uses it
    ],
)
def test_tests_that_reach_the_line_are_found(project: Path, line: int, expected: list[str]) -> None:
    assert finder(project).order(mutant(line)) == expected


def test_a_field_is_used_by_its_name_without_mask(project: Path) -> None:
    (project / "src" / "a.h").write_text("#define NVME_FLAG_MASK 1u\n")
    text = C.replace("return 0;", "return GET(a, FLAG);")
    (project / "src" / "a.c").write_text(text)

    found = finder(project).order(Mutant("src/a.h", 1, "#define NVME_FLAG_MASK 1u\n", ""))

    assert found == ["tests/api/test_a.py"]


def test_what_no_test_here_reaches_may_be_for_the_guest(project: Path) -> None:
    (project / "src" / "bus").mkdir()
    (project / "src" / "bus" / "vfio.c").write_text(C)

    bus = Mutant("src/bus/vfio.c", 11, "\treturn 0;\n", "\treturn 1;\n")
    found = finder(project)
    found.coverage.code["src/bus/vfio.c"] = [8, 9, 11]

    assert found.order(bus) == ["tests/vm/test_guest_bus.py"]


def test_a_test_that_fails_anyway_judges_nothing(project: Path) -> None:
    found = finder(project)
    found.coverage.broken.append("unit")

    assert found.order(mutant()) == ["tests/api/test_a.py"]


def test_coverage_survives_a_file(project: Path, tmp_path: Path) -> None:
    before = finder(project).coverage
    before.save(tmp_path / "coverage.json")

    assert Coverage.load(tmp_path / "coverage.json") == before


def test_coverage_follows_edits(project: Path, tmp_path: Path) -> None:
    coverage = finder(project).coverage
    edited = tmp_path / "edited"
    copy_project(project, edited)
    text = C.replace("#define", "#define MORE 1\n#define").replace("\t\t\t 1);\n", "\t\t\t 2);\n")
    (edited / "src" / "a.c").write_text(text.replace("\treturn 0;\n", "\tx();\n\treturn 0;\n"))

    coverage.follow(project, edited)

    assert coverage.hits["unit"]["src/a.c"] == [7, 9, 10]
    assert coverage.code["src/a.c"] == [7, 9, 10, 13]


def test_a_statement_of_many_lines_is_where_it_begins(tmp_path: Path) -> None:
    (tmp_path / "python" / "nvme").mkdir(parents=True)
    (tmp_path / "python" / "nvme" / "a.py").write_text(
        "def f():\n    return g(\n        1,\n    )\n"
    )
    coverage = Coverage(hits={"t.py": {"python/nvme/a.py": [1, 2]}}, took_s={"t.py": 1})

    found = Finder(tmp_path, coverage).order(Mutant("python/nvme/a.py", 3, "        1,\n", ""))

    assert found == ["t.py"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('def f():\n    """One."""\n', 'def f():\n    """Two."""\n'),
        ("if TYPE_CHECKING:\n    x = 1\n", "if TYPE_CHECKING:\n    x = 2\n"),
        ("def f():\n    x: int = 1\n", "def f():\n    x: str = 1\n"),
        ("def f(x: int, *y: int) -> int: pass", "def f(x: str, *y: str) -> str: pass"),
        ("for i in x:\n    f(i)\n", "for i in x:\n    f(i)\n    continue\n"),
    ],
)
def test_what_the_interpreter_does_not_see_is_the_same(before: str, after: str) -> None:
    assert compiled(before) == compiled(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 'One'", "x = 'Two'"),
        ("x = 1", "x = True"),
        ("def f(x=1): pass", "def f(x=2): pass"),
        ("for i in x:\n    f(i)\n", "for i in x:\n    f(i)\n    break\n"),
    ],
)
def test_what_the_interpreter_sees_is_not_the_same(before: str, after: str) -> None:
    assert compiled(before) != compiled(after)


def test_the_sample_is_the_first_mutants_that_count() -> None:
    mutants = [mutant(new=f"{number}\n") for number in range(6)]
    kinds = ["invalid", "killed", "survived", "same", "killed", "killed"]
    sample = Sample(mutants, 3)

    for index, taken in sample.take():
        sample.put(index, Verdict(taken, kinds[index]))

    assert [verdict.kind for verdict in sample.ordered()] == kinds[:5]


def test_verdicts_of_an_interrupted_run_are_kept_for_its_seed_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool, "RESULTS", tmp_path / "results.json")
    verdict = Verdict(mutant(), "killed", "unit failed")
    assert tool.reached(7) == {}

    tool.save(7, [verdict])

    assert tool.reached(7) == {mutant(): verdict}
    assert tool.reached(8) == {}


@pytest.mark.parametrize(
    ("log", "name"),
    [
        ("FAILED tests/api/test_a.py::test_b[x - y] - assert 1 == 2\n", "::test_b"),
        ("E   x\nERROR tests/api/test_a.py::test_b\n1 error in 1 s\n", "::test_b"),
        ("Fatal Python error\n", ""),
    ],
)
def test_only_what_failed_of_a_file_runs_again(log: str, name: str, project: Path) -> None:
    (project / "test.log").write_text(log)
    tree = Tree.__new__(Tree)
    tree.folder = project

    found = OneTest("tests/api/test_a.py", None).culprit(tree)

    assert found.name == f"tests/api/test_a.py{name}"
    assert found.is_api


def test_api_tests_are_begun_as_long_as_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Judge.__new__(Judge)
    judge.tests = {name: OneTest(name, None) for name in "abcde"}
    now_s = 0.0
    monkeypatch.setattr("mutate.judge.time.monotonic", lambda: now_s)

    begun = []
    for batch in judge.batches("abcde"):
        begun += [test.name for test in batch]
        now_s += 0.4 * API_BUDGET_S

    assert begun == ["a", "b", "c"]


def test_a_survivor_with_a_reason_is_equivalent() -> None:
    verdicts = [Verdict(mutant(), "survived"), Verdict(mutant(11), "killed", "unit failed")]
    known = reasons("# text\nsrc/a.c\n-   if (a < LIMIT)\n+ if (a <= LIMIT)\n= f(4)\n= is 0\n")

    assert known == {mutant().key: "f(4) is 0"}
    assert sorts(verdicts, known)["all"] == {"killed": 1, "survived": 0, "equivalent": 1}
    assert survivors(verdicts, known) == ""
    assert "| all | 2 | 1 | 0 | 1 | 100 % |" in table(verdicts, known)


def test_the_list_of_survivors_needs_only_reasons() -> None:
    text = survivors([Verdict(mutant(), "survived", "3 tests reach it")], {})

    assert list(reasons(text)) == [mutant().key]


@pytest.mark.parametrize(
    ("line", "idle"),
    [
        ("#define NVME_IDLE_MASK 0x3u", True),
        ("#define NVME_ASKED_MASK 0x3u", False),
        ("#define NVME_TESTED 1", False),
        ("#define USED 1", False),
        ("\tNVME_MEMBER = 1,", False),
    ],
)
def test_a_macro_that_nothing_uses_is_idle(project: Path, line: str, idle: bool) -> None:
    header = "#define NVME_IDLE_SHIFT 3\n" + line + "\n"
    (project / "src" / "a.h").write_text(header)
    (project / "src" / "b.c").write_text("int i = NVME_GET(v, ASKED) + USED;\n")
    (project / "tests").mkdir(exist_ok=True)
    (project / "tests" / "test_b.c").write_text("int i = NVME_TESTED;\n")

    found = Finder(project, Coverage()).is_idle(Mutant("src/a.h", 2, line + "\n", ""))

    assert found == idle


def test_no_mutant_is_no_share() -> None:
    assert share({"killed": 0, "survived": 0}) == "-"
    assert share({"killed": 9, "survived": 1, "equivalent": 5}) == "90 %"


def test_figures_replace_those_before(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- figures -->\nold\n<!-- end of figures -->\nb\n")

    publish(page, "new")

    assert page.read_text() == "a\n<!-- figures -->\nnew\n<!-- end of figures -->\nb\n"


def test_a_tree_is_as_before_when_the_mutant_has_gone(project: Path) -> None:
    tree = Tree.__new__(Tree)
    tree.folder, tree.site = project, project / "site"

    with tree.changed(mutant()):
        assert "a <= LIMIT" in (project / "src" / "a.c").read_text()
    assert (project / "src" / "a.c").read_text() == C


def test_a_copy_has_what_the_project_has(project: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy_project(project, copy)
    (project / "src" / "a.c").rename(project / "src" / "b.c")
    before = (copy / "src" / "a.c").read_text()

    copy_project(project, copy)

    assert [path.name for path in (copy / "src").iterdir()] == ["b.c"]
    assert (copy / "src" / "b.c").read_text() == before
