/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ctrl.h - struct ssd_ctrl: one controller of the drive.
 *
 * A drive is one NVM subsystem: namespaces, media, health, firmware, faults are in struct ssd
 * (device.h) and shared. What a host has of its own is here: registers, queues, features of
 * controller scope, asynchronous events, the Error Information log. Every drive has the
 * controller of its PCI function (ssd->pcie); others come and go (ssd.h).
 */
#ifndef PYNVME_SSD_CTRL_H
#define PYNVME_SSD_CTRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ssd/admin/aer.h"
#include "ssd/admin/error_log.h"
#include "ssd/admin/feature.h"
#include "ssd/admin/feature_data.h"
#include "ssd/event.h"
#include "ssd/pci.h"
#include "ssd/power/state.h"
#include "ssd/power/thermal.h"
#include "ssd/queue/dbbuf.h"
#include "ssd/queue/irq.h"
#include "ssd/queue/queue.h"

#define SSD_CNTLID_PCIE 1

#define SSD_WATCH_DBBUF 0x1u /* doorbells are in host memory too: dbbuf.h */
#define SSD_WATCH_POWER 0x2u /* IO may have to wait: state.h */

struct ssd;
struct ssd_fabrics;
struct ssd_host_ops;

/**
 * struct ssd_regs - what the host wrote, and the state that follows from it
 * @shutting: CC.SHN was seen, SHST changes when @shutdown fires
 */
struct ssd_regs {
	uint64_t cap;
	uint32_t vs;
	uint32_t cc;
	uint32_t csts;
	uint32_t intms;
	uint32_t aqa;
	uint64_t asq;
	uint64_t acq;
	struct ssd_event enable;
	struct ssd_event shutdown;
};

/**
 * struct ssd_ctrl
 * @running: enabled, ready, decoding, bus master, no fatal status
 * @watch: SSD_WATCH_*, 0 when nothing is looked at before queues are served
 * @sq_next: round robin: where the next step begins
 * @page_bytes: CC.MPS
 * @next: of the drive's controllers, in order of their birth
 * @nsid_changed: bit nsid - 1: for log page 04h
 * @lost: over fabrics: reset by something else than CC.EN
 */
struct ssd_ctrl {
	/* hot: read on every command */
	struct ssd *ssd;
	uint64_t sq_live;  /* bit q: submission queue q exists */
	uint64_t cq_dirty; /* bit q: entries were posted in this step */
	uint64_t cq_wait;  /* bit q: completions wait for room */
	bool running;
	uint8_t watch;
	uint8_t sq_next;
	uint32_t page_bytes;
	const struct ssd_host_ops *ops;
	void *host;
	struct ssd_ctrl *next;
	struct ssd_sq sq[SSD_QUEUES_MAX];
	struct ssd_cq cq[SSD_QUEUES_MAX];

	/* cold from here */
	volatile uint32_t *doorbells;
	struct ssd_regs regs;
	struct ssd_pci pci;
	struct ssd_irqs irqs;
	struct ssd_dbbuf dbbuf;
	struct ssd_aer aer;
	struct ssd_error_log errors;
	struct ssd_features feat;
	struct ssd_feature_data featdata;
	struct ssd_thermal thermal;
	struct ssd_power power;
	uint64_t nsid_changed;
	uint16_t cntlid;
	bool lost;
	const struct ssd_fabrics *fabrics; /* NULL: a PCI function */
};

/* An interrupt, a queue, a register belongs to the controller that it is part of. */
#define SSD_CTRL_OF(ptr, member) \
	((struct ssd_ctrl *)((char *)(ptr)-offsetof(struct ssd_ctrl, member)))

/* Registers and all the rest in their first state; after the drive's own. 0 or -ENOMEM. */
int ssd_ctrl_init(struct ssd *ssd, struct ssd_ctrl *ctrl, uint16_t cntlid);
void ssd_ctrl_fini(struct ssd_ctrl *ctrl);

/* @running follows from registers, config space and power: call after any change. */
void ssd_update_running(struct ssd_ctrl *ctrl);

/* The controller of that identifier, or NULL. */
struct ssd_ctrl *ssd_ctrl_find(struct ssd *ssd, uint16_t cntlid);

/* Does another controller serve a host at present? */
bool ssd_ctrl_others(const struct ssd_ctrl *ctrl);

/* CSTS.CFS: nothing is processed until a reset. */
void ssd_fatal(struct ssd_ctrl *ctrl);

enum ssd_reset {
	SSD_RESET_CONTROLLER, /* CC.EN 1 -> 0 */
	SSD_RESET_FUNCTION,   /* FLR, hot reset */
	SSD_RESET_SUBSYSTEM,  /* NSSR */
	SSD_RESET_POWER,
};

/*
 * Every module's reset, in one place: queues and commands gone, features to their saved values.
 * The first two are one controller's, the others all controllers'.
 */
void ssd_reset(struct ssd_ctrl *ctrl, enum ssd_reset kind);
void ssd_reset_all(struct ssd *ssd, enum ssd_reset kind);

#endif
