"""nvme-cli reads what our device says of itself, and has nothing to complain of.

Usage: check_nvme_cli.py NVME SHIM. The shim is the device: see shim.c for the past it has.
"""

import json
import os
import subprocess
import sys
from typing import Any

OPTIONS = "ns=2,size=64M,sn=S1,mn=M1,fr=F1,hmpre=1M"
LBA_COUNT = 64 * 2048

# Everything with a decoder that works on a controller's character device.
COMMANDS = {
    "id-ctrl": ["-H"],
    "id-ns": ["-n1", "-H"],
    "list-ns": [],
    "ns-descs": ["-n1"],
    "cmdset-ind-id-ns": ["-n1"],
    "nvm-id-ctrl": [],
    "id-iocs": [],
    "list-ctrl": [],
    "smart-log": ["-H"],
    "error-log": ["-e4"],
    "effects-log": ["-c0", "-H"],
    "fw-log": [],
    "changed-ns-list-log": [],
    "self-test-log": ["-v"],
    "sanitize-log": ["-H"],
    "supported-log-pages": ["-v"],
    "fid-support-effects-log": ["-H"],
    "persistent-event-log": ["-a1", "-l1024"],
}
HUMAN = {"-H", "-v"}
# What a decoder prints when it does not know a value or could not read a page.
COMPLAINTS = ("unknown", "unrecognized", "undefined", "error:", "invalid")


def run(nvme: str, shim: str, command: str, *args: str) -> str:
    environment = {**os.environ, "LD_PRELOAD": shim, "NVME_SHIM": OPTIONS}
    done = subprocess.run(
        [nvme, command, "/dev/nvme0", *args],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.returncode}: {done.stdout}{done.stderr}"
    assert not done.stderr, f"{command}: {done.stderr}"
    return done.stdout


def check_texts(nvme: str, shim: str) -> None:
    for command, args in COMMANDS.items():
        text = run(nvme, shim, command, *args).lower()
        assert text or command == "changed-ns-list-log", command
        found = [word for word in COMPLAINTS if word in text]
        # The one error it has is that of an unknown opcode.
        assert not found or command == "error-log", f"{command}: {found}: {text}"


def data(nvme: str, shim: str, command: str) -> Any:
    args = [arg for arg in COMMANDS[command] if arg not in HUMAN]
    return json.loads(run(nvme, shim, command, *args, "-o", "json"))


def check_identify(nvme: str, shim: str) -> None:
    ctrl = data(nvme, shim, "id-ctrl")
    assert (ctrl["sn"].strip(), ctrl["mn"].strip(), ctrl["fr"].strip()) == ("S1", "M1", "F1")
    assert (ctrl["mdts"], ctrl["nn"], ctrl["elpe"], ctrl["hmpre"]) == (5, 2, 63, 256)
    assert (ctrl["ver"], ctrl["npss"], ctrl["frmw"]) == (0x10300, 4, 0x16)
    assert int(ctrl["tnvmcap"]) == 128 << 20
    assert ctrl["subnqn"].startswith("nqn.")
    assert len(ctrl["psds"]) == ctrl["npss"] + 1
    assert ctrl["psds"][0]["max_power"] == 600
    ns = data(nvme, shim, "id-ns")
    assert (ns["nsze"], ns["ncap"], ns["nuse"]) == (LBA_COUNT,) * 3
    assert (ns["nlbaf"], ns["fpi"]) == (1, 0x80)
    assert [f["ds"] for f in ns["lbafs"][:2]] == [9, 12]
    assert [entry["nsid"] for entry in data(nvme, shim, "list-ns")["nsid_list"]] == [1, 2]


def check_smart(nvme: str, shim: str) -> None:
    smart = data(nvme, shim, "smart-log")
    assert (smart["critical_warning"], smart["temperature"]) == (0, 308)
    for key, value in {
        "data_units_read": 1,
        "data_units_written": 1,
        "host_read_commands": 1,
        "host_write_commands": 1,
        "avail_spare": 100,
        "spare_thresh": 10,
        "power_cycles": 1,
        "unsafe_shutdowns": 0,
        "media_errors": 0,
        "num_err_log_entries": 1,
    }.items():
        assert int(smart[key]) == value, (key, smart[key])


def check_errors(nvme: str, shim: str) -> None:
    entries = data(nvme, shim, "error-log")["errors"]
    newest = entries[0]
    assert (newest["error_count"], newest["sqid"], newest["cmdid"]) == (1, 0, 0x1234)
    assert newest["status_field"] & 0x7FF == 0x001
    assert (newest["nsid"], newest["parm_error_location"]) == (1, 0xFFFF)
    assert entries[1]["error_count"] == 0


def check_effects(nvme: str, shim: str) -> None:
    (log,) = data(nvme, shim, "effects-log")
    admin = {key.split("(")[1][:-1]: value for key, value in log["admin_cmd_set"].items()}
    io = {key.split("(")[1][:-1]: value for key, value in log["io_cmd_set"].items()}
    assert admin["Identify"] == admin["Doorbell Buffer Config"] == 0x00001
    assert admin["Format NVM"] == 0x10007
    assert admin["Sanitize"] == 0x10003
    assert io["Read"] == io["Flush"] == 0x00001
    assert io["Write"] == io["Copy"] == 0x00003


def check_operations(nvme: str, shim: str) -> None:
    firmware = data(nvme, shim, "fw-log")["nvme0"]
    assert firmware["Active Firmware Slot (afi)"] == 1
    assert "(2.0" in firmware["Firmware Rev Slot 2"]
    test = data(nvme, shim, "self-test-log")
    assert test["Current Device Self-Test Operation"] == 0
    reports = test["List of Valid Reports"]
    assert [(r["Self test code"], r["Self test result"]) for r in reports[:2]] == [(2, 9), (1, 0)]
    assert {r["Self test result"] for r in reports[2:]} == {15}
    sanitize = data(nvme, shim, "sanitize-log")["nvme0"]
    assert (sanitize["sprog"], sanitize["cdw10_info"]) == (0xFFFF, 2)
    assert "Completed Successfully" in sanitize["sstat"]["status"]
    assert sanitize["sstat"]["global_erased"] == 1


def check_events(nvme: str, shim: str) -> None:
    log = data(nvme, shim, "persistent-event-log")
    assert log["log_id"] == 0x0D
    entries = log["list_of_event_entries"]
    assert [entry["event_type"].split(" Event")[0] for entry in entries] == [
        "Sanitize Completion",
        "Sanitize Start",
        "Firmware Commit",
        "Power-on or Reset",
    ]
    assert (entries[1]["sani_cdw10"], entries[2]["fw_slot"]) == (2, 2)
    assert entries[3]["ctrl_power_cycle"] == 1
    assert log["total_num_of_events"] == 4


def main() -> None:
    nvme, shim = sys.argv[1:]
    check_texts(nvme, shim)
    check_identify(nvme, shim)
    check_smart(nvme, shim)
    check_errors(nvme, shim)
    check_effects(nvme, shim)
    check_operations(nvme, shim)
    check_events(nvme, shim)


if __name__ == "__main__":
    main()
