"""Methods that read a structure from the drive and decode it."""

import warnings

import pytest

import nvme as d
from nvme import decode, spec


def test_identify_controller_says_what_id_data_says(nvme0):
    ctrl = nvme0.identify_controller()

    assert ctrl.vid == nvme0.id_data(1, 0)
    assert ctrl.sn == nvme0.id_data(23, 4, str)
    assert ctrl.mn == nvme0.id_data(63, 24, str)
    assert ctrl.fr == nvme0.id_data(71, 64, str)
    assert ctrl.oacs == nvme0.id_data(257, 256)
    assert ctrl.nn == nvme0.id_data(519, 516)
    assert ctrl.oacs.fnvms == nvme0.id_data(256) >> 1 & 1


def test_identify_namespace_says_what_the_namespace_is(nvme0, nvme0n1):
    ns = nvme0n1.identify()

    assert ns.nsze * ns.format_in_use.data_bytes == nvme0n1.capacity
    assert ns.format_in_use.data_bytes == nvme0n1.sector_size


def test_the_lists_have_the_namespace_and_the_controller(nvme0, nvme0n1):
    assert nvme0n1.nsid in list(nvme0.namespace_list())
    assert nvme0n1.nsid not in list(nvme0.namespace_list(nvme0n1.nsid))
    assert nvme0.identify_controller().cntlid in list(nvme0.controller_list())


def test_smart_counts_a_read(nvme0, nvme0n1, qpair, buf):
    before = nvme0.smart()

    nvme0n1.read(qpair, buf, 0, 1).waitdone()

    after = nvme0.smart()
    assert after.hrc > before.hrc
    assert after.ctemp > 200
    assert after.pwrc == before.pwrc


def test_the_error_log_has_the_newest_error_first(own, own_namespace):
    qpair = d.Qpair(own, 4)
    buf = d.Buffer(512)
    with pytest.warns(UserWarning, match="00/80"):
        own_namespace.read(qpair, buf, own_namespace.capacity // 512, 1).waitdone()

    log = own.error_log()

    assert len(log) == own.identify_controller().elpe + 1
    assert log[0].sf.status == spec.Status.LBA_OUT_OF_RANGE
    assert log[0].sqid == qpair.sqid
    assert log[0].ec == own.smart().neile
    assert own.error_log(1)[0] == log[0]


def test_the_firmware_log_names_the_running_revision(nvme0):
    log = nvme0.firmware_log()

    assert log.frs[log.afi.cafs - 1] == nvme0.identify_controller().fr


def test_the_effects_log_agrees_with_supports(nvme0, nvme0n1):
    log = nvme0.effects_log()

    assert all(log.acs[opcode].csupp == nvme0.supports(opcode) for opcode in (0x06, 0x80, 0x7F))
    assert all(log.iocs[opcode].csupp == nvme0n1.supports(opcode) for opcode in (1, 2, 0x7F))


def test_features_have_their_fields(nvme0):
    queues = nvme0.feature(spec.Feature.NUMBER_OF_QUEUES)

    assert queues.value.nsq >= 1
    assert queues.name == "Number of Queues"
    assert nvme0.feature(spec.Feature.TIMESTAMP).data.timestamp > 0


def test_a_feature_is_what_was_set(own):
    own.setfeatures(4, cdw11=340).waitdone()

    assert own.feature(4).value.tmpth == 340
    assert own.feature(4, sel=3).value.chang == 1


def test_self_test_results_are_read(own):
    own.dst(1).waitdone()

    assert own.self_test_log().dsto.dstos == 1

    own.dst(0xF).waitdone()
    assert own.self_test_log().result[0].dsts.dstr == 1


def test_the_other_logs_of_the_software_ssd_are_read(own, own_namespace):
    assert own.sanitize_log().sstat.sos == 0
    assert own.supported_log_pages().lids[2].lsupp
    assert own.feature_effects().fids[7].fsupp
    assert own.telemetry_log().header.lid == 7
    assert len(own.telemetry_log(area=1, create=True).data) >= 512
    assert own.persistent_event_log().header.sn == own.identify_controller().sn
    assert isinstance(own.identify_controller_nvm(), decode.IdentifyControllerNvm)
    assert own_namespace.descriptors().csi == 0
    assert own_namespace.identify_independent().nstat.nrdy == 1
    assert isinstance(own_namespace.identify_nvm(), decode.IdentifyNamespaceNvm)


def test_the_event_log_has_its_events(own):
    log = own.persistent_event_log()

    assert log.damaged == ""
    assert len(log) == log.header.tnev >= 1


def test_a_status_of_the_drive_is_an_error_that_names_it(own):
    with pytest.raises(d.NvmeError, match="Get Log Page .*01/09 Invalid Log Page"):
        own.endurance_group_log()
    with pytest.raises(d.NvmeError, match="00/02 Invalid Field in Command"):
        own.feature(0x7F)


def test_a_completion_met_while_a_structure_is_read_gets_its_callback(own):
    buf = d.Buffer(4096)
    done = []
    own.identify(buf, cb=lambda cdw0, status1: done.append(status1))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own.identify_controller()
        own.smart()

    assert len(done) == 1
