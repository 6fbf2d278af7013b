"""Where the C headers have the fields of the views, and what they call them."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from nvme import decode
from nvme.decode import event_data, features
from nvme.decode.view import View

TOP = Path(__file__).resolve().parents[3]
SOURCES = TOP / "src" / "spec"
NAMES = TOP / "tests" / "unit" / "spec" / "layout_fields.h"
HEADERS = ("identify.h", "logs.h", "features.h")

#: The structures of src/spec.
STRUCTURES: dict[str, type[View]] = {
    "nvme_id_ctrl": decode.IdentifyController,
    "nvme_psd": decode.PowerStateDescriptor,
    "nvme_id_ctrl_nvm": decode.IdentifyControllerNvm,
    "nvme_id_ns": decode.IdentifyNamespace,
    "nvme_lbaf": decode.LbaFormat,
    "nvme_id_ns_nvm": decode.IdentifyNamespaceNvm,
    "nvme_id_independent_ns": decode.IdentifyNamespaceIndependent,
    "nvme_ns_list": decode.NamespaceList,
    "nvme_ctrl_list": decode.ControllerList,
    "nvme_id_ns_desc": decode.NamespaceDescriptor,
    "nvme_smart": decode.SmartLog,
    "nvme_endurance_group": decode.EnduranceGroupLog,
    "nvme_error_entry": decode.ErrorEntry,
    "nvme_fw_slot": decode.FirmwareLog,
    "nvme_effects": decode.EffectsLog,
    "nvme_log_supported": decode.SupportedLogPages,
    "nvme_self_test": decode.SelfTestLog,
    "nvme_self_test_result": decode.SelfTestResult,
    "nvme_sanitize_status": decode.SanitizeLog,
    "nvme_telemetry": decode.TelemetryHeader,
    "nvme_persistent_event_log": decode.PersistentEventHeader,
    "nvme_persistent_event": decode.PersistentEvent,
    "nvme_lba_range": features.LbaRange,
    "nvme_apst": features.ApstTable,
    "nvme_hmb_attributes": features.HmbAttributes,
    "nvme_timestamp": features.Timestamp,
    "nvme_host_behavior": features.HostBehavior,
    "nvme_host_id": features.HostId,
    "nvme_directives": decode.IdentifyDirective,
    "nvme_streams": decode.StreamsDirective,
}
#: Where C has a name of its own: the view's name first.
OTHER_NAMES = {
    ("nvme_id_ctrl", "did"): "domainid",
    ("nvme_lbaf", "lbads"): "ds",
    ("nvme_smart", "cw"): "critical_warning",
    ("nvme_smart", "ctemp"): "temperature",
    ("nvme_endurance_group", "cw"): "critical_warning",
    ("nvme_error_entry", "ec"): "error_count",
    ("nvme_error_entry", "sf"): "status",
    ("nvme_error_entry", "vsi"): "vs",
    ("nvme_error_entry", "csinfo"): "cs",
    ("nvme_telemetry", "lid"): "lpi",
    ("nvme_timestamp", "timestamp"): "timestamp_ms",
    ("nvme_host_id", "hostid"): "id",
}
#: Structures that only libnvme has in C, with some of their fields: (ours, libnvme's).
EVENTS: dict[str, tuple[type[View], tuple[tuple[str, str], ...]]] = {
    "nvme_fw_commit_event": (
        event_data.FirmwareCommitEvent,
        (
            ("ofr", "old_fw_rev"),
            ("nfr", "new_fw_rev"),
            ("fca", "fw_commit_action"),
            ("fs", "fw_slot"),
            ("sctfc", "sct_fw"),
            ("scfc", "sc_fw"),
        ),
    ),
    "nvme_time_stamp_change_event": (
        event_data.TimestampChangeEvent,
        (("pts", "previous_timestamp"), ("msr", "ml_secs_since_reset")),
    ),
    "nvme_power_on_reset_info_list": (
        event_data.ResetInformation,
        (
            ("cntlid", "cid"),
            ("fa", "fw_act"),
            ("oip", "op_in_prog"),
            ("cpc", "ctrl_power_cycle"),
            ("pom", "power_on_ml_seconds"),
            ("cts", "ctrl_time_stamp"),
        ),
    ),
    "nvme_change_ns_event": (
        event_data.ChangeNamespaceEvent,
        (
            ("nsze", "nsze"),
            ("ncap", "nscap"),
            ("flbas", "flbas"),
            ("dps", "dps"),
            ("nmic", "nmic"),
            ("anagrpid", "ana_grp_id"),
            ("nvmsetid", "nvmset_id"),
            ("nsid", "nsid"),
        ),
    ),
    "nvme_format_nvm_start_event": (
        event_data.FormatStartEvent,
        (("nsid", "nsid"), ("fna", "fna"), ("fcdw10", "format_nvm_cdw10")),
    ),
    "nvme_format_nvm_compln_event": (
        event_data.FormatCompletionEvent,
        (
            ("nsid", "nsid"),
            ("sfpi", "smallest_fpi"),
            ("fnvms", "format_nvm_status"),
            ("ci", "compln_info"),
            ("sf", "status_field"),
        ),
    ),
    "nvme_sanitize_start_event": (
        event_data.SanitizeStartEvent,
        (("sanicap", "sani_cap"), ("scdw10", "sani_cdw10"), ("scdw11", "sani_cdw11")),
    ),
    "nvme_sanitize_compln_event": (
        event_data.SanitizeCompletionEvent,
        (("sprog", "sani_prog"), ("sstat", "sani_status"), ("ci", "cmpln_info")),
    ),
    "nvme_thermal_exc_event": (
        event_data.ThermalExcursionEvent,
        (("ot", "over_temp"), ("th", "threshold")),
    ),
}


def c_name(structure: str, field: str) -> str:
    return OTHER_NAMES.get((structure, field), field)


def our_claims() -> Iterator[str]:
    """What src/spec must have, as constant expressions of C."""
    for structure, view in STRUCTURES.items():
        yield f"sizeof(struct {structure}) == {view.BYTES}"
        for field in view.FIELDS:
            name = c_name(structure, field.name)
            yield f"offsetof(struct {structure}, {name}) == {field.offset}"
            yield f"sizeof(((struct {structure} *)0)->{name}) == {field.width}"


def libnvme_claims() -> Iterator[str]:
    """What libnvme's headers must have, by the names that the unit test of the layouts uses."""
    named = {
        (structure, c_name(structure, field.name)): field
        for structure, view in STRUCTURES.items()
        for field in view.FIELDS
    }
    text = NAMES.read_text()
    for ours, theirs in re.findall(r"^SIZE\((\w+), (\w+)\)", text, re.MULTILINE):
        if ours in STRUCTURES:
            yield f"sizeof(struct {theirs}) == {STRUCTURES[ours].BYTES}"
    for ours, name, theirs, at in re.findall(r"^AT\((\w+), (\w+), (\w+), (\w+)\)", text, re.M):
        if (ours, name) in named:
            yield f"offsetof(struct {theirs}, {at}) == {named[ours, name].offset}"
    for theirs, (view, pairs) in EVENTS.items():
        yield f"sizeof(struct {theirs}) == {view.BYTES}"
        for name, at in pairs:
            yield f"offsetof(struct {theirs}, {at}) == {getattr(view, name).offset}"


def macros() -> dict[str, int]:
    """The NVME_* constants of src/spec that are plain numbers."""
    found = {}
    for header in SOURCES.glob("*.h"):
        for name, value in re.findall(
            r"^#define NVME_(\w+)\s+(0x[0-9a-fA-F]+|\d+)u?(?:ll)?\b", header.read_text(), re.M
        ):
            found[name] = int(value, 0)
    return found


def compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc")


def refused(includes: Iterable[str], claims: Iterable[str]) -> list[str]:
    """The claims that the C compiler does not confirm. AssertionError if it could not judge."""
    lines = ["#include <stddef.h>", *includes]
    claims = list(claims)
    lines += [f'_Static_assert({claim}, "claim {i}");' for i, claim in enumerate(claims)]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "claims.c"
        source.write_text("\n".join(lines) + "\n")
        command = [compiler() or "cc", "-std=gnu11", "-fsyntax-only", "-fmax-errors=0"]
        done = subprocess.run(
            [*command, f"-I{TOP / 'src'}", str(source)], capture_output=True, text=True, timeout=120
        )
    wrong = [claims[int(i)] for i in re.findall(r'"claim (\d+)"', done.stderr)]
    assert wrong or done.returncode == 0, done.stderr
    return sorted(set(wrong))
