"""Pcie(addr) first, then Controllers made from it."""

import gc

import pytest

import nvme as d

ADDRESS = "sim:size=16M,latency=none"


@pytest.fixture
def first():
    pcie = d.Pcie(ADDRESS)
    yield pcie
    pcie.close()


def test_config_space_is_there_before_a_controller_is(first):
    assert first.register(8) >> 8 == 0x010802
    assert repr(first) == f"<pcie: {ADDRESS}>"
    assert repr(d.Controller(first)) == f"<controller: {ADDRESS}>"


def test_controllers_can_be_made_one_after_another(first):
    for _ in range(3):
        nvme = d.Controller(first)
        namespace = d.Namespace(nvme)
        with d.Qpair(nvme, 8) as qpair:
            namespace.write(qpair, d.Buffer(), 5).waitdone()
        namespace.close()
        del nvme, namespace
        gc.collect()


def test_two_controllers_of_one_function_both_work(first):
    one = d.Controller(first)
    namespace = d.Namespace(one)
    stale = d.Qpair(one, 8)

    two = d.Controller(first)

    with pytest.raises(SystemError, match="its controller was reset"):
        namespace.read(stale, d.Buffer(), 0)
    for nvme in (one, two):
        assert nvme.getfeatures(7).waitdone() != 0
        with d.Qpair(nvme, 8) as qpair:  # is one of the same controller
            namespace.read(qpair, d.Buffer(), 0).waitdone()
    del two
    gc.collect()
    assert one.getfeatures(7).waitdone() != 0


def test_each_is_initialised_by_its_own_function(first):
    calls = []

    def init(nvme):
        calls.append(nvme)
        nvme.init_adminq()
        nvme.enable()
        nvme.wait_csts(True)
        nvme.init_ctrl()
        nvme.init_queues()

    one = d.Controller(first)
    two = d.Controller(first, init)
    assert calls == [two]
    two.reset()
    assert calls == [two, two]
    assert two.getfeatures(7).waitdone() != 0

    calls.clear()
    first.close()
    del two
    gc.collect()
    one.reset()
    assert calls == []


def test_an_initialisation_that_fails_leaves_the_others_as_they_were(first):
    one = d.Controller(first)

    def init(nvme):
        raise RuntimeError("not today")

    with pytest.raises(RuntimeError, match="not today"):
        d.Controller(first, init)

    one.reset()
    assert one.getfeatures(7).waitdone() != 0
    assert first.register(8) >> 8 == 0x010802


def test_a_first_initialisation_that_fails_can_be_followed_by_another(first):
    def init(nvme):
        raise RuntimeError("not today")

    with pytest.raises(RuntimeError, match="not today"):
        d.Controller(first, init)

    assert first.register(8) >> 8 == 0x010802
    assert d.Controller(first).getfeatures(7).waitdone() != 0


def test_a_closed_pcie_says_so_and_its_controller_goes_on(first):
    nvme = d.Controller(first)

    first.close()
    first.close()

    for use in (lambda: first[0], lambda: first.addr, lambda: d.Controller(first)):
        with pytest.raises(SystemError, match="the PCI function is closed"):
            use()
    assert repr(first) == "<pcie: closed>"
    assert nvme.getfeatures(7).waitdone() != 0


def test_the_last_of_pcie_and_controllers_closes_the_drive():
    pcie = d.Pcie(ADDRESS)
    nvme = d.Controller(pcie)
    before = d._core.counts()["ctrls"]
    pcie.close()
    del nvme
    gc.collect()

    assert d._core.counts()["ctrls"] == before - 1


def test_a_reset_of_ones_own_takes_the_place_of_the_hot_reset(own):
    pcie = d.Pcie(own)
    qpair = d.Qpair(own, 8)
    calls = []

    pcie.reset(lambda: calls.append(pcie.register(0x10)))

    assert len(calls) == 1
    assert own.getfeatures(7).waitdone() != 0
    with pytest.raises(SystemError, match="its controller was reset"):
        d.Namespace(own).read(qpair, d.Buffer(), 0)


def test_during_a_reset_of_ones_own_no_command_is_sent(own):
    said = []

    def board():
        for send in (lambda: own.getfeatures(7), lambda: d.Qpair(own, 8)):
            with pytest.raises((SystemError, d.NvmeError)) as refused:
                send()
            said.append(str(refused.value))

    d.Pcie(own).reset(board)

    assert ["reset it first" in text for text in said] == [True, True]


def test_a_reset_of_ones_own_initialises_the_controller_once(first):
    calls = []

    def init(nvme):
        calls.append(nvme)
        nvme.init_adminq()
        nvme.enable()
        nvme.wait_csts(True)

    nvme = d.Controller(first, init)
    first.reset(lambda: None)

    assert calls == [nvme, nvme]


def test_each_reset_is_of_its_kind(own, monkeypatch):
    kinds = []
    monkeypatch.setattr(d.Controller, "_reset", lambda nvme, kind: kinds.append((nvme, kind)))

    own.reset()
    d.Pcie(own).flr()
    d.Pcie(own).reset()

    assert kinds == [(own, 0), (own, 1), (own, 2)]


def test_a_reset_of_ones_own_that_fails_is_told_when_the_controller_is_back(own):
    with pytest.raises(ZeroDivisionError):
        d.Pcie(own).reset(lambda: 1 / 0)

    assert own.getfeatures(7).waitdone() != 0


def test_a_reset_without_a_controller_is_an_error(first):
    with pytest.raises(d.NvmeError, match="no Controller"):
        first.reset()
    with pytest.raises(TypeError, match="rst_fn must be callable"):
        first.reset(5)
