/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/admin/error_log.h"

#include "ssd/device.h"

static struct nvme_error_entry *add(struct ssd_ctrl *ctrl)
{
	struct ssd_error_log *log = &ctrl->errors;
	struct nvme_error_entry *e = &log->ring[log->count++ % SSD_ERROR_ENTRIES];

	*e = (struct nvme_error_entry){
		.error_count = log->count,
		.pel = SSD_ERROR_LOC_NONE,
		.sqid = UINT16_MAX,
		.cid = UINT16_MAX,
	};
	return e;
}

void ssd_error_log_cmd(struct ssd *ssd, const struct ssd_ctx *c)
{
	struct nvme_error_entry *e = add(c->ctrl);

	e->sqid = ssd_ctx_sqid(c);
	e->cid = c->sqe.cid;
	e->status = c->status;
	e->pel = c->error_loc;
	e->lba = c->error_lba;
	e->nsid = c->sqe.nsid;
	e->opc = c->sqe.opc;
}

void ssd_error_log_queue(struct ssd_ctrl *ctrl, uint16_t sqid)
{
	add(ctrl)->sqid = sqid;
}

const struct nvme_error_entry *ssd_error_log_get(const struct ssd_ctrl *ctrl, unsigned int i)
{
	const struct ssd_error_log *log = &ctrl->errors;

	if (i >= SSD_ERROR_ENTRIES || i >= log->count)
		return NULL;
	return &log->ring[(log->count - 1 - i) % SSD_ERROR_ENTRIES];
}
