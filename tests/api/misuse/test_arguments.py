"""What does not fit is refused by the name that the script wrote, and nothing is sent."""

import pytest

import nvme as d

#: Calls on a controller, and what the error says.
WRONG_FIELDS = {
    "abort(70000)": "cid must be 0..65535, not 70000",
    "abort(-1)": "cid must be 0..65535, not -1",
    "abort(0, 65536)": "sqid must be 0..65535, not 65536",
    "identify(buf, cns=256)": "cns must be 0..255, not 256",
    "identify(buf, cntid=65536)": "cntid must be 0..65535, not 65536",
    "identify(buf, csi=256)": "csi must be 0..255, not 256",
    "identify(buf, nsid=2**32)": "nsid must be 0..4294967295, not 4294967296",
    "getfeatures(256)": "fid must be 0..255, not 256",
    "getfeatures(7, sel=8)": "sel must be 0..7, not 8",
    "setfeatures(256)": "fid must be 0..255, not 256",
    "setfeatures(7, sv=2)": "sv must be 0..1, not 2",
    "setfeatures(7, 2**32)": "cdw11 must be 0..4294967295, not 4294967296",
    "getlogpage(0x100, buf)": "lid must be 0..255, not 256",
    "getlogpage(2, buf, 512, 2**64)": "offset must be 0..18446744073709551615, not 18446",
    "getlogpage(2, buf, 0)": "size must be 4..17179869184, not 0",
    "format(0x100)": "lbaf must be 0..63, not 256",
    "format(64)": "lbaf must be 0..63, not 64",
    "format(0, 8)": "ses must be 0..7, not 8",
    "format(mset=2)": "mset must be 0..1, not 2",
    "format(pi=8)": "pi must be 0..7, not 8",
    "format(pil=2)": "pil must be 0..1, not 2",
    "sanitize(2**32)": "option must be 0..4294967295, not 4294967296",
    "sanitize(2, -1)": "pattern must be 0..4294967295, not -1",
    "dst(16)": "stc must be 0..15, not 16",
    "fw_download(buf, 2**34)": "offset must be 0..17179869183, not 17179869184",
    "fw_commit(8, 0)": "slot must be 0..7, not 8",
    "fw_commit(0, 8)": "action must be 0..7, not 8",
    "security_send(buf, 65536)": "spsp must be 0..65535, not 65536",
    "security_receive(buf, 0, 256)": "secp must be 0..255, not 256",
    "security_receive(buf, 0, nssf=256)": "nssf must be 0..255, not 256",
    "mi_send(0, mtype=16)": "mtype must be 0..15, not 16",
    "mi_receive(0, 2**32)": "dword0 must be 0..4294967295, not 4294967296",
    "ns_management(16)": "sel must be 0..15, not 16",
    "ns_management(0, csi=256)": "csi must be 0..255, not 256",
    "ns_attachment(16, buf, 1)": "sel must be 0..15, not 16",
    "directive_send(buf, 1, 256, 0)": "dtype must be 0..255, not 256",
    "directive_receive(buf, 1, 0, 256)": "doper must be 0..255, not 256",
    "directive_receive(buf, 1, 0, 0, 65536)": "dspec must be 0..65535, not 65536",
    "supports(256)": "opcode must be 0..255, not 256",
    "cmdname(256)": "opcode must be 0..255, not 256",
    "id_data(0, cns=256)": "cns must be 0..255, not 256",
    "downfw('/dev/null', slot=8)": "slot must be 0..7, not 8",
    "waitdone(-1)": "expected must be 0..4294967295, not -1",
    "cmdlog_entries(-1)": "count must be 0..18446744073709551615, not -1",
    "enable(-1)": "cc must be 0..4294967295, not -1",
    "wait_csts(2)": "rdy must be 0..1, not 2",
    "send_cmd(1024)": "opcode must be 0..1023, not 1024",
}

WRONG_TYPES = {
    "abort('1')": "cid must be an int, not <class 'str'>",
    "abort(None)": "cid must be an int, not <class 'NoneType'>",
    "aer(5)": "cb must be callable, not <class 'int'>",
    "register_aer_cb(5)": "func must be callable, not <class 'int'>",
    "identify(buf, cns='1')": "cns must be an int, not <class 'str'>",
    "identify(None)": "buf must be a Buffer, not <class 'NoneType'>",
    "getfeatures('7')": "fid must be an int, not <class 'str'>",
    "getlogpage('2', buf)": "lid must be an int, not <class 'str'>",
    "getlogpage(2, None)": "buf must be a Buffer, not <class 'NoneType'>",
    "getlogpage(2, buf, '512')": "size must be an int, not <class 'str'>",
    "getlogpage(2, buf, 512, 0.5)": "offset must be an int, not <class 'float'>",
    "format('x')": "lbaf must be an int, not <class 'str'>",
    "fw_download(None, 0)": "buf must be a Buffer, not <class 'NoneType'>",
    "fw_download(buf, '0')": "offset must be an int, not <class 'str'>",
    "security_send(None, 0)": "buf must be a Buffer, not <class 'NoneType'>",
    "ns_attachment(0, None, 1)": "buf must be a Buffer, not <class 'NoneType'>",
    "supports('x')": "opcode must be an int, not <class 'str'>",
    "cmdlog('5')": "count must be an int, not <class 'str'>",
    "wait_csts('no')": "rdy must be an int, not <class 'str'>",
}


def sent(nvme: d.Controller) -> int:
    return sum(entry.opcode != 0x0C for entry in nvme.cmdlog_entries())


@pytest.mark.parametrize("call", WRONG_FIELDS)
def test_a_number_that_its_field_cannot_hold_is_refused_by_its_name(own, call):
    before = sent(own)

    with pytest.raises(ValueError) as refused:
        eval(f"own.{call}", {"own": own, "buf": d.Buffer()})

    assert str(refused.value).startswith(WRONG_FIELDS[call])
    assert sent(own) == before


@pytest.mark.parametrize("call", WRONG_TYPES)
def test_what_is_of_the_wrong_type_is_refused_by_its_name(own, call):
    before = sent(own)

    with pytest.raises(TypeError) as refused:
        eval(f"own.{call}", {"own": own, "buf": d.Buffer()})

    assert str(refused.value) == WRONG_TYPES[call]
    assert sent(own) == before


@pytest.mark.parametrize(
    "call",
    ["format(63, 7, mset=1, pi=7, pil=1)", "dst(15)", "abort(65535, 65535)", "fw_commit(7, 7)"],
)
def test_the_largest_that_a_field_holds_is_sent(own, call):
    eval(f"own.{call[:-1]}, cb=lambda cdw0, status1: None)", {"own": own}).waitdone()


@pytest.mark.parametrize(
    ("call", "needed"),
    [
        ("identify(buf)", 4096),
        ("getlogpage(2, buf, 512)", 512),
        ("getlogpage(5, buf, 4096)", 4096),
        ("security_send(buf, 0, size=100)", 100),
        ("security_receive(buf, 0, size=100)", 100),
        ("directive_send(buf, 1, 0, 1, size=64)", 64),
        ("directive_receive(buf, 1, 0, 1, size=64)", 64),
        ("fw_download(buf, 0, size=4096)", 4096),
        ("ns_attachment(0, buf, 1)", 4096),
        ("ns_management(0, buf)", 4096),
    ],
)
def test_a_buffer_too_small_for_the_transfer_is_refused(own, call, needed):
    ignore = {"cb": lambda cdw0, status1: None}
    before = sent(own)

    with pytest.raises(ValueError, match=f"buf has {needed - 4} bytes, .*{needed}"):
        eval(f"own.{call}", {"own": own, "buf": d.Buffer(needed - 4)})
    assert sent(own) == before

    eval(f"own.{call[:-1]}, **ignore)", {"own": own, "buf": d.Buffer(needed), "ignore": ignore})
    own.waitdone()
    assert sent(own) == before + 1


def test_a_log_page_fills_the_part_of_the_buffer_that_is_transferred(own):
    buf = d.Buffer(8192)
    buf.offset = 4096

    own.getlogpage(2, buf).waitdone()

    assert own.cmdlog_entries(1)[0].cdw10 >> 16 == 4096 // 4 - 1
    assert not any(buf[:4096])
    assert any(buf[4096:])


@pytest.mark.parametrize("value", ["no", b"", 0.5, [], object()])
def test_what_has_no_clear_truth_is_no_switch(own, own_namespace, value):
    for call, name in (
        (lambda: d.config(verify=value), "verify"),
        (lambda: d.config(fua_read=value), "fua_read"),
        (lambda: d.config(fua_write=value), "fua_write"),
        (lambda: d.Qpair(own, 8, ien=value), "ien"),
        (lambda: own_namespace.verify_enable(value), "enable"),
        (lambda: d.Subsystem(own).shutdown_notify(value), "abrupt"),
    ):
        with pytest.raises(TypeError, match=f"^{name} must be True or False, not "):
            call()


def test_ints_and_bools_are_switches():
    assert d.config(fua_read=1) == 2
    assert d.config(fua_read=False, fua_write=True) == 4
    assert d.config(fua_write=0) == 0


NAMESPACE = {
    "read(qpair, buf, 0, 0)": (ValueError, "lba_count must be 1..65536, not 0"),
    "read(qpair, buf, 0, 65537)": (ValueError, "lba_count must be 1..65536, not 65537"),
    "read(qpair, buf, '0')": (TypeError, "lba must be an int, not <class 'str'>"),
    "write_zeroes(qpair, 0, 0)": (ValueError, "lba_count must be 1..65536, not 0"),
    "dsm(qpair, buf, 0)": (ValueError, "range_count must be 1..256, not 0"),
    "dsm(qpair, buf, 257)": (ValueError, "range_count must be 1..256, not 257"),
    "copy(qpair, buf, 0, 0)": (ValueError, "range_count must be 1..256, not 0"),
    "copy(qpair, buf, 257, 0)": (ValueError, "range_count must be 1..256, not 257"),
    "format('x')": (TypeError, "data_size must be an int, not <class 'str'>"),
    "format(None)": (TypeError, "data_size must be an int, not <class 'NoneType'>"),
    "format(512, 'x')": (TypeError, "meta_size must be an int, not <class 'str'>"),
    "format(512, 0, 8)": (ValueError, "ses must be 0..7, not 8"),
    "get_lba_format('x')": (TypeError, "data_size must be an int, not <class 'str'>"),
    "supports(256)": (ValueError, "opcode must be 0..255, not 256"),
    "cmdname(256)": (ValueError, "opcode must be 0..255, not 256"),
}


@pytest.mark.parametrize("call", NAMESPACE)
def test_arguments_of_namespace_methods_are_refused_by_name(own, own_namespace, call):
    kind, text = NAMESPACE[call]
    before = sent(own)
    with d.Qpair(own, 8) as qpair:
        names = {"ns": own_namespace, "qpair": qpair, "buf": d.Buffer()}
        with pytest.raises(kind) as refused:
            eval(f"ns.{call}", names)

        assert str(refused.value) == text
        assert qpair.cmdlog_entries() == []
        assert sent(own) == before + 2  # that made the qpair


OTHERS = {
    "d.Buffer(0)": (ValueError, "size must be at least 1 byte, not 0"),
    "d.Buffer(2**64)": (ValueError, "size must be -2**63..2**63-1"),
    "d.Buffer('x')": (TypeError, "size must be an int, not <class 'str'>"),
    "d.Buffer().set_copy_range(0, 0, 0)": (ValueError, "lba_count must be 1..65536, not 0"),
    "d.Buffer().set_dsm_range(0, 0, 10**5000)": (ValueError, "lba_count must be 0..4294967295"),
    "d.Subsystem(None)": (TypeError, "nvme must be a Controller, not <class 'NoneType'>"),
    "d.Subsystem(own, 5)": (TypeError, "poweron_cb must be callable, not <class 'int'>"),
    "d.Subsystem(own, None, 5)": (TypeError, "poweroff_cb must be callable, not <class 'int'>"),
    "pcie.register(4095, 4)": (ValueError, "byte_count must be 1..1, not 4"),
    "pcie.register(4096)": (ValueError, "offset must be 0..4095, not 4096"),
    "pcie.register('0')": (TypeError, "offset must be an int, not <class 'str'>"),
    "pcie.register(0, 0)": (ValueError, "byte_count must be 1..4096, not 0"),
    "pcie.cap_offset(256)": (ValueError, "cap_id must be 0..255, not 256"),
    "pcie.cap_offset('x')": (TypeError, "cap_id must be an int, not <class 'str'>"),
    "pcie['x']": (TypeError, "index must be an int or a slice, not <class 'str'>"),
    "pcie[4096]": (IndexError, "index is beyond the 4096 bytes of config space"),
    "pcie.__setitem__(4, 256)": (ValueError, "value must be 0..255, not 256"),
    "pcie.__setitem__(4, '6')": (TypeError, "value must be an int, not <class 'str'>"),
    "setattr(pcie, 'power_state', 4)": (ValueError, "power_state must be 0..3, not 4"),
    "setattr(pcie, 'aspm', '1')": (TypeError, "aspm must be an int, not <class 'str'>"),
    "setattr(own, 'timeout', 0)": (ValueError, "timeout must be 1..4294967295, not 0"),
    "delattr(own, 'timeout')": (AttributeError, "timeout cannot be deleted"),
    "delattr(d.sim(own), 'temperature')": (AttributeError, "temperature cannot be deleted"),
    "delattr(d.Buffer(), 'offset')": (AttributeError, "offset cannot be deleted"),
    "d.srand(-1)": (ValueError, "seed must be 0..18446744073709551615, not -1"),
}


@pytest.mark.parametrize("call", OTHERS)
def test_other_arguments_are_refused_by_name(own, call):
    kind, text = OTHERS[call]

    with pytest.raises(kind) as refused:
        eval(call, {"d": d, "own": own, "pcie": d.Pcie(own)})

    assert str(refused.value) == text
