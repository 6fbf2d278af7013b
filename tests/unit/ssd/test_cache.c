/* SPDX-License-Identifier: BSD-3-Clause */
/* The volatile cache: what a power loss may take, and what it may not. */
#include "rig.h"

#include <stdio.h>
#include <unistd.h>

#include "base/rand.h"

#define LBAS 512u

static void stamp(uint8_t *p, uint32_t nlb, uint32_t version)
{
	for (uint32_t i = 0; i < nlb; i++)
		for (uint32_t j = 0; j < 512; j += 4)
			memcpy(p + i * 512 + j, &version, 4);
}

/* The version that an LBA holds; UINT32_MAX: torn. */
static uint32_t version_of(const uint8_t *p)
{
	uint32_t first, v;

	memcpy(&first, p, 4);
	for (uint32_t j = 4; j < 512; j += 4) {
		memcpy(&v, p + j, 4);
		if (v != first)
			return UINT32_MAX;
	}
	return first;
}

static void power_cycle(struct rig *r)
{
	ssd_power(r->ssd, false, r->now_ns);
	ssd_power(r->ssd, true, r->now_ns);
	rig_enable(r);
	rig_create_queue(r, 1, RIG_DEPTH);
}

static uint16_t write_version(struct rig *r, uint64_t slba, uint32_t nlb, uint32_t version,
			      bool fua)
{
	struct nvme_sqe sqe = rig_rw(NVME_CMD_WRITE, slba, nlb, r->buf);

	stamp(r->buf, nlb, version);
	sqe.flags = NVME_SQE_PSDT_SGL_MPTR_BUF << NVME_SQE_PSDT_SHIFT;
	sqe.sgl1 = (struct nvme_sgl_desc){ .addr = (uintptr_t)r->buf, .len = nlb * 512 };
	sqe.cdw12 |= (uint32_t)NVME_SET(fua, RW_FUA);
	return rig_run(r, 1, sqe, NULL);
}

static void flush(struct rig *r)
{
	assert_int_equal(rig_run(r, 1, (struct nvme_sqe){ .opc = NVME_CMD_FLUSH, .nsid = 1 }, NULL),
			 0);
}

/* Of 200 writes some are lost and some are kept. */
static void unflushed_writes_are_kept_or_lost(void **state)
{
	struct rig *r = rig_ready("latency=none");
	uint32_t kept = 0;

	for (uint32_t lba = 0; lba < 200; lba++)
		write_version(r, lba, 1, 7, false);
	power_cycle(r);
	assert_int_equal(rig_read(r, 0, 200, r->buf), 0);
	for (uint32_t lba = 0; lba < 200; lba++) {
		uint32_t v = version_of(r->buf + lba * 512);

		assert_true(v == 0 || v == 7);
		kept += v == 7;
	}

	assert_in_range(kept, 50, 150);
	rig_destroy(r);
}

static void the_seed_decides(void **state)
{
	uint8_t first[200];

	for (int run = 0; run < 3; run++) {
		struct rig *r = rig_ready(run < 2 ? "latency=none,seed=5" : "latency=none,seed=6");
		int same = 1;

		for (uint32_t lba = 0; lba < 200; lba++)
			write_version(r, lba, 1, 7, false);
		power_cycle(r);
		assert_int_equal(rig_read(r, 0, 200, r->buf), 0);
		for (uint32_t lba = 0; lba < 200; lba++) {
			uint8_t v = (uint8_t)version_of(r->buf + lba * 512);

			same &= !run || first[lba] == v;
			first[lba] = run ? first[lba] : v;
		}
		assert_int_equal(same, run < 2);
		rig_destroy(r);
	}
}

static void nothing_is_lost(const char *options, bool fua, bool flushed, bool shutdown)
{
	struct rig *r = rig_ready(options);

	for (uint32_t lba = 0; lba < 200; lba++)
		write_version(r, lba, 1, 7, fua);
	if (flushed)
		flush(r);
	if (shutdown)
		rig_set_reg(r, NVME_REG_CC, rig_reg(r, NVME_REG_CC) | 1 << 14);
	power_cycle(r);
	assert_int_equal(rig_read(r, 0, 200, r->buf), 0);
	for (uint32_t lba = 0; lba < 200; lba++)
		assert_int_equal(version_of(r->buf + lba * 512), 7);
	rig_destroy(r);
}

static void flush_fua_shutdown_and_no_cache_keep_all(void **state)
{
	nothing_is_lost("latency=none", false, true, false);
	nothing_is_lost("latency=none", true, false, false);
	nothing_is_lost("latency=none,shutdown_s=0", false, false, true);
	nothing_is_lost("latency=none,cache=0", false, false, false);
}

static void beyond_its_size_the_cache_destages_in_order(void **state)
{
	struct rig *r = rig_ready("latency=none,cache=64K");

	for (uint32_t lba = 0; lba < 256; lba++)
		write_version(r, lba, 1, 7, false);
	power_cycle(r);
	assert_int_equal(rig_read(r, 0, 256, r->buf), 0);
	for (uint32_t lba = 0; lba < 128; lba++)
		assert_int_equal(version_of(r->buf + lba * 512), 7);
	rig_destroy(r);
}

static void disabling_the_cache_flushes_it(void **state)
{
	struct rig *r = rig_ready("latency=none");

	for (uint32_t lba = 0; lba < 100; lba++)
		write_version(r, lba, 1, 7, false);
	assert_int_equal(rig_run(r, 0,
				 (struct nvme_sqe){ .opc = NVME_ADMIN_SET_FEATURES, .cdw10 = 6 },
				 NULL),
			 0);
	for (uint32_t lba = 100; lba < 200; lba++)
		write_version(r, lba, 1, 7, false);
	power_cycle(r);
	assert_int_equal(rig_read(r, 0, 200, r->buf), 0);
	for (uint32_t lba = 0; lba < 200; lba++)
		assert_int_equal(version_of(r->buf + lba * 512), 7);
	rig_destroy(r);
}

/* What each LBA may hold after a loss: any version since its last flush. */
struct model {
	uint32_t newest[LBAS];
	uint32_t oldest[LBAS]; /* of the versions that it may hold */
	uint8_t may_tear[LBAS];
};

static void model_write(struct model *m, uint32_t lba, uint32_t nlb, uint32_t version, bool fua)
{
	for (uint32_t i = lba; i < lba + nlb; i++) {
		m->newest[i] = version;
		if (fua)
			m->oldest[i] = version;
		m->may_tear[i] = !fua && (nlb > 8 || m->may_tear[i]);
	}
}

static void model_flush(struct model *m)
{
	memcpy(m->oldest, m->newest, sizeof(m->oldest));
	memset(m->may_tear, 0, sizeof(m->may_tear));
}

static void check_lost(struct rig *r, struct model *m)
{
	for (uint32_t lba = 0; lba < LBAS; lba++) {
		uint32_t v;

		if (!(lba % 256))
			assert_int_equal(rig_read(r, lba, 256, r->buf), 0);
		v = version_of(r->buf + lba % 256 * 512);
		if (v == UINT32_MAX) {
			assert_true(m->may_tear[lba]);
			assert_int_equal(write_version(r, lba, 1, m->newest[lba], true), 0);
			assert_int_equal(rig_read(r, lba / 256 * 256, 256, r->buf), 0);
			continue;
		}
		assert_in_range(v, m->oldest[lba], m->newest[lba]);
		m->newest[lba] = v;
	}
	model_flush(m);
}

/*
 * A write within AWUPF is whole: of two neighbours written together at last, and nothing
 * else since, both or none are there.
 */
static void lose_power_at_random_points(const char *options)
{
	struct rig *r = rig_ready(options);
	struct model *m = calloc(1, sizeof(*m));
	struct rand rand;
	uint32_t version = 0;

	rand_seed(&rand, 3);
	for (int loss = 0; loss < 1000; loss++) {
		for (uint64_t n = rand_below(&rand, 200); n; n--) {
			uint32_t nlb = 1 + (uint32_t)rand_below(&rand, 24);
			uint32_t lba = (uint32_t)rand_below(&rand, LBAS - nlb);
			bool fua = !rand_below(&rand, 10);

			version++;
			assert_int_equal(write_version(r, lba, nlb, version, fua), 0);
			model_write(m, lba, nlb, version, fua);
			if (!rand_below(&rand, 40)) {
				flush(r);
				model_flush(m);
			}
		}
		power_cycle(r);
		check_lost(r, m);
	}
	free(m);
	rig_destroy(r);
}

static void power_lost_at_random_points(void **state)
{
	char path[] = "/tmp/ssd-cache-XXXXXX", options[128];

	lose_power_at_random_points("latency=none,awupf=7,cache=128K");
	close(mkstemp(path));
	snprintf(options, sizeof(options), "latency=none,awupf=7,cache=128K,file=%s", path);
	lose_power_at_random_points(options);
	unlink(path);
}

static void small_writes_are_atomic(void **state)
{
	struct rig *r = rig_ready("latency=none,awupf=7");

	for (uint32_t lba = 0; lba < LBAS; lba += 8)
		write_version(r, lba, 8, 9, false);
	power_cycle(r);
	for (uint32_t lba = 0; lba < LBAS; lba += 8) {
		assert_int_equal(rig_read(r, lba, 8, r->buf), 0);
		for (uint32_t i = 1; i < 8; i++)
			assert_int_equal(version_of(r->buf + i * 512), version_of(r->buf));
	}
	rig_destroy(r);
}

/* The 512 bytes at @p: two halves of one version each. */
static bool halves_are(const uint8_t *p, uint32_t first, uint32_t second)
{
	uint8_t want[512];

	for (uint32_t i = 0; i < 512; i += 4)
		memcpy(want + i, i < 256 ? &first : &second, 4);
	return !memcmp(p, want, 512);
}

static void the_second_half_of_a_torn_lba_is_what_it_was(void **state)
{
	struct rig *r = rig_ready("latency=none,awupf=7");
	uint32_t torn[2] = { 0 };

	/* LBAs that held version 1 before, and behind them some that held nothing */
	for (uint32_t lba = 0; lba < 1024; lba += 16)
		write_version(r, lba, 16, 1, true);
	for (uint32_t lba = 0; lba < 2048; lba += 16)
		write_version(r, lba, 16, 2, false);
	power_cycle(r);
	for (uint32_t lba = 0; lba < 2048; lba++) {
		assert_int_equal(rig_read(r, lba, 1, r->buf), 0);
		if (version_of(r->buf) != UINT32_MAX)
			continue;
		assert_true(halves_are(r->buf, 2, lba < 1024));
		torn[lba / 1024]++;
	}
	assert_true(torn[0] && torn[1]);
	rig_destroy(r);
}

static void a_loss_is_an_unsafe_shutdown_and_a_cycle(void **state)
{
	struct rig *r = rig_ready("latency=none,shutdown_s=0");
	struct nvme_smart *s = (struct nvme_smart *)r->buf;

	power_cycle(r);
	assert_int_equal(rig_log(r, NVME_LOG_SMART, s, 512), 0);
	assert_int_equal(s->pwrc[0], 2);
	assert_int_equal(s->upl[0], 1);
	rig_set_reg(r, NVME_REG_CC, rig_reg(r, NVME_REG_CC) | 1 << 14);
	power_cycle(r);
	assert_int_equal(rig_log(r, NVME_LOG_SMART, s, 512), 0);

	assert_int_equal(s->pwrc[0], 3);
	assert_int_equal(s->upl[0], 1);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unflushed_writes_are_kept_or_lost),
		cmocka_unit_test(the_seed_decides),
		cmocka_unit_test(flush_fua_shutdown_and_no_cache_keep_all),
		cmocka_unit_test(beyond_its_size_the_cache_destages_in_order),
		cmocka_unit_test(disabling_the_cache_flushes_it),
		cmocka_unit_test(power_lost_at_random_points),
		cmocka_unit_test(small_writes_are_atomic),
		cmocka_unit_test(the_second_half_of_a_torn_lba_is_what_it_was),
		cmocka_unit_test(a_loss_is_an_unsafe_shutdown_and_a_cycle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
