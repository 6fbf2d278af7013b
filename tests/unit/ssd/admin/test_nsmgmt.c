/* SPDX-License-Identifier: BSD-3-Clause */
/* Namespace Management and Attachment, log page 04h. */
#include "bench.h"

#define LBAS 4096

static uint16_t create_with(struct rig *r, const struct nvme_id_ns *want, uint32_t cdw11,
			    uint32_t *nsid)
{
	memcpy(r->buf, want, sizeof(*want));
	return rig_run(r, 0, bench_sqe(r, NVME_ADMIN_NS_MANAGEMENT, 0, NVME_NS_MGMT_CREATE, cdw11),
		       nsid);
}

static uint16_t create(struct rig *r, uint64_t nsze, uint64_t ncap, uint8_t flbas, uint32_t *nsid)
{
	const struct nvme_id_ns want = { .nsze = nsze, .ncap = ncap, .flbas = flbas };

	return create_with(r, &want, 0, nsid);
}

static uint16_t delete (struct rig *r, uint32_t nsid)
{
	return bench_admin(r, NVME_ADMIN_NS_MANAGEMENT, nsid, NVME_NS_MGMT_DELETE, 0);
}

static uint16_t attach(struct rig *r, uint32_t sel, uint32_t nsid, uint16_t count, uint16_t cntlid)
{
	struct nvme_ctrl_list *list = (void *)r->buf;

	memset(list, 0, sizeof(*list));
	list->count = count;
	list->cntlid[0] = cntlid;
	return bench_admin(r, NVME_ADMIN_NS_ATTACHMENT, nsid, sel, 0);
}

static uint16_t own_id(struct rig *r)
{
	return ((struct nvme_id_ctrl *)bench_identify(r, 0, NVME_CNS_CTRL))->cntlid;
}

static void a_created_namespace_works_once_attached(void **state)
{
	struct rig *r = rig_ready("size=64M");
	uint16_t id = own_id(r);
	uint32_t nsid;

	assert_int_equal(delete (r, 1), 0);
	assert_int_equal(rig_read(r, 0, 1, r->buf2), NVME_SC_INVALID_FIELD);
	assert_int_equal(create(r, LBAS, LBAS, 1, &nsid), 0);
	assert_int_equal(nsid, 1);
	assert_int_equal(rig_read(r, 0, 1, r->buf2), NVME_SC_INVALID_FIELD);
	assert_int_equal(attach(r, NVME_NS_ATTACH, 1, 1, id), 0);
	assert_int_equal(rig_read(r, LBAS - 1, 1, r->buf2), 0);
	assert_int_equal(rig_read(r, LBAS, 1, r->buf2), NVME_SC_LBA_OUT_OF_RANGE);
	assert_int_equal(attach(r, NVME_NS_DETACH, 1, 1, id), 0);
	assert_int_equal(rig_read(r, 0, 1, r->buf2), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void a_detached_namespace_keeps_its_data(void **state)
{
	struct rig *r = rig_ready("size=64M");
	uint16_t id = own_id(r);

	memset(r->buf2, 0x11, 512);
	assert_int_equal(rig_write(r, 5, 1, r->buf2), 0);
	assert_int_equal(attach(r, NVME_NS_DETACH, 1, 1, id), 0);
	assert_int_equal(attach(r, NVME_NS_ATTACH, 1, 1, id), 0);
	memset(r->buf2, 0, 512);
	assert_int_equal(rig_read(r, 5, 1, r->buf2), 0);
	assert_int_equal(r->buf2[511], 0x11);
	rig_destroy(r);
}

static void capacity_comes_from_what_is_unallocated(void **state)
{
	struct rig *r = rig_ready("size=64M,ns=3");
	struct nvme_id_ctrl *id = bench_identify(r, 0, NVME_CNS_CTRL);
	uint32_t nsid;

	assert_int_equal(id->tnvmcap[0], 192 << 20);
	assert_int_equal(id->unvmcap[0], 0);
	assert_int_equal(delete (r, 2), 0);
	id = bench_identify(r, 0, NVME_CNS_CTRL);
	assert_int_equal(id->unvmcap[0], 64 << 20);
	assert_int_equal(create(r, 131073, 131073, 0, &nsid), NVME_SC_NS_INSUFFICIENT_CAPACITY);
	assert_int_equal(create(r, 131072, 131072, 0, &nsid), 0);
	assert_int_equal(nsid, 2);
	rig_destroy(r);
}

static void all_identifiers_may_be_taken(void **state)
{
	struct rig *r = rig_ready("size=64M");

	assert_int_equal(delete (r, 1), 0);
	assert_int_equal(create(r, LBAS, LBAS, 0, NULL), 0);
	assert_int_equal(create(r, LBAS, LBAS, 0, NULL), NVME_SC_NSID_UNAVAILABLE);
	rig_destroy(r);
}

static void creation_checks_what_is_wanted(void **state)
{
	struct rig *r = rig_ready("size=64M");
	const struct nvme_id_ns want = { .nsze = LBAS, .ncap = LBAS };
	const struct nvme_id_ns pi = { .nsze = LBAS, .ncap = LBAS, .dps = 1 };

	assert_int_equal(delete (r, 1), 0);
	assert_int_equal(create_with(r, &want, 2u << 24, NULL), NVME_SC_IOCS_NOT_SUPPORTED);
	assert_int_equal(create(r, LBAS, LBAS, 2, NULL), NVME_SC_INVALID_FORMAT);
	assert_int_equal(create_with(r, &pi, 0, NULL), NVME_SC_INVALID_FORMAT);
	assert_int_equal(create(r, 0, 0, 0, NULL), NVME_SC_INVALID_FIELD);
	assert_int_equal(create(r, LBAS, LBAS + 1, 0, NULL), NVME_SC_INVALID_FIELD);
	assert_int_equal(create(r, LBAS, LBAS - 1, 0, NULL),
			 NVME_SC_THIN_PROVISIONING_NOT_SUPPORTED);
	assert_int_equal(create(r, UINT64_MAX, UINT64_MAX, 0, NULL),
			 NVME_SC_NS_INSUFFICIENT_CAPACITY);
	rig_destroy(r);
}

static void selectors_and_namespaces_are_checked(void **state)
{
	struct rig *r = rig_ready("size=64M,ns=2");
	uint16_t id = own_id(r);

	assert_int_equal(bench_admin(r, NVME_ADMIN_NS_MANAGEMENT, 1, 2, 0), NVME_SC_INVALID_FIELD);
	assert_int_equal(delete (r, 0), NVME_SC_INVALID_NS);
	assert_int_equal(delete (r, 3), NVME_SC_INVALID_NS);
	assert_int_equal(delete (r, 2), 0);
	assert_int_equal(delete (r, 2), NVME_SC_INVALID_FIELD);
	assert_int_equal(attach(r, 2, 1, 1, id), NVME_SC_INVALID_FIELD);
	assert_int_equal(attach(r, NVME_NS_ATTACH, 0, 1, id), NVME_SC_INVALID_NS);
	assert_int_equal(attach(r, NVME_NS_ATTACH, NVME_NSID_ALL, 1, id), NVME_SC_INVALID_NS);
	assert_int_equal(attach(r, NVME_NS_ATTACH, 2, 1, id), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void attachment_checks_list_and_state(void **state)
{
	struct rig *r = rig_ready("size=64M");
	uint16_t id = own_id(r);

	assert_int_equal(attach(r, NVME_NS_ATTACH, 1, 0, id), NVME_SC_CONTROLLER_LIST_INVALID);
	assert_int_equal(attach(r, NVME_NS_ATTACH, 1, 2, id), NVME_SC_CONTROLLER_LIST_INVALID);
	assert_int_equal(attach(r, NVME_NS_ATTACH, 1, 1, (uint16_t)(id + 1)),
			 NVME_SC_CONTROLLER_LIST_INVALID);
	assert_int_equal(attach(r, NVME_NS_ATTACH, 1, 1, id), NVME_SC_NS_ALREADY_ATTACHED);
	assert_int_equal(attach(r, NVME_NS_DETACH, 1, 1, id), 0);
	assert_int_equal(attach(r, NVME_NS_DETACH, 1, 1, id), NVME_SC_NS_NOT_ATTACHED);
	rig_destroy(r);
}

static void all_can_be_deleted_at_once(void **state)
{
	struct rig *r = rig_ready("size=64M,ns=4");
	uint32_t *list;

	assert_int_equal(delete (r, NVME_NSID_ALL), 0);
	list = bench_identify(r, 0, NVME_CNS_ALLOCATED_NS_LIST);
	assert_int_equal(list[0], 0);
	rig_destroy(r);
}

static void changes_are_listed_until_read_without_rae(void **state)
{
	const uint32_t rae = 1u << NVME_LOG_RAE_SHIFT;
	struct rig *r = rig_ready("size=64M,ns=4");
	uint32_t *list = (void *)r->buf;

	assert_int_equal(bench_set_feature(r, NVME_FEAT_ASYNC_EVENT, NVME_OAES_NS_ATTR), 0);
	bench_aers(r, 1);
	bench_start(r, bench_sqe(r, NVME_ADMIN_NS_MANAGEMENT, 3, NVME_NS_MGMT_DELETE, 0));
	assert_int_equal(bench_event(r),
			 BENCH_EVENT(NVME_AER_TYPE_NOTICE, NVME_AER_NOTICE_NS_CHANGED,
				     NVME_LOG_CHANGED_NS));
	assert_int_equal(bench_end(r, NULL), 0);
	assert_int_equal(delete (r, 2), 0);
	assert_int_equal(bench_admin(r, NVME_ADMIN_GET_LOG_PAGE, NVME_NSID_ALL,
				     1023u << 16 | rae | NVME_LOG_CHANGED_NS, 0),
			 0);
	assert_int_equal(list[0], 2);
	assert_int_equal(list[1], 3);
	assert_int_equal(list[2], 0);
	bench_log(r, NVME_LOG_CHANGED_NS, 4096);
	assert_int_equal(list[0], 2);
	bench_log(r, NVME_LOG_CHANGED_NS, 4096);
	assert_int_equal(list[0], 0);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_created_namespace_works_once_attached),
		cmocka_unit_test(a_detached_namespace_keeps_its_data),
		cmocka_unit_test(capacity_comes_from_what_is_unallocated),
		cmocka_unit_test(all_identifiers_may_be_taken),
		cmocka_unit_test(creation_checks_what_is_wanted),
		cmocka_unit_test(selectors_and_namespaces_are_checked),
		cmocka_unit_test(attachment_checks_list_and_state),
		cmocka_unit_test(all_can_be_deleted_at_once),
		cmocka_unit_test(changes_are_listed_until_read_without_rae),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
