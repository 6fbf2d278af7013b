/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ns.h - a namespace, its format, and what verification knows of it.
 *
 * One object per (controller, nsid), shared by all who open it.
 */
#ifndef PYNVME_NVME_NS_H
#define PYNVME_NVME_NS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "nvme/req.h"

struct nvme_ctrl;
struct nvme_id_ns;
struct verify_table;

/*
 * How a namespace is formatted. It never changes: another one takes its place, in whatever thread
 * a Format is noticed. Whoever needs two of its members takes both from the same one.
 */
struct nvme_ns_format {
	uint32_t lba_bytes;    /* data */
	uint32_t meta_bytes;   /* per LBA */
	uint32_t stride_bytes; /* in the data buffer: lba_bytes, plus meta_bytes if interleaved */
	bool meta_interleaved; /* FLBAS bit 4 */
	uint8_t pi_type;       /* DPS 0..3 */
	bool pi_first;	       /* DPS bit 3 */
	uint64_t nlbas;	       /* NSZE */
	struct verify_table *verify;   /* NULL: there was no memory for one */
	struct nvme_ns_format *former; /* a command in flight may still look at it */
};

struct nvme_ns {
	struct nvme_ctrl *ctrl;
	uint32_t nsid;
	_Atomic bool locks; /* Namespace.verify_enable(); set by nvme_ns_set_locks() */
	_Atomic bool slow;  /* locks, metadata or PI: reads need more than a data pointer */
	_Atomic(struct nvme_ns_format *) format; /* and all former ones, until the last put */
	/* cold from here */
	uint32_t refs;
	struct nvme_ns *next;
	struct nvme_id_ns *id_ns; /* as of the last refresh */
};

static inline const struct nvme_ns_format *nvme_ns_format(const struct nvme_ns *ns)
{
	return atomic_load_explicit(&ns->format, memory_order_acquire);
}

/**
 * nvme_ns_stride() - bytes from one LBA to the next in the data buffer of a command
 * @cdw12: its PRINFO counts: PRACT strips or inserts metadata that is nothing but PI
 */
static inline uint32_t nvme_ns_stride(const struct nvme_ns_format *f, uint32_t cdw12)
{
	if (f->pi_type && f->meta_bytes == sizeof(struct nvme_pi16) &&
	    NVME_GET(cdw12, RW_PRINFO) & NVME_PRINFO_PRACT)
		return f->lba_bytes;
	return f->stride_bytes;
}

/* -ENOENT inactive or invalid nsid, -EPROTO Identify failed, -ENOMEM. */
int nvme_ns_open(struct nvme_ctrl *ctrl, uint32_t nsid, struct nvme_ns **out);
/* One reference more, for another user of an open namespace. */
struct nvme_ns *nvme_ns_get(struct nvme_ns *ns);
void nvme_ns_put(struct nvme_ns *ns);
/* Identify again; a changed format or size starts an empty verify table. */
int nvme_ns_refresh(struct nvme_ns *ns);
/* LBA locks on or off, for commands submitted from now on. */
void nvme_ns_set_locks(struct nvme_ns *ns, bool on);

/* d.config() of the process; read once a command. */
struct nvme_config {
	_Atomic bool verify;
	_Atomic bool fua_read;
	_Atomic bool fua_write;
};

extern struct nvme_config nvme_config;

#endif
