/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Device Self-test (Base 2.1 sections 5.1.5 and 8.1.7), in order of its checks:
 *
 *   STC not 1, 2, Fh	00/02
 *   NSID invalid	00/0b, inactive 00/02
 *   one is running	01/1d
 */
#include "ssd/admin/self_test.h"

#include <string.h>

#include "ssd/admin/admin.h"
#include "ssd/device.h"

void ssd_self_test_init(struct ssd *ssd)
{
	for (unsigned int i = 0; i < SSD_DST_RESULTS; i++)
		ssd->dst.results[i].dsts = NVME_DST_RESULT_UNUSED;
}

void ssd_self_test_end(struct ssd *ssd, uint8_t result)
{
	struct ssd_self_test *t = &ssd->dst;
	struct nvme_self_test_result *r = t->results;

	if (!t->code)
		return;
	memmove(r + 1, r, (SSD_DST_RESULTS - 1) * sizeof(*r));
	*r = (struct nvme_self_test_result){
		.dsts = (uint8_t)(t->code << 4 | result),
		.vdi = NVME_DST_VALID_NSID,
		.poh = ssd_power_on_hours(ssd),
		.nsid = t->nsid,
	};
	t->code = 0;
	ssd_background_stop(ssd, &t->bg);
}

void ssd_self_test_reset(struct ssd *ssd, const struct ssd_ctrl *ctrl)
{
	if (ssd->dst.code == NVME_DST_SHORT && (!ctrl || ssd->dst.cntlid == ctrl->cntlid))
		ssd_self_test_end(ssd, NVME_DST_RESULT_ABORTED_CLR);
}

void ssd_self_test_power(struct ssd *ssd)
{
	ssd_background_power(ssd, &ssd->dst.bg);
}

static void passed(struct ssd *ssd, struct ssd_event *ev)
{
	ssd_self_test_end(ssd, NVME_DST_RESULT_SUCCESS);
}

uint16_t ssd_admin_self_test(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_self_test *t = &ssd->dst;
	uint8_t stc = (uint8_t)NVME_GET(c->sqe.cdw10, DST_STC);
	uint32_t nsid = c->sqe.nsid;
	uint16_t sc;

	if (stc != NVME_DST_SHORT && stc != NVME_DST_EXTENDED && stc != NVME_DST_ABORT) {
		c->error_loc = SSD_LOC(40, 0);
		return NVME_SC_INVALID_FIELD;
	}
	if (stc == NVME_DST_ABORT) {
		ssd_self_test_end(ssd, NVME_DST_RESULT_ABORTED_DST);
		return 0;
	}
	sc = nsid && nsid != NVME_NSID_ALL ? ssd_ns_check_active(ssd, c, nsid) : 0;
	if (sc)
		return sc;
	if (t->code)
		return NVME_SC_SELF_TEST_IN_PROGRESS;
	t->code = stc;
	t->cntlid = c->ctrl->cntlid;
	t->nsid = nsid;
	ssd_background_start(ssd, &t->bg,
			     stc == NVME_DST_SHORT ? ssd->opts.dst_ns : ssd->opts.dst_extended_ns,
			     passed);
	return 0;
}

uint16_t ssd_log_self_test(struct ssd *ssd, struct ssd_ctx *c, struct ssd_log *log)
{
	const struct ssd_self_test *t = &ssd->dst;
	struct nvme_self_test *l;

	if (ssd_log_alloc(log, sizeof(*l)))
		return NVME_SC_INTERNAL_ERROR;
	l = (struct nvme_self_test *)log->data;
	l->dsto = t->code;
	if (t->code)
		l->dstc = (uint8_t)ssd_background_done(ssd, &t->bg, 100);
	memcpy(l->result, t->results, sizeof(t->results));
	return 0;
}
