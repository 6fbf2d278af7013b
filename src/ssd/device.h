/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * device.h - struct ssd: the whole drive, for the files of this folder.
 *
 *   ssd.h     what others see            device.c   create, destroy, statistics
 *   ctrl.h    one controller of it       ctrl.c     its life
 *   cmd.h     a command's context        context.c  contexts, completion
 *   queue.h   queues                     step.c     doorbells, arbitration, events
 *   reg.c     registers                  config.c   PCI config space; irq.c interrupts
 *   dptr.h    PRP, SGL                   admin.c    admin dispatch -> admin_*.c
 *   media.h   LBAs                       io.c       IO dispatch -> io_*.c
 *   cache.h   what a power loss undoes   transfer.h LBAs to and from the host, pi.h
 *   store.h   the file of a drive        hot.h, direct.h: the path of every command
 *   fault.h   injected faults            options.c  what `sim:` addresses say
 *
 * Everything a module keeps is one struct of its own, embedded here: a new module is a
 * header, a member below, and calls of its reset function in device_reset.c.
 */
#ifndef PYNVME_SSD_DEVICE_H
#define PYNVME_SSD_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rand.h"
#include "spec/fabrics.h"
#include "spec/identify.h"
#include "spec/logs.h"
#include "spec/nvme.h"
#include "ssd/media/cache.h"
#include "ssd/cmd.h"
#include "ssd/ctrl.h"
#include "ssd/queue/dptr.h"
#include "ssd/event.h"
#include "ssd/fault/fault.h"
#include "ssd/admin/firmware.h"
#include "ssd/admin/format.h"
#include "ssd/media/media.h"
#include "ssd/ns.h"
#include "ssd/options.h"
#include "ssd/admin/pel.h"
#include "ssd/admin/sanitize.h"
#include "ssd/admin/self_test.h"
#include "ssd/admin/telemetry.h"
#include "ssd/ssd.h"
#include "ssd/store.h"

#define SSD_MNTMT	 303 /* kelvins, host controlled thermal management */
#define SSD_MXTMT	 358
#define SSD_HMB_ENTRIES	 256 /* descriptors of a host memory buffer */
/* Copy: ranges a command, LBAs a range and in all */
#define SSD_COPY_RANGES	 128
#define SSD_COPY_MSSRL	 256
#define SSD_COPY_MCL	 1024
#define SSD_BAR0_MSIX	 0x2000u
#define SSD_BAR0_PBA	 0x3000u
#define SSD_TRANSFER_MAX (65536u * (4096u + 64u)) /* NLB, with metadata */
#define SSD_CONTEXTS_MAX 8192u
#define SSD_MPSMAX	 4u /* pages up to 64 KiB */

/**
 * struct ssd_health - lifetime counters, kept over everything but destruction
 * Sectors are 512 bytes. Hot ones first.
 */
struct ssd_health {
	uint64_t read_sectors;
	uint64_t written_sectors;
	uint64_t read_cmds;
	uint64_t write_cmds;
	uint64_t power_cycles;
	uint64_t unsafe_shutdowns;
	uint64_t media_errors;
	uint64_t busy_ns;	/* with IO commands outstanding */
	uint64_t busy_until_ns; /* how far that was counted */
	uint64_t powered_ns;	/* before the present power-on */
	uint64_t powered_at_ns; /* time of the last power-on */
};

struct ssd {
	/* hot: read on every command */
	uint64_t now_ns;
	struct ssd_ctx *free_ctx;
	uint32_t nfaults;    /* rules; one predictable branch a command */
	bool instant;	     /* latency=none */
	uint32_t mdts_bytes; /* SSD_TRANSFER_MAX if there is no limit */
	struct ssd_ns ns[SSD_NS_MAX];
	struct ssd_health health;
	struct ssd_dptr dptr;
	struct ssd_ctrl pcie; /* the PCI function's; ssd_ctrl.next leads to the others */

	/* cold from here */
	struct ssd_options opts;
	char nqn[NVME_NQN_BYTES];
	uint16_t last_cntlid;
	uint16_t nctrls; /* beside ssd->pcie */
	bool shared;	 /* there was more than one controller */
	struct ssd_events events;
	uint32_t saved[256]; /* features, by FID */
	struct ssd_lba_ranges ranges[SSD_NS_MAX];
	struct ssd_firmware fw;
	struct ssd_format format;
	struct ssd_self_test dst;
	struct ssd_sanitize sanitize;
	struct ssd_pel pel;
	struct ssd_telemetry telemetry;
	struct ssd_faults faults;
	struct ssd_stats stats;
	struct ssd_ctx **ctx_chunks; /* of SSD_CTX_CHUNK contexts */
	uint32_t nctx_chunks;
	struct ssd_store store;
	struct ssd_cache cache;
	struct ssd_cache stale; /* notes for stale reads */
	struct rand rand;	/* the drive's seeded stream */
	uint8_t *bounce;	/* mdts_bytes each: data, metadata */
	uint8_t *bounce_meta;
	bool initialised;
	bool powered;
	bool removed;
	bool clean_shutdown; /* SHST reached "complete" since the last power-on */
	uint16_t temperature_kelvin;
};

/* Hours with power, over the drive's life. */
uint64_t ssd_power_on_hours(const struct ssd *ssd);

/* Identify Controller SANICAP; also part of the Persistent Event Log. */
uint32_t ssd_sanitize_caps(void);

#endif
