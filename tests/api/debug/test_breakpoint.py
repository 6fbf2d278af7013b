"""A script that stands at a breakpoint: who looks from outside still sees every queue."""

from nvme.console.service import Service

from .hanging import DRIVE, hanging, script

SCRIPT = (
    DRIVE
    + """
def stop(cdw0, status1):
    lba = 0x55
    ready()
    breakpoint()

nvme0n1.write(qpair, buf, 0x1234, 2)
nvme0n1.read(qpair, buf, 0, 1, cb=stop)
qpair.waitdone(1)
print("and goes on")
"""
)
PROMPT = "(Pdb) "


def test_in_a_callback_the_console_shows_every_queue(tmp_path, monkeypatch):
    monkeypatch.setenv("PYNVME_CMDLOG_DIR", str(tmp_path))
    service = Service()
    with hanging(script(SCRIPT), tmp_path, PYTHONBREAKPOINT="pdb.set_trace") as process:
        said = ""
        while not said.endswith(PROMPT):
            said += process.stdout.read(1) or PROMPT
        queues = service.call("queues", {})["queues"]
        wanted = {"queue": queues[1]["id"], "filter": {"status": "outstanding"}}
        (write,) = service.call("cmdlog", wanted)["entries"]
        said, complaints = process.communicate("p hex(lba)\nc\n")

    assert [(queue["sqid"], queue["outstanding"]) for queue in queues] == [(0, 4), (1, 1)]
    assert (write["name"], write["slba"]) == ("Write", "0x1234")
    assert said.startswith("'0x55'")
    assert said.endswith("and goes on\n"), complaints
    assert process.returncode == 0
