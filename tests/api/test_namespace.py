"""nvme.Namespace: properties, reads and writes, the other IO commands."""

import gc
import time

import pytest

import nvme as d

FUA = 1 << 14


@pytest.fixture
def lba(nvme0n1):
    return nvme0n1.sector_size


def filled(size: int, seed: int = 1) -> d.Buffer:
    buf = d.Buffer(size)
    buf[:] = bytes((i * 7 + i // 256 + seed) & 0xFF for i in range(size))
    return buf


def test_capacity_and_sector_size_are_what_identify_says(nvme0n1):
    flbas = nvme0n1.id_data(26) & 0xF
    lbads = nvme0n1.id_data(128 + 4 * flbas + 2)

    assert nvme0n1.sector_size == 1 << lbads
    assert nvme0n1.capacity == nvme0n1.id_data(7, 0) << lbads
    assert nvme0n1.nsid == 1


@pytest.mark.parametrize("nsid", [0, 0xFFFFFFFE, 0xFFFFFFFF])
def test_a_namespace_that_is_not_there_is_a_creation_error(nvme0, nsid):
    with pytest.raises(d.NamespaceCreationError):
        d.Namespace(nvme0, nsid)


def test_a_closed_namespace_says_so(nvme0, qpair, buf):
    namespace = d.Namespace(nvme0)
    namespace.close()
    namespace.close()

    with pytest.raises(SystemError, match="closed"):
        namespace.read(qpair, buf, 0)


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 16, 255, 256])
def test_what_was_written_is_read(nvme0, nvme0n1, qpair, lba, count):
    if count * lba > nvme0.mdts:
        pytest.skip(f"{count} LBAs are more than MDTS")
    source, target = filled(count * lba, count), d.Buffer(count * lba + 8)

    nvme0n1.write(qpair, source, 1000, count).waitdone()
    nvme0n1.read(qpair, target, 1000, count).waitdone()

    assert target[: count * lba] == source[:]
    assert target[count * lba :] == bytes(8)


@pytest.mark.parametrize("offset", [4, 8, 12, 508, 512, 2044, 4092])
@pytest.mark.parametrize("count", [1, 8, 9, 17])
def test_data_may_begin_at_any_dword(nvme0n1, qpair, lba, offset, count):
    source, target = d.Buffer(8192 + 32 * lba), d.Buffer(8192 + 32 * lba)
    content = filled(count * lba, offset)[:]
    source[offset:] = content
    source.offset, target.offset = offset, 4096 - offset % 4096

    nvme0n1.write(qpair, source, 77, count).waitdone()
    nvme0n1.read(qpair, target, 77, count).waitdone()

    written = source[offset : offset + count * lba]
    assert target[target.offset : target.offset + count * lba] == written
    assert target[: target.offset] == bytes(target.offset)
    assert written[8 : lba - 8] == content[8 : lba - 8]


def test_a_write_stamps_every_lba_in_the_buffer(nvme0n1, qpair, lba):
    source = filled(3 * lba)

    nvme0n1.write(qpair, source, 5000, 3).waitdone()

    tokens = [source.data((i + 1) * lba - 1, (i + 1) * lba - 8) for i in range(3)]
    assert [source.data(i * lba + 7, i * lba) for i in range(3)] == [5000, 5001, 5002]
    assert tokens == [tokens[0], tokens[0] + 1, tokens[0] + 2]


def test_compare_and_send_cmd_do_not_stamp(nvme0n1, qpair, lba):
    source = filled(lba)
    content = source[:]

    nvme0n1.send_cmd(1, qpair, source, 1, cdw10=300).waitdone()
    nvme0n1.compare(qpair, source, 300).waitdone()

    assert source[:] == content


@pytest.mark.parametrize("count", [0, 65537])
def test_an_impossible_lba_count_is_a_value_error(nvme0n1, qpair, buf, count):
    with pytest.raises(ValueError, match="lba_count"):
        nvme0n1.read(qpair, buf, 0, count)


def test_a_buffer_too_small_is_an_assertion_error_and_sends_nothing(nvme0n1, qpair, lba):
    for command in (nvme0n1.read, nvme0n1.write, nvme0n1.compare):
        with pytest.raises(AssertionError, match="the transfer needs"):
            command(qpair, d.Buffer(lba * 2 - 1), 0, 2)

    assert qpair.cmdlog_entries() == []


def test_the_device_refuses_more_than_mdts(nvme0, nvme0n1, qpair, lba):
    count = nvme0.mdts // lba + 1
    if count > 65536:
        pytest.skip("no command is longer than MDTS")

    with pytest.warns(UserWarning, match="ERROR status: 00/02"):
        nvme0n1.read(qpair, d.Buffer(count * lba), 0, count).waitdone()


def test_an_lba_out_of_range_is_the_devices_to_refuse(nvme0n1, qpair, buf, lba):
    last = nvme0n1.capacity // lba

    nvme0n1.read(qpair, buf, last - 1).waitdone()
    for beyond in (last, 1 << 40, 0xFFFF_FFFF_FFFF_FFFF):
        with pytest.warns(UserWarning, match="ERROR status: 00/80"):
            nvme0n1.read(qpair, buf, beyond).waitdone()


def test_all_64_bits_of_an_lba_reach_the_device(nvme0n1, qpair, buf):
    with pytest.warns(UserWarning, match="ERROR status: 00/80"):
        nvme0n1.read(qpair, buf, 0x8765_4321_0FED_CBA9, 3).waitdone()

    sent = qpair.cmdlog_entries(1)[0]
    assert (sent.cdw11 << 32 | sent.cdw10, sent.cdw12) == (0x8765_4321_0FED_CBA9, 2)


@pytest.mark.parametrize("flags", [FUA, FUA << 16])
def test_io_flags_have_two_spellings(nvme0n1, qpair, buf, flags):
    nvme0n1.write(qpair, buf, 0, 1, flags).waitdone()
    nvme0n1.read(qpair, buf, 0, 1, io_flags=flags).waitdone()
    nvme0n1.write_zeroes(qpair, 0, 1, flags).waitdone()

    assert [entry.cdw12 for entry in qpair.cmdlog_entries()] == [FUA << 16] * 3


@pytest.mark.parametrize(
    ("flags", "cdw12"), [(0xFFFF, 0xFFFF_0000), (1 << 15, 1 << 31), (1 << 16, 1 << 16)]
)
def test_io_flags_of_17_bits_are_in_place_already(own, own_namespace, buf, flags, cdw12):
    qpair = d.Qpair(own, 8)
    # Reserved bits, and a directive that is not enabled: what the drive says to them is its own.
    own_namespace.read(qpair, buf, 0, 1, flags, cb=lambda cdw0, status1: None).waitdone()

    assert qpair.cmdlog_entries(1)[0].cdw12 == cdw12


@pytest.mark.parametrize("flags", [0x1_0001, 0x4000_8000])
def test_io_flags_that_are_neither_are_an_assertion_error(nvme0n1, qpair, buf, flags):
    with pytest.raises(AssertionError, match="io_flags"):
        nvme0n1.read(qpair, buf, 0, 1, flags)


def test_dwords_13_to_15_are_sent_as_given(nvme0n1, qpair, buf):
    nvme0n1.read(qpair, buf, 0, cdw13=0x0D, cdw14=0x0E, cdw15=0x0F).waitdone()

    sent = qpair.cmdlog_entries(1)[0]
    assert (sent.cdw13, sent.cdw14, sent.cdw15) == (0x0D, 0x0E, 0x0F)


def test_config_applies_fua_to_single_commands(nvme0n1, qpair, buf):
    try:
        d.config(fua_read=True)
        nvme0n1.read(qpair, buf, 0).waitdone()
        nvme0n1.write(qpair, buf, 0).waitdone()
        d.config(fua_write=True)
        nvme0n1.read(qpair, buf, 0).waitdone()
        nvme0n1.write(qpair, buf, 0).waitdone()
    finally:
        d.config()

    flags = [entry.cdw12 >> 30 for entry in reversed(qpair.cmdlog_entries())]
    assert flags == [1, 0, 0, 1]


def test_compare_tells_a_difference(nvme0n1, qpair, lba):
    source = filled(lba)
    nvme0n1.write(qpair, source, 10).waitdone()
    nvme0n1.compare(qpair, source, 10).waitdone()
    source[20] ^= 1

    with pytest.warns(UserWarning, match="ERROR status: 02/85"):
        nvme0n1.compare(qpair, source, 10).waitdone()


def test_write_zeroes_leaves_zeroes(nvme0n1, qpair, lba):
    buf = filled(2 * lba)
    nvme0n1.write(qpair, buf, 20, 2).waitdone()

    nvme0n1.write_zeroes(qpair, 20, 2).waitdone()
    nvme0n1.read(qpair, buf, 20, 2).waitdone()

    assert buf[:] == bytes(2 * lba)


def test_dsm_sends_its_ranges(nvme0n1, qpair):
    ranges = d.Buffer()
    ranges.set_dsm_range(0, 0, 8)
    ranges.set_dsm_range(1, 100, 8)

    nvme0n1.dsm(qpair, ranges, 2).waitdone()

    sent = qpair.cmdlog_entries(1)[0]
    assert (sent.opcode, sent.cdw10, sent.cdw11) == (9, 1, 4)


@pytest.mark.parametrize("count", [0, 257])
def test_an_impossible_number_of_ranges_is_a_value_error(nvme0n1, qpair, count):
    with pytest.raises(ValueError, match="range_count"):
        nvme0n1.dsm(qpair, d.Buffer(), count)


def test_a_buffer_without_room_for_its_ranges_is_an_assertion_error(nvme0n1, qpair):
    with pytest.raises(AssertionError, match="ranges need"):
        nvme0n1.dsm(qpair, d.Buffer(16), 2)


def test_write_uncorrectable_makes_reads_fail(nvme0n1, qpair, lba):
    buf = filled(2 * lba)
    nvme0n1.write(qpair, buf, 40, 2).waitdone()

    nvme0n1.write_uncorrectable(qpair, 41).waitdone()

    nvme0n1.read(qpair, buf, 40).waitdone()
    with pytest.warns(UserWarning, match="ERROR status: 02/81"):
        nvme0n1.read(qpair, buf, 41).waitdone()
    nvme0n1.write(qpair, buf, 40, 2).waitdone()
    nvme0n1.read(qpair, buf, 41).waitdone()


def test_verify_reads_without_a_transfer(nvme0n1, qpair):
    nvme0n1.verify(qpair, 0, 8).waitdone()

    assert qpair.cmdlog_entries(1)[0].opcode == 0x0C


def test_copy_copies(nvme0n1, qpair, lba):
    source, target = filled(4 * lba), d.Buffer(4 * lba)
    nvme0n1.write(qpair, source, 60, 4).waitdone()
    ranges = d.Buffer()
    ranges.set_copy_range(0, 62, 2)
    ranges.set_copy_range(1, 60, 2)

    nvme0n1.copy(qpair, ranges, 2, 80).waitdone()
    nvme0n1.read(qpair, target, 80, 4).waitdone()

    assert target[:] == source[2 * lba :] + source[: 2 * lba]


def test_flush_succeeds(nvme0n1, qpair):
    nvme0n1.flush(qpair).waitdone()

    sent = qpair.cmdlog_entries(1)[0]
    assert (sent.opcode, sent.nsid) == (0, 1)


def test_send_cmd_sends_everything_as_given(nvme0n1, qpair):
    with pytest.warns(UserWarning, match="ERROR status: 00/01"):
        nvme0n1.send_cmd(0xFE, qpair, None, 1, 10, 11, 12, 13, 14, 15).waitdone()

    sent = qpair.cmdlog_entries(1)[0]
    assert (sent.opcode, sent.nsid) == (0xFE, 1)
    dwords = (sent.cdw10, sent.cdw11, sent.cdw12, sent.cdw13, sent.cdw14, sent.cdw15)
    assert dwords == (10, 11, 12, 13, 14, 15)


def test_the_nsid_of_send_cmd_is_zero_unless_given(nvme0n1, qpair):
    with pytest.warns(UserWarning, match="ERROR status: 00/0b"):
        nvme0n1.send_cmd(2, qpair, d.Buffer()).waitdone()


def test_names_and_support_of_commands(nvme0n1):
    assert nvme0n1.cmdname(2) == "Read"
    assert nvme0n1.cmdname(8) == "Write Zeroes"
    assert nvme0n1.supports(2)
    assert not nvme0n1.supports(0xFE)


def test_get_lba_format_finds_the_first_match(nvme0n1):
    lbaf = nvme0n1.get_lba_format(512, 0)

    assert nvme0n1.id_data(128 + 4 * lbaf + 3, 128 + 4 * lbaf) & 0xFFFFFF == 9 << 16
    assert nvme0n1.get_lba_format(1024, 999) is None


def test_format_changes_sector_size_and_data(nvme0n1, qpair):
    buf = filled(4096)
    nvme0n1.write(qpair, buf, 0, 1).waitdone()
    try:
        assert nvme0n1.format(4096) == nvme0n1.get_lba_format(4096)
        assert nvme0n1.sector_size == 4096
        nvme0n1.read(qpair, buf, 0, 1).waitdone()
        assert buf[:] == bytes(4096)
        nvme0n1.write(qpair, filled(4096), 0, 1).waitdone()
    finally:
        nvme0n1.format(512)
    assert nvme0n1.sector_size == 512


def test_format_without_such_a_format_does_nothing(nvme0, nvme0n1):
    before = time.monotonic_ns()

    assert nvme0n1.format(777) is None

    since = [entry.opcode for entry in nvme0.cmdlog_entries() if entry.submit_ns > before]
    assert since == [6]


def formats(nvme) -> list[int]:
    """CDW10 of every Format NVM that was sent."""
    return [entry.cdw10 for entry in nvme.cmdlog_entries() if entry.opcode == 0x80]


def test_secure_erase_is_a_field_of_three_bits(own, own_namespace):
    refused = d.sim(own).fault(admin=True, opcode=0x80, status=0x10A)  # an erase takes seconds
    with refused, pytest.warns(UserWarning, match="ERROR status: 01/0a"):
        lbaf = own_namespace.format(512, ses=1)
    for data_size, ses in ((512, -1), (512, 8), (777, 8)):
        with pytest.raises(ValueError, match="ses"):
            own_namespace.format(data_size, ses=ses)

    assert formats(own) == [1 << 9 | lbaf]


def test_a_format_by_hand_is_noticed_by_the_namespace(nvme0, nvme0n1):
    nvme0.format(nvme0n1.get_lba_format(4096)).waitdone()
    try:
        assert nvme0n1.sector_size == 4096
    finally:
        nvme0.format(nvme0n1.get_lba_format(512)).waitdone()
    assert nvme0n1.sector_size == 512


def test_verify_enable_says_whether_locks_are_on(nvme0n1):
    assert nvme0n1.verify_enable() is True
    assert nvme0n1.verify_enable(False) is False


def test_arguments_of_the_wrong_kind_are_type_errors(nvme0n1, qpair, buf):
    with pytest.raises(TypeError, match="qpair must be a Qpair"):
        nvme0n1.read(buf, qpair, 0)
    with pytest.raises(TypeError, match="buf must be a Buffer"):
        nvme0n1.read(qpair, bytes(512), 0)
    with pytest.raises(TypeError, match="lba must be an int"):
        nvme0n1.read(qpair, buf, 0.5)
    with pytest.raises(TypeError, match=r"read\(\) takes from 3 to 6 positional arguments but 7"):
        nvme0n1.read(qpair, buf, 0, 1, 0, None, None)
    with pytest.raises(ValueError, match="lba must be"):
        nvme0n1.read(qpair, buf, -1)


def test_the_fuse_bits_above_an_opcode_are_sent(own, own_namespace):
    statuses = []
    with d.Qpair(own, 8) as qpair:
        compare = 5 | 1 << 8
        own_namespace.send_cmd(
            compare, qpair, d.Buffer(), nsid=1, cb=lambda cdw0, status1: statuses.append(status1)
        ).waitdone()
        (entry,) = qpair.cmdlog_entries()

    assert (entry.opcode, entry.flags) == (5, 1)
    assert len(statuses) == 1


@pytest.mark.parametrize("fuse", [1, 2, 3])
def test_an_admin_command_has_them_too(own, fuse):
    own.send_cmd(6 | fuse << 8, d.Buffer(), cb=lambda cdw0, status1: None).waitdone()

    (admin,) = own.cmdlog_entries(1)
    assert (admin.opcode, admin.flags) == (6, fuse)


def test_scripts_of_later_versions_may_say_how_much_to_verify(own):
    assert d.Namespace(own, 1, 4096).nsid == d.Namespace(own, nsid=1, nlba_verify=0).nsid
    assert d.Namespace(own, 1, 2**64 - 1).nsid == 1
    for wrong in (-1, 2**64):
        with pytest.raises(ValueError, match="nlba_verify must be 0.."):
            d.Namespace(own, 1, wrong)


def test_there_is_no_zoned_namespace(own_namespace, qpair, buf):
    for command in (own_namespace.zns_mgmt_send, own_namespace.zns_mgmt_receive):
        with pytest.raises(d.NvmeError, match="is no zoned namespace"):
            command(qpair, buf, 0, zsa=3)
    assert qpair.cmdlog_entries() == []


def test_controllers_and_namespaces_say_what_they_are(own):
    namespace = d.Namespace(own)
    assert repr(own) == f"<controller: {own.addr}>"
    assert repr(namespace) == f"<namespace: 1 of {own!r}>"
    assert repr(d.Pcie(own)) == f"<pcie of {own!r}>"
    assert repr(d.Subsystem(own)) == f"<subsystem of {own!r}>"

    namespace.close()

    assert repr(namespace) == f"<namespace: 1 of {own!r}, closed>"


def test_what_could_not_be_made_can_be_shown(own):
    shown = []

    class Nosy(d.Controller):
        def __new__(cls, *args):
            try:
                return super().__new__(cls, *args)
            finally:
                kinds = (d.Controller, d.Namespace, d.Qpair, d.Pcie)
                shown.extend(repr(one) for one in gc.get_objects() if isinstance(one, kinds))

    with pytest.raises(d.NvmeEnumerateError):
        Nosy("sim:nothing=1")
    assert all(text.startswith("<") for text in shown)
    assert repr(object.__new__(d.Subsystem)) == "<subsystem of None>"
