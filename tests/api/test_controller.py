"""nvme.Controller: opening, registers, admin commands field by field, helpers."""

import gc
import struct
import sys

import pytest

import nvme as d


def sent(nvme, opcode):
    """The last command with this opcode."""
    return next(entry for entry in nvme.cmdlog_entries() if entry.opcode == opcode)


def dwords(entry):
    return (entry.cdw10, entry.cdw11, entry.cdw12, entry.cdw13, entry.cdw14, entry.cdw15)


@pytest.mark.parametrize("addr", [b"", "", b"sim:size=16M", "sim:size=16M"])
def test_addresses_of_the_software_ssd(addr):
    assert d.Controller(addr)[0x1C] & 1 == 1


@pytest.mark.parametrize(
    ("addr", "why"),
    [
        ("ff:1f.7", "no PCI device|no such|not there|does not exist"),
        ("nonsense", "address"),
        ("sim:siez=5", "siez"),
        ("sim:size=banana", "size"),
        ("/no/such/socket", "vfio-user is not supported"),
        ("sim\0", "address"),
        (b"\xff01:00.0", "address"),
        ("\udcff01:00.0", "udcff01:00.0.* is no address"),
        ("sim:size=\ud800", "size"),
    ],
)
def test_an_address_without_a_controller_is_an_enumerate_error(nvme0, addr, why):
    with pytest.raises(d.NvmeEnumerateError, match=f"(?i){why}"):
        d.Controller(addr)
    assert nvme0[0x1C] & 1 == 1


@pytest.mark.parametrize("addr", [5, None, 1.5])
def test_an_address_that_is_no_text_is_a_type_error(addr):
    with pytest.raises(TypeError):
        d.Controller(addr)


def test_registers_are_read_and_written(nvme0):
    assert nvme0[0] == nvme0.cap & 0xFFFFFFFF
    assert nvme0[4] == nvme0.cap >> 32
    assert nvme0[8] >= 0x00010000
    aqa = nvme0[0x24]
    nvme0[0x24] = aqa
    assert nvme0[0x24] == aqa


@pytest.mark.parametrize("offset", [1, 2, 3, 0x1D])
def test_a_register_offset_must_be_a_dword(nvme0, offset):
    with pytest.raises(AssertionError, match="multiple of 4"):
        nvme0[offset]
    with pytest.raises(AssertionError, match="multiple of 4"):
        nvme0[offset] = 0


def test_a_register_outside_the_bar_is_a_value_error(own):
    assert isinstance(own[0x3FFC], int)
    for offset in (0x4000, 0x10_0000, 0xFFFF_FFFC):
        with pytest.raises(ValueError, match="outside BAR0"):
            own[offset]
        with pytest.raises(ValueError, match="outside BAR0"):
            own[offset] = 0


def test_the_controller_is_configured_as_the_contract_says(nvme0):
    cc = nvme0[0x14]

    assert cc & 1 == 1
    assert cc >> 16 & 0xF == 6
    assert cc >> 20 & 0xF == 4
    assert cc >> 11 & 7 == 0
    assert cc >> 4 & 7 == (0b110 if nvme0.cap >> 43 & 1 else 0)


def test_all_smart_warnings_are_enabled_as_events(nvme0):
    assert nvme0.getfeatures(0x0B).waitdone() & 0x1F == 0x1F


def test_as_many_aers_are_posted_as_the_device_takes(nvme0):
    aerl = nvme0.id_data(259)

    outstanding = [e for e in nvme0.cmdlog_entries() if e.opcode == 0x0C and e.status is None]

    assert len(outstanding) == min(8, aerl + 1)
    assert all(28 <= entry.cid <= 99 for entry in outstanding)


def test_mdts_is_in_bytes(nvme0):
    mdts = nvme0.id_data(77)

    assert nvme0.mdts == (4096 << mdts if mdts else sys.maxsize)


def test_id_data_reads_fields(nvme0):
    buf = d.Buffer()
    nvme0.identify(buf).waitdone()

    assert nvme0.id_data(1, 0) == buf.data(1, 0)
    assert nvme0.id_data(63, 24, str) == buf.data(63, 24, str)
    assert nvme0.id_data(7, 0, nsid=1, cns=0) == d.Namespace(nvme0).id_data(7, 0)


def test_names_and_support_of_commands(nvme0):
    assert nvme0.cmdname(6) == "Identify"
    assert nvme0.supports(6)
    assert not nvme0.supports(0xFF)


def test_an_unknown_admin_command_is_the_devices_to_refuse(nvme0):
    with pytest.warns(UserWarning, match="ERROR status: 00/01"):
        nvme0.send_cmd(0xFF, None, 9, 10, 11, 12, 13, 14, 15).waitdone()

    entry = sent(nvme0, 0xFF)
    assert entry.nsid == 9
    assert dwords(entry) == (10, 11, 12, 13, 14, 15)


def refused(command):
    """Any status will do: what matters is what was sent."""
    command(cb=lambda cdw0, status1: None).waitdone()


def test_identify_fields(own):
    refused(lambda cb: own.identify(d.Buffer(), 3, 0x13, cntid=5, csi=2, cb=cb))

    assert sent(own, 6).nsid == 3
    assert dwords(sent(own, 6))[:2] == (5 << 16 | 0x13, 2 << 24)


def test_the_callback_of_identify_may_come_fourth(own):
    seen = []

    own.identify(d.Buffer(), 0, 1, lambda cdw0, status1: seen.append(status1 >> 1)).waitdone()
    own.identify(d.Buffer(), 0, 1, None).waitdone()
    with pytest.raises(TypeError):
        own.identify(d.Buffer(), 0, 1, "5")

    assert seen == [0]
    assert dwords(sent(own, 6))[:2] == (1, 0)


def test_feature_fields(own):
    refused(lambda cb: own.getfeatures(4, 1, 2, 3, 4, 5, sel=2, cb=cb))
    refused(lambda cb: own.setfeatures(0x7E, 1, 2, 3, 4, 5, sv=1, cb=cb))

    assert sent(own, 0x0A).nsid == 1
    assert dwords(sent(own, 0x0A)) == (2 << 8 | 4, 1, 2, 3, 4, 5)
    assert sent(own, 0x09).nsid == 0xFFFFFFFF
    assert dwords(sent(own, 0x09)) == (1 << 31 | 0x7E, 1, 2, 3, 4, 5)


def test_log_page_fields(own):
    refused(lambda cb: own.getlogpage(2, d.Buffer(), 512, cb=cb))
    assert sent(own, 2).nsid == 0xFFFFFFFF
    assert dwords(sent(own, 2)) == (127 << 16 | 2, 0, 0, 0, 0, 0)

    big = d.Buffer(4 * 0x10001)
    refused(lambda cb: own.getlogpage(7, big, offset=0x1_2345_6788, nsid=1, cb=cb))
    assert dwords(sent(own, 2)) == (7, 1, 0x23456788, 1, 0, 0)


@pytest.mark.parametrize("arguments", [{"size": 5}, {"size": 4, "offset": 2}])
def test_log_page_size_and_offset_are_dwords(nvme0, arguments):
    with pytest.raises(AssertionError, match="multiple of 4"):
        nvme0.getlogpage(2, d.Buffer(), **arguments)


def test_format_fields(own):
    refused(lambda cb: own.format(0x13, 3, 5, mset=1, pi=2, pil=1, cb=cb))

    assert sent(own, 0x80).nsid == 5
    assert dwords(sent(own, 0x80))[0] == 3 | 1 << 4 | 2 << 5 | 1 << 8 | 3 << 9 | 1 << 12


def test_sanitize_and_self_test_fields(own):
    refused(lambda cb: own.sanitize(0x0F, cb=cb))
    refused(lambda cb: own.dst(0x0E, cb=cb))

    assert dwords(sent(own, 0x84))[:2] == (0x0F, 0x5AA5A55A)
    assert (sent(own, 0x14).cdw10, sent(own, 0x14).nsid) == (0x0E, 0xFFFFFFFF)


def test_firmware_fields_are_rounded_down_to_dwords(own):
    refused(lambda cb: own.fw_download(d.Buffer(), 4099, 1023, cb=cb))
    refused(lambda cb: own.fw_commit(5, 3, cb=cb))

    assert dwords(sent(own, 0x11))[:2] == (254, 1024)
    assert sent(own, 0x10).cdw10 == 3 << 3 | 5


def test_abort_fields_and_answer(own):
    assert own.abort(0x77, 3).waitdone() == 1

    assert sent(own, 8).cdw10 == 0x77 << 16 | 3


def test_an_io_command_in_flight_is_aborted(own, own_namespace):
    with d.Qpair(own, 8) as qpair, d.sim(own).fault(opcode=2, admin=False, delay=60):
        own_namespace.read(qpair, d.Buffer(), 0)

        assert own.abort(qpair.latest_cid, qpair.sqid).waitdone() == 0
        with pytest.warns(UserWarning, match="ERROR status: 00/07"):
            qpair.waitdone()


def test_security_fields(own):
    refused(lambda cb: own.security_send(d.Buffer(512), 0x1234, 2, 5, cb=cb))
    refused(lambda cb: own.security_receive(d.Buffer(512), 0x1234, 2, 5, 100, cb=cb))

    assert dwords(sent(own, 0x81))[:2] == (2 << 24 | 0x1234 << 8 | 5, 512)
    assert dwords(sent(own, 0x82))[:2] == (2 << 24 | 0x1234 << 8 | 5, 100)


def test_management_fields(own):
    refused(lambda cb: own.mi_send(5, 6, 7, cb=cb))
    refused(lambda cb: own.mi_receive(5, 6, 7, d.Buffer(), 2, cb=cb))
    refused(lambda cb: own.ns_management(7, None, 9, 3, cb=cb))
    refused(lambda cb: own.ns_attachment(7, d.Buffer(), 9, cb=cb))

    assert dwords(sent(own, 0x1D))[:4] == (1 << 11, 5, 6, 7)
    assert dwords(sent(own, 0x1E))[:4] == (2 << 11, 5, 6, 7)
    assert (sent(own, 0x0D).nsid, *dwords(sent(own, 0x0D))[:2]) == (9, 7, 3 << 24)
    assert (sent(own, 0x15).nsid, sent(own, 0x15).cdw10) == (9, 7)


def test_directive_fields(own):
    refused(lambda cb: own.directive_send(None, 1, 9, 8, 7, 6, cb=cb))
    refused(lambda cb: own.directive_receive(d.Buffer(), 1, 9, 8, 7, cb=cb))

    assert dwords(sent(own, 0x19))[:3] == (0, 7 << 16 | 9 << 8 | 8, 6)
    assert dwords(sent(own, 0x1A))[:3] == (1023, 7 << 16 | 9 << 8 | 8, 0)


def test_number_of_queues_goes_to_the_device_as_given(own):
    own.setfeatures(7, cdw11=0x00030005).waitdone()

    assert sent(own, 9).cdw11 == 0x00030005


def test_the_buffer_of_an_admin_command_is_checked(nvme0):
    with pytest.raises(TypeError, match="buf must be a Buffer"):
        nvme0.identify(bytes(4096))
    with pytest.raises(ValueError, match="opcode"):
        nvme0.send_cmd(1 << 10)
    with pytest.warns(UserWarning, match="00/01"):
        nvme0.send_cmd((1 << 10) - 1).waitdone()  # opcode FFh and the fuse bits


def test_smart_log_is_read(nvme0):
    smart = d.Buffer(512)
    nvme0.getlogpage(2, smart, 512).waitdone()

    assert 200 < smart.data(2, 1) < 400


def test_downfw_takes_a_path_and_no_file_number(nvme0):
    with pytest.raises(TypeError):
        nvme0.downfw(0)


def test_downfw_sends_the_file_in_pieces(own, tmp_path):
    image = tmp_path / "firmware.bin"
    image.write_bytes(bytes(range(256)) * 36 + b"xyz")

    with pytest.warns(UserWarning, match="ERROR status: 01/07"):
        own.downfw(image, slot=2)

    pieces = [e for e in reversed(own.cmdlog_entries()) if e.opcode == 0x11]
    assert [(e.cdw10, e.cdw11) for e in pieces] == [(1023, 0), (1023, 1024), (256, 2048)]
    assert sent(own, 0x10).cdw10 == 1 << 3 | 2


def test_a_host_memory_buffer_that_nobody_wants_is_not_given(nvme0):
    if nvme0.id_data(275, 272):
        pytest.skip("the device wants one")
    assert nvme0.enable_hmb() == 0


def test_a_host_memory_buffer_is_described_as_the_specification_wants():
    nvme = d.Controller("sim:size=16M,hmpre=5M")

    assert nvme.enable_hmb() == 5 << 20

    entry = sent(nvme, 9)
    assert entry.cdw10 & 0xFF == 0x0D
    assert dwords(entry)[1:3] == (1, (5 << 20) // 4096)
    descriptors = nvme._hmb[0]
    assert entry.cdw14 << 32 | entry.cdw13 == descriptors.phys_addr
    pages = [struct.unpack_from("<QI", descriptors, i * 16)[1] for i in range(entry.cdw15)]
    assert pages == [512, 512, 256]
    nvme.disable_hmb()
    assert sent(nvme, 9).cdw11 == 0


def test_a_second_controller_at_the_same_drive_is_refused(nvme0):
    if nvme0.addr.startswith("sim"):
        pytest.skip("every software SSD is one of its own")
    with pytest.raises(d.NvmeEnumerateError, match="open|use"):
        d.Controller(nvme0.addr)


def test_a_path_of_bytes_is_an_address():
    class Path:
        def __fspath__(self):
            return b"sim:size=16M"

    assert d.Controller(Path()).addr == "sim:size=16M"


def test_two_software_ssds_live_side_by_side(own):
    other = d.Controller("sim:size=16M")

    assert own.id_data(7, 0, nsid=1, cns=0) != other.id_data(7, 0, nsid=1, cns=0)


def bring_up(nvme: d.Controller) -> None:
    """The steps of an init function, from a disabled controller on."""
    nvme.init_adminq()
    nvme.enable()
    nvme.wait_csts(rdy=True)
    nvme.init_ctrl()
    nvme.init_queues()


def test_an_init_function_replaces_the_standard_initialisation():
    steps = []

    def init(nvme):
        steps.append(nvme[0x1C] & 1)
        nvme.disable()
        bring_up(nvme)
        steps.append(nvme[0x1C] & 1)

    nvme = d.Controller("sim:size=16M", nvme_init_func=init)

    assert steps == [0, 1]
    assert nvme.getfeatures(7).waitdone() != 0
    assert not [e for e in nvme.cmdlog_entries() if e.opcode == 0x0C]
    nvme.reset()
    assert steps == [0, 1, 0, 1]


def test_an_init_function_makes_and_loses_queues_at_a_reset():
    """Also those that a garbage collection happens to find while it runs."""

    def init(nvme: d.Controller) -> None:
        bring_up(nvme)
        gc.collect()
        made.append(d.Qpair(nvme, 8))
        with pytest.raises(d.NvmeError, match="cannot reset what it initialises"):
            nvme.reset()

    made: list[d.Qpair] = []
    nvme = d.Controller("sim:size=16M", nvme_init_func=init)
    cycle: list[object] = [d.Qpair(nvme, 8)]
    cycle.append(cycle)
    del cycle
    nvme.reset()

    namespace, buf = d.Namespace(nvme), d.Buffer()
    assert [made[1].sqid, namespace.read(made[1], buf, 0).waitdone()] == [1, 0]


def test_a_worker_does_not_start_inside_an_init_function():
    """Its queue would wait for the reset to be over, which would wait for the worker."""

    def init(nvme: d.Controller) -> None:
        bring_up(nvme)
        for namespace in namespaces:
            with pytest.raises(SystemError, match="cannot start inside an initialisation"):
                namespace.ioworker(io_count=1).start()

    namespaces: list[d.Namespace] = []
    nvme = d.Controller("sim:size=16M", nvme_init_func=init)
    namespaces.append(d.Namespace(nvme))
    nvme.reset()

    assert namespaces[0].ioworker(io_count=1).start().close().io_count_read == 1


def test_an_exception_of_an_init_function_comes_out():
    def init(nvme):
        raise KeyError("no")

    with pytest.raises(KeyError, match="no"):
        d.Controller("sim:size=16M", nvme_init_func=init)


def test_a_controller_that_is_never_ready_is_an_enumerate_error():
    with pytest.raises(d.NvmeEnumerateError, match=r"CSTS\.RDY.*CAP\.TO"):
        d.Controller("sim:size=16M,enable_s=60,to_s=0.5")


def test_an_address_that_failed_leaves_nothing_behind():
    gc.collect()
    before = d._core.counts()

    for addr in ("ff:1f.7", "nonsense", "sim:siez=5", "sim:size=16M,enable_s=60,to_s=0.5"):
        with pytest.raises(d.NvmeEnumerateError):
            d.Controller(addr)

    assert d._core.counts() == before


def test_a_new_admin_queue_gives_outstanding_commands_back(own):
    before = d._core.counts()["commands"]
    seen = []
    with d.sim(own).fault(admin=True, opcode=0x0A, drop=True):
        own.getfeatures(7, cb=lambda cdw0, status1: seen.append(status1 >> 1))

        own.init_adminq()

    assert [status & 0x7FF for status in seen] == [0x008]
    assert d._core.counts()["commands"] == before
    own.reset()
