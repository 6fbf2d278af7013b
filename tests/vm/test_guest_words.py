"""Our words and Debian's nvme-cli on the same drive say the same, field by field, as text and JSON.

nvme-cli asks through the kernel's driver, after we have given the drive back. What differs is in
the tables below, with the reason.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from vm.guest import Guest
from vm.presets import IOMMU, NVME_BDF
from vm.probe import probe

ASK = Path(__file__).with_name("words.py")
BUSY_S = 900

#: nvme-cli's names, where they are not the specification's of today.
NAMES: dict[str, dict[str, str]] = {
    "id-ctrl": {"domainid": "did", "ocfs": "cdfs"},
    "id-ns": {},
    "smart-log": {
        "critical_warning": "cw",
        "temperature": "ctemp",
        "avail_spare": "avsp",
        "available_spare": "avsp",
        "spare_thresh": "avspt",
        "available_spare_threshold": "avspt",
        "percent_used": "pused",
        "percentage_used": "pused",
        "endurance_grp_critical_warning_summary": "egcws",
        "endurance group critical warning summary": "egcws",
        "data_units_read": "dur",
        "data_units_written": "duw",
        "host_read_commands": "hrc",
        "host_write_commands": "hwc",
        "controller_busy_time": "cbt",
        "power_cycles": "pwrc",
        "power_on_hours": "poh",
        "unsafe_shutdowns": "upl",
        "media_errors": "mdie",
        "num_err_log_entries": "neile",
        "warning_temp_time": "wctt",
        "warning temperature time": "wctt",
        "critical_comp_time": "cctt",
        "critical composite temperature time": "cctt",
        "thm_temp1_trans_count": "tmt1tc",
        "thermal management t1 trans count": "tmt1tc",
        "thm_temp2_trans_count": "tmt2tc",
        "thermal management t2 trans count": "tmt2tc",
        "thm_temp1_total_time": "tttmt1",
        "thermal management t1 total time": "tttmt1",
        "thm_temp2_total_time": "tttmt2",
        "thermal management t2 total time": "tttmt2",
        "data units read": "dur",
        "data units written": "duw",
    },
    "error-log": {
        "error_count": "ec",
        "cmdid": "cid",
        "parm_error_location": "pel",
        "parm_err_loc": "pel",
        "vs": "vsi",
        "cs": "csinfo",
        "trtype_spec_info": "ttsi",
    },
}
#: What nvme-cli 2.3 does not show, as it is younger or no number.
YOUNGER = "not in the version of the specification that nvme-cli 2.3 knows"
OURS_ONLY: dict[str, dict[str, str]] = {
    "id-ctrl": dict.fromkeys(
        [
            "bpcap",
            "nssl",
            "plsi",
            "crcap",
            "ciu",
            "cirn",
            "kpioc",
            "mptfawr",
            "tmpthha",
            "cqt",
            "oaqd",
            "rhiri",
            "hirt",
            "cmmrtd",
            "nmmrtd",
            "minmrtg",
            "maxmrtg",
            "trattr",
            "mcudmq",
            "mnsudmq",
            "mcmr",
            "nmcmr",
            "mcdqpc",
            "dctype",
        ],
        YOUNGER,
    ),
    "id-ns": dict.fromkeys(("kpios", "kpiodaag"), YOUNGER),
    "smart-log": {"tsen": "nvme-cli shows only sensors that are there"},
    "error-log": dict.fromkeys(("csi", "opc", "lpver"), YOUNGER)
    | {"status_text": "nvme-cli has it in the text alone"},
}
#: What has moved on by the time nvme-cli asks.
LATER = {
    "dur": "the kernel's driver has read the partition table",
    "hrc": "the kernel's driver has read the partition table",
}


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    """What both printed: said["ours" or "theirs"][word][format]."""
    if reason := probe():
        pytest.skip(reason)
    answers, log = bytearray(), bytearray()
    for _ in range(2):  # QEMU dies at times when its device is reset
        guest = Guest(
            preset=IOMMU, sink=log.extend, outputs={"words": answers.extend}, timeout_s=BUSY_S
        )
        status = guest.run(
            ["sh", "-c", f"{sys.executable} {ASK} {NVME_BDF} $PYNVME_VM_SHARE/words"]
        )
        if not guest.killed:
            break
        answers.clear()
    assert status == 0, log.decode(errors="replace")
    found: dict[str, Any] = json.loads(answers)
    return found


def unit_less(ours: dict[str, Any], name: str) -> Any:
    """A field of our JSON, whose key may end in a unit."""
    keys = [key for key in ours if key == name or key.startswith(f"{name}_")]
    assert len(keys) == 1 or name in ours, f"{name}: {keys}"
    return ours[name] if name in ours else ours[keys[0]]


def number(text: str) -> int:
    """The number that a text begins with."""
    found = re.match(r"0x[0-9a-fA-F]+|\d+", text.strip())
    assert found, text
    return int(found[0], 0)


def table(text: str) -> dict[str, str]:
    """Lines "name : value" of a text; the first of each name."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip(), value.strip())
    return found


def names(word: str, theirs: dict[str, Any]) -> dict[str, str]:
    """Their names, and ours for the same."""
    return {name: NAMES[word].get(name.lower(), name) for name in theirs}


def same(ours: Any, theirs: Any) -> bool:
    """Values of JSON: theirs has some numbers as text, and text with its padding."""
    if isinstance(ours, str):
        return ours == str(theirs).replace("-", "").rstrip() or ours == str(theirs).rstrip()
    return int(ours) == int(theirs)


def all_of_ours(word: str, ours: dict[str, Any], shown: set[str]) -> None:
    """Whatever only we show is in the table of reasons."""
    bare = {key for key in ours if not any(key == n or key.startswith(f"{n}_") for n in shown)}
    excused = OURS_ONLY[word]
    assert {k for k in bare if not any(k == n or k.startswith(f"{n}_") for n in excused)} == set()


@pytest.mark.parametrize("word", ["id-ctrl", "id-ns", "smart-log"])
def test_json_agrees(said: dict[str, Any], word: str) -> None:
    ours = json.loads(said["ours"][word]["json"])
    theirs = json.loads(said["theirs"][word]["json"])

    lists = {"psds": "psd", "lbafs": "lbaf"}
    known = names(word, {k: v for k, v in theirs.items() if k not in lists})
    for name, mine in known.items():
        if found := re.fullmatch(r"crdt(\d)", name):
            assert unit_less(ours, "crdt")[int(found[1]) - 1] == theirs[name]
        elif mine in LATER:
            assert unit_less(ours, mine) <= int(theirs[name]), LATER[mine]
        else:
            assert same(unit_less(ours, mine), theirs[name]), name
    all_of_ours(word, ours, {*known.values(), "crdt", *lists.values()})


def test_json_of_power_states_agrees(said: dict[str, Any]) -> None:
    ours = json.loads(said["ours"]["id-ctrl"]["json"])["psd"]
    theirs = json.loads(said["theirs"]["id-ctrl"]["json"])["psds"]

    pairs = {
        "max_power": "mp",
        "flags": "flags",
        "entry_lat": "enlat_us",
        "exit_lat": "exlat_us",
        "read_tput": "rrt",
        "read_lat": "rrl",
        "write_tput": "rwt",
        "write_lat": "rwl",
        "idle_power": "idlp",
        "active_power": "actp",
    }
    assert [[each[mine] for mine in pairs.values()] for each in ours] == [
        [each[name] for name in pairs] for each in theirs
    ]


def test_json_of_lba_formats_agrees(said: dict[str, Any]) -> None:
    ours = json.loads(said["ours"]["id-ns"]["json"])["lbaf"]
    theirs = json.loads(said["theirs"]["id-ns"]["json"])["lbafs"]

    assert [list(each.values()) for each in ours] == [list(each.values()) for each in theirs]


def test_json_of_errors_agrees(said: dict[str, Any]) -> None:
    ours = json.loads(said["ours"]["error-log"]["json"])["entries"]
    theirs = json.loads(said["theirs"]["error-log"]["json"])["errors"]

    assert len(ours) == len(theirs) >= 1
    for mine, their in zip(ours, theirs, strict=True):
        assert mine["sf"] == their.pop("status_field") << 1 | their.pop("phase_tag")
        known = names("error-log", their)
        assert all(mine[name] == their[key] for key, name in known.items())
        all_of_ours("error-log", mine, {*known.values(), "sf"})


@pytest.mark.parametrize("word", ["id-ctrl", "id-ns", "smart-log"])
def test_text_agrees(said: dict[str, Any], word: str) -> None:
    ours = table(said["ours"][word]["normal"])
    theirs = table(said["theirs"][word]["normal"])
    text = {"sn", "mn", "fr", "subnqn", "nguid", "eui64", "fguid"}
    compared = 0

    for name, value in theirs.items():
        mine = NAMES[word].get(name.lower(), name)
        if found := re.fullmatch(r"crdt(\d)", name):
            assert ours["crdt"].split()[int(found[1]) - 1] == value
        elif mine in text:
            assert ours[mine].startswith(value.replace("-", "") if mine == "fguid" else value)
        elif mine == "ieee":
            assert number(ours[mine]) == int(value, 16), "nvme-cli has no 0x before it"
        elif mine == "ctemp":
            assert f"({number(ours[mine])} Kelvin)" in value
        elif mine in LATER:
            assert number(ours[mine]) <= number(value), LATER[mine]
        elif mine in ours and value:
            assert number(ours[mine]) == number(value), name
        else:
            assert re.match(r"NVME|Smart Log|ps +\d|lbaf +\d|rwt|active_power", name), name
            continue
        compared += 1
    assert compared > 20


def test_text_of_an_empty_error_log_agrees(said: dict[str, Any]) -> None:
    """QEMU's drive keeps no errors: an entry of zeros in theirs, a word for it in ours."""
    theirs = table(said["theirs"]["error-log"]["normal"])

    assert [number(theirs[name]) for name in ("error_count", "sqid", "lba", "nsid")] == [0] * 4
    assert "1 of 1 entries are empty" in said["ours"]["error-log"]["normal"]


def test_text_of_formats_and_power_states_agrees(said: dict[str, Any]) -> None:
    ours, theirs = (said[who]["id-ns"]["normal"] for who in ("ours", "theirs"))
    mine = re.findall(r"lbaf\[(\d+)\] *: ms (\d+) B, lbads (\d+) .*, rp 0x(\d)", ours)
    assert mine == re.findall(r"lbaf +(\d+) : ms:(\d+) +lbads:(\d+) +rp:(\d)", theirs)
    assert len(mine) > 1
    used = re.search(r"lbaf +(\d+) .*\(in use\)", theirs)
    assert used
    assert f"(format {used[1]}:" in ours

    ours, theirs = (said[who]["id-ctrl"]["normal"] for who in ("ours", "theirs"))
    for name in ("enlat", "exlat", "rrt", "rrl", "rwt", "rwl"):
        mine = re.findall(rf"^ +{name} *: (\d+)", ours, re.MULTILINE)
        assert mine == re.findall(rf"\b{name}:(\d+)", theirs), name
    watts = re.findall(r"^ +mp *: \d+ \(([\d.]+) W\)", ours, re.MULTILINE)
    assert [float(each) for each in watts] == [
        float(each) for each in re.findall(r"mp:([\d.]+)W", theirs)
    ]


def test_firmware_slots_agree(said: dict[str, Any]) -> None:
    ours = json.loads(said["ours"]["fw-log"]["json"])
    (theirs,) = json.loads(said["theirs"]["fw-log"]["json"]).values()

    slots = {
        int(name[-1]) - 1: int(value.split()[0])
        for name, value in theirs.items()
        if name.startswith("Firmware Rev Slot")
    }
    assert ours["afi"] == theirs["Active Firmware Slot (afi)"]
    # nvme-cli shows the eight letters as a number, too.
    mine = {i: int.from_bytes(fr.encode().ljust(8), "little") for i, fr in enumerate(ours["frs"])}
    assert {i: mine[i] for i in slots} == slots
    assert all(not fr for i, fr in enumerate(ours["frs"]) if i not in slots)

    text = table(said["theirs"]["fw-log"]["normal"])
    assert number(table(said["ours"]["fw-log"]["normal"])["afi"]) == number(text["afi"])
    assert {i: number(text[f"frs{i + 1}"]) for i in slots} == slots
    assert all(repr(ours["frs"][i]) in said["ours"]["fw-log"]["normal"] for i in slots)


def test_effects_agree(said: dict[str, Any]) -> None:
    ours = json.loads(said["ours"]["effects-log"]["json"])
    (theirs,) = json.loads(said["theirs"]["effects-log"]["json"])

    for mine, their in (("acs", "admin_cmd_set"), ("iocs", "io_cmd_set")):
        known = {
            re.fullmatch(r"\w+_(\d+) \((.*)\)", name).groups(): value  # type: ignore[union-attr]
            for name, value in theirs[their].items()
        }
        assert known
        assert {(n, each["name"]): each["raw"] for n, each in ours[mine].items()} == known

    text = re.findall(
        r"I?O?A?CS(\d+) +\[(.*?) *\] ([0-9a-f]{8})", said["theirs"]["effects-log"]["normal"]
    )
    mine_text = re.findall(
        r"^  ([0-9a-f]{2})h (.*?) *: 0x([0-9a-f]{8})", said["ours"]["effects-log"]["normal"], re.M
    )
    assert [(int(n, 16), name, raw) for n, name, raw in mine_text] == [
        (int(n), name, raw) for n, name, raw in text
    ]
