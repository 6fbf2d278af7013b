"""Attributes of objects of the core: none goes away."""

import subprocess
import sys

DELETED = """
import nvme as d

nvme = d.Controller("sim:size=16M,latency=none")
pcie = d.Pcie(nvme)
objects = [
    nvme, d.Qpair(nvme, 8), d.Namespace(nvme), pcie, d.Subsystem(nvme), d.Buffer(), d.sim(nvme),
]

def attributes(thing):
    core = [cls for cls in type(thing).__mro__ if cls.__module__ == "nvme._core"]
    return [name for cls in core for name, of in vars(cls).items() if hasattr(of, "__set__")]

for thing in objects:
    for name in attributes(thing):
        try:
            delattr(thing, name)
        except AttributeError:
            continue
        raise AssertionError(f"{type(thing)} has no {name} any more")
for thing in (nvme, pcie):
    try:
        del thing[0]
    except (TypeError, AttributeError):
        continue
    raise AssertionError(f"{type(thing)} has lost a register")
print("all", len(objects))
"""


def test_no_attribute_can_be_deleted():
    code = [sys.executable, "-W", "ignore", "-c", DELETED]

    done = subprocess.run(code, capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "all 7\n"), done.stderr
