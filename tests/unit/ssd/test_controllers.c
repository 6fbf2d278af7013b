/* SPDX-License-Identifier: BSD-3-Clause */
/* Several hosts on one drive: what is a controller's own, and what they share. */
#include "rig.h"

#include <errno.h>

#include "spec/features.h"

static const struct ssd_fabrics fabrics = { .incapsule_bytes = 8192, .maxcmd = 128 };

struct host {
	struct ssd_ctrl *ctrl;
	struct nvme_cqe cqe;
	unsigned int done;
};

static void done(struct ssd_cmd *cmd)
{
	struct host *h = cmd->priv;

	h->cqe = cmd->cqe;
	h->done++;
}

static struct host connect_host(struct rig *r)
{
	struct host h = { 0 };

	assert_int_equal(ssd_ctrl_create(&h.ctrl, r->ssd, &fabrics, r->now_ns), 0);
	ssd_reg_write(h.ctrl, NVME_REG_CC, 4, NVME_SET(1, CC_EN), r->now_ns);
	while (!ssd_ctrl_ready(h.ctrl)) {
		r->now_ns += 1000000;
		rig_step(r);
	}
	return h;
}

/* Give a command to the drive; what it moves is 4 KiB at @buf. */
static void send(struct rig *r, struct host *h, struct ssd_cmd *cmd, void *buf)
{
	static struct iovec iov;

	iov = (struct iovec){ buf, 4096 };
	cmd->data = &iov;
	cmd->data_n = buf ? 1 : 0;
	cmd->done = done;
	cmd->priv = h;
	assert_int_equal(ssd_exec(h->ctrl, cmd, r->now_ns), 0);
}

static uint16_t run(struct rig *r, struct host *h, struct nvme_sqe sqe, uint16_t sqid, void *buf)
{
	struct ssd_cmd cmd = { .sqe = sqe, .sqid = sqid };

	h->done = 0;
	send(r, h, &cmd, buf);
	while (!h->done)
		rig_advance(r, 1000);
	return NVME_GET(h->cqe.status, STATUS_SC11);
}

static uint16_t io(struct rig *r, struct host *h, uint8_t opc, uint64_t slba, void *buf)
{
	return run(r, h,
		   (struct nvme_sqe){ .opc = opc, .nsid = 1, .cdw10 = (uint32_t)slba, .cdw12 = 7 },
		   1, buf);
}

static uint16_t set_feature(struct rig *r, struct host *h, uint8_t fid, uint32_t value)
{
	return run(
		r, h,
		(struct nvme_sqe){ .opc = NVME_ADMIN_SET_FEATURES, .cdw10 = fid, .cdw11 = value },
		0, NULL);
}

static uint32_t get_feature(struct rig *r, struct host *h, uint8_t fid)
{
	assert_int_equal(run(r, h,
			     (struct nvme_sqe){ .opc = NVME_ADMIN_GET_FEATURES, .cdw10 = fid }, 0,
			     NULL),
			 0);
	return h->cqe.cdw0;
}

static void test_what_one_host_writes_the_others_read(void **state)
{
	struct rig *r = rig_ready("size=16M");
	struct host a = connect_host(r), b = connect_host(r);
	uint8_t seen[4096];

	memset(r->buf, 0x5a, 4096);
	assert_int_equal(io(r, &a, NVME_CMD_WRITE, 0, r->buf), 0);
	assert_int_equal(io(r, &b, NVME_CMD_READ, 0, seen), 0);
	assert_memory_equal(seen, r->buf, 4096);
	assert_int_equal(rig_read(r, 0, 8, r->buf2), 0);
	assert_memory_equal(r->buf2, r->buf, 4096);
	rig_destroy(r);
}

static void test_each_host_has_a_controller_identifier_of_its_own(void **state)
{
	struct rig *r = rig_ready("size=16M");
	struct host a = connect_host(r), b = connect_host(r);
	struct nvme_sqe identify = { .opc = NVME_ADMIN_IDENTIFY, .cdw10 = NVME_CNS_CTRL };
	struct nvme_id_ctrl *id = (void *)r->buf;

	assert_int_not_equal(ssd_ctrl_id(a.ctrl), ssd_ctrl_id(b.ctrl));
	assert_int_equal(run(r, &b, identify, 0, id), 0);
	assert_int_equal(id->cntlid, ssd_ctrl_id(b.ctrl));
	assert_int_equal(id->ioccsz, (64 + 8192) / 16);
	assert_int_equal(id->iorcsz, 1);
	assert_int_equal(id->maxcmd, 128);
	assert_int_equal(id->icdoff, 0);
	assert_true(id->kas && id->cmic & NVME_CMIC_MULTI_CTRL && id->sgls & NVME_SGLS_TRANSPORT);
	assert_false(id->oacs & NVME_OACS_DBBUF);
	rig_destroy(r);
}

static void test_the_controller_list_names_them_in_order_while_they_are_there(void **state)
{
	struct rig *r = rig_ready("size=16M");
	struct host a = connect_host(r), b = connect_host(r);
	struct nvme_ctrl_list *list = (void *)r->buf;

	assert_int_equal(rig_identify(r, 0, NVME_CNS_CTRL_LIST, list), 0);
	assert_int_equal(list->count, 3);
	assert_true(list->cntlid[0] == 1 && list->cntlid[1] == ssd_ctrl_id(a.ctrl) &&
		    list->cntlid[2] == ssd_ctrl_id(b.ctrl));
	ssd_ctrl_destroy(a.ctrl);
	assert_int_equal(rig_identify(r, 0, NVME_CNS_CTRL_LIST, list), 0);
	assert_int_equal(list->count, 2);
	assert_int_equal(list->cntlid[1], ssd_ctrl_id(b.ctrl));
	rig_destroy(r);
}

static void test_features_of_a_controller_are_its_own(void **state)
{
	struct rig *r = rig_ready("size=16M");
	struct host a = connect_host(r), b = connect_host(r);

	assert_int_equal(set_feature(r, &a, NVME_FEAT_ASYNC_EVENT, 0x1ff), 0);
	assert_int_equal(set_feature(r, &b, NVME_FEAT_KEEP_ALIVE_TIMER, 7000), 0);
	assert_int_equal(get_feature(r, &a, NVME_FEAT_ASYNC_EVENT), 0x1ff);
	assert_int_equal(get_feature(r, &b, NVME_FEAT_ASYNC_EVENT), 0);
	assert_int_equal(ssd_ctrl_kato_ms(a.ctrl), 0);
	assert_int_equal(ssd_ctrl_kato_ms(b.ctrl), 7000);
	rig_destroy(r);
}

static void test_a_reset_is_not_the_other_hosts_business(void **state)
{
	struct rig *r = rig_ready("size=16M");
	struct host a = connect_host(r), b = connect_host(r);

	assert_int_equal(set_feature(r, &a, NVME_FEAT_ASYNC_EVENT, 0x1ff), 0);
	assert_int_equal(run(r, &a,
			     (struct nvme_sqe){ .opc = NVME_ADMIN_SET_FEATURES,
						.nsid = 1,
						.cdw10 = NVME_FEAT_ERROR_RECOVERY,
						.cdw11 = 5 },
			     0, NULL),
			 0);
	ssd_reg_write(b.ctrl, NVME_REG_CC, 4, 0, r->now_ns);
	assert_false(ssd_ctrl_ready(b.ctrl));
	assert_true(ssd_ctrl_ready(a.ctrl));
	assert_int_equal(get_feature(r, &a, NVME_FEAT_ASYNC_EVENT), 0x1ff);
	assert_int_equal(run(r, &a,
			     (struct nvme_sqe){ .opc = NVME_ADMIN_GET_FEATURES,
						.nsid = 1,
						.cdw10 = NVME_FEAT_ERROR_RECOVERY },
			     0, NULL),
			 0);
	assert_int_equal(a.cqe.cdw0, 5);
	assert_int_equal(rig_reg(r, NVME_REG_CSTS) & 1, 1);
	rig_destroy(r);
}

static void test_an_nvm_subsystem_reset_ends_every_association(void **state)
{
	struct rig *r = rig_ready("size=16M");
	struct host a = connect_host(r), b = connect_host(r);

	ssd_reg_write(a.ctrl, NVME_REG_NSSR, 4, NVME_NSSR_NSSRC, r->now_ns);
	assert_true(ssd_ctrl_lost(a.ctrl) && ssd_ctrl_lost(b.ctrl));
	assert_int_equal(rig_reg(r, NVME_REG_CSTS), NVME_FIELD_MASK(CSTS_NSSRO));
	rig_destroy(r);
}

static void test_a_change_of_a_namespace_is_told_to_every_host(void **state)
{
	struct rig *r = rig_ready("size=16M,ns=2");
	struct host a = connect_host(r), b = connect_host(r), waiting = b;
	struct ssd_cmd aer = { .sqe = { .opc = NVME_ADMIN_ASYNC_EVENT, .cid = 9 } };

	assert_int_equal(set_feature(r, &b, NVME_FEAT_ASYNC_EVENT, NVME_OAES_NS_ATTR), 0);
	waiting.done = 0;
	send(r, &waiting, &aer, NULL);
	assert_int_equal(waiting.done, 0);
	assert_int_equal(run(r, &a,
			     (struct nvme_sqe){ .opc = NVME_ADMIN_NS_MANAGEMENT,
						.nsid = 2,
						.cdw10 = NVME_NS_MGMT_DELETE },
			     0, NULL),
			 0);
	assert_int_equal(waiting.done, 1);
	assert_int_equal(NVME_GET(waiting.cqe.cdw0, AER_INFO), NVME_AER_NOTICE_NS_CHANGED);
	rig_destroy(r);
}

static void test_abort_reaches_a_command_of_the_same_host_only(void **state)
{
	struct rig *r = rig_ready("size=16M");
	struct host a = connect_host(r), b = connect_host(r), waiting = b;
	struct ssd_cmd aer = { .sqe = { .opc = NVME_ADMIN_ASYNC_EVENT, .cid = 9 } };
	struct nvme_sqe abort = { .opc = NVME_ADMIN_ABORT, .cdw10 = 9 << 16 };

	send(r, &waiting, &aer, NULL);
	assert_int_equal(run(r, &a, abort, 0, NULL), 0);
	assert_int_equal(a.cqe.cdw0, NVME_ABORT_NOT_ABORTED);
	assert_int_equal(waiting.done, 0);
	assert_int_equal(run(r, &b, abort, 0, NULL), 0);
	assert_int_equal(b.cqe.cdw0, 0);
	assert_int_equal(waiting.done, 1);
	assert_int_equal(NVME_GET(waiting.cqe.status, STATUS_SC11), NVME_SC_ABORT_REQUESTED);
	rig_destroy(r);
}

static void test_forgotten_commands_are_never_answered(void **state)
{
	struct rig *r = rig_ready("size=16M");
	struct host a = connect_host(r);
	struct ssd_cmd cmd[2] = { { .sqe = { .opc = NVME_CMD_READ, .nsid = 1 }, .sqid = 1 },
				  { .sqe = { .opc = NVME_CMD_READ, .nsid = 1 }, .sqid = 2 } };
	uint8_t data[4096];

	a.done = 0;
	send(r, &a, &cmd[0], data);
	send(r, &a, &cmd[1], data);
	ssd_exec_forget(a.ctrl, 1);
	rig_advance(r, 1000000000);
	assert_int_equal(a.done, 1);
	assert_int_equal(a.cqe.sqid, 2);
	rig_destroy(r);
}

static void test_queues_in_memory_and_doorbells_are_not_for_fabrics(void **state)
{
	static const uint8_t opcodes[] = { NVME_ADMIN_CREATE_SQ, NVME_ADMIN_CREATE_CQ,
					   NVME_ADMIN_DELETE_SQ, NVME_ADMIN_DELETE_CQ,
					   NVME_ADMIN_DOORBELL_BUFFER_CONFIG };
	struct rig *r = rig_ready("size=16M");
	struct host a = connect_host(r);

	for (size_t i = 0; i < sizeof(opcodes); i++)
		assert_int_equal(run(r, &a,
				     (struct nvme_sqe){ .opc = opcodes[i], .cdw10 = 0x3f0001 }, 0,
				     NULL),
				 NVME_SC_INVALID_OPCODE);
	assert_int_equal(run(r, &a, (struct nvme_sqe){ .opc = NVME_ADMIN_KEEP_ALIVE }, 0, NULL), 0);
	assert_int_equal(rig_run(r, 0, (struct nvme_sqe){ .opc = NVME_ADMIN_KEEP_ALIVE }, NULL),
			 NVME_SC_INVALID_OPCODE);
	assert_int_equal(set_feature(r, &a, NVME_FEAT_INTERRUPT_COALESCING, 0),
			 NVME_SC_INVALID_FIELD);
	assert_int_equal(set_feature(r, &a, NVME_FEAT_HOST_ID, 1), NVME_SC_SEQUENCE_ERROR);
	rig_destroy(r);
}

static void test_there_is_a_limit_of_controllers_and_none_without_power(void **state)
{
	struct rig *r = rig_ready("size=16M");
	struct ssd_ctrl *ctrl;

	for (int i = 0; i < SSD_CTRLS_MAX; i++)
		assert_int_equal(ssd_ctrl_create(&ctrl, r->ssd, &fabrics, r->now_ns), 0);
	assert_int_equal(ssd_ctrl_create(&ctrl, r->ssd, &fabrics, r->now_ns), -EBUSY);
	assert_int_equal(ssd_power(r->ssd, false, r->now_ns), 0);
	assert_int_equal(ssd_ctrl_create(&ctrl, r->ssd, &fabrics, r->now_ns), -ENODEV);
	rig_destroy(r);
}

static void test_a_command_for_a_drive_without_power_is_not_taken(void **state)
{
	struct rig *r = rig_ready("size=16M");
	struct host a = connect_host(r);
	struct ssd_cmd cmd = { .sqe = { .opc = NVME_ADMIN_GET_FEATURES },
			       .done = done,
			       .priv = &a };

	assert_int_equal(ssd_power(r->ssd, false, r->now_ns), 0);
	assert_int_equal(ssd_exec(a.ctrl, &cmd, r->now_ns), -ENODEV);
	assert_int_equal(ssd_power(r->ssd, true, r->now_ns), 0);
	ssd_remove(r->ssd, r->now_ns);
	assert_int_equal(ssd_exec(a.ctrl, &cmd, r->now_ns), -ENODEV);
	assert_int_equal(a.done, 0);
	rig_destroy(r);
}

/* Set Features, APST: PS 3 after 100 ms in PS 0. */
static void enable_apst(struct rig *r, struct host *h)
{
	struct nvme_sqe sqe = { .opc = NVME_ADMIN_SET_FEATURES,
				.cdw10 = NVME_FEAT_APST,
				.cdw11 = 1 };

	memset(r->buf, 0, 4096);
	*(uint64_t *)r->buf = 100ull << NVME_APST_ITPT_SHIFT | 3 << NVME_APST_ITPS_SHIFT;
	assert_int_equal(run(r, h, sqe, 0, r->buf), 0);
}

static void test_each_host_has_power_states_of_its_own(void **state)
{
	struct rig *r = rig_ready("size=16M,jitter=0,tail_us=0");
	struct host a = connect_host(r), b = connect_host(r);
	uint64_t begin_ns;

	enable_apst(r, &a);
	rig_advance(r, 101000000);
	assert_int_equal(get_feature(r, &a, NVME_FEAT_POWER_MANAGEMENT), 3);
	assert_int_equal(get_feature(r, &b, NVME_FEAT_POWER_MANAGEMENT), 0);
	begin_ns = r->now_ns;
	assert_int_equal(io(r, &b, NVME_CMD_READ, 0, r->buf), 0);
	assert_true(r->now_ns - begin_ns < 100000);
	assert_int_equal(get_feature(r, &a, NVME_FEAT_POWER_MANAGEMENT), 3);

	begin_ns = r->now_ns;
	assert_int_equal(io(r, &a, NVME_CMD_READ, 0, r->buf), 0);
	assert_in_range(r->now_ns - begin_ns, 1500000, 1600000);
	assert_int_equal(get_feature(r, &a, NVME_FEAT_POWER_MANAGEMENT), 0);
	rig_destroy(r);
}

static void test_a_host_that_leaves_takes_its_power_states_along(void **state)
{
	struct rig *r = rig_ready("size=16M");
	struct host a = connect_host(r);

	enable_apst(r, &a);
	ssd_ctrl_destroy(a.ctrl);
	rig_advance(r, 1000000000);
	assert_int_equal(rig_read(r, 0, 1, r->buf), 0);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_one_host_writes_the_others_read),
		cmocka_unit_test(test_each_host_has_a_controller_identifier_of_its_own),
		cmocka_unit_test(test_the_controller_list_names_them_in_order_while_they_are_there),
		cmocka_unit_test(test_features_of_a_controller_are_its_own),
		cmocka_unit_test(test_a_reset_is_not_the_other_hosts_business),
		cmocka_unit_test(test_an_nvm_subsystem_reset_ends_every_association),
		cmocka_unit_test(test_a_change_of_a_namespace_is_told_to_every_host),
		cmocka_unit_test(test_abort_reaches_a_command_of_the_same_host_only),
		cmocka_unit_test(test_forgotten_commands_are_never_answered),
		cmocka_unit_test(test_queues_in_memory_and_doorbells_are_not_for_fabrics),
		cmocka_unit_test(test_there_is_a_limit_of_controllers_and_none_without_power),
		cmocka_unit_test(test_a_command_for_a_drive_without_power_is_not_taken),
		cmocka_unit_test(test_each_host_has_power_states_of_its_own),
		cmocka_unit_test(test_a_host_that_leaves_takes_its_power_states_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
