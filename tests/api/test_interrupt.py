"""The interrupt of a Qpair."""

import time

import pytest

import nvme as d

from .patience import at_best


def fired(qpair, seconds=60.0):
    """Whether it fires within some time; other threads may have to deliver it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if qpair.msix_isset():
            return True
        time.sleep(0.001)
    return False


def test_a_completion_fires_the_interrupt(nvme0n1, qpair, buf):
    qpair.msix_clear()
    assert not qpair.msix_isset()

    nvme0n1.read(qpair, buf, 0)

    assert fired(qpair)
    qpair.waitdone()
    qpair.msix_clear()
    assert not qpair.msix_isset()


def test_a_masked_interrupt_stays_pending(nvme0n1, qpair, buf):
    qpair.msix_clear()
    qpair.msix_mask()

    nvme0n1.read(qpair, buf, 0)
    time.sleep(0.05)
    assert not qpair.msix_isset()
    qpair.msix_unmask()

    assert fired(qpair)
    qpair.waitdone()


def test_nothing_is_pending_when_nothing_happened(qpair):
    qpair.msix_clear()
    qpair.msix_mask()
    qpair.msix_unmask()

    assert not fired(qpair, 0.05)


def test_wait_int_sleeps_until_it_fires(nvme0n1, qpair, buf):
    qpair.msix_clear()
    nvme0n1.read(qpair, buf, 0)

    assert qpair.wait_int(60_000) is True

    qpair.waitdone()


def test_wait_int_gives_up(qpair):
    qpair.msix_clear()

    def wait() -> None:
        start = time.monotonic()
        assert qpair.wait_int(50) is False
        assert 0.04 < time.monotonic() - start < 2

    at_best(wait)


def test_every_queue_has_a_vector_of_its_own(nvme0, nvme0n1, qpair, buf):
    with d.Qpair(nvme0, 8) as other:
        qpair.msix_clear()
        other.msix_clear()
        nvme0n1.read(qpair, buf, 0)

        assert fired(qpair)
        assert not other.msix_isset()
        qpair.waitdone()


def test_a_queue_without_interrupts_says_so(nvme0, nvme0n1, buf):
    with d.Qpair(nvme0, 8, ien=False) as qpair:
        nvme0n1.read(qpair, buf, 0).waitdone()
        with pytest.raises(d.NvmeError, match="without an interrupt"):
            qpair.msix_isset()


def test_a_vector_may_be_chosen(nvme0, nvme0n1, buf):
    with d.Qpair(nvme0, 8, iv=2) as qpair:
        nvme0n1.read(qpair, buf, 0)
        assert fired(qpair)
        qpair.waitdone()


def test_interrupts_work_after_a_reset(nvme0, nvme0n1, buf):
    nvme0.reset()
    with d.Qpair(nvme0, 8) as qpair:
        qpair.msix_clear()
        nvme0n1.read(qpair, buf, 0)
        assert fired(qpair)
        qpair.waitdone()
