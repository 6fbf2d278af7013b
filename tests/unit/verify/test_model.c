/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random operations on a table and on a model that keeps everything it is told in plain
 * arrays. They must know the same LBAs at any time.
 */
#include "fixture.h"

#include <stdio.h>

#include "base/rand.h"

#define MODEL_NLBAS 2100u
#define FLUSHES	    8u
#define STEPS	    40000u

/* acked: the number of the operation that acknowledged it, 0: in flight */
struct model_lba {
	bool known;
	bool durable;
	uint64_t acked;
};

struct model {
	struct verify_table *t;
	struct model_lba lba[MODEL_NLBAS];
	struct {
		bool open;
		uint64_t begun;
		uint64_t cookie;
	} flush[FLUSHES];
	struct {
		uint64_t slba;
		uint32_t nlb;
	} inflight;
	uint64_t op;
	struct rand rand;
};

static void model_write(struct model *m, uint64_t slba, uint32_t nlb)
{
	uint8_t *data = calloc(nlb, LBA_BYTES);

	memset(data, (int)(m->op & 0xff), (size_t)nlb * LBA_BYTES);
	verify_stamp(m->t, data, slba, nlb, LBA_BYTES);
	for (uint64_t i = slba; i < slba + nlb; i++)
		m->lba[i] = (struct model_lba){ .known = true };
	m->inflight.slba = slba;
	m->inflight.nlb = nlb;
	free(data);
}

static void model_written(struct model *m, bool ok, bool fua)
{
	uint64_t slba = m->inflight.slba;

	verify_written(m->t, slba, m->inflight.nlb, ok, fua);
	for (uint64_t i = slba; i < slba + m->inflight.nlb; i++) {
		m->lba[i].known &= ok;
		m->lba[i].durable = ok && fua;
		m->lba[i].acked = m->op;
	}
	m->inflight.nlb = 0;
}

static void model_flush(struct model *m, unsigned int slot, bool ok)
{
	if (!m->flush[slot].open) {
		m->flush[slot].open = true;
		m->flush[slot].begun = m->op;
		m->flush[slot].cookie = verify_flush_begin(m->t);
		return;
	}
	m->flush[slot].open = false;
	verify_flush_end(m->t, m->flush[slot].cookie, ok);
	for (uint64_t i = 0; ok && i < MODEL_NLBAS; i++)
		if (m->lba[i].acked && m->lba[i].acked < m->flush[slot].begun)
			m->lba[i].durable = true;
}

static void model_power_lost(struct model *m)
{
	verify_power_lost(m->t);
	for (uint64_t i = 0; i < MODEL_NLBAS; i++)
		m->lba[i].known &= m->lba[i].durable;
	memset(m->flush, 0, sizeof(m->flush));
	if (m->inflight.nlb)
		model_written(m, false, false);
}

static void model_unmap(struct model *m, uint64_t slba, uint64_t nlb)
{
	verify_unmap(m->t, slba, nlb);
	for (uint64_t i = slba; i < slba + nlb; i++)
		m->lba[i].known = false;
}

static void model_step(struct model *m)
{
	uint64_t slba = rand_below(&m->rand, MODEL_NLBAS);
	uint64_t kind = rand_below(&m->rand, 1000);
	uint32_t nlb = 1 + (uint32_t)rand_below(&m->rand, kind % 10 ? 20 : MODEL_NLBAS);

	if (nlb > MODEL_NLBAS - slba)
		nlb = (uint32_t)(MODEL_NLBAS - slba);
	m->op++;
	if (m->inflight.nlb && kind >= 200)
		model_written(m, rand_below(&m->rand, 20), !rand_below(&m->rand, 5));
	else if (kind < 5)
		model_power_lost(m);
	else if (kind < 20 && !m->inflight.nlb)
		model_unmap(m, slba, nlb);
	else if (kind < 200)
		model_flush(m, (unsigned int)rand_below(&m->rand, FLUSHES),
			    rand_below(&m->rand, 10));
	else
		model_write(m, slba, nlb);
}

static void table_and_model_agree(void **state)
{
	static struct model m;

	assert_int_equal(verify_create(&m.t, MODEL_NLBAS, LBA_BYTES), 0);
	rand_seed(&m.rand, 20261122);
	for (unsigned int step = 0; step < STEPS; step++) {
		model_step(&m);
		for (uint64_t i = 0; step % 50 == 0 && i < MODEL_NLBAS; i++) {
			if (known(m.t, i) == m.lba[i].known)
				continue;
			fail_msg("step %u, LBA %llu: the model says %d", step,
				 (unsigned long long)i, m.lba[i].known);
		}
	}
	verify_destroy(m.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_and_model_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
