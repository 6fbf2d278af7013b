"""d.serve(): a software SSD that hosts reach over NVMe/TCP."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import nvme as d
from nvme.serve import Served
from nvme.serve_command import fault_of

from .conftest import NQN
from .peer import HOST, ClosedError, Peer, admin, queue

#: Some dozens of wake-ups of the target.
IDLE_S = 5.0
OPTIONS = "size=64M,latency=none,enable_s=0"


def test_an_ssd_is_read_and_written_through_its_target(target: Served) -> None:
    host = admin(target.address, NQN)
    io = queue(target.address, NQN, host.cntlid)
    data = os.urandom(8192)

    written = io.write(16, data)
    read = io.read(16, 16)

    assert (written.status, read.status) == (0, 0)
    assert read.data == data
    assert target.ssd.stats.writes == 16
    assert target.connections == 2


def test_faults_of_the_handle_reach_the_hosts(target: Served) -> None:
    host = admin(target.address, NQN)
    io = queue(target.address, NQN, host.cntlid)

    with target.ssd.fault(opcode=2, status=0x281) as rule:
        failed = io.read(0, 8)
    healthy = io.read(0, 8)

    assert (failed.status, failed.data) == (0x281, b"")
    assert healthy.status == 0
    assert rule.hits == 1


def test_a_completion_sent_twice_is_sent_twice(target: Served) -> None:
    host = admin(target.address, NQN)
    io = queue(target.address, NQN, host.cntlid)

    with target.ssd.fault(opcode=2, duplicate=True, times=1):
        first = io.read(0, 8)
        again = io.completion()

    assert (first.cid, first.status) == (again.cid, again.status)
    assert io.read(0, 8).status == 0


def test_a_delayed_command_is_overtaken(target: Served) -> None:
    host = admin(target.address, NQN)
    io = queue(target.address, NQN, host.cntlid)

    with target.ssd.fault(opcode=2, delay=0.2, times=1):
        io.send(io.pdu(4, read_entry(1)))
        io.send(io.pdu(4, read_entry(2)))
        order = [io.completion().cid, io.completion().cid]

    assert order == [2, 1]


def read_entry(cid: int) -> bytes:
    from .peer import TRANSPORT, sqe

    return sqe(2, cid=cid, nsid=1, sgl=(0, 512, TRANSPORT))


def test_a_dropped_command_leaves_the_queue_usable(target: Served) -> None:
    host = admin(target.address, NQN)
    io = queue(target.address, NQN, host.cntlid)

    with target.ssd.fault(opcode=2, drop=True, times=1) as rule:
        io.send(io.pdu(4, read_entry(1)))
        while not rule.hits:
            pass
    assert io.read(0, 8).status == 0


def test_without_power_hosts_lose_the_drive_and_find_it_again(target: Served) -> None:
    host = admin(target.address, NQN)

    target.ssd.power(False)
    assert host.is_closed()
    with Peer(target.address) as peer:
        peer.icreq()
        assert peer.connect(NQN).status == 0x181  # Controller Busy
    target.ssd.power(True)

    assert admin(target.address, NQN).identify().status == 0


def test_a_closed_target_ends_its_connections_and_its_port(target: Served) -> None:
    host = admin(target.address, NQN)
    address = target.address

    target.close()
    target.close()

    with pytest.raises(ClosedError):
        host.identify()
    with pytest.raises(ConnectionRefusedError):
        Peer(address)
    with pytest.raises(SystemError, match="the target is closed"):
        _ = target.address
    with pytest.raises(SystemError, match="the target is closed"):
        _ = target.ssd.stats


def test_what_a_file_holds_outlives_the_target(tmp_path: Path) -> None:
    drive = f"sim:media=file,file={tmp_path}/drive,{OPTIONS}"
    data = os.urandom(4096)
    with d.serve(drive, tcp="127.0.0.1:0", nqn=NQN) as target:
        host = admin(target.address, NQN)
        assert queue(target.address, NQN, host.cntlid).write(8, data).status == 0

    with d.serve(drive, tcp="127.0.0.1:0", nqn=NQN) as target:
        host = admin(target.address, NQN)
        assert queue(target.address, NQN, host.cntlid).read(8, 8).data == data


def test_several_ssds_are_several_subsystems() -> None:
    names = ["nqn.2019-08.org.pynvme:one", "nqn.2019-08.org.pynvme:two"]
    with d.serve(f"sim:{OPTIONS}", f"sim:{OPTIONS}", tcp="127.0.0.1:0", nqn=names) as target:
        one, two = (admin(target.address, name) for name in names)
        queue(target.address, names[0], one.cntlid).write(0, bytes(512))

        assert [ssd.stats.writes for ssd in target.ssds] == [1, 0]
        assert two.identify().data[768:1024].rstrip(b"\0").decode() == names[1]


def test_threads_share_the_connections() -> None:
    with d.serve(f"sim:{OPTIONS}", tcp="127.0.0.1:0", nqn=NQN, threads=4) as target:
        hosts = [admin(target.address, NQN) for _ in range(8)]
        queues = [queue(target.address, NQN, host.cntlid) for host in hosts]
        for number, io in enumerate(queues):
            assert io.write(number * 8, bytes([number]) * 4096).status == 0
        for number, io in enumerate(reversed(queues)):
            assert io.read((7 - number) * 8, 8).data == bytes([7 - number]) * 4096
            assert io.read(number * 8, 8).data == bytes([number]) * 4096


def test_only_hosts_that_are_allowed_may_connect() -> None:
    friend = "nqn.2019-08.org.pynvme:friend"
    with d.serve(f"sim:{OPTIONS}", tcp="127.0.0.1:0", nqn=NQN, allow_hosts=friend) as target:
        with Peer(target.address) as stranger:
            stranger.icreq()
            assert stranger.connect(NQN, host=HOST).status == 0x184  # Invalid Host
        assert admin(target.address, NQN, host=friend).identify().status == 0


def test_ipv6_works() -> None:
    try:
        with d.serve(f"sim:{OPTIONS}", tcp="[::1]:0", nqn=NQN) as target:
            assert target.address.startswith("[::1]:")
            assert admin(target.address, NQN).identify().status == 0
    except OSError as error:
        pytest.skip(str(error))


def test_an_address_of_other_machines_is_warned_of() -> None:
    with pytest.warns(UserWarning, match=r"0\.0\.0\.0:\d+ is open to other machines"):
        d.serve(f"sim:{OPTIONS}", tcp="0.0.0.0:0").close()


@pytest.mark.parametrize(
    ("drive", "settings", "error", "text"),
    [
        ("01:00.0", {}, ValueError, "only software SSDs can"),
        ("sim:siize=1G", {}, ValueError, "siize"),
        ("sim", {"tcp": "127.0.0.1:66666"}, ValueError, "is no address like 127.0.0.1:4420"),
        ("sim", {"tcp": "127.0.0.1:"}, ValueError, "is no address like"),
        ("sim", {"tcp": ":4420"}, ValueError, "is no address like"),
        ("sim", {"tcp": "[::1:4420"}, ValueError, "is no address like"),
        ("sim", {"tcp": "no.such.host.invalid:1"}, ValueError, "no.such.host.invalid"),
        ("sim", {"threads": 0}, ValueError, "threads must be 1 to 64, not 0"),
        ("sim", {"threads": 65}, ValueError, "threads must be 1 to 64, not 65"),
        ("sim", {"nqn": "n" * 224}, ValueError, "must have 1 to 223 bytes"),
        ("sim", {"nqn": ["a", "b"]}, ValueError, "2 NQNs for 1 SSDs"),
        ("sim", {"allow_hosts": ""}, ValueError, "host NQN"),
    ],
)
def test_wrong_settings_are_named(
    drive: str, settings: dict[str, object], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        d.serve(drive, **({"tcp": "127.0.0.1:0"} | settings))  # type: ignore[arg-type]


def test_two_ssds_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two SSDs are named"):
        d.serve("sim", "sim", tcp="127.0.0.1:0")


def test_a_port_that_is_taken_is_named(target: Served) -> None:
    with pytest.raises(d.NvmeError, match="cannot listen there: Address already in use"):
        d.serve("sim", tcp=target.address)


def test_a_forked_child_leaves_the_target_alone(target: Served) -> None:
    host = admin(target.address, NQN)

    child = os.fork()
    if not child:
        try:
            _ = target.address
        except d.NvmeError:
            os._exit(0)
        os._exit(1)
    _, status = os.waitpid(child, 0)

    assert status == 0
    assert host.identify().status == 0


def test_a_fault_of_the_command_line_has_the_words_of_a_script() -> None:
    assert fault_of("opcode=2,nth=3,status=0x281") == {"opcode": 2, "nth": 3, "status": 0x281}
    assert fault_of("admin=1,delay=0.5") == {"admin": True, "delay": 0.5}
    assert fault_of("drop") == {"drop": True}


def serve_command(*words: str) -> tuple[subprocess.Popen[str], str]:
    """``pynvme serve`` in a process of its own, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "nvme.cli", "serve", "--tcp", "127.0.0.1:0", *words],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    return process, process.stdout.readline().split()[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_a_signal_ends_it(number: signal.Signals, tmp_path: Path) -> None:
    drive = f"sim:media=file,file={tmp_path}/drive,{OPTIONS}"
    process, address = serve_command("--nqn", NQN, drive, "fault=opcode=2,nth=2,status=0x281")
    try:
        host = admin(address, NQN)
        io = queue(address, NQN, host.cntlid)
        assert io.write(0, b"x" * 512).status == 0
        assert [io.read(0, 1).status, io.read(0, 1).status] == [0, 0x281]
    finally:
        process.send_signal(number)

    assert process.wait() == 0
    assert host.is_closed()
    with d.serve(drive, tcp="127.0.0.1:0", nqn=NQN) as target:
        host = admin(target.address, NQN)
        assert queue(target.address, NQN, host.cntlid).read(0, 1).data == b"x" * 512


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("fault=drop",), "there is no SSD to serve"),
        (("sim", "fault=opcode=two"), "opcode must be a number, not 'two'"),
        (("sim", "fault=explode"), "explode"),
        (("sim", "--threads", "0"), "must be 1..64"),
    ],
)
def test_the_command_says_what_is_wrong_in_a_line(words: tuple[str, ...], text: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nvme.cli", "serve", "--tcp", "127.0.0.1:0", *words],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert text in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_host_that_reads_late_gets_all_of_it() -> None:
    """More than the connection takes: the target has to wait until it can be written again."""
    reads, lbas = 256, 256
    with d.serve("sim:size=64M,latency=none,enable_s=0", tcp="127.0.0.1:0") as target:
        nvme = d.Controller(target.address)
        namespace, qpair = d.Namespace(nvme), d.Qpair(nvme, reads + 1)
        wrote = d.Buffer(lbas * 512, ptype=0xBEEF, pvalue=100)
        namespace.write(qpair, wrote, 0, lbas).waitdone()
        buffers = [d.Buffer(lbas * 512) for _ in range(reads)]
        for buffer in buffers:
            namespace.read(qpair, buffer, 0, lbas)
        # All are executed while the host looks at nothing.
        until = time.monotonic() + 60
        while target.ssd.stats.reads < reads and time.monotonic() < until:
            time.sleep(0.01)

        qpair.waitdone(reads)

        assert all(buffer[:] == wrote[:] for buffer in buffers)
        qpair.delete()
        namespace.close()


def test_an_idle_target_sleeps(
    target: Served, record_property: Callable[[str, object], None]
) -> None:
    """Under 1 % of a core: with a host connected, its timers alone."""
    host = admin(target.address, NQN, kato_ms=60_000)
    io = queue(target.address, NQN, host.cntlid)
    assert io.read(0, 8).status == 0
    pause, silent = socket.socketpair()
    pause.settimeout(IDLE_S)

    before_s, before_cpu_s = time.monotonic(), time.process_time()
    with pytest.raises(TimeoutError):
        pause.recv(1)
    used_cpu_s = time.process_time() - before_cpu_s
    elapsed_s = time.monotonic() - before_s

    silent.close()
    assert elapsed_s >= IDLE_S
    assert used_cpu_s < elapsed_s / 100
    record_property("CPU of an idle target", f"{100 * used_cpu_s / elapsed_s:.2f} %")
