"""Many hosts on one served SSD: a controller each, and what one does leaves the others alone."""

import struct

import pytest

import nvme as d
from nvme.serve import Served

from .conftest import NQN
from .peer import (
    CAP,
    CC,
    CSTS,
    DISCOVERY,
    ENABLE,
    IN_CAPSULE,
    NSSR,
    TRANSPORT,
    VS,
    Peer,
    admin,
    queue,
    sqe,
)

SEQUENCE, INVALID_FIELD, INVALID_OPCODE = 0x0C, 0x02, 0x01
INVALID_PARAM, INVALID_QUEUE_TYPE = 0x182, 0x185
IN_DATA = 0x10000
CNTLID_AT, SUBNQN_AT, HOSTNQN_AT, QID_AT, SQSIZE_AT = 16, 256, 512, 42, 44


def aer(peer: Peer, cid: int) -> None:
    peer.send(peer.pdu(4, sqe(0x0C, cid=cid)))


def test_each_host_gets_a_controller_of_its_own(target: Served) -> None:
    first, second = admin(target.address, NQN), admin(target.address, NQN)

    ids = [peer.identify().data for peer in (first, second)]

    assert first.cntlid != second.cntlid
    assert [int.from_bytes(data[78:80], "little") for data in ids] == [first.cntlid, second.cntlid]


def test_identify_says_what_a_host_over_fabrics_needs(target: Served) -> None:
    data = admin(target.address, NQN).identify().data

    ioccsz, iorcsz, icdoff, fcatt, msdbd, ofcs = struct.unpack_from("<IIHBBH", data, 1792)
    assert (ioccsz, iorcsz, icdoff, fcatt, msdbd, ofcs) == ((64 + 8192) // 16, 1, 0, 0, 1, 1)
    assert int.from_bytes(data[320:322], "little") > 0  # KAS
    assert data[76] & 2  # CMIC: more than one controller
    assert int.from_bytes(data[514:516], "little") > 0  # MAXCMD
    assert int.from_bytes(data[536:540], "little") & 0x300003 == 0x300001  # SGLS
    assert data[768:1024].rstrip(b"\0").decode() == NQN


def test_as_many_commands_are_welcome_as_the_longest_queue_holds(target: Served) -> None:
    host = admin(target.address, NQN)
    mqes = host.property_get(CAP, 1).cdw0 & 0xFFFF  # less one, as the last slot of a full queue

    maxcmd = int.from_bytes(host.identify().data[514:516], "little")

    assert maxcmd == mqes


def test_properties_are_the_registers(target: Served) -> None:
    host = admin(target.address, NQN)

    cap = host.property_get(CAP, 1)
    version = host.property_get(VS)
    config = host.property_get(CC)

    assert cap.cdw0 & 0xFFFF
    assert not cap.status
    assert cap.cdw0 >> 16 & 1  # CQR
    assert version.cdw0 == 0x10300
    assert config.cdw0 == ENABLE


@pytest.mark.parametrize(("offset", "size"), [(CAP, 0), (CC, 1), (0x0C, 0), (0x30, 1), (0x1000, 0)])
def test_there_are_no_other_properties(target: Served, offset: int, size: int) -> None:
    host = admin(target.address, NQN)

    assert host.property_get(offset, size).status == INVALID_FIELD
    assert host.property_set(offset, 0, size).status == INVALID_FIELD


def test_what_cannot_be_written_is_no_property_to_set(target: Served) -> None:
    host = admin(target.address, NQN)

    assert host.property_set(VS, 1).status == INVALID_FIELD
    assert host.property_set(CAP, 1, 1).status == INVALID_FIELD


def test_nothing_but_fabrics_runs_before_the_controller_is_enabled(target: Served) -> None:
    with Peer(target.address) as host:
        host.icreq()
        host.connect(NQN)

        assert host.identify().status == SEQUENCE
        host.enable()
        assert host.identify().status == 0


def test_a_reset_ends_the_io_queues_of_that_host_only(target: Served) -> None:
    one, two = admin(target.address, NQN), admin(target.address, NQN)
    io_of_one = queue(target.address, NQN, one.cntlid)
    io_of_two = queue(target.address, NQN, two.cntlid)
    aer(one, 77)

    assert one.property_set(CC, 0).status == 0

    assert io_of_one.is_closed()
    assert io_of_two.read(0, 8).status == 0
    assert one.property_get(CSTS).cdw0 & 1 == 0
    one.enable()
    assert one.identify().status == 0
    assert queue(target.address, NQN, one.cntlid).read(0, 8).status == 0


def test_a_shutdown_is_reported_complete(target: Served) -> None:
    host = admin(target.address, NQN)

    host.property_set(CC, ENABLE | 1 << 14)
    while host.property_get(CSTS).cdw0 >> 2 & 3 != 2:
        pass
    assert host.identify().status == SEQUENCE


def test_an_nvm_subsystem_reset_ends_all_associations(target: Served) -> None:
    one, two = admin(target.address, NQN), admin(target.address, NQN)

    assert one.property_set(NSSR, 0x4E564D65).status == 0

    assert one.is_closed()
    assert two.is_closed()
    assert admin(target.address, NQN).identify().status == 0


def test_the_end_of_the_admin_queue_ends_the_io_queues(target: Served) -> None:
    host = admin(target.address, NQN)
    io = queue(target.address, NQN, host.cntlid)

    host.socket.close()

    assert io.is_closed()


def test_disconnect_deletes_an_io_queue_which_can_be_made_again(target: Served) -> None:
    host = admin(target.address, NQN)
    io = queue(target.address, NQN, host.cntlid)

    assert host.disconnect().status == INVALID_QUEUE_TYPE
    assert io.disconnect().status == 0
    assert io.is_closed()
    assert queue(target.address, NQN, host.cntlid).read(0, 8).status == 0


def test_a_host_that_says_nothing_is_dropped_after_its_keep_alive_timeout(target: Served) -> None:
    silent = admin(target.address, NQN, kato_ms=200)
    patient = admin(target.address, NQN)

    assert silent.is_closed()
    assert patient.identify().status == 0


def test_keep_alive_keeps_alive(target: Served) -> None:
    import time

    host = admin(target.address, NQN, kato_ms=600)
    until = time.monotonic() + 2

    while time.monotonic() < until:
        assert host.command(sqe(0x18, cid=host.next_cid())).status == 0


def test_events_of_the_drive_reach_the_host_that_waits(target: Served) -> None:
    host = admin(target.address, NQN)
    enabled = host.command(sqe(0x09, cid=5, cdw=(0x0B, 0xFF)))
    aer(host, 9)

    target.ssd.temperature = 400
    event = host.completion()

    assert enabled.status == 0
    assert (event.cid, event.status) == (9, 0)
    assert event.cdw0 & 7 == 1  # SMART / health


def test_abort_ends_a_command_of_the_drive(target: Served) -> None:
    host = admin(target.address, NQN)
    aer(host, 9)

    host.send(host.pdu(4, sqe(0x08, cid=10, cdw=(9 << 16,))))
    first, second = host.completion(), host.completion()

    assert {done.cid: done.status for done in (first, second)} == {9: 0x07, 10: 0}


@pytest.mark.parametrize("opcode", [0x00, 0x01, 0x04, 0x05, 0x7C])
def test_queues_are_not_made_by_admin_commands(target: Served, opcode: int) -> None:
    host = admin(target.address, NQN)

    assert host.command(sqe(opcode, cid=3)).status == INVALID_OPCODE


# --- Connect, and what is wrong with it ---


def test_a_second_connect_on_a_queue_is_a_sequence_error(target: Served) -> None:
    host = admin(target.address, NQN)

    assert host.connect(NQN).status == SEQUENCE
    assert host.identify().status == 0


def test_a_queue_that_is_there_is_not_connected_again(target: Served) -> None:
    host = admin(target.address, NQN)
    io = queue(target.address, NQN, host.cntlid)

    with Peer(target.address) as other:
        other.icreq()
        assert other.connect(NQN, 1, host.cntlid).status == SEQUENCE
    assert io.read(0, 8).status == 0


def test_commands_before_connect_are_a_sequence_error(target: Served) -> None:
    with Peer(target.address) as peer:
        peer.icreq()

        assert peer.identify().status == SEQUENCE
        assert peer.property_get(CAP, 1).status == SEQUENCE
        assert peer.connect(NQN).status == 0


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"nqn": "nqn.2019-08.org.pynvme:nobody"}, IN_DATA | SUBNQN_AT),
        ({"nqn": ""}, IN_DATA | SUBNQN_AT),
        ({"host": ""}, IN_DATA | HOSTNQN_AT),
        ({"host": "h" * 256}, IN_DATA | HOSTNQN_AT),
        ({"cntlid": 2}, IN_DATA | CNTLID_AT),
        ({"sqsize": 0}, SQSIZE_AT),
        ({"sqsize": 0xFFFF}, SQSIZE_AT),
        ({"qid": 1, "cntlid": 0x7777}, IN_DATA | CNTLID_AT),
    ],
)
def test_connect_says_which_parameter_is_wrong(
    target: Served, settings: dict[str, object], where: int
) -> None:
    with Peer(target.address) as peer:
        peer.icreq()
        done = peer.connect(**({"nqn": NQN} | settings))  # type: ignore[arg-type]

        assert (done.status, done.cdw0) == (INVALID_PARAM, where)
        assert peer.connect(NQN).status == 0


def test_a_controller_of_another_host_has_no_queue_for_this_one(target: Served) -> None:
    host = admin(target.address, NQN)

    with Peer(target.address) as thief:
        thief.icreq()
        done = thief.connect(NQN, 1, host.cntlid, host="nqn.2019-08.org.pynvme:thief")

        assert (done.status, done.cdw0) == (INVALID_PARAM, IN_DATA | CNTLID_AT)


def test_queues_beyond_those_allocated_are_refused(target: Served) -> None:
    host = admin(target.address, NQN)
    assert host.command(sqe(0x09, cid=5, cdw=(0x07, 1 << 16 | 1))).cdw0 == 1 << 16 | 1

    queue(target.address, NQN, host.cntlid, 2)
    with Peer(target.address) as peer:
        peer.icreq()
        done = peer.connect(NQN, 3, host.cntlid)

        assert (done.status, done.cdw0) == (INVALID_PARAM, QID_AT)


def test_another_format_of_connect_is_refused(target: Served) -> None:
    with Peer(target.address) as peer:
        peer.icreq()

        assert peer.connect(NQN, recfmt=1).status == 0x180


def test_io_queues_wait_for_the_controller_to_be_enabled(target: Served) -> None:
    with Peer(target.address) as host, Peer(target.address) as io:
        host.icreq()
        io.icreq()
        cntlid = host.connect(NQN).cdw0

        assert io.connect(NQN, 1, cntlid).status == SEQUENCE
        host.enable()
        assert io.connect(NQN, 1, cntlid).status == 0


# --- discovery ---


def discovery_log(peer: Peer, size: int, offset: int = 0) -> bytes:
    entry = sqe(
        0x02,
        cid=peer.next_cid(),
        sgl=(0, size, TRANSPORT),
        cdw=((size // 4 - 1) << 16 | 0x70, 0, offset),
    )
    done = peer.command(entry)
    assert not done.status, hex(done.status)
    return done.data


def test_discovery_names_the_subsystems(target: Served) -> None:
    peer = admin(target.address, DISCOVERY)
    host, port = target.address.split(":")

    log = discovery_log(peer, 2048)

    assert struct.unpack_from("<QQH", log) == (1, 1, 0)
    assert tuple(log[1024:1027]) == (3, 1, 2)  # TCP, IPv4, NVM subsystem
    assert log[1056:1088].decode().rstrip() == port
    assert log[1280:1536].rstrip(b"\0").decode() == NQN
    assert log[1536:1792].decode().rstrip() == host
    assert discovery_log(peer, 1024, 1024) == log[1024:]
    assert discovery_log(peer, 4096)[2048:] == bytes(2048)


def test_the_discovery_controller_has_commands_of_its_own(target: Served) -> None:
    peer = admin(target.address, DISCOVERY)

    data = peer.identify().data

    assert data[111] == 2  # CNTRLTYPE
    assert data[768:1024].rstrip(b"\0").decode() == DISCOVERY
    assert peer.identify(cns=2).status == INVALID_FIELD
    assert peer.command(sqe(0x80, cid=4)).status == INVALID_OPCODE
    assert peer.command(sqe(0x18, cid=5)).status == 0
    assert peer.command(sqe(0x09, cid=6, cdw=(0x0F, 9000))).status == 0
    assert peer.command(sqe(0x0A, cid=7, cdw=(0x0F,))).cdw0 == 9000


def test_discovery_has_no_io_queues(target: Served) -> None:
    host = admin(target.address, DISCOVERY)

    with Peer(target.address) as peer:
        peer.icreq()
        assert peer.connect(DISCOVERY, 1, host.cntlid).status == INVALID_PARAM


def test_256_hosts_have_a_controller_and_the_next_has_to_wait() -> None:
    with d.serve("sim:size=16M,enable_s=0", tcp="127.0.0.1:0", nqn=NQN) as target:
        hosts = []
        for _ in range(256):
            host = Peer(target.address)
            host.icreq()
            assert host.connect(NQN).status == 0
            hosts.append(host)
        with Peer(target.address) as late:
            late.icreq()
            assert late.connect(NQN).status == 0x181  # Controller Busy
            hosts.pop().socket.close()
            while late.connect(NQN).status:
                pass


def test_in_capsule_data_and_data_asked_for_are_the_same(target: Served) -> None:
    host = admin(target.address, NQN)
    io = queue(target.address, NQN, host.cntlid)
    data = bytes(range(256)) * 32

    assert io.write(0, data, IN_CAPSULE).status == 0
    assert io.write(100, data, TRANSPORT).status == 0
    assert io.read(0, 16).data == io.read(100, 16).data == data
