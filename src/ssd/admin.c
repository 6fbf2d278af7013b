/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Admin commands: opcode -> handler. Checks that every command shares, in order:
 * opcode (00/01), fused and reserved PSDT (00/02), SGL where PRP is required (00/02),
 * sanitize in progress (00/1d).
 */
#include "ssd/admin.h"

#include "ssd/device.h"

#define EFFECTS(bits) (NVME_EFFECTS_CSUPP | (bits))

static const struct ssd_op admin_ops[256] = {
	[NVME_ADMIN_DELETE_SQ] = { ssd_admin_delete_sq, EFFECTS(0), SSD_OP_SANITIZE },
	[NVME_ADMIN_CREATE_SQ] = { ssd_admin_create_sq, EFFECTS(0), SSD_OP_SANITIZE },
	[NVME_ADMIN_GET_LOG_PAGE] = { ssd_admin_get_log, EFFECTS(0), SSD_OP_SANITIZE },
	[NVME_ADMIN_DELETE_CQ] = { ssd_admin_delete_cq, EFFECTS(0), SSD_OP_SANITIZE },
	[NVME_ADMIN_CREATE_CQ] = { ssd_admin_create_cq, EFFECTS(0), SSD_OP_SANITIZE },
	[NVME_ADMIN_IDENTIFY] = { ssd_admin_identify, EFFECTS(0), SSD_OP_SANITIZE },
	[NVME_ADMIN_ABORT] = { ssd_admin_abort, EFFECTS(0), SSD_OP_SANITIZE },
	[NVME_ADMIN_SET_FEATURES] = { ssd_admin_set_features, EFFECTS(0), SSD_OP_SANITIZE },
	[NVME_ADMIN_GET_FEATURES] = { ssd_admin_get_features, EFFECTS(0), SSD_OP_SANITIZE },
	[NVME_ADMIN_ASYNC_EVENT] = { ssd_admin_async_event, EFFECTS(0), SSD_OP_SANITIZE },
};

const struct ssd_op *ssd_admin_op(uint8_t opcode)
{
	return &admin_ops[opcode];
}

uint16_t ssd_admin_dispatch(struct ssd *ssd, struct ssd_ctx *c)
{
	const struct ssd_op *op = &admin_ops[c->sqe.opc];

	if (!op->fn)
		return NVME_SC_INVALID_OPCODE;
	/* PCIe: admin commands use PRPs (Base 2.1 section 4.1); no fused admin commands */
	if (c->sqe.flags && !c->ext) {
		c->error_loc = SSD_LOC(1, 0);
		return NVME_SC_INVALID_FIELD;
	}
	return op->fn(ssd, c);
}
