"""Whatever a network does, a script ends in time with a documented error, and goes on after it."""

import gc
import random
import warnings
from collections.abc import Callable

import pytest

import nvme as d
from nvme.serve import Served
from wire.proxy import Coalesce, Delay, Fault, Proxy, Reset, Split, Stall, Truncate

DEPTH = 16
LBAS = 8
TIMEOUT_MS = 1000
#: Where nothing is lost: a proxy on a busy machine may take its time.
PATIENT_MS = 60_000
SEEDS = range(4)

#: All that the documentation lets a call raise when its drive is lost.
DOCUMENTED = (d.NvmeError, SystemError, TimeoutError)
DIGESTS = [{}, {"hdgst": True}, {"ddgst": True}, {"hdgst": True, "ddgst": True}]


def note(statuses: list[int]) -> Callable[[int, int], None]:
    """A callback that appends SCT and SC."""
    return lambda cdw0, status1: statuses.append(status1 >> 1 & 0x7FF)


def script(address: str, timeout_ms: int = TIMEOUT_MS, **options: bool) -> None:
    """Writes, reads and compares; ends with an assertion if wrong data were taken for good."""
    nvme = d.Controller(address, **options)
    nvme.timeout = timeout_ms
    namespace = d.Namespace(nvme)
    qpair = d.Qpair(nvme, DEPTH)
    # A buffer for each write: the next one would stamp this one's while it is on its way.
    wrote = [d.Buffer(LBAS * 512, ptype=0xBEEF, pvalue=100) for _ in range(20)]
    for slot, buffer in enumerate(wrote):
        namespace.write(qpair, buffer, slot * LBAS, LBAS)
    qpair.waitdone(20)
    for slot, buffer in enumerate(wrote):
        read = d.Buffer(LBAS * 512)
        statuses: list[int] = []
        namespace.read(qpair, read, slot * LBAS, LBAS, cb=note(statuses)).waitdone()
        if statuses == [0]:
            assert read[:] == buffer[:]
    qpair.delete()
    namespace.close()


@pytest.mark.parametrize("options", DIGESTS, ids=lambda options: "+".join(options) or "plain")
@pytest.mark.parametrize(
    "fault", [Split(most=7), Split(most=5000), Coalesce()], ids=["bytes", "pieces", "together"]
)
def test_pieces_of_any_size_are_put_together(
    network: Proxy, fault: Fault, options: dict[str, bool]
) -> None:
    network.fault = fault

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        script(network.address, PATIENT_MS, **options)

    assert fault.count > 0


FAULTS: dict[str, Callable[[int, int], Fault]] = {
    "truncate": lambda after, seed: Truncate(after=after, most=1, seed=seed),
    "reset": lambda after, seed: Reset(after=after, most=1, seed=seed),
    "stall": lambda after, seed: Stall(after=after, most=1, seed=seed),
    "late": lambda after, seed: Delay(2 * TIMEOUT_MS / 1000, after=after, most=1, seed=seed),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.filterwarnings("ignore")
def test_a_script_ends_with_a_documented_error_and_the_next_one_works(
    network: Proxy, target: Served, kind: str, seed: int
) -> None:
    # A bring-up is some 80 PDUs, the script some 100 more.
    after = random.Random(f"{kind} {seed}").randrange(120)
    network.fault = FAULTS[kind](after, seed)

    try:
        script(f"{network.address}?timeout_s=2")
    except DOCUMENTED as error:
        print(f"behind {after} PDUs: {error}")
    gc.collect()

    assert network.fault.count == 1
    script(target.address)


def test_a_queue_that_is_late_holds_no_other_up(network: Proxy) -> None:
    nvme = d.Controller(network.address)
    namespace = d.Namespace(nvme)
    slow, fast = d.Qpair(nvme, 4), d.Qpair(nvme, 4)
    order: list[str] = []
    network.fault = Delay(0.5, connection=1)

    namespace.read(slow, d.Buffer(512), 0, cb=lambda cdw0, status1: order.append("slow"))
    for _ in range(20):
        namespace.read(
            fast, d.Buffer(512), 0, cb=lambda cdw0, status1: order.append("fast")
        ).waitdone()
    slow.waitdone()

    assert order == ["fast"] * 20 + ["slow"]
