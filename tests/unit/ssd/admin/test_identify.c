/* SPDX-License-Identifier: BSD-3-Clause */
/* Identify: every CNS, with valid, inactive and invalid namespaces. */
#include "bench.h"

static uint16_t identify(struct rig *r, uint32_t nsid, uint32_t cdw10, uint32_t cdw11)
{
	memset(r->buf, 0xee, 4096);
	return bench_admin(r, NVME_ADMIN_IDENTIFY, nsid, cdw10, cdw11);
}

static bool all_zeros(const struct rig *r)
{
	for (unsigned int i = 0; i < 4096; i++)
		if (r->buf[i])
			return false;
	return true;
}

/* Three namespaces: 1 active, 2 not allocated, 3 allocated and inactive. */
static struct rig *three(void)
{
	struct rig *r = rig_ready("ns=3,size=64M");
	struct nvme_ctrl_list *list = (void *)r->buf;

	assert_int_equal(bench_admin(r, NVME_ADMIN_NS_MANAGEMENT, 2, NVME_NS_MGMT_DELETE, 0), 0);
	assert_int_equal(rig_identify(r, 0, NVME_CNS_CTRL_LIST, list), 0);
	assert_int_equal(bench_admin(r, NVME_ADMIN_NS_ATTACHMENT, 3, NVME_NS_DETACH, 0), 0);
	return r;
}

static void mdts_is_in_powers_of_two_pages(void **state)
{
	static const char *const options[] = { "mdts=8K", "mdts=128K", "mdts=64M", "mdts=0" };
	/* none: no limit */
	static const uint8_t mdts[] = { 1, 5, 14, 0 };

	for (unsigned int i = 0; i < 4; i++) {
		struct rig *r = rig_ready(options[i]);
		struct nvme_id_ctrl *id = bench_identify(r, 0, NVME_CNS_CTRL);

		assert_int_equal(id->mdts, mdts[i]);
		rig_destroy(r);
	}
}

static void the_default_is_the_profile(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_id_ctrl *id = bench_identify(r, 0, NVME_CNS_CTRL);
	struct nvme_id_ns *ns;

	assert_int_equal(id->mdts, 5);
	assert_int_equal(id->ver, NVME_VS(1, 3, 0));
	assert_int_equal(id->cntrltype, 0);
	assert_int_equal(id->acl, 127);
	assert_int_equal(id->aerl, 3);
	assert_int_equal(id->elpe, 63);
	assert_int_equal(id->rtd3r, 1000000);
	assert_int_equal(id->rtd3e, 1000000);
	assert_int_equal(id->nn, 1);
	assert_int_equal(id->fna & NVME_FNA_CRYPTO_ERASE, 0);
	assert_int_equal(id->hmpre, 0);
	assert_int_equal(id->sqes, 0x66);
	assert_int_equal(id->cqes, 0x44);
	assert_true(id->vid & 0xff);
	assert_true(id->ssvid & 0xff);
	ns = bench_identify(r, 1, NVME_CNS_NS);
	assert_int_equal(ns->nsze, 41943288);
	assert_int_equal(ns->ncap, ns->nsze);
	assert_int_equal(ns->nuse, ns->nsze);
	assert_int_equal(ns->nvmcap[0], ns->nsze * 512);
	assert_int_equal(ns->nlbaf, 1);
	assert_int_equal(ns->lbaf[0].ds, 9);
	assert_int_equal(ns->lbaf[1].ds, 12);
	rig_destroy(r);
}

static void the_controller_ignores_nsid(void **state)
{
	static const uint32_t nsids[] = { 0, 1, 2, 99, NVME_NSID_ALL };
	struct rig *r = three();

	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(identify(r, nsids[i], NVME_CNS_CTRL, 0), 0);
	rig_destroy(r);
}

static void namespaces_active_and_not(void **state)
{
	struct rig *r = three();

	assert_int_equal(identify(r, 1, NVME_CNS_NS, 0), 0);
	assert_false(all_zeros(r));
	assert_int_equal(identify(r, 2, NVME_CNS_NS, 0), 0);
	assert_true(all_zeros(r));
	assert_int_equal(identify(r, 3, NVME_CNS_NS, 0), 0);
	assert_true(all_zeros(r));
	assert_int_equal(identify(r, 0, NVME_CNS_NS, 0), NVME_SC_INVALID_NS);
	assert_int_equal(identify(r, 4, NVME_CNS_NS, 0), NVME_SC_INVALID_NS);
	assert_int_equal(bench_last_error(r).pel, 4);
	assert_int_equal(identify(r, NVME_NSID_ALL - 1, NVME_CNS_NS, 0), NVME_SC_INVALID_NS);
	rig_destroy(r);
}

static void all_namespaces_are_as_the_first(void **state)
{
	struct rig *r = rig_ready("");

	assert_int_equal(identify(r, 1, NVME_CNS_NS, 0), 0);
	memcpy(r->buf2, r->buf, 4096);
	assert_int_equal(identify(r, NVME_NSID_ALL, NVME_CNS_NS, 0), 0);
	assert_memory_equal(r->buf, r->buf2, 4096);
	rig_destroy(r);
}

static void lists_begin_above_nsid(void **state)
{
	static const uint8_t active[] = { NVME_CNS_ACTIVE_NS_LIST, NVME_CNS_IOCS_ACTIVE_NS_LIST };
	static const uint8_t allocated[] = { NVME_CNS_ALLOCATED_NS_LIST,
					     NVME_CNS_IOCS_ALLOCATED_NS_LIST };
	struct rig *r = three();
	uint32_t *list = (void *)r->buf;

	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(identify(r, 0, active[i], 0), 0);
		assert_int_equal(list[0], 1);
		assert_int_equal(list[1], 0);
		assert_int_equal(identify(r, 1, active[i], 0), 0);
		assert_true(all_zeros(r));
		assert_int_equal(identify(r, 0, allocated[i], 0), 0);
		assert_int_equal(list[0], 1);
		assert_int_equal(list[1], 3);
		assert_int_equal(identify(r, 1, allocated[i], 0), 0);
		assert_int_equal(list[0], 3);
		assert_int_equal(identify(r, 0xfffffffd, active[i], 0), 0);
		assert_int_equal(identify(r, 0xfffffffe, active[i], 0), NVME_SC_INVALID_NS);
		assert_int_equal(identify(r, 0xffffffff, allocated[i], 0), NVME_SC_INVALID_NS);
	}
	rig_destroy(r);
}

static void descriptors_have_all_identifiers(void **state)
{
	static const uint8_t lengths[] = { 0, 8, 16, 16, 1 };
	struct rig *r = three();
	const uint8_t *at = r->buf;

	assert_int_equal(identify(r, 1, NVME_CNS_NS_DESC_LIST, 0), 0);
	for (uint8_t type = NVME_NIDT_EUI64; type <= NVME_NIDT_CSI; type++) {
		assert_int_equal(at[0], type);
		assert_int_equal(at[1], lengths[type]);
		at += 4 + at[1];
	}
	assert_int_equal(at[1], 0);
	assert_int_equal(identify(r, 0, NVME_CNS_NS_DESC_LIST, 0), NVME_SC_INVALID_NS);
	assert_int_equal(identify(r, NVME_NSID_ALL, NVME_CNS_NS_DESC_LIST, 0), NVME_SC_INVALID_NS);
	assert_int_equal(identify(r, 3, NVME_CNS_NS_DESC_LIST, 0), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void command_sets_other_than_nvm_are_invalid(void **state)
{
	static const uint8_t cns[] = { 0x05, 0x06, 0x07, 0x1a, 0x1b };
	struct rig *r = rig_ready("");

	for (unsigned int i = 0; i < sizeof(cns); i++) {
		assert_int_equal(identify(r, 1, cns[i], 2u << 24), NVME_SC_INVALID_IOCS);
		assert_int_equal(bench_last_error(r).pel, 47);
		assert_int_equal(identify(r, 1, cns[i], 0), 0);
	}
	assert_int_equal(identify(r, 0, NVME_CNS_IOCS_COMBINATIONS, 0), 0);
	assert_int_equal(*(uint64_t *)r->buf, 1);
	rig_destroy(r);
}

static void independent_data_says_what_is_ready(void **state)
{
	struct rig *r = three();
	struct nvme_id_independent_ns *id = (void *)r->buf;

	assert_int_equal(identify(r, 1, NVME_CNS_INDEPENDENT_NS, 0), 0);
	assert_int_equal(id->nstat, NVME_NSTAT_NRDY);
	assert_int_equal(identify(r, 3, NVME_CNS_INDEPENDENT_NS, 0), 0);
	assert_true(all_zeros(r));
	assert_int_equal(identify(r, 3, NVME_CNS_IOCS_INDEPENDENT_ALLOCATED_NS, 0), 0);
	assert_false(all_zeros(r));
	assert_int_equal(identify(r, 4, NVME_CNS_INDEPENDENT_NS, 0), NVME_SC_INVALID_NS);
	assert_int_equal(bench_admin(r, NVME_ADMIN_SANITIZE, 0, NVME_SANACT_BLOCK_ERASE, 0), 0);
	assert_int_equal(identify(r, 1, NVME_CNS_INDEPENDENT_NS, 0), 0);
	assert_int_equal(id->nstat, 0);
	rig_destroy(r);
}

static void allocated_namespaces_are_seen_detached(void **state)
{
	struct rig *r = three();
	struct nvme_id_ns *id = (void *)r->buf;

	assert_int_equal(identify(r, 3, NVME_CNS_ALLOCATED_NS, 0), 0);
	assert_int_equal(id->nsze, 131072);
	assert_int_equal(identify(r, 2, NVME_CNS_ALLOCATED_NS, 0), 0);
	assert_true(all_zeros(r));
	assert_int_equal(identify(r, 0, NVME_CNS_ALLOCATED_NS, 0), NVME_SC_INVALID_NS);
	assert_int_equal(identify(r, NVME_NSID_ALL, NVME_CNS_ALLOCATED_NS, 0), NVME_SC_INVALID_NS);
	rig_destroy(r);
}

static void controller_lists_begin_at_cntid(void **state)
{
	struct rig *r = three();
	struct nvme_ctrl_list *list = (void *)r->buf;
	uint32_t id;

	assert_int_equal(identify(r, 0, NVME_CNS_CTRL_LIST, 0), 0);
	assert_int_equal(list->count, 1);
	id = list->cntlid[0];
	assert_int_equal(identify(r, 0, NVME_CNS_CTRL_LIST | (id + 1) << 16, 0), 0);
	assert_int_equal(list->count, 0);
	assert_int_equal(identify(r, 1, NVME_CNS_NS_CTRL_LIST, 0), 0);
	assert_int_equal(list->count, 1);
	assert_int_equal(identify(r, 3, NVME_CNS_NS_CTRL_LIST, 0), 0);
	assert_int_equal(list->count, 0);
	assert_int_equal(identify(r, 0, NVME_CNS_NS_CTRL_LIST, 0), NVME_SC_INVALID_NS);
	rig_destroy(r);
}

static void unknown_structures_are_refused(void **state)
{
	static const uint8_t unknown[] = { 0x04, 0x09, 0x0a, 0x14, 0x15, 0x16, 0x17, 0x20, 0xff };
	struct rig *r = rig_ready("");

	for (unsigned int i = 0; i < sizeof(unknown); i++)
		assert_int_equal(identify(r, 1, unknown[i], 0), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void the_data_pointer_comes_last(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_sqe sqe = bench_sqe(r, NVME_ADMIN_IDENTIFY, 99, NVME_CNS_NS, 0);

	sqe.prp1 |= 3;
	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_INVALID_NS);
	sqe.nsid = 1;
	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_PRP_INVALID_OFFSET);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mdts_is_in_powers_of_two_pages),
		cmocka_unit_test(the_default_is_the_profile),
		cmocka_unit_test(the_controller_ignores_nsid),
		cmocka_unit_test(namespaces_active_and_not),
		cmocka_unit_test(all_namespaces_are_as_the_first),
		cmocka_unit_test(lists_begin_above_nsid),
		cmocka_unit_test(descriptors_have_all_identifiers),
		cmocka_unit_test(command_sets_other_than_nvm_are_invalid),
		cmocka_unit_test(independent_data_says_what_is_ready),
		cmocka_unit_test(allocated_namespaces_are_seen_detached),
		cmocka_unit_test(controller_lists_begin_at_cntid),
		cmocka_unit_test(unknown_structures_are_refused),
		cmocka_unit_test(the_data_pointer_comes_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
