"""Every public name: signature, docstring, stub."""

import ast
import importlib.resources
import inspect

import pytest

import nvme as d
from nvme import _core, raw

CLASSES = (d.Buffer, d.Controller, d.Qpair, d.Namespace, d.Pcie, d.Subsystem)

#: Signatures that scripts rely on, without self.
CONTRACT = {
    "config": "(verify=None, fua_read=False, fua_write=False)",
    "srand": "(seed)",
    "serve": "(address, *addresses, tcp=None, nqn=(), allow_hosts=(), threads=1, memory_mib=1024)",
    "discover": "(addr, *, hostnqn=None, hostid=None, hdgst=None, ddgst=None, timeout_s=None)",
    "sim": "(nvme)",
    "verify_save": "(path)",
    "verify_load": "(path)",
    "Controller": "(addr=b'', nvme_init_func=None, *, hostnqn=None, hostid=None, hdgst=None, "
    "ddgst=None, kato_s=None, timeout_s=None, queue_size=None, nr_io_queues=None)",
    "Buffer": "(size=4096, name='buffer', pvalue=0, ptype=0)",
    "Buffer.data": "(byte_end, byte_begin=None, type=int)",
    "Buffer.dump": "(size=None)",
    "Buffer.set_dsm_range": "(index, lba, lba_count, attr=0)",
    "Buffer.set_copy_range": "(index, lba, lba_count)",
    "Pcie": "(nvme)",
    "Pcie.register": "(offset, byte_count=4)",
    "Pcie.cap_offset": "(cap_id)",
    "Pcie.reset": "(rst_fn=None)",
    "Pcie.close": "()",
    "Pcie.flr": "()",
    "Subsystem": "(nvme, poweron_cb=None, poweroff_cb=None)",
    "Subsystem.power_cycle": "(sec=10)",
    "Subsystem.shutdown_notify": "(abrupt=False)",
    "Subsystem.reset": "()",
    "Subsystem.poweroff": "()",
    "Subsystem.poweron": "()",
    "Controller.abort": "(cid, sqid=0, cb=None)",
    "Controller.aer": "(cb=None)",
    "Controller.identify": "(buf, nsid=0, cns=1, cntid=0, csi=0, cb=None)",
    "Controller.getfeatures": "(fid, cdw11=0, cdw12=0, cdw13=0, cdw14=0, cdw15=0, sel=0, "
    "buf=None, cb=None)",
    "Controller.setfeatures": "(fid, cdw11=0, cdw12=0, cdw13=0, cdw14=0, cdw15=0, sv=0, "
    "buf=None, cb=None)",
    "Controller.getlogpage": "(lid, buf, size=None, offset=0, nsid=4294967295, cb=None)",
    "Controller.format": "(lbaf=0, ses=0, nsid=1, cb=None, *, mset=0, pi=0, pil=0)",
    "Controller.sanitize": "(option=2, pattern=1520805210, cb=None)",
    "Controller.dst": "(stc=1, nsid=4294967295, cb=None)",
    "Controller.fw_download": "(buf, offset, size=None, cb=None)",
    "Controller.fw_commit": "(slot, action, cb=None)",
    "Controller.send_cmd": "(opcode, buf=None, nsid=0, cdw10=0, cdw11=0, cdw12=0, cdw13=0, "
    "cdw14=0, cdw15=0, cb=None)",
    "Controller.security_send": "(buf, spsp, secp=1, nssf=0, size=None, cb=None)",
    "Controller.security_receive": "(buf, spsp, secp=1, nssf=0, size=None, cb=None)",
    "Controller.mi_send": "(opcode, dword0=0, dword1=0, buf=None, mtype=1, cb=None)",
    "Controller.mi_receive": "(opcode, dword0=0, dword1=0, buf=None, mtype=1, cb=None)",
    "Controller.ns_management": "(sel, buf=None, nsid=0, csi=0, cb=None)",
    "Controller.ns_attachment": "(sel, buf, nsid, cb=None)",
    "Controller.directive_send": "(buf, nsid, dtype, doper, dspec=0, cdw12=0, size=None, cb=None)",
    "Controller.directive_receive": "(buf, nsid, dtype, doper, dspec=0, cdw12=0, size=None, "
    "cb=None)",
    "Controller.id_data": "(byte_end, byte_begin=None, type=int, nsid=0, cns=1)",
    "Controller.downfw": "(filename, slot=0, action=1)",
    "Controller.supports": "(opcode)",
    "Controller.cmdname": "(opcode)",
    "Controller.enable_hmb": "()",
    "Controller.disable_hmb": "()",
    "Controller.reset": "()",
    "Controller.register_aer_cb": "(func)",
    "Controller.cmdlog": "(count=0)",
    "Controller.cmdlog_entries": "(count=0)",
    "Controller.waitdone": "(expected=1)",
    "Qpair": "(nvme, depth, prio=0, ien=True, iv=65535)",
    "Qpair.delete": "()",
    "Qpair.cmdlog": "(count=0)",
    "Qpair.cmdlog_entries": "(count=0)",
    "Qpair.waitdone": "(expected=1)",
    "Qpair.msix_clear": "()",
    "Qpair.msix_isset": "()",
    "Qpair.msix_mask": "()",
    "Qpair.msix_unmask": "()",
    "Qpair.wait_int": "(timeout)",
    "Namespace": "(nvme, nsid=1, nlba_verify=0)",
    "Namespace.zns_mgmt_send": "(*args, **kwargs)",
    "Namespace.zns_mgmt_receive": "(*args, **kwargs)",
    "Namespace.close": "()",
    "Namespace.cmdname": "(opcode)",
    "Namespace.supports": "(opcode)",
    "Namespace.id_data": "(byte_end, byte_begin=None, type=int)",
    "Namespace.get_lba_format": "(data_size=512, meta_size=0)",
    "Namespace.format": "(data_size=512, meta_size=0, ses=0)",
    "Namespace.read": "(qpair, buf, lba, lba_count=1, io_flags=0, cb=None, *, mbuf=None, "
    "cdw13=0, cdw14=0, cdw15=0)",
    "Namespace.write": "(qpair, buf, lba, lba_count=1, io_flags=0, cb=None, *, mbuf=None, "
    "cdw13=0, cdw14=0, cdw15=0)",
    "Namespace.compare": "(qpair, buf, lba, lba_count=1, io_flags=0, cb=None, *, mbuf=None, "
    "cdw13=0, cdw14=0, cdw15=0)",
    "Namespace.write_zeroes": "(qpair, lba, lba_count=1, io_flags=0, cb=None)",
    "Namespace.dsm": "(qpair, buf, range_count, attribute=4, cb=None)",
    "Namespace.flush": "(qpair, cb=None)",
    "Namespace.write_uncorrectable": "(qpair, lba, lba_count=1, cb=None)",
    "Namespace.verify": "(qpair, lba, lba_count=1, io_flags=0, cb=None)",
    "Namespace.copy": "(qpair, buf, range_count, dlba, io_flags=0, cb=None)",
    "Namespace.send_cmd": "(opcode, qpair, buf=None, nsid=0, cdw10=0, cdw11=0, cdw12=0, cdw13=0, "
    "cdw14=0, cdw15=0, cb=None)",
    "Namespace.verify_enable": "(enable=True)",
    "Namespace.ioworker": "(io_size=8, lba_align=None, lba_random=True, read_percentage=100, "
    "time=0, qdepth=64, region_start=0, region_end=18446744073709551615, iops=0, io_count=0, "
    "lba_start=0, qprio=0, output_io_per_second=None, output_percentile_latency=None, *, "
    "lba_step=None, op_percentage=None, distribution=None, ptype=0, pvalue=0, io_sequence=None, "
    "output_cmdlog_list=None, output_latency_distribution_ns=None, iodepth=None, "
    "fw_debug=False)",
}


def public_members(cls):
    return [name for name in dir(cls) if not name.startswith("_")]


def plain(signature: inspect.Signature) -> str:
    """Names, kinds and defaults, without self and annotations."""
    parameters = [
        p.replace(annotation=p.empty)
        for p in signature.parameters.values()
        if p.name not in ("self", "cls")
    ]
    return str(inspect.Signature(parameters)).replace("<class 'int'>", "int")


def named(name: str):
    thing = d
    for part in name.split("."):
        thing = getattr(thing, part)
    return thing


@pytest.mark.parametrize("name", CONTRACT)
def test_signatures_are_the_contracts(name):
    assert plain(inspect.signature(named(name))) == CONTRACT[name]


def test_functions_of_the_contract_are_all_there_is():
    """A new function belongs into the list above."""
    functions = [name for name in d.__all__ if inspect.isroutine(getattr(d, name))]

    assert [name for name in functions if name not in CONTRACT] == []


@pytest.mark.parametrize("name", d.__all__)
def test_every_public_name_is_documented(name):
    assert getattr(d, name).__doc__  # of itself, not of a class that it is made of


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_public_member_is_documented(cls):
    assert [name for name in public_members(cls) if not inspect.getdoc(getattr(cls, name))] == []


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_documentation_begins_with_what_a_member_does(cls):
    for name in public_members(cls):
        said = inspect.getdoc(getattr(cls, name)) or ""
        assert not said.startswith(("Returns", "Raises", "`", f"{name}:")), name


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_public_method_has_a_signature(cls):
    for name in public_members(cls):
        member = getattr(cls, name)
        if callable(member):
            assert inspect.signature(member) is not None, name


@pytest.mark.parametrize(
    "name", [name for name in dir(_core) if isinstance(vars(_core)[name], type)]
)
def test_methods_of_the_core_have_signatures_too(name):
    methods = [
        thing for thing in vars(vars(_core)[name]).values() if inspect.ismethoddescriptor(thing)
    ]

    assert [str(method) for method in methods if method.__text_signature__ is None] == []


def test_methods_of_the_contract_are_all_there_is():
    """A new method belongs into the list above."""
    extra = {
        "Controller": {"disable", "init_adminq", "enable", "wait_csts", "init_ctrl"}
        | {"init_queues", "init_aers"}
        | {"identify_controller", "identify_controller_nvm", "namespace_list", "controller_list"}
        | {"smart", "error_log", "firmware_log", "effects_log", "self_test_log", "sanitize_log"}
        | {"persistent_event_log", "telemetry_log", "endurance_group_log", "supported_log_pages"}
        | {"feature_effects", "feature"},
        "Namespace": {"identify", "identify_nvm", "identify_independent", "descriptors"},
    }
    for cls in CLASSES:
        methods = {name for name in public_members(cls) if callable(getattr(cls, name))}
        listed = {name.split(".")[1] for name in CONTRACT if name.startswith(cls.__name__ + ".")}
        assert methods - listed == extra.get(cls.__name__, set()), cls


def stub() -> dict[str, ast.AST]:
    """Every function and method of the stub, by its name."""
    tree = ast.parse(importlib.resources.files("nvme").joinpath("_core.pyi").read_text())
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef):
                    found[f"{node.name}.{member.name}"] = member
                elif isinstance(member, ast.AnnAssign):
                    found[f"{node.name}.{member.target.id}"] = member
    return found


CORE_CLASSES = [
    name for name, thing in vars(_core).items() if isinstance(thing, type) and name[0] != "_"
]


def test_the_stub_has_everything_that_the_extension_has():
    names = set(stub())
    for cls in CORE_CLASSES:
        if issubclass(getattr(_core, cls), Exception):
            continue
        for member in vars(getattr(_core, cls)):
            if member.startswith("__"):
                continue
            assert f"{cls}.{member}" in names
    for name, thing in vars(_core).items():
        if inspect.isbuiltin(thing):
            assert name in names


def test_the_stub_has_the_parameters_that_the_extension_has():
    for name, node in stub().items():
        if not isinstance(node, ast.FunctionDef) or "__" in name or node.args.vararg:
            continue
        thing = _core
        for part in name.split("."):
            thing = getattr(thing, part)
        if not callable(thing):
            continue
        told = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        real = list(inspect.signature(thing).parameters)
        assert told == real, name


def test_help_of_the_package_works(capsys):
    help(d)
    help(d.Controller)

    assert "waitdone" in capsys.readouterr().out


def test_raw_is_documented():
    for name in ("Command", "Completion", "SubmissionQueue", "CompletionQueue", "prps", "Sgl"):
        assert inspect.getdoc(getattr(raw, name))
