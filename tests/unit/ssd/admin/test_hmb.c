/* SPDX-License-Identifier: BSD-3-Clause */
/* Host Memory Buffer, feature 0Dh. */
#include "bench.h"

#define PAGES 16 /* of a 64 KiB buffer */

static struct nvme_sqe enable(struct rig *r)
{
	struct nvme_hmb_desc *list = (void *)r->buf;
	struct nvme_sqe sqe = bench_sqe(r, NVME_ADMIN_SET_FEATURES, 0, NVME_FEAT_HOST_MEMORY_BUFFER,
					NVME_HMB_EHM);

	for (unsigned int i = 0; i < 2; i++)
		list[i] = (struct nvme_hmb_desc){
			.badd = (uintptr_t)r->buf2 + i * 65536,
			.bsize = PAGES / 2,
		};
	sqe.cdw12 = PAGES;
	sqe.cdw13 = (uint32_t)(uintptr_t)list;
	sqe.cdw14 = (uint32_t)((uintptr_t)list >> 32);
	sqe.cdw15 = 2;
	return sqe;
}

static void identify_says_what_is_wanted(void **state)
{
	struct rig *r = rig_ready("hmpre=64K");
	struct nvme_id_ctrl *id = bench_identify(r, 0, NVME_CNS_CTRL);

	assert_int_equal(id->hmpre, PAGES);
	assert_int_equal(id->hmmin, PAGES);
	assert_true(id->hmmaxd >= 2);
	rig_destroy(r);
}

static void it_is_enabled_and_read_back(void **state)
{
	struct rig *r = rig_ready("hmpre=64K");
	struct nvme_hmb_attributes *a = (void *)(r->buf + 4096);
	struct nvme_sqe sqe = enable(r), get;
	uint32_t cdw0;

	assert_int_equal(rig_run(r, 0, sqe, NULL), 0);
	get = bench_sqe(r, NVME_ADMIN_GET_FEATURES, 0, NVME_FEAT_HOST_MEMORY_BUFFER, 0);
	get.prp1 = (uintptr_t)a;
	assert_int_equal(rig_run(r, 0, get, &cdw0), 0);
	assert_int_equal(cdw0, NVME_HMB_EHM);
	assert_int_equal(a->hsize, PAGES);
	assert_int_equal(a->hmdlal, sqe.cdw13);
	assert_int_equal(a->hmdlec, 2);
	rig_destroy(r);
}

static void it_is_enabled_once(void **state)
{
	struct rig *r = rig_ready("hmpre=64K");

	assert_int_equal(rig_run(r, 0, enable(r), NULL), 0);
	assert_int_equal(rig_run(r, 0, enable(r), NULL), NVME_SC_SEQUENCE_ERROR);
	assert_int_equal(bench_set_feature(r, NVME_FEAT_HOST_MEMORY_BUFFER, 0), 0);
	assert_int_equal(rig_run(r, 0, enable(r), NULL), 0);
	bench_reset(r, BENCH_CONTROLLER);
	assert_int_equal(bench_feature(r, NVME_FEAT_HOST_MEMORY_BUFFER, 0), 0);
	assert_int_equal(rig_run(r, 0, enable(r), NULL), 0);
	rig_destroy(r);
}

static void fields_are_checked(void **state)
{
	struct rig *r = rig_ready("hmpre=64K");
	struct nvme_sqe sqe = enable(r);

	sqe.cdw12 = PAGES - 1;
	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_last_error(r).pel, 48);
	sqe = enable(r);
	sqe.cdw13 |= 8;
	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_last_error(r).pel, 52);
	sqe = enable(r);
	sqe.cdw15 = 0;
	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_INVALID_FIELD);
	sqe.cdw15 = UINT32_MAX;
	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_INVALID_FIELD);
	/* the list has less than was offered */
	sqe.cdw15 = 1;
	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void the_list_is_read(void **state)
{
	struct rig *r = rig_ready("hmpre=64K");
	struct nvme_sqe sqe = enable(r);

	((struct nvme_hmb_desc *)r->buf)[1].badd += 512;
	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_INVALID_FIELD);
	sqe = enable(r);
	r->hole_from = (uintptr_t)r->buf;
	r->hole_to = r->hole_from + 16;
	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_DATA_TRANSFER_ERROR);
	rig_destroy(r);
}

static void a_list_may_have_256_entries(void **state)
{
	struct rig *r = rig_ready("hmpre=64K");
	struct nvme_hmb_desc *list = (void *)r->buf;
	struct nvme_sqe sqe = enable(r);

	for (unsigned int i = 0; i < 257; i++)
		list[i] = (struct nvme_hmb_desc){ .badd = (uintptr_t)r->buf2, .bsize = 1 };
	sqe.cdw15 = 257;
	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_INVALID_FIELD);
	sqe.cdw15 = 256;
	assert_int_equal(rig_run(r, 0, sqe, NULL), 0);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identify_says_what_is_wanted),
		cmocka_unit_test(it_is_enabled_and_read_back),
		cmocka_unit_test(it_is_enabled_once),
		cmocka_unit_test(fields_are_checked),
		cmocka_unit_test(the_list_is_read),
		cmocka_unit_test(a_list_may_have_256_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
