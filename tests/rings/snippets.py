"""The snippets of the extension, and its new test file, as scripts that can be run."""

import json
import re
from pathlib import Path

#: ${1:default}, ${1|first,second|}, ${1}, $1.
PLACE = re.compile(r"\$\{\d+:([^}]*)\}|\$\{\d+\|([^,|]*)[^}]*\}|\$\{\d+\}|\$\d+")
TEMPLATE = re.compile(r"TEMPLATE = `(.*?)`;", re.DOTALL)
#: Workloads are for people who watch them; here a second is enough.
TIME = re.compile(r"\btime=\d+")


def expanded(body: list[str]) -> str:
    """What the editor inserts, with every placeholder left as it is."""
    return PLACE.sub(lambda match: match[1] or match[2] or "", "\n".join(body)) + "\n"


def write(extension: Path, folder: Path) -> list[Path]:
    """Makes test_snippets.py and test_template.py in the folder."""
    snippets = json.loads((extension / "snippets" / "pynvme.json").read_text())
    bodies = [expanded(each["body"]) for each in snippets.values()]
    template = TEMPLATE.search((extension / "src" / "model" / "tests.ts").read_text())
    assert template
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, text in (("snippets", "\n\n".join(bodies)), ("template", template[1])):
        made.append(folder / f"test_{name}.py")
        made[-1].write_text(TIME.sub("time=1", text))
    return made
