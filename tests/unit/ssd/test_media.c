/* SPDX-License-Identifier: BSD-3-Clause */
/* Thin memory against a plain array, and what it costs. */
#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/rand.h"
#include "ssd/media/media.h"

#define LBAS 4096u
#define MIB  (1024.0 * 1024)

struct shadow {
	struct ssd_media *m;
	uint8_t *data;
	uint8_t *meta;
	uint8_t *state;
	struct rand rand;
};

static struct shadow *shadow_create(const char *options, uint32_t lba_bytes, uint32_t ms_bytes)
{
	struct shadow *s = calloc(1, sizeof(*s));
	struct ssd_options opts;

	assert_int_equal(ssd_options_parse(&opts, options), 0);
	assert_int_equal(ssd_media_create(&s->m, &opts, NULL, 0, LBAS, lba_bytes, ms_bytes), 0);
	s->data = calloc(LBAS, lba_bytes);
	s->meta = malloc(LBAS * (ms_bytes + 1));
	memset(s->meta, 0xff, LBAS * ms_bytes);
	s->state = calloc(LBAS, 1);
	rand_seed(&s->rand, 7);
	return s;
}

static void shadow_destroy(struct shadow *s)
{
	ssd_media_destroy(s->m);
	free(s->data);
	free(s->meta);
	free(s->state);
	free(s);
}

/* Zeros, one dword, one dword between stamps, noise; and stamps that nearly repeat. */
static void make_data(struct shadow *s, uint8_t *p)
{
	uint64_t kind = rand_below(&s->rand, 5), a = rand_next(&s->rand), b = rand_next(&s->rand);
	uint32_t len = s->m->lba_bytes, dword = kind ? (uint32_t)a : 0;

	for (uint32_t i = 0; i < len; i += 4)
		memcpy(p + i, &dword, 4);
	if (kind == 2) {
		memcpy(p, &a, 8);
		memcpy(p + len - 8, &b, 8);
	} else if (kind == 3) {
		for (uint32_t i = 0; i < len; i += 8) {
			a = rand_next(&s->rand);
			memcpy(p + i, &a, 8);
		}
	} else if (kind == 4) {
		p[8 + rand_below(&s->rand, len - 16)] ^= 1;
	}
}

static void write_some(struct shadow *s, uint32_t lba, uint32_t n)
{
	uint32_t bytes = s->m->lba_bytes, ms = s->m->ms_bytes;

	for (uint32_t i = lba; i < lba + n; i++) {
		make_data(s, s->data + (size_t)i * bytes);
		memset(s->meta + (size_t)i * ms, (int)rand_below(&s->rand, 256), ms);
		s->state[i] = SSD_LBA_MAPPED;
	}
	assert_int_equal(s->m->ops->write(s->m, lba, n, s->data + (size_t)lba * bytes,
					  ms ? s->meta + (size_t)lba * ms : NULL),
			 0);
}

static void unmap_some(struct shadow *s, uint32_t lba, uint32_t n)
{
	s->m->ops->unmap(s->m, lba, n);
	memset(s->data + (size_t)lba * s->m->lba_bytes, 0, (size_t)n * s->m->lba_bytes);
	memset(s->meta + (size_t)lba * s->m->ms_bytes, 0xff, (size_t)n * s->m->ms_bytes);
	memset(s->state + lba, SSD_LBA_UNMAPPED, n);
}

static void check_some(struct shadow *s, uint32_t lba, uint32_t n)
{
	uint8_t data[64 * 4096], meta[64 * 64];
	int mapped = 0, rc;

	rc = s->m->ops->read(s->m, lba, n, data, s->m->ms_bytes ? meta : NULL);
	for (uint32_t i = lba; i < lba + n; i++) {
		assert_int_equal(s->m->ops->state(s->m, i), s->state[i]);
		if (s->state[i] == SSD_LBA_UNCORRECTABLE) {
			assert_int_equal(rc, -EIO);
			assert_int_equal(s->m->bad_lba, i);
			return;
		}
		mapped += s->state[i] == SSD_LBA_MAPPED;
	}
	assert_int_equal(rc, mapped);
	assert_memory_equal(data, s->data + (size_t)lba * s->m->lba_bytes, n * s->m->lba_bytes);
	if (s->m->ms_bytes)
		assert_memory_equal(meta, s->meta + (size_t)lba * s->m->ms_bytes,
				    n * s->m->ms_bytes);
}

static void behaves_like_an_array(const char *options, uint32_t lba_bytes, uint32_t ms_bytes)
{
	struct shadow *s = shadow_create(options, lba_bytes, ms_bytes);

	for (int i = 0; i < 6000; i++) {
		uint32_t n = 1 + (uint32_t)rand_below(&s->rand, 64);
		uint32_t lba = (uint32_t)rand_below(&s->rand, LBAS - n);

		switch (rand_below(&s->rand, 8)) {
		case 0:
			unmap_some(s, lba, n);
			break;
		case 1:
			assert_int_equal(s->m->ops->spoil(s->m, lba, 1), 0);
			s->state[lba] = SSD_LBA_UNCORRECTABLE;
			memset(s->data + (size_t)lba * lba_bytes, 0, lba_bytes);
			break;
		case 2:
		case 3:
		case 4:
			write_some(s, lba, n);
			break;
		default:
			check_some(s, lba, n);
			break;
		}
	}
	s->m->ops->erase(s->m);
	assert_int_equal(s->m->ops->bytes(s->m), 0);
	memset(s->data, 0, (size_t)LBAS * lba_bytes);
	memset(s->meta, 0xff, (size_t)LBAS * ms_bytes);
	memset(s->state, 0, LBAS);
	for (uint32_t lba = 0; lba < LBAS; lba += 64)
		check_some(s, lba, 64);
	shadow_destroy(s);
}

static void thin_memory_behaves_like_an_array(void **state)
{
	behaves_like_an_array("", 512, 0);
	behaves_like_an_array("", 4096, 0);
	behaves_like_an_array("", 512, 64);
	behaves_like_an_array("", 4096, 8);
}

static void what_spills_to_a_file_behaves_the_same(void **state)
{
	behaves_like_an_array("mem=100K", 512, 0);
	behaves_like_an_array("mem=40K", 4096, 16);
}

static double resident_mib(void)
{
	unsigned long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &size, &resident), 2);
	fclose(f);
	return (double)resident * (double)sysconf(_SC_PAGESIZE) / MIB;
}

static void noise(struct rand *rand, uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t v = rand_next(rand);

		memcpy(p + i, &v, 8);
	}
}

/* 64 MiB stand for 1 GiB: at most a tenth more than what was written. */
static void random_bytes_cost_little_more_than_themselves(void **state)
{
	struct rig *r = rig_ready("latency=none,cache=0");
	struct rand rand;
	struct ssd_stats stats;

	rand_seed(&rand, 1);
	for (uint64_t mib = 0; mib < 64; mib++)
		for (int i = 0; i < 8; i++) {
			noise(&rand, r->buf, 128 * 1024);
			assert_int_equal(
				rig_write(r, (mib * 8 + (unsigned int)i) * 256, 256, r->buf), 0);
		}
	ssd_get_stats(r->ssd, &stats);

	assert_true((double)stats.media_bytes <= 1.1 * 64 * MIB);
	rig_destroy(r);
}

/* 64 MiB of zeros between stamps stand for 10 GiB. */
static void stamped_zeros_cost_a_tenth(void **state)
{
	struct rig *r = rig_ready("latency=none,cache=0");
	struct ssd_stats stats;

	for (uint64_t io = 0; io < 512; io++) {
		for (uint64_t i = 0, lba = io * 256; i < 256; i++, lba++) {
			memcpy(r->buf + i * 512, &lba, 8);
			memcpy(r->buf + i * 512 + 504, &io, 8);
		}
		assert_int_equal(rig_write(r, io * 256, 256, r->buf), 0);
	}
	ssd_get_stats(r->ssd, &stats);

	assert_true((double)stats.media_bytes <= 0.09 * 64 * MIB);
	rig_destroy(r);
}

static void dropping_data_gives_memory_back(void **state)
{
	struct rig *r = rig_ready("latency=none,cache=0");
	struct nvme_dsm_range *range = (struct nvme_dsm_range *)r->buf2;
	double before = resident_mib(), full;
	struct ssd_stats stats;
	struct rand rand;

	rand_seed(&rand, 1);
	for (uint64_t io = 0; io < 512; io++) {
		noise(&rand, r->buf, 128 * 1024);
		assert_int_equal(rig_write(r, io * 256, 256, r->buf), 0);
	}
	full = resident_mib();
	range[0] = (struct nvme_dsm_range){ .slba = 0, .nlb = 512 * 256 };
	assert_int_equal(rig_run(r, 1,
				 (struct nvme_sqe){ .opc = NVME_CMD_DSM,
						    .nsid = 1,
						    .prp1 = (uintptr_t)range,
						    .cdw11 = NVME_DSM_AD },
				 NULL),
			 0);
	ssd_get_stats(r->ssd, &stats);

	assert_int_equal(stats.media_bytes, 0);
	assert_true(full - before > 60);
	assert_true(full - resident_mib() > 60);
	rig_destroy(r);
}

static void a_drive_of_terabytes_is_small_at_first(void **state)
{
	double before = resident_mib();
	struct rig *r = rig_ready("size=16T,latency=none");

	assert_int_equal(rig_write(r, (16ull << 40) / 512 - 8, 8, r->buf), 0);
	assert_true(resident_mib() - before < 10);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thin_memory_behaves_like_an_array),
		cmocka_unit_test(what_spills_to_a_file_behaves_the_same),
		cmocka_unit_test(random_bytes_cost_little_more_than_themselves),
		cmocka_unit_test(stamped_zeros_cost_a_tenth),
		cmocka_unit_test(dropping_data_gives_memory_back),
		cmocka_unit_test(a_drive_of_terabytes_is_small_at_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
