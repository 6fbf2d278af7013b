"""Views: what they say, that they cannot be changed, and what hostile bytes do to them."""

import copy
import json
import pickle
import random

import pytest

import nvme as d
from nvme import decode, spec
from nvme.decode.features import LAYOUTS

from .every import BITS, LISTS, VIEWS


def name(cls: type) -> str:
    return cls.__name__


def smart(**fields: int) -> decode.SmartLog:
    """A SMART log with some fields, at their offsets of Base 2.1."""
    data = bytearray(512)
    for offset, width, value in (
        (0, 1, fields.get("cw", 0)),
        (1, 2, fields.get("ctemp", 0)),
        (32, 16, fields.get("dur", 0)),
        (112, 16, fields.get("pwrc", 0)),
    ):
        data[offset : offset + width] = value.to_bytes(width, "little")
    return decode.SmartLog(data)


def test_attributes_are_raw_integers():
    log = smart(ctemp=323, dur=2**100 + 5, pwrc=7)

    assert (log.ctemp, log.dur, log.pwrc) == (323, 2**100 + 5, 7)


def test_text_is_text_without_its_padding():
    data = bytearray(4096)
    data[4:24] = b"SN 1".ljust(20)
    data[24:64] = b"Model".ljust(40, b"\0")

    ctrl = decode.IdentifyController(data)

    assert (ctrl.sn, ctrl.mn, ctrl.fr) == ("SN 1", "Model", "")


def test_a_bit_field_is_an_integer_with_parts():
    data = bytearray(4096)
    data[256:258] = 0x0106.to_bytes(2, "little")

    oacs = decode.IdentifyController(data).oacs

    assert oacs == 0x0106
    assert oacs & 2
    assert (oacs.fnvms, oacs.fwds, oacs.ssrs, oacs.dbcs) == (1, 1, 0, 1)


def test_bits_without_a_name_are_told():
    flags = decode.IdentifyNamespace.dps.bits(0b1010_1001)

    assert flags.reserved == 0b1010_0000
    assert "reserved" in repr(flags)


def test_a_structure_within_is_a_view():
    data = bytearray(4096)
    data[128:132] = bytes((8, 0, 9, 1))
    data[132:136] = bytes((0, 0, 12, 0))
    data[25], data[26] = 1, 0x11

    ns = decode.IdentifyNamespace(data)

    assert (ns.lbaf[0].ms, ns.lbaf[0].lbads, ns.lbaf[0].rp.rp) == (8, 9, 1)
    assert ns.flbas.index == 1
    assert ns.format_in_use.data_bytes == 4096
    assert len(ns.lbaf) == 64
    assert len(ns.asdict()["lbaf"]) == 2


def test_asdict_has_every_field_but_the_reserved():
    found = smart(cw=4, ctemp=300).asdict()

    assert found["cw"] == 4
    assert found["ctemp"] == 300
    assert not [key for key in found if "rsvd" in key]


def test_asdict_has_bits_and_units_when_asked():
    found = smart(cw=4, ctemp=300).asdict(bits=True, units=True)

    assert found["cw"]["raw"] == 4
    assert found["cw"]["ndr"] == 1
    assert found["ctemp_kelvin"] == 300
    assert found["dur_512000_bytes"] == 0


def test_the_table_has_values_units_and_meaning():
    text = repr(smart(cw=2, ctemp=323))

    assert "SMART / Health Information" in text
    assert "323 K (50 C)" in text
    assert "Composite Temperature" in text
    assert "Temperature Threshold Condition" in text


def test_a_view_is_read_only():
    log = smart(ctemp=300)

    with pytest.raises(AttributeError, match="read-only"):
        log.ctemp = 1
    with pytest.raises(AttributeError, match="read-only"):
        log.other = 1
    with pytest.raises(AttributeError, match="read-only"):
        del log.ctemp
    with pytest.raises(AttributeError, match="read-only"):
        log.cw.ttc = 1
    assert log.ctemp == 300


def test_a_view_keeps_its_bytes_when_the_buffer_changes():
    buf = d.Buffer(512)
    buf[1] = 44

    log = decode.SmartLog(buf)
    buf[1] = 0

    assert log.ctemp == 44
    assert bytes(log)[1] == 44


def test_views_of_equal_bytes_are_equal():
    assert smart(ctemp=1) == smart(ctemp=1)
    assert smart(ctemp=1) != smart(ctemp=2)
    assert len({smart(ctemp=1), smart(ctemp=1), smart(ctemp=2)}) == 2
    assert pickle.loads(pickle.dumps(smart(ctemp=1))) == smart(ctemp=1)
    assert copy.deepcopy(smart(ctemp=1)) == smart(ctemp=1)


def test_a_drives_text_does_not_steer_the_terminal():
    data = bytearray(4096)
    data[24:64] = b"\x1b[2Jevil\xff\n".ljust(40)

    ctrl = decode.IdentifyController(data)

    assert "\x1b" not in repr(ctrl)
    assert "\\x1b[2Jevil" in repr(ctrl)
    assert ctrl.mn == "\x1b[2Jevil\\xff\n"


@pytest.mark.parametrize("view", VIEWS, ids=name)
def test_a_structure_that_is_cut_is_a_value_error(view):
    assert view(bytes(view.BYTES)) == view(bytes(view.BYTES + 1))
    for size in {0, view.BYTES - 1}:
        with pytest.raises(ValueError, match="only"):
            view(bytes(size))


@pytest.mark.parametrize("cls", LISTS, ids=name)
def test_a_list_that_is_cut_is_a_value_error(cls):
    with pytest.raises(ValueError, match="only"):
        cls(b"")


def hostile(size: int, seed: int) -> bytes:
    """All ones, and noise of several densities."""
    noise = random.Random(seed)
    if not seed:
        return b"\xff" * size
    if seed % 2:
        return noise.randbytes(size)
    return bytes(noise.randrange(256) if not noise.randrange(9) else 0 for _ in range(size))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("cls", [*VIEWS, *LISTS], ids=name)
def test_no_content_makes_a_view_fail(cls, seed):
    size = getattr(cls, "BYTES", 0) or 6000

    view = cls(hostile(size + seed, seed))

    assert repr(view)
    json.dumps(view.asdict(bits=True, units=True))
    json.dumps(view.asdict())


@pytest.mark.parametrize("bits", BITS, ids=name)
def test_every_value_of_a_bit_field_can_be_shown(bits):
    for value in (0, (1 << bits.BITS) - 1, 1, 1 << bits.BITS - 1):
        assert repr(bits(value))
        assert bits(value).asdict()["raw"] == value


@pytest.mark.parametrize("fid", range(256))
def test_a_feature_of_any_number_can_be_shown(fid):
    data = b"\xff" * 4096 if fid in LAYOUTS else None

    value = decode.FeatureValue(fid, 0xFFFFFFFF, data)

    assert repr(value).startswith(spec.Feature.text_of(fid))
    json.dumps(value.asdict(bits=True, units=True))


def test_descriptors_end_where_the_data_do():
    whole = bytes((1, 8, 0, 0)) + bytes(range(8)) + bytes((4, 1, 0, 0, 2)) + bytes(4)

    assert decode.NamespaceDescriptors(whole).eui64 == bytes(range(8))
    assert decode.NamespaceDescriptors(whole).csi == 2
    assert decode.NamespaceDescriptors(whole).uuid is None
    assert decode.NamespaceDescriptors(whole).damaged == ""
    cut = decode.NamespaceDescriptors(whole[:14])
    assert len(cut) == 1
    beyond = decode.NamespaceDescriptors(bytes((3, 16, 0, 0)) + bytes(15))
    assert len(beyond) == 0
    assert "beyond the data" in beyond.damaged


def event(etype: int, data: bytes, **lengths: int) -> bytes:
    """A persistent event; el and ehl may lie."""
    head = bytearray(24)
    head[0], head[1], head[2] = etype, 1, lengths.get("ehl", 21)
    head[22:24] = lengths.get("el", len(data)).to_bytes(2, "little")
    return bytes(head) + data


def event_log(*events: bytes, tnev: int | None = None) -> decode.PersistentEventLog:
    body = b"".join(events)
    head = bytearray(512)
    head[0] = 0x0D
    head[4:8] = (len(events) if tnev is None else tnev).to_bytes(4, "little")
    head[8:16] = (512 + len(body)).to_bytes(8, "little")
    head[18:20] = (492).to_bytes(2, "little")
    return decode.PersistentEventLog(bytes(head) + body)


def test_events_are_decoded_by_their_type():
    snapshot = bytes(smart(ctemp=301))
    commit = b"1.0".ljust(8) + b"2.0".ljust(8) + bytes((3, 2, 1, 0x0B, 0, 0))

    log = event_log(event(1, snapshot), event(2, commit), event(0xDE, b"ab"))

    assert log.damaged == ""
    assert [each.text for each in log] == [
        "SMART / Health Log Snapshot",
        "Firmware Commit",
        "Vendor Specific",
    ]
    assert log[0].data.ctemp == 301
    assert (log[1].data.ofr, log[1].data.nfr, log[1].data.fs) == ("1.0", "2.0", 2)
    assert bytes(log[2].data) == b"ab"


def test_a_set_feature_event_has_its_dwords_and_its_memory():
    words = b"".join(word.to_bytes(4, "little") for word in (0x11223344, 0x55667788, 99))
    layout = 3 | 2 << 16

    (both,) = event_log(event(0x0B, layout.to_bytes(4, "little") + words + b"mem"))
    (cut,) = event_log(event(0x0B, layout.to_bytes(4, "little") + words[:7]))

    assert both.data.dwords == (0x11223344, 0x55667788, 99)
    assert both.data.memory == b"me"
    assert "0x11223344 0x55667788 0x00000063" in repr(both.data)
    assert cut.data.dwords == (0x11223344,)


def test_an_event_tells_its_type_in_words():
    log = event_log(event(2, bytes(22)))

    found = next(line for line in log[0].lines() if line.split()[0].startswith("etype"))

    assert "(Firmware Commit)" in found


def test_events_end_where_they_reach_beyond_the_data():
    log = event_log(event(3, bytes(16)), event(3, bytes(16), el=17))

    assert len(log) == 1
    assert "beyond the data" in log.damaged


def test_fewer_events_than_announced_are_told():
    log = event_log(event(3, bytes(16)), tnev=2)

    assert len(log) == 1
    assert log.damaged == "2 events announced, 1 are there"
    assert log.asdict()["damaged"] == log.damaged


def test_an_event_shorter_than_its_structure_is_bytes():
    log = event_log(event(3, bytes(15)))

    assert bytes(log[0].data) == bytes(15)
