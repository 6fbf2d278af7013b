"""Command logs of the console: in words, filtered, with the raw dwords."""

import pytest

from nvme.console import commands
from nvme.console.entries import Filter, Record, entry
from nvme.console.feed import Session


def log(service, sqid, **params):
    (queue,) = [one for one in service.call("queues", {})["queues"] if one["sqid"] == sqid]
    return service.call("cmdlog", {"queue": queue["id"], **params})


def test_an_entry_has_all_of_a_command(service, live):
    address = live("[nvme0n1.read(qpair, buf, 777, 2).waitdone(), buf.phys_addr][1]")

    (found,) = log(service, 1)["entries"]

    assert (found["name"], found["opcode"], found["nsid"], found["sqid"]) == ("Read", 2, 1, 1)
    assert (found["slba"], found["nlb"]) == ("0x309", 2)
    assert (found["status"], found["status_name"], found["dnr"]) == (
        0,
        "Successful Completion",
        False,
    )
    assert found["text"] == "Read nsid 1 LBA 0x309 + 2 => Successful Completion (00/00)"
    assert found["sqe"][0] == found["cid"] << 16 | 2
    assert found["sqe"][7] << 32 | found["sqe"][6] == address
    assert found["latency_us"] == pytest.approx(
        (found["complete_ms"] - found["submit_ms"]) * 1e3, abs=2
    )
    assert len(found["cqe"]) == 4
    assert found["cqe"][3] & 0xFFFF == found["cid"]


def test_an_outstanding_command_has_no_completion(service, live):
    live("fault = d.sim(nvme0).fault(opcode=2, admin=False, drop=True); fault.__enter__()")
    live("nvme0n1.read(qpair, buf, 7) and None")

    (found,) = log(service, 1)["entries"]

    assert found["text"] == "Read nsid 1 LBA 0x7 + 1 => outstanding"
    absent = ("complete_ms", "latency_us", "status", "status_name", "dnr", "cdw0", "sqhd", "cqe")
    assert {found[name] for name in absent} == {None}
    assert found["key"].startswith("o")


def test_a_key_stays_until_the_command_completes(service, live):
    live("fault = d.sim(nvme0).fault(opcode=2, admin=False, delay=3600.0); fault.__enter__()")
    live("nvme0n1.read(qpair, buf, 7) and None")
    first = log(service, 1)["entries"][0]["key"]
    live("nvme0n1.write(qpair, buf, 8) and qpair.waitdone(1)")

    found = log(service, 1)["entries"]

    assert [(one["name"], one["key"] == first) for one in found] == [
        ("Read", True),
        ("Write", False),
    ]
    assert len({one["key"] for one in found}) == 2


THREE = """
nvme0n1.write(qpair, buf, 1, 1).waitdone()
nvme0n1.read(qpair, buf, 2, 1).waitdone()
nvme0n1.read(qpair, buf, 1 << 40, 1, cb=lambda cdw0, status: None).waitdone()
"""


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({}, ["Read", "Read", "Write"]),
        ({"opcodes": [1]}, ["Write"]),
        ({"opcodes": []}, []),
        ({"status": "error"}, ["Read"]),
        ({"status": "success"}, ["Read", "Write"]),
        ({"status": "outstanding"}, []),
        ({"text": "out of RANGE"}, ["Read"]),
        ({"text": "lba 0x1 "}, ["Write"]),
        ({"opcodes": [2], "status": "success"}, ["Read"]),
    ],
)
def test_a_filter_lets_through(service, live, wanted, names):
    live(THREE)

    found = log(service, 1, filter=wanted)

    assert [one["name"] for one in found["entries"]] == names
    assert (found["total"], found["matched"]) == (3, len(names))


def test_a_count_cuts_what_a_filter_left(service, live):
    live("[nvme0n1.read(qpair, buf, i).waitdone() for i in range(9)] and None")

    found = log(service, 1, count=2, filter={"opcodes": [2]})

    assert [one["slba"] for one in found["entries"]] == ["0x8", "0x7"]
    assert (found["total"], found["matched"]) == (9, 9)


def test_no_more_than_2048_completed_commands_are_kept(service, live):
    live("nvme0n1.ioworker(io_size=8, io_count=5000).start().close() and None")
    (queue,) = [
        one for one in service.call("queues", {"closed": True})["queues"] if one["kind"] == "worker"
    ]

    found = service.call("cmdlog", {"queue": queue["id"], "count": 4096})

    assert (found["total"], len(found["entries"])) == (2048, 2048)
    assert found["entries"][0]["key"] == "c5000"


ADMIN = [
    ([0x02, 0xFFFFFFFF, 0x007F0002, 0, 0, 0], "log 02h SMART / Health Information, 512 bytes"),
    ([0x02, 0, 0x00000001, 1, 8, 0], "log 01h Error Information, 262148 bytes from 8"),
    ([0x06, 0, 0x00020001, 0, 0, 0], "CNS 01h"),
    ([0x09, 0, 0x80000006, 1, 0, 0], "feature 06h Volatile Write Cache = 0x1, saved"),
    ([0x0A, 0, 0x00000206, 0, 0, 0], "feature 06h Volatile Write Cache, saved value"),
    ([0x0A, 0, 0x00000706, 0, 0, 0], "feature 06h Volatile Write Cache, 7 (reserved) value"),
    ([0x01, 0, 0x001F0003, 0x00030005, 0, 0], "queue 3, 32 entries"),
    ([0x05, 0, 0x001F0003, 0x00040003, 0, 0], "queue 3, 32 entries"),
    ([0x00, 0, 3, 0, 0, 0], "queue 3"),
    ([0x08, 0, 0x00070002, 0, 0, 0], "queue 2 command 7"),
    ([0x10, 0, 0x0000000A, 0, 0, 0], "slot 2, action 1"),
    ([0x11, 0, 0x000003FF, 0x400, 0, 0], "4096 bytes at 4096"),
    ([0x14, 1, 2, 0, 0, 0], "extended"),
    ([0x14, 1, 5, 0, 0, 0], "5 (reserved)"),
    ([0x15, 1, 1, 0, 0, 0], "detach"),
    ([0x80, 1, 0x00000221, 0, 0, 0], "LBA format 1, protection 1, erase 1"),
    ([0x84, 0, 2, 0, 0, 0], "block erase"),
    ([0xC0, 0, 0, 0, 0, 0], ""),
]


def sqe_of(words):
    opcode, nsid, *cdw = words
    return (opcode, nsid, *[0] * 8, *cdw, 0, 0)


@pytest.mark.parametrize(("words", "line"), ADMIN)
def test_an_admin_command_is_told_in_words(words, line):
    assert commands.words(sqe_of(words), True).line == line


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([0x00, 1, 0, 0, 0, 0], ""),
        ([0x01, 1, 5, 1, 7 | 1 << 30, 0], "LBA 0x100000005 + 8"),
        ([0x19, 1, 5, 0, 0, 0], "LBA 0x5"),
        ([0x09, 1, 3, 4, 0, 0], "4 ranges"),
        ([0xC0, 1, 5, 0, 0, 0], ""),
    ],
)
def test_an_io_command_is_told_in_words(words, line):
    assert commands.words(sqe_of(words), False).line == line


def test_details_go_through_the_dwords():
    assert commands.words(sqe_of([0x01, 1, 5, 0, 7 | 3 << 30, 0]), False).details == [
        "cdw11:10 00000000:00000005: LBA 5",
        "cdw12 c0000007: 8 LBAs, limited retry, FUA",
    ]
    assert commands.words(sqe_of([0x05, 0, 0x001F0003, 0x00040003, 0, 0]), True).details == [
        "cdw10 001f0003: queue 3, 32 entries",
        "cdw11 00040003: vector 4, contiguous",
    ]


@pytest.mark.parametrize("admin", [True, False])
def test_every_opcode_has_words(admin):
    session = Session("1-1-1", 1, 1, True, None, False, None)
    for opcode in range(256):
        for fill in (0, 0xFFFFFFFF):
            sqe = (opcode | 0xFFFF0000, *[fill] * 15)
            record = Record(2, 1, 5, sqe, (fill, fill, fill, fill))

            found = entry(record, 0 if admin else 1, session)

            assert found["text"].isprintable()
            assert all(line.isprintable() for line in found["details"])
            assert Filter(text="=>").wants(record, admin)
