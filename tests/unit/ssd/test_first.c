/* SPDX-License-Identifier: BSD-3-Clause */
/* The way a driver goes: enable, identify, queues, data there and back. */
#include "rig.h"

static void identify_names_the_drive(void **state)
{
	struct rig *r = rig_ready("sn=ABC,mdts=128K");
	struct nvme_id_ctrl *id = (struct nvme_id_ctrl *)r->buf;

	assert_int_equal(rig_identify(r, 0, NVME_CNS_CTRL, id), 0);

	assert_memory_equal(id->sn, "ABC                 ", sizeof(id->sn));
	assert_int_equal(id->mdts, 5);
	rig_destroy(r);
}

static void written_data_comes_back(void **state)
{
	struct rig *r = rig_ready("latency=none");

	for (unsigned int i = 0; i < 64 * 1024; i++)
		r->buf[i] = (uint8_t)(i * 7 + i / 512);
	assert_int_equal(rig_write(r, 4711, 128, r->buf), 0);
	assert_int_equal(rig_read(r, 4711, 128, r->buf2), 0);

	assert_memory_equal(r->buf, r->buf2, 64 * 1024);
	rig_destroy(r);
}

static void a_command_takes_its_time(void **state)
{
	struct rig *r = rig_ready("jitter=0,tail_us=0,unmapped_us=8");
	uint64_t begin = r->now_ns;

	assert_int_equal(rig_read(r, 0, 8, r->buf), 0);

	assert_int_equal(r->now_ns - begin, 8000);
	rig_destroy(r);
}

static void aers_are_aborted(void **state)
{
	struct rig *r = rig_ready("");
	uint16_t cid = rig_put(r, 0, (struct nvme_sqe){ .opc = NVME_ADMIN_ASYNC_EVENT });
	struct nvme_sqe abort = { .opc = NVME_ADMIN_ABORT, .cdw10 = (uint32_t)cid << 16 };
	struct nvme_cqe cqe;

	rig_put(r, 0, abort);
	rig_ring(r, 0);
	rig_step(r);

	assert_true(rig_reap(r, 0, &cqe));
	assert_int_equal(cqe.cid, cid);
	assert_int_equal(NVME_GET(cqe.status, STATUS_SC11), NVME_SC_ABORT_REQUESTED);
	assert_true(rig_reap(r, 0, &cqe));
	assert_int_equal(cqe.cdw0, 0);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identify_names_the_drive),
		cmocka_unit_test(written_data_comes_back),
		cmocka_unit_test(a_command_takes_its_time),
		cmocka_unit_test(aers_are_aborted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
