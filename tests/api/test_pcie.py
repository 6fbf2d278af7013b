"""nvme.Pcie: config space, power states, decoding switched off and on."""

import warnings

import pytest

import nvme as d

from .flying import Oops, fly

CAP_POWER, CAP_PCIE, CAP_MSIX, CAP_AGP = 0x01, 0x10, 0x11, 0x02


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "ERROR status: 00/08")
        yield


def test_config_space_by_index_slice_and_register(pcie):
    assert pcie[0:2] == [pcie[0], pcie[1]]
    assert isinstance(pcie[0:4], list)
    assert pcie.register(0, 2) == pcie[1] << 8 | pcie[0]
    assert pcie.register(0) == int.from_bytes(bytes(pcie[0:4]), "little")
    assert pcie[9:12] == [2, 8, 1]


def test_the_vendor_is_what_identify_says(nvme0, pcie):
    assert pcie.register(0, 2) == nvme0.id_data(1, 0)


def test_capabilities_are_found(pcie):
    for cap in (CAP_POWER, CAP_PCIE, CAP_MSIX):
        assert pcie[pcie.cap_offset(cap)] == cap
    assert pcie.cap_offset(CAP_AGP) is None


@pytest.mark.parametrize("index", [4096, -4097])
def test_an_index_out_of_config_space_is_an_index_error(pcie, index):
    with pytest.raises(IndexError):
        pcie[index]
    with pytest.raises(IndexError):
        pcie[index] = 0


def test_a_register_can_be_written(pcie):
    line = pcie[0x3C]
    pcie[0x3C] = 0x5A
    assert pcie[0x3C] == 0x5A
    pcie[0x3C:0x3D] = [line]
    assert pcie[0x3C] == line


def test_power_states_are_set_and_read_back(nvme0, nvme0n1, pcie, buf):
    assert pcie.power_state == 0
    pcie.power_state = 3
    assert pcie.power_state == 3
    pcie.power_state = 0

    assert pcie.power_state == 0
    with d.Qpair(nvme0, 8) as qpair:
        nvme0n1.read(qpair, buf, 0).waitdone()


def test_an_impossible_power_state_is_a_value_error(pcie):
    with pytest.raises(ValueError, match=r"0\.\.3"):
        pcie.power_state = 4


def test_aspm_is_set_or_refused(pcie):
    before = pcie.aspm
    try:
        pcie.aspm = 0
    except d.NvmeError:
        pytest.skip("no root port above the device that could be asked")
    assert pcie.aspm == 0
    pcie.aspm = before


def test_decoding_may_stop_with_commands_in_flight(nvme0, nvme0n1, pcie, buf):
    got = []
    qpair = d.Qpair(nvme0, 64)
    for i in range(100):
        nvme0n1.read(qpair, buf, i, 8, cb=lambda cdw0, status1: got.append(status1))
    command = pcie[4]

    pcie[4] = 0
    with pytest.raises(SystemError):
        nvme0n1.read(qpair, buf, 0)
    pcie[4] = command
    del qpair

    with d.Qpair(nvme0, 8) as fresh:
        nvme0n1.read(fresh, buf, 0).waitdone()
    assert nvme0.getfeatures(7).waitdone() != 0


def test_d3hot_with_commands_in_flight(nvme0, nvme0n1, pcie, buf):
    qpair = d.Qpair(nvme0, 64)
    for i in range(100):
        nvme0n1.read(qpair, buf, i, 8)

    pcie.power_state = 3
    with pytest.raises(SystemError):
        qpair.waitdone(100)
    pcie.power_state = 0
    del qpair

    with d.Qpair(nvme0, 8) as fresh:
        nvme0n1.read(fresh, buf, 0).waitdone()


def test_a_function_without_a_controller_becomes_one():
    pcie = d.Pcie("sim:size=16M")
    assert pcie[9:12] == [2, 8, 1]
    with pytest.raises(d.NvmeError, match="no Controller yet"):
        pcie.flr()

    nvme = d.Controller(pcie)

    assert nvme[0x1C] & 1 == 1
    pcie.flr()
    assert nvme[0x1C] & 1 == 1


def test_an_address_without_a_function_is_an_enumerate_error():
    with pytest.raises(d.NvmeEnumerateError):
        d.Pcie("ff:1f.7")


def stop_decoding(pcie):
    pcie[4] = 0


def stop_by_d3hot(pcie):
    pcie.power_state = 3


@pytest.mark.parametrize("raises", [UserWarning, Oops])
@pytest.mark.parametrize("stop", [stop_decoding, stop_by_d3hot])
def test_a_write_is_done_before_it_raises(own, own_namespace, stop, raises):
    pcie = d.Pcie(own)
    command = pcie[4]
    qpair = fly(own, own_namespace, raises)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(raises):
            stop(pcie)

    assert (pcie[4], pcie.power_state) == ((0, 0) if stop is stop_decoding else (command, 3))
    pcie.power_state = 0
    pcie[4] = command
    assert own.getfeatures(7).waitdone() != 0
    del qpair


def test_a_write_that_fails_leaves_the_controller_up(own, monkeypatch):
    def fail(offset, data):
        raise OSError

    pcie = d.Pcie(own)
    with monkeypatch.context() as patch:
        patch.setattr(pcie, "_write", fail)
        with pytest.raises(OSError):
            pcie[4] = 0

    assert own.getfeatures(7).waitdone() != 0


def test_a_power_state_that_is_refused_leaves_the_controller_up(own):
    pcie = d.Pcie(own)

    with pytest.raises(d.NvmeError, match="refuses D1: it is in D0"):
        pcie.power_state = 1

    assert own.getfeatures(7).waitdone() != 0


def test_a_function_that_is_gone_may_be_written(own):
    pcie = d.Pcie(own)
    d.sim(own).remove()

    pcie[4] = 0

    assert pcie[4] == 0xFF
