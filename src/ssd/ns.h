/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ns.h - namespaces: geometry, format, state.
 */
#ifndef PYNVME_SSD_NS_H
#define PYNVME_SSD_NS_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme.h"

struct ssd;
struct ssd_ctx;
struct ssd_media;

#define SSD_NS_MAX 32

/* A data LBA can be 512 or 4096 bytes, each without and with metadata. */
#define SSD_LBAF_MAX 4

struct ssd_lbaf {
	uint32_t lba_bytes;
	uint32_t ms_bytes;
};

/**
 * struct ssd_ns - a namespace slot; nsid is its index plus one
 * @exists: allocated (Namespace Management)
 * @attached: active on every controller
 * @plain: no metadata, nothing in progress: the fast path applies
 * @not_ready: NVME_SC_* that every media access gets meanwhile, 0 when ready
 */
struct ssd_ns {
	struct ssd_media *media;
	uint64_t nsze;
	uint32_t nsid;
	uint16_t not_ready;
	uint8_t lba_shift;
	bool attached;
	bool plain;
	/* cold from here */
	bool exists;
	bool extended;	 /* metadata interleaved with the data */
	uint8_t pi_type; /* 0 none, 1..3 */
	bool pi_first;	 /* PI in the first bytes of the metadata */
	uint8_t lbaf;	 /* index of the format */
	uint32_t lba_bytes;
	uint32_t ms_bytes;
	uint64_t ncap;
	uint64_t bytes;		 /* of data, whatever the format */
	uint32_t error_recovery; /* feature 05h */
	uint8_t uuid[16];
	uint8_t eui64[8];
	uint8_t nguid[16];
};

/* The formats that this drive offers; their number (Identify NLBAF + 1). */
unsigned int ssd_ns_lbafs(const struct ssd *ssd, struct ssd_lbaf lbaf[SSD_LBAF_MAX]);

/* Create all namespaces of the options. 0, -ENOMEM, or -errno of the medium. */
int ssd_ns_init(struct ssd *ssd);
void ssd_ns_fini(struct ssd *ssd);

/* (Re)make a namespace's medium in the given format; contents are gone. 0 or -errno. */
int ssd_ns_format(struct ssd *ssd, struct ssd_ns *ns, uint8_t lbaf, bool extended, uint8_t pi_type,
		  bool pi_first);
/* Recompute .plain after any change of state. */
void ssd_ns_update(struct ssd *ssd, struct ssd_ns *ns);
/* The namespace of @nsid if that is valid and active, else NULL. */
struct ssd_ns *ssd_ns_active(struct ssd *ssd, uint32_t nsid);

/* For admin commands that name one active namespace: 0, 00/0b or 00/02 with the field marked. */
uint16_t ssd_ns_check_active(struct ssd *ssd, struct ssd_ctx *c, uint32_t nsid);
/* Its Identify data changed: log page 04h, and the event. */
void ssd_ns_changed(struct ssd *ssd, uint32_t nsid);
/* Capacity that no namespace has. */
uint64_t ssd_ns_unallocated_bytes(const struct ssd *ssd);

#endif
