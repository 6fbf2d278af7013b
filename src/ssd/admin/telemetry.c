/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Telemetry logs, log pages 07h and 08h: Base 2.1 section 5.1.12.1.8. One data area of a few
 * blocks; its content is the drive's statistics as text, for people who look at it. Offset and
 * length are multiples of the block of 512 bytes, else 00/02.
 */
#include "ssd/admin/telemetry.h"

#include <stdio.h>
#include <string.h>

#include "ssd/admin/admin.h"
#include "ssd/device.h"

#define BLOCK_BYTES sizeof(struct nvme_telemetry)

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

static void forget(struct ssd_telemetry *t, uint8_t generation)
{
	memset(t, 0, sizeof(*t));
	t->header.lpi = NVME_LOG_TELEMETRY_HOST;
	t->header.thdgn = generation;
}

void ssd_telemetry_power(struct ssd *ssd)
{
	forget(&ssd->telemetry, ssd->telemetry.header.thdgn);
}

static void capture(struct ssd *ssd, struct ssd_telemetry *t)
{
	forget(t, (uint8_t)(t->header.thdgn + 1));
	t->header.dalb1 = SSD_TELEMETRY_BLOCKS;
	t->header.dalb2 = SSD_TELEMETRY_BLOCKS;
	t->header.dalb3 = SSD_TELEMETRY_BLOCKS;
	snprintf((char *)t->header.rid, sizeof(t->header.rid), "requested");
	snprintf(t->data, sizeof(t->data),
		 "commands %llu\nreads %llu\nwrites %llu\nmedia errors %llu\npower cycles %llu\n",
		 (unsigned long long)ssd->stats.commands, (unsigned long long)ssd->health.read_cmds,
		 (unsigned long long)ssd->health.write_cmds,
		 (unsigned long long)ssd->health.media_errors,
		 (unsigned long long)ssd->health.power_cycles);
}

uint16_t ssd_log_telemetry_host(struct ssd *ssd, struct ssd_ctx *c, struct ssd_log *log)
{
	uint16_t sc = check_blocks(c);

	if (!sc)
		sc = ssd_log_alloc(log, sizeof(ssd->telemetry));
	if (sc)
		return sc;
	if (NVME_GET(c->sqe.cdw10, LOG_LSP) & NVME_LSP_TELEMETRY_CREATE)
		capture(ssd, &ssd->telemetry);
	memcpy(log->data, &ssd->telemetry, sizeof(ssd->telemetry));
	return 0;
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
