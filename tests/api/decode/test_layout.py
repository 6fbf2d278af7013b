"""The tables against the C layouts of src/spec, and against libnvme's headers."""

import subprocess

import pytest

from nvme.decode import feature_bits, id_ctrl_bits, id_ns, logs, registers, self_test, smart
from nvme.decode.bits import Bits

from . import layout

needs_cc = pytest.mark.skipif(
    not layout.compiler() or not layout.SOURCES.exists(), reason="needs a C compiler and src/spec"
)

#: Prefixes of constants in src/spec that name bits or fields of these.
PREFIXES: dict[str, type[Bits]] = {
    "CMIC": id_ctrl_bits.Cmic,
    "OAES": id_ctrl_bits.Oaes,
    "CTRATT": id_ctrl_bits.Ctratt,
    "OACS": id_ctrl_bits.Oacs,
    "FRMW": id_ctrl_bits.Frmw,
    "LPA": id_ctrl_bits.Lpa,
    "DSTO": id_ctrl_bits.Dsto,
    "SANICAP": id_ctrl_bits.Sanicap,
    "ONCS": id_ctrl_bits.Oncs,
    "FUSES": id_ctrl_bits.Fuses,
    "FNA": id_ctrl_bits.Fna,
    "PSD": id_ctrl_bits.PsdFlags,
    "NSFEAT": id_ns.Nsfeat,
    "MC": id_ns.Mc,
    "DPC": id_ns.Dpc,
    "NMIC": id_ns.Nmic,
    "NSATTR": id_ns.Nsattr,
    "NSTAT": id_ns.Nstat,
    "SMART_WARN": smart.CriticalWarning,
    "LIDS": logs.LogSupported,
    "AFI": logs.Afi,
    "EFFECTS": logs.CommandEffects,
    "STATUS": logs.StatusField,
    "SSTAT": self_test.Sstat,
    "DST_VALID": self_test.Vdi,
    "ARB": feature_bits.Arbitration,
    "PM": feature_bits.PowerManagement,
    "TMPTH": feature_bits.TemperatureThreshold,
    "ERR": feature_bits.ErrorRecovery,
    "NQ": feature_bits.NumberOfQueues,
    "IC": feature_bits.InterruptCoalescing,
    "IVC": feature_bits.InterruptVector,
    "WAN": feature_bits.WriteAtomicity,
    "HMB": feature_bits.HostMemoryBuffer,
    "HCTM": feature_bits.Hctm,
    "NOPPM": feature_bits.NonOperational,
    "SANCFG": feature_bits.SanitizeConfig,
    "EGE": feature_bits.EnduranceGroupEvent,
    "SPM": feature_bits.SoftwareProgress,
    "HOSTID": feature_bits.HostIdentifier,
    "RESV_MASK": feature_bits.ReservationMask,
    "CMBLOC": registers.Cmbloc,
    "CMBSZ": registers.Cmbsz,
    "CMBMSC": registers.Cmbmsc,
    "CMBSTS": registers.Cmbsts,
    "BPINFO": registers.Bpinfo,
    "BPRSEL": registers.Bprsel,
    "CRTO": registers.Crto,
    "PMRCAP": registers.Pmrcap,
    "PMRCTL": registers.Pmrctl,
    "PMRSTS": registers.Pmrsts,
    "AQA": registers.Aqa,
    "VS": id_ctrl_bits.Ver,
}
#: Registers: only their _SHIFT and _MASK are bits, the rest are values.
SHIFTED = {
    "CAP": registers.Cap,
    "CC": registers.Cc,
    "CSTS": registers.Csts,
    "SGLS": id_ctrl_bits.Sgls,
    "DPS": id_ns.Dps,
    "FLBAS": id_ns.Flbas,
    "DLFEAT": id_ns.Dlfeat,
    "ELBAF": id_ns.Elbaf,
}
#: SC and SCT together; C has a name for both at once.
TOGETHER = {"STATUS_SC11"}


def fields_of(prefix: str) -> list[tuple[str, int, bool]]:
    """The bits in place that constants of C with this prefix mean; whether by shift and mask."""
    macros = layout.macros()
    found = []
    for name, value in macros.items():
        if not name.startswith(prefix + "_") or name.removesuffix("_MASK") in TOGETHER:
            continue
        stem = name.removesuffix("_MASK")
        if name.endswith("_MASK") and f"{stem}_SHIFT" in macros:
            found.append((stem, value << macros[f"{stem}_SHIFT"], True))
        elif not name.endswith(("_MASK", "_SHIFT")):
            found.append((name, value, False))
    return found


@pytest.mark.parametrize("prefix", PREFIXES)
def test_bits_lie_where_the_constants_of_c_have_them(prefix):
    masks = [field.mask for field in PREFIXES[prefix].FIELDS]
    claims = fields_of(prefix)

    assert claims
    for name, mask, whole in claims:
        inside = [each for each in masks if (each == mask if whole else each & mask == mask)]
        assert len(inside) == 1, f"NVME_{name} is {mask:#x}"


@pytest.mark.parametrize("prefix", SHIFTED)
def test_fields_lie_where_shift_and_mask_of_c_have_them(prefix):
    masks = [field.mask for field in SHIFTED[prefix].FIELDS]
    claims = [(name, mask) for name, mask, whole in fields_of(prefix) if whole]

    assert claims
    for name, mask in claims:
        assert mask in masks, f"NVME_{name} is {mask:#x}"


def test_registers_lie_where_c_has_them():
    text = (layout.SOURCES / "reg.h").read_text()

    for view, base in ((registers.Registers, 0), (registers.PmrRegisters, 0xE00)):
        for field in view.FIELDS:
            if "rsvd" not in field.name:
                assert f"NVME_REG_{field.name.upper()} = {base + field.offset:#x}," in text


@needs_cc
def test_the_tables_are_the_c_layouts():
    includes = [f'#include "spec/{header}"' for header in layout.HEADERS]

    assert layout.refused(includes, layout.our_claims()) == []


@needs_cc
def test_the_tables_are_libnvmes_layouts():
    probe = subprocess.run(
        [layout.compiler() or "cc", "-fsyntax-only", "-xc", "-"],
        input="#include <libnvme.h>\n",
        capture_output=True,
        text=True,
        timeout=120,
    )
    if probe.returncode:
        pytest.skip("libnvme's headers are not here (libnvme-dev)")

    assert layout.refused(["#include <libnvme.h>"], layout.libnvme_claims()) == []


@needs_cc
def test_a_wrong_claim_is_refused():
    claims = ["sizeof(struct nvme_lbaf) == 4", "sizeof(struct nvme_lbaf) == 5"]

    assert layout.refused(['#include "spec/id_ns.h"'], claims) == claims[1:]
