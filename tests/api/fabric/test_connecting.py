"""How a connection to an NVMe/TCP target comes about, or why it does not."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

import nvme as d
from nvme import cli

from .peer import DISCOVERY, SUBSYSTEM, Command, Connection, Hangup, Target, entry

INVALID_HOST = 0x184
SPDK = "trtype:TCP adrfam:IPv4 traddr:127.0.0.1 trsvcid:{} subnqn:" + SUBSYSTEM


@contextmanager
def listener(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Somebody who takes one connection; the address."""
    server = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        try:
            peer, _ = server.accept()
        except OSError:
            return
        with peer:
            talk(peer)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"127.0.0.1:{server.getsockname()[1]}/{SUBSYSTEM}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


@pytest.mark.parametrize(
    "form",
    ["127.0.0.1:{}", "localhost:{}", "127.0.0.1:{}/" + SUBSYSTEM, SPDK],
)
def test_every_form_of_address_reaches_the_subsystem(target, form):
    nvme0 = d.Controller(form.format(target.port).encode())
    assert nvme0.id_data(63, 24, str) == "a target of the tests"
    assert nvme0.addr.endswith(f":{target.port}/{SUBSYSTEM}")


@pytest.mark.parametrize(
    ("addr", "why"),
    [
        ("host:0x10", "no address"),
        ("127.0.0.1:99999", "65535"),
        ("127.0.0.1:4420/iqn.x", "nqn"),
        ("127.0.0.1:4420?hdgst=2", "hdgst is a number of 0 to 1"),
        ("127.0.0.1:4420?digest=1", 'no option is called "digest": hostnqn, hostid, hdgst, ddgst'),
        ("127.0.0.1:4420?digest=1", "kato_s, timeout_s, queue_size, nr_io_queues are"),
        ("127.0.0.1:4420?hostid=12", "hostid is a UUID"),
        ("[::1", "no ]"),
        ("trtype:RDMA traddr:1.2.3.4", "no address"),
        ("trtype:TCP trsvcid:4420", "no traddr"),
        ("127.0.0.1:4420/nqn." + "x" * 220, "223"),
    ],
)
def test_an_address_that_is_wrong_is_told_why(addr, why):
    with pytest.raises(d.NvmeEnumerateError, match=why):
        d.Controller(addr)


def test_options_are_keywords_or_part_of_the_address(target):
    nqn = "nqn.2026-01.org.example:host"
    uuid = "00112233-4455-6677-8899-aabbccddeeff"
    by_word = d.Controller(target.address, hostnqn=nqn, hostid=uuid, kato_s=7, queue_size=8)
    in_address = d.Controller(f"{target.address}?hostnqn={nqn}&hostid={uuid}&kato_s=7")
    connects = [c for _, c in target.commands if c.opcode == 0x7F and c.fctype == 1]
    for connect in connects:
        assert connect.data[:16] == bytes.fromhex(uuid.replace("-", ""))
        assert connect.data[512:768].rstrip(b"\0") == nqn.encode()
        assert connect.dword(12) == 7000
    assert len(connects) == 2
    with pytest.raises(d.QpairCreationError, match="2 to 8"):
        d.Qpair(by_word, 9)
    d.Qpair(in_address, 9)


NQN_OF_A_RARE_HOST = "nqn.2026-01.org.example:a&b=c%d?e"


def hosts(target: Target) -> set[str]:
    """The names that hosts have said in Connect."""
    connects = [c for _, c in target.commands if c.opcode == 0x7F and c.fctype == 1]
    return {c.data[512:768].rstrip(b"\0").decode() for c in connects}


def test_a_keyword_may_hold_any_character(target):
    d.Controller(target.address, hostnqn=NQN_OF_A_RARE_HOST, kato_s=7)
    assert hosts(target) == {NQN_OF_A_RARE_HOST}


def test_an_option_of_an_address_is_quoted_as_in_a_url(target):
    quoted = "nqn.2026-01.org.example:a%26b=c%25d?e"
    d.Controller(f"{target.host}?hostnqn={quoted}&kato_s=7")
    assert hosts(target) == {NQN_OF_A_RARE_HOST}


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("hostnqn=nqn.a&b", '"b" has no value: .* a & within a value is %26'),
        ("hostnqn=nqn.a%2", "two hexadecimal digits follow a %.* a % itself is %25"),
        ("hostnqn=nqn.a%g0", "two hexadecimal digits follow a %"),
        ("hostnqn=nqn.a%00", "two hexadecimal digits follow a %"),
    ],
)
def test_an_option_that_is_not_quoted_is_told_how(option, why):
    with pytest.raises(d.NvmeEnumerateError, match=why):
        d.Controller(f"127.0.0.1?{option}")


def is_more_there(sock: socket.socket) -> bool:
    """Whether bytes have come that nobody has read yet."""
    try:
        return bool(sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return False


def test_a_small_admin_queue_gets_no_more_commands_than_it_holds():
    held: list[tuple[Connection, Command]] = []
    at_once = 32 - 1 - 8  # One entry stays empty, and eight places are kept for events.
    all_sent, surplus = threading.Event(), []

    def hook(connection: Connection, command: Command) -> bool:
        if command.opcode == 0x7F:
            sqsize = int.from_bytes(command.raw[44:46], "little")
            if command.fctype == 1 and sqsize > 31:
                connection.complete(command, 0x182, 44)
                return True
        elif command.opcode == 0x0A:
            held.append((connection, command))
            if len(held) == at_once:
                all_sent.wait(60)
                surplus.append(is_more_there(connection.sock))
                for at, one in held:
                    at.complete(one)
                held.clear()
            return True
        return False

    with Target(hook=hook) as target:
        nvme0 = d.Controller(target.address, kato_s=0)
        for _ in range(3 * at_once):
            nvme0.getfeatures(7)
        all_sent.set()
        nvme0.waitdone(3 * at_once)

    assert surplus[0] is False
    assert len(surplus) == 3


def test_as_many_queues_as_the_option_says(target):
    nvme0 = d.Controller(target.address, nr_io_queues=2)
    queues = [d.Qpair(nvme0, 8) for _ in range(2)]
    with pytest.raises(d.QpairCreationError, match="granted 2"):
        d.Qpair(nvme0, 8)
    assert len(queues) == 2


def test_options_of_something_else_are_an_error():
    with pytest.raises(ValueError, match="is no NVMe/TCP address"):
        d.Controller("sim", hdgst=True)


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(d.NvmeEnumerateError, match=r"refused after [\d.]+ ms: nothing listens"):
        d.Controller(f"127.0.0.1:{port}")


def test_a_silent_peer():
    with (
        listener(lambda peer: peer.recv(1) and peer.recv(1000) and peer.recv(1)) as addr,
        pytest.raises(d.NvmeEnumerateError, match=r"silent: .* ICReq after 1\d\d\d ms"),
    ):
        d.Controller(addr, timeout_s=1)


def test_a_peer_that_speaks_something_else():
    def talk(peer: socket.socket) -> None:
        peer.recv(1000)
        peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        peer.recv(1)

    with (
        listener(talk) as addr,
        pytest.raises(d.NvmeEnumerateError, match='no NVMe/TCP controller: .*"HTTP/1.1'),
    ):
        d.Controller(addr)


def test_a_peer_that_hangs_up():
    with (
        listener(lambda peer: peer.recv(1000)) as addr,
        pytest.raises(d.NvmeEnumerateError, match="closed the connection instead of answering"),
    ):
        d.Controller(addr)


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (dict(kind=1, hlen=127), "answered ICReq with"),
        (dict(pfv=1), "PDU format 1"),
        (dict(cpda=32), "CPDA is 32"),
        (dict(maxh2cdata=4092), "MAXH2CDATA is 4092"),
        (dict(maxh2cdata=4097), "MAXH2CDATA is 4097"),
        (dict(digest=1), "digests that nobody asked for"),
    ],
)
def test_an_icresp_that_nobody_can_live_with(response, why):
    fields = dict(kind=1, hlen=128, pfv=0, cpda=0, digest=0, maxh2cdata=4096) | response

    def greeting(connection: Connection) -> None:
        connection.read(128)
        connection.send(
            struct.pack(
                "<BBBBIHBBI112x",
                fields["kind"],
                0,
                fields["hlen"],
                0,
                128,
                fields["pfv"],
                fields["cpda"],
                fields["digest"],
                fields["maxh2cdata"],
            )
        )
        connection.read(1)

    with (
        Target(greeting=greeting) as target,
        pytest.raises(d.NvmeEnumerateError, match=why),
    ):
        d.Controller(target.address)


@pytest.mark.parametrize(("option", "kind"), [("hdgst", "header"), ("ddgst", "data")])
def test_a_target_without_the_digests_that_were_asked_for(option, kind):
    with (
        Target(digests=0) as target,
        pytest.raises(d.NvmeEnumerateError, match=f"has no {kind} digests: leave {option} out"),
    ):
        d.Controller(target.address, **{option: True})


def test_a_subsystem_that_is_not_there(target):
    with pytest.raises(d.NvmeEnumerateError, match="no such subsystem"):
        d.Controller(f"{target.host}/nqn.2026-01.org.example:other")


def test_a_controller_that_insists_on_flow_control():
    def hook(connection: Connection, command: Command) -> bool:
        if command.opcode == 0x7F and command.fctype == 1 and command.raw[46] & 4:
            connection.complete(command, 0x182, 46)
            return True
        return False

    with Target(hook=hook) as target:
        nvme0 = d.Controller(target.address)
        assert nvme0[0x1C] & 1
        connects = [c.raw[46] & 4 for _, c in target.commands if c.fctype == 1 and c.raw[0] == 0x7F]
        assert connects == [4, 0]


def test_a_queue_whose_former_life_is_not_over_is_tried_again(target):
    tries = []

    def hook(connection: Connection, command: Command) -> bool:
        if command.opcode == 0x7F and command.fctype == 1 and command.raw[42] == 1:
            tries.append(connection)
            if len(tries) < 3:
                connection.complete(command, 0x00C)
                raise Hangup
        return False

    nvme0 = d.Controller(target.address)
    target.hook = hook
    d.Qpair(nvme0, 8).delete()
    assert len(set(tries)) == 3
    assert nvme0[0x1C] & 1


def test_a_queue_that_is_never_let_go_of_leaves_the_controller_alone(target):
    def hook(connection: Connection, command: Command) -> bool:
        if command.opcode == 0x7F and command.fctype == 1 and command.raw[42] == 1:
            raise Hangup
        return False

    nvme0 = d.Controller(target.address)
    target.hook = hook
    with pytest.raises(d.QpairCreationError, match="Connect: the connection is lost: closed by"):
        d.Qpair(nvme0, 8)
    target.hook = None
    assert nvme0[0x1C] & 1
    d.Qpair(nvme0, 8)


def test_a_host_that_is_not_allowed_is_told_so(target):
    def hook(connection: Connection, command: Command) -> bool:
        if command.opcode != 0x7F or command.fctype != 1:
            return False
        connection.complete(command, INVALID_HOST)
        return True

    target.hook = hook
    with pytest.raises(d.NvmeEnumerateError, match=r"01/84 .*: it does not allow this host's NQN"):
        d.Controller(target.address)


def test_discovery_lists_what_there_is(target, capsys):
    target.entries = [
        entry(2, "127.0.0.1", target.port, SUBSYSTEM),
        entry(2, "fe80::1", 4420, "nqn.2026-01.org.example:b", 1),
    ]
    log = d.discover(target.host)
    assert [(e.trtype, e.subtype, e.subnqn) for e in log] == [
        ("tcp", "nvm", SUBSYSTEM),
        ("rdma", "nvm", "nqn.2026-01.org.example:b"),
    ]
    assert log[0].address == target.address
    assert log[1].address == "[fe80::1]:4420/nqn.2026-01.org.example:b"
    assert cli.main(["discover", target.host]) == 0
    assert f"nvm       tcp {target.address}\n" in capsys.readouterr().out
    assert cli.main(["discover", target.host, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["address"] == target.address


def test_referrals_are_followed_once(target):
    with Target() as other:
        target.entries = [entry(1, "127.0.0.1", other.port, DISCOVERY)]
        other.entries = [
            entry(1, "127.0.0.1", target.port, DISCOVERY),
            entry(2, "127.0.0.1", other.port, SUBSYSTEM),
        ]
        log = d.discover(target.host)
        assert [(e.subtype, e.trsvcid) for e in log] == [
            ("referral", str(target.port)),
            ("nvm", str(other.port)),
        ]
        nvme0 = d.Controller(target.host)
        assert nvme0.addr == other.address


@pytest.mark.filterwarnings("ignore")
def test_of_many_referrals_sixteen_are_followed(target, capfd):
    with Target() as other:
        other.entries = []
        target.entries = [entry(1, "127.0.0.1", other.port, DISCOVERY)] * 20
        log = d.discover(target.host)
        assert [e.subtype for e in log] == ["referral"] * 4
        assert len(other.controllers) == 16
    assert "only the first 16 are followed" in capfd.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": "http"},
        {"port": "-1"},
        {"port": "0"},
        {"port": "65536"},
        {"nqn": "n" * 256},
        {"nqn": ""},
        {"host": "127.0.0.1?kato_s=1"},
    ],
    ids=str,
)
def test_an_entry_that_leads_nowhere_is_no_subsystem(target, wrong):
    target.entries = [
        entry(2, *({"host": "127.0.0.1", "port": target.port, "nqn": SUBSYSTEM} | wrong).values())
    ]
    with pytest.raises(d.NvmeEnumerateError, match="no NVM subsystem over TCP among the 1 entries"):
        d.Controller(target.host)


def test_a_log_without_a_subsystem(target):
    target.entries = []
    assert d.discover(target.host) == []
    with pytest.raises(d.NvmeEnumerateError, match="no NVM subsystem over TCP among the 0 entries"):
        d.Controller(target.host)


def test_a_command_line_that_discovers_nothing(capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert cli.main(["discover", f"127.0.0.1:{port}"]) == 2
    assert "nothing listens there" in capsys.readouterr().err


def test_keep_alive_goes_on_while_nobody_polls(target):
    nvme0 = d.Controller(target.address, kato_s=1)
    until = time.monotonic() + 60
    while target.keep_alives < 3 and time.monotonic() < until:
        time.sleep(0.05)
    assert target.keep_alives >= 3
    assert nvme0[0x1C] & 1


def test_without_keep_alive_none_is_sent(target):
    nvme0 = d.Controller(target.address, kato_s=0)
    with Target() as other:
        beside = d.Controller(other.address, kato_s=1)
        until = time.monotonic() + 60
        while other.keep_alives < 2 and time.monotonic() < until:
            time.sleep(0.05)
        assert beside[0x1C] & 1
    assert target.keep_alives == 0
    assert nvme0[0x1C] & 1
