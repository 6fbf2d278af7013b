/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Telemetry logs, log pages 07h and 08h: Base 2.1 section 5.1.12.1.8. One data area of a few
 * blocks; its content is the drive's statistics as text, for people who look at it. Offset and
 * length are multiples of the block of 512 bytes, else 00/02.
 */
#include <stdio.h>
#include <string.h>

#include "ssd/admin/admin.h"
#include "ssd/device.h"

#define BLOCK_BYTES 512
#define BLOCKS	    4

static uint16_t check_blocks(struct ssd_ctx *c)
{
	if (c->sqe.cdw12 % BLOCK_BYTES) {
		c->error_loc = SSD_LOC(48, 0);
		return NVME_SC_INVALID_FIELD;
	}
	/* zero based dwords */
	if ((NVME_GET(c->sqe.cdw10, LOG_NUMDL) + 1) * 4 % BLOCK_BYTES) {
		c->error_loc = SSD_LOC(42, 0);
		return NVME_SC_INVALID_FIELD;
	}
	return 0;
}

static uint16_t build(struct ssd *ssd, struct ssd_log *log, uint8_t lid)
{
	struct nvme_telemetry *t;

	if (ssd_log_alloc(log, (BLOCKS + 1) * BLOCK_BYTES))
		return NVME_SC_INTERNAL_ERROR;
	t = (struct nvme_telemetry *)log->data;
	t->lpi = lid;
	t->dalb1 = BLOCKS;
	t->dalb2 = BLOCKS;
	t->dalb3 = BLOCKS;
	snprintf((char *)t->rid, sizeof(t->rid), "requested");
	snprintf((char *)log->data + BLOCK_BYTES, (size_t)BLOCKS * BLOCK_BYTES,
		 "commands %llu\nreads %llu\nwrites %llu\nmedia errors %llu\npower cycles %llu\n",
		 (unsigned long long)ssd->stats.commands, (unsigned long long)ssd->health.read_cmds,
		 (unsigned long long)ssd->health.write_cmds,
		 (unsigned long long)ssd->health.media_errors,
		 (unsigned long long)ssd->health.power_cycles);
	return 0;
}

uint16_t ssd_log_telemetry_host(struct ssd *ssd, struct ssd_ctx *c, struct ssd_log *log)
{
	uint16_t sc = check_blocks(c);

	if (sc)
		return sc;
	if (NVME_GET(c->sqe.cdw10, LOG_LSP) & NVME_LSP_TELEMETRY_CREATE)
		ssd->telemetry_generation++;
	sc = build(ssd, log, NVME_LOG_TELEMETRY_HOST);
	if (!sc)
		((struct nvme_telemetry *)log->data)->thdgn = ssd->telemetry_generation;
	return sc;
}

/* Nothing ever made the controller capture data of its own accord. */
uint16_t ssd_log_telemetry_ctrl(struct ssd *ssd, struct ssd_ctx *c, struct ssd_log *log)
{
	uint16_t sc = check_blocks(c);

	if (!sc)
		sc = ssd_log_alloc(log, sizeof(struct nvme_telemetry));
	if (!sc)
		((struct nvme_telemetry *)log->data)->lpi = NVME_LOG_TELEMETRY_CTRL;
	return sc;
}
