"""Resets of every kind while workers run, admin commands fly and a queue is full."""

import gc
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import nvme as d
from nvme import _core

from .conftest import QEMU_MODEL
from .qemu import ENDED_BY

WORKERS = 4
#: LBAs of each worker's own region.
REGION = 2000
READS, FEATURES = 40, 10
#: What a command may end with that a reset or the loss of power has cut.
CUT = {0x000, 0x007, 0x008}
MISMATCH = 0x281
SHORT, LONG = 2, 100
COUNTS = ("commands", "buffers", "requests", "qpairs", "threads", "fds", "recorder_slots")


def stop_decoding(nvme: d.Controller) -> None:
    pcie = d.Pcie(nvme)
    command = pcie[4]
    pcie[4] = 0
    pcie[4] = command


def go_to_d3(nvme: d.Controller) -> None:
    pcie = d.Pcie(nvme)
    pcie.power_state = 3
    pcie.power_state = 0


def write_cc(nvme: d.Controller) -> None:
    nvme[0x14] = nvme[0x14] & ~1
    nvme.reset()


RESETS: dict[str, Callable[[d.Controller], Any]] = {
    "controller": lambda nvme: nvme.reset(),
    "enable": write_cc,
    "subsystem": lambda nvme: d.Subsystem(nvme).reset(),
    "flr": lambda nvme: d.Pcie(nvme).flr(),
    "hot": lambda nvme: d.Pcie(nvme).reset(),
    "d3": go_to_d3,
    "decoding": stop_decoding,
    "power": lambda nvme: d.Subsystem(nvme).power_cycle(0),
}


@pytest.fixture
def kind(request: pytest.FixtureRequest, nvme0: d.Controller, model: str) -> str:
    if request.param == "subsystem" and not nvme0.cap >> 36 & 1:
        pytest.skip("the device has no NVM subsystem reset (CAP.NSSRS)")
    if request.param in ENDED_BY and model == QEMU_MODEL:
        pytest.skip("QEMU's device: a reset by CC.EN under load ends QEMU")
    if request.param == "power" and not nvme0.addr.startswith("sim"):
        pytest.skip("only the software SSD loses its power a hundred times")
    return request.param


@pytest.fixture
def checked(nvme0n1: d.Namespace) -> Iterator[d.Namespace]:
    """The namespace with verification, and with locks that keep commands in flight apart."""
    d.config(verify=True)
    nvme0n1.verify_enable()
    yield nvme0n1
    nvme0n1.verify_enable(False)
    d.config(verify=False)


class Admin:
    """A thread that asks for the identify data all the time."""

    def __init__(self, nvme: d.Controller) -> None:
        self.nvme = nvme
        self.answers = 0
        self.wrong: list[BaseException] = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        serial = None
        while not self.over.is_set():
            try:
                answer = self.nvme.id_data(23, 4)
            except SystemError:
                continue  # cut by the reset, or there is no controller at the moment
            except BaseException as error:
                self.wrong.append(error)
                return
            if not answer:
                continue  # cut as well: a warning says so, and the buffer is empty
            self.answers += 1
            serial = serial or answer
            if answer != serial:
                self.wrong.append(AssertionError(f"serial number {answer:#x}"))
                return

    def __enter__(self) -> "Admin":
        self.thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.over.set()
        self.thread.join(60)
        assert not self.thread.is_alive()


def wait_for(what: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not what():
        assert time.monotonic() < limit
        time.sleep(0.001)


def started(namespace: d.Namespace) -> list[Any]:
    """Workers that have done something."""
    workers = [
        namespace.ioworker(
            time=3600,
            io_size=range(1, 9),
            lba_align=1,
            read_percentage=50,
            qdepth=16,
            region_start=i * REGION,
            region_end=(i + 1) * REGION,
            ptype=0xBEEF,
            pvalue=100,
        ).start()
        for i in range(WORKERS)
    ]
    wait_for(lambda: all(worker.snapshot[2] for worker in workers))
    return workers


def one_reset(nvme: d.Controller, namespace: d.Namespace, reset: Callable[[d.Controller], Any]):
    """Resets it with everything in flight; how many commands its workers have done."""
    ended: list[int] = []
    workers = started(namespace)
    qpair = d.Qpair(nvme, 64)
    for i in range(READS):
        namespace.read(qpair, d.Buffer(), i, cb=lambda cdw0, status1: ended.append(status1))
    for _ in range(FEATURES):
        nvme.getfeatures(7, cb=lambda cdw0, status1: ended.append(status1))

    reset(nvme)

    assert len(ended) == READS + FEATURES
    assert {status1 >> 1 & 0x7FF for status1 in ended} <= CUT
    results = [worker.close() for worker in workers]
    assert {result.error for result in results} <= CUT
    qpair.delete()
    return sum(result.io_count_read + result.io_count_nonread for result in results)


def read_all(namespace: d.Namespace) -> None:
    """Whatever is known of the data is what is there."""
    worker = namespace.ioworker(
        io_count=WORKERS * REGION // 8, lba_random=False, region_end=WORKERS * REGION
    )
    assert worker.start().close().error == 0


@pytest.mark.parametrize("times", [SHORT, pytest.param(LONG, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", RESETS, indirect=True)
def test_resets_under_load(nvme0, checked, kind, times, record_property):
    before = _core.counts()
    begin = time.monotonic()
    ios = 0
    with warnings.catch_warnings(), Admin(nvme0) as admin:
        # Of commands and workers that a reset has cut.
        warnings.filterwarnings("ignore", "ioworker (device|host) ERROR|ERROR status: 00/08")
        for _ in range(times):
            answers = admin.answers
            wait_for(lambda seen=answers: admin.answers > seen or admin.wrong)
            ios += one_reset(nvme0, checked, RESETS[kind])
            read_all(checked)
    took_s = time.monotonic() - begin

    assert admin.wrong == []
    gc.collect()
    after = _core.counts()
    assert {name: after[name] for name in COUNTS} == {name: before[name] for name in COUNTS}
    record_property("resets", times)
    record_property("IOs of workers", ios)
    record_property("admin commands", admin.answers)
    record_property("time", f"{took_s:.1f} s")
