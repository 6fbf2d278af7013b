/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * error_log.h - Error Information (log page 01h): a ring of the last failures.
 */
#ifndef PYNVME_SSD_ADMIN_ERROR_LOG_H
#define PYNVME_SSD_ADMIN_ERROR_LOG_H

#include <stdint.h>

#include "spec/logs.h"

#define SSD_ERROR_ENTRIES 64

struct ssd;
struct ssd_ctrl;
struct ssd_ctx;

struct ssd_error_log {
	struct nvme_error_entry ring[SSD_ERROR_ENTRIES];
	uint64_t count; /* entries ever made; the newest is at (count - 1) % ENTRIES */
};

/* A command failed with c->status. */
void ssd_error_log_cmd(struct ssd *ssd, const struct ssd_ctx *c);
/* An error that belongs to a queue (or to none, FFFFh) and to no command. */
void ssd_error_log_queue(struct ssd_ctrl *ctrl, uint16_t sqid);
/* The i-th entry, newest first; NULL past the oldest. */
const struct nvme_error_entry *ssd_error_log_get(const struct ssd_ctrl *ctrl, unsigned int i);

#endif
