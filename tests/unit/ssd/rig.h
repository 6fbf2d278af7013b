/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rig.h - a drive on the bench: hand-built queues in plain memory, IOVA = address, and a
 * clock that moves when the test says so.
 */
#ifndef PYNVME_TESTS_SSD_RIG_H
#define PYNVME_TESTS_SSD_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/identify.h"
#include "spec/logs.h"
#include "spec/nvme.h"
#include "ssd/ssd.h"

#define RIG_QUEUES 8
#define RIG_DEPTH  64

struct rig_queue {
	struct nvme_sqe *sq;
	struct nvme_cqe *cq;
	uint32_t depth;
	uint32_t tail;
	uint32_t head;
	uint16_t phase;
	uint16_t cid;
};

struct rig {
	struct ssd *ssd;
	uint64_t now_ns;
	volatile uint32_t *db;
	struct rig_queue q[RIG_QUEUES];
	uint32_t irqs[64];
	uint64_t hole_from; /* IOVAs that are not mapped */
	uint64_t hole_to;
	bool trusting; /* map anything: for counting instructions */
	size_t split;  /* map in pieces of this many bytes, 0: not */
	uint8_t *buf;  /* 1 MiB, page aligned */
	uint8_t *buf2;
};

#define RIG_BUF_BYTES (1u << 20)

/* A drive with @options ("latency=none" is not implied), not enabled. */
struct rig *rig_create(const char *options);
void rig_destroy(struct rig *r);

/* Enable with an admin queue; and an IO queue 1 of RIG_DEPTH. */
void rig_enable(struct rig *r);
/* The same with more bits of CC. */
void rig_enable_with(struct rig *r, uint32_t cc);
struct rig *rig_ready(const char *options);
/* Fresh memory for queue @id, unknown to the device yet. */
void rig_make_rings(struct rig *r, uint16_t id, uint32_t depth);
void rig_create_queue(struct rig *r, uint16_t id, uint32_t depth);

uint32_t rig_reg(struct rig *r, uint64_t off);
void rig_set_reg(struct rig *r, uint64_t off, uint32_t val);
uint32_t rig_cfg(struct rig *r, unsigned int off, unsigned int len);
void rig_set_cfg(struct rig *r, unsigned int off, uint32_t val, unsigned int len);

/* Put @sqe into queue @q with the next CID; returns it. The doorbell is not rung. */
uint16_t rig_put(struct rig *r, uint16_t q, struct nvme_sqe sqe);
void rig_ring(struct rig *r, uint16_t q);
void rig_step(struct rig *r);
/* Let @ns pass, stepping at each event. */
void rig_advance(struct rig *r, uint64_t ns);
/* The next completion of @q if there is one. */
bool rig_reap(struct rig *r, uint16_t q, struct nvme_cqe *cqe);
/* One command to its end, time passing as it needs; its SCT << 8 | SC. */
uint16_t rig_run(struct rig *r, uint16_t q, struct nvme_sqe sqe, uint32_t *cdw0);

/* IO on queue 1, namespace 1, data at @data. */
struct nvme_sqe rig_rw(uint8_t opc, uint64_t slba, uint32_t nlb, const void *data);
uint16_t rig_read(struct rig *r, uint64_t slba, uint32_t nlb, void *data);
uint16_t rig_write(struct rig *r, uint64_t slba, uint32_t nlb, const void *data);
uint16_t rig_identify(struct rig *r, uint32_t nsid, uint8_t cns, void *data);
uint16_t rig_log(struct rig *r, uint8_t lid, void *data, uint32_t bytes);

#endif
