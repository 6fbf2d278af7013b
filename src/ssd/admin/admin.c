/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Admin commands (Base 2.1 section 5): opcode -> handler. Checks that all of them share, in order:
 *
 *   opcode				00/01	section 5
 *   fused, PSDT not PRP		00/02	section 4.1.1
 *   sanitize in progress		00/1d	section 8.1.24
 *   the command's own		at the head of its file
 *   data pointer			00/13, 00/04: prp.c
 */
#include "ssd/admin/admin.h"

#include "ssd/device.h"

#define EFFECTS(bits) (NVME_EFFECTS_CSUPP | (bits))
#define ALONE	      (1u << NVME_EFFECTS_CSE_SHIFT)

/* That it came is what it is for; the front end keeps the time. */
static uint16_t keep_alive(struct ssd *ssd, struct ssd_ctx *c)
{
	return 0;
}

static const struct ssd_op admin_ops[256] = {
	[NVME_ADMIN_DELETE_SQ] = { ssd_admin_delete_sq, EFFECTS(0), SSD_OP_SANITIZE | SSD_OP_PCIE },
	[NVME_ADMIN_CREATE_SQ] = { ssd_admin_create_sq, EFFECTS(0), SSD_OP_SANITIZE | SSD_OP_PCIE },
	[NVME_ADMIN_GET_LOG_PAGE] = { ssd_admin_get_log, EFFECTS(0), SSD_OP_SANITIZE },
	[NVME_ADMIN_DELETE_CQ] = { ssd_admin_delete_cq, EFFECTS(0), SSD_OP_SANITIZE | SSD_OP_PCIE },
	[NVME_ADMIN_CREATE_CQ] = { ssd_admin_create_cq, EFFECTS(0), SSD_OP_SANITIZE | SSD_OP_PCIE },
	[NVME_ADMIN_IDENTIFY] = { ssd_admin_identify, EFFECTS(0), SSD_OP_SANITIZE },
	[NVME_ADMIN_ABORT] = { ssd_admin_abort, EFFECTS(0), SSD_OP_SANITIZE },
	[NVME_ADMIN_SET_FEATURES] = { ssd_admin_set_features, EFFECTS(0), SSD_OP_SANITIZE },
	[NVME_ADMIN_GET_FEATURES] = { ssd_admin_get_features, EFFECTS(0), SSD_OP_SANITIZE },
	[NVME_ADMIN_ASYNC_EVENT] = { ssd_admin_async_event, EFFECTS(0), SSD_OP_SANITIZE },
	[NVME_ADMIN_KEEP_ALIVE] = { keep_alive, EFFECTS(0), SSD_OP_SANITIZE | SSD_OP_FABRICS },
	[NVME_ADMIN_NS_MANAGEMENT] = { ssd_admin_ns_management,
				       EFFECTS(NVME_EFFECTS_LBCC | NVME_EFFECTS_NIC), 0 },
	[NVME_ADMIN_FW_COMMIT] = { ssd_admin_fw_commit, EFFECTS(0), 0 },
	[NVME_ADMIN_FW_DOWNLOAD] = { ssd_admin_fw_download, EFFECTS(0), 0 },
	[NVME_ADMIN_SELF_TEST] = { ssd_admin_self_test, EFFECTS(0), 0 },
	[NVME_ADMIN_NS_ATTACHMENT] = { ssd_admin_ns_attachment, EFFECTS(NVME_EFFECTS_NIC), 0 },
	[NVME_ADMIN_DIRECTIVE_SEND] = { ssd_admin_directive_send, EFFECTS(0), 0 },
	[NVME_ADMIN_DIRECTIVE_RECEIVE] = { ssd_admin_directive_receive, EFFECTS(0), 0 },
	[NVME_ADMIN_DOORBELL_BUFFER_CONFIG] = { ssd_admin_doorbell_buffer, EFFECTS(0),
						SSD_OP_SANITIZE | SSD_OP_PCIE },
	[NVME_ADMIN_FORMAT] = { ssd_admin_format,
				EFFECTS(NVME_EFFECTS_LBCC | NVME_EFFECTS_NCC | ALONE), 0 },
	[NVME_ADMIN_SECURITY_SEND] = { ssd_admin_security_send, EFFECTS(0), 0 },
	[NVME_ADMIN_SECURITY_RECEIVE] = { ssd_admin_security_receive, EFFECTS(0), 0 },
	[NVME_ADMIN_SANITIZE] = { ssd_admin_sanitize, EFFECTS(NVME_EFFECTS_LBCC | ALONE), 0 },
	[NVME_ADMIN_GET_LBA_STATUS] = { ssd_admin_lba_status, EFFECTS(0), 0 },
};

const struct ssd_op *ssd_admin_op(const struct ssd_ctrl *ctrl, uint8_t opcode)
{
	static const struct ssd_op none;
	const struct ssd_op *op = &admin_ops[opcode];

	return op->flags & (ctrl->fabrics ? SSD_OP_PCIE : SSD_OP_FABRICS) ? &none : op;
}

uint16_t ssd_admin_dispatch(struct ssd *ssd, struct ssd_ctx *c)
{
	const struct ssd_op *op = ssd_admin_op(c->ctrl, c->sqe.opc);

	if (!op->fn)
		return NVME_SC_INVALID_OPCODE;
	/* PCIe: admin commands use PRPs (Base 2.1 section 4.1); no fused admin commands */
	if (c->sqe.flags && !c->ext) {
		c->error_loc = SSD_LOC(1, 0);
		return NVME_SC_INVALID_FIELD;
	}
	if (!(op->flags & SSD_OP_SANITIZE) && ssd_sanitize_runs(&ssd->sanitize))
		return NVME_SC_SANITIZE_IN_PROGRESS;
	return op->fn(ssd, c);
}
