/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IO commands: opcode -> handler. Checks that every command shares, in order:
 * opcode (00/01), fused (fused.c), reserved PSDT (00/02), NSID invalid (00/0b), NSID inactive
 * (00/02), Format or Sanitize in progress (00/84, 00/1d).
 */
#include "ssd/io/io.h"

#include <errno.h>

#include "ssd/admin/admin.h"
#include "ssd/io/fused.h"

#define EFFECTS(bits) (NVME_EFFECTS_CSUPP | (bits))
#define PSDT_RESERVED 3u

const struct ssd_op ssd_io_ops[256] = {
	[NVME_CMD_FLUSH] = { ssd_io_flush, EFFECTS(0), SSD_OP_ANY_NS },
	[NVME_CMD_WRITE] = { ssd_io_write, EFFECTS(NVME_EFFECTS_LBCC), 0 },
	[NVME_CMD_READ] = { ssd_io_read, EFFECTS(0), 0 },
	[NVME_CMD_WRITE_UNCORRECTABLE] = { ssd_io_write_uncorrectable, EFFECTS(NVME_EFFECTS_LBCC),
					   0 },
	[NVME_CMD_COMPARE] = { ssd_io_compare, EFFECTS(0), 0 },
	[NVME_CMD_WRITE_ZEROES] = { ssd_io_write_zeroes, EFFECTS(NVME_EFFECTS_LBCC), 0 },
	[NVME_CMD_DSM] = { ssd_io_dsm, EFFECTS(NVME_EFFECTS_LBCC), 0 },
	[NVME_CMD_VERIFY] = { ssd_io_verify, EFFECTS(0), 0 },
	[NVME_CMD_COPY] = { ssd_io_copy, EFFECTS(NVME_EFFECTS_LBCC), 0 },
};

uint16_t ssd_io_out_of_range(struct ssd_ctx *c, uint64_t slba)
{
	c->error_loc = SSD_LOC(40, 0);
	c->error_lba = slba;
	return NVME_SC_LBA_OUT_OF_RANGE;
}

uint16_t ssd_io_media_error(struct ssd *ssd, struct ssd_ctx *c, int rc)
{
	ssd->health.media_errors++;
	if (rc != -EIO)
		return NVME_SC_WRITE_FAULT;
	c->error_lba = c->ns->media->bad_lba;
	return NVME_SC_UNRECOVERED_READ;
}

/* The slow half of dispatch: something about flags or namespace is special. */
static uint16_t check(struct ssd *ssd, struct ssd_ctx *c, const struct ssd_op *op)
{
	if (c->sqe.flags & 0x3c || NVME_GET(c->sqe.flags, SQE_PSDT) == PSDT_RESERVED) {
		c->error_loc = SSD_LOC(1, 0);
		return NVME_SC_INVALID_FIELD;
	}
	if (c->sqe.nsid == NVME_NSID_ALL && op->flags & SSD_OP_ANY_NS)
		return ssd_sanitize_runs(&ssd->sanitize) ? NVME_SC_SANITIZE_IN_PROGRESS : 0;
	c->error_loc = SSD_LOC(4, 0);
	if (!c->sqe.nsid || c->sqe.nsid > ssd->opts.ns)
		return NVME_SC_INVALID_NS;
	c->ns = ssd_ns_active(ssd, c->sqe.nsid);
	if (!c->ns)
		return NVME_SC_INVALID_FIELD;
	c->error_loc = SSD_ERROR_LOC_NONE;
	return c->ns->not_ready;
}

uint16_t ssd_io_dispatch(struct ssd *ssd, struct ssd_ctx *c)
{
	const struct ssd_op *op = &ssd_io_ops[c->sqe.opc];
	uint16_t sc;

	if (!op->fn)
		return NVME_SC_INVALID_OPCODE;
	if (NVME_GET(c->sqe.flags, SQE_FUSE) && !(c->flags & SSD_CTX_FUSED))
		return ssd_fused_half(ssd, c);
	sc = check(ssd, c, op);
	return sc ? sc : op->fn(ssd, c);
}
