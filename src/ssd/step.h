/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * step.h - what the core files share with each other and with nobody else.
 */
#ifndef PYNVME_SSD_STEP_H
#define PYNVME_SSD_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "ssd/device.h"

/* Run a command that was just fetched (or handed to ssd_exec()) to its completion or LATER. */
void ssd_execute(struct ssd *ssd, struct ssd_ctx *c);

/* End a command that waits or is delayed with @status, now. */
void ssd_abort_ctx(struct ssd *ssd, struct ssd_ctx *c, uint16_t status);
/* The same for all of a queue. */
void ssd_abort_all(struct ssd *ssd, const struct ssd_sq *sq, uint16_t status);

/* Remember to abort the queued command @cid when it is fetched; false: no such command. */
bool ssd_abort_queued(struct ssd_ctrl *ctrl, struct ssd_sq *sq, uint16_t cid);

/* Is @cid marked to be aborted? Then it no longer is. */
bool ssd_sq_take_abort(struct ssd_sq *sq, uint16_t cid);

/* Match faults before execution; true: dealt with, *@status as of a handler. */
bool ssd_fault_before(struct ssd *ssd, struct ssd_ctx *c, uint16_t *status);
/* What is left of a fault at completion; true: the command is dealt with. */
bool ssd_fault_completion(struct ssd *ssd, struct ssd_ctx *c);
/* What a fault does to the entry that is about to be posted. */
void ssd_fault_cqe(const struct ssd_ctx *c, struct nvme_cqe *cqe);

/* Data faults, between media and bounce buffers: ssd_io_load() and ssd_io_store() with a fault. */
int ssd_fault_load(struct ssd *ssd, struct ssd_ctx *c, uint64_t slba, uint32_t nlb, uint8_t *meta);
int ssd_fault_store(struct ssd *ssd, struct ssd_ctx *c, uint64_t slba, uint32_t nlb, uint8_t *meta);
void ssd_fault_loaded(struct ssd *ssd, struct ssd_ctx *c, uint32_t nlb);

/* Room for the events that are no commands, and the first contexts. 0 or -ENOMEM. */
int ssd_contexts_init(struct ssd *ssd);
void ssd_contexts_fini(struct ssd *ssd);

/* Registers: power-on values; the enable and shutdown state machine (reg.c). */
void ssd_regs_init(struct ssd_ctrl *ctrl);
void ssd_regs_reset(struct ssd_ctrl *ctrl, enum ssd_reset kind);

#endif
