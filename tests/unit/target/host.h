/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host.h - a host of NVMe/TCP in a few lines. Nothing here asserts: threads report what failed.
 */
#ifndef PYNVME_TESTS_TARGET_HOST_H
#define PYNVME_TESTS_TARGET_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/nvme.h"
#include "target/target.h"

/* The subsystem that hosts connect to. */
#define HOST_NQN "nqn.2019-08.org.pynvme:threads"

/* One queue, seen from the host. */
struct queue {
	int fd;
	uint16_t cid;
	struct nvme_cqe cqe;
	uint8_t data[4096];
};

/* All of it, or false: the connection is over. */
bool put(int fd, const void *buf, size_t len);
bool get(int fd, void *buf, size_t len);

/* A connection, and one that has been greeted. */
bool dial(struct queue *q, const struct target *t);
bool open_queue(struct queue *q, const struct target *t);

/* The status, or UINT16_MAX: the connection is over. */
uint16_t connect_queue(struct queue *q, uint16_t qid, uint16_t cntlid, uint32_t kato_ms);
bool set_cc(struct queue *q, uint32_t cc);
/* Eight LBAs of 512 bytes; @data NULL: read into @q->data. */
bool rw(struct queue *q, uint8_t opc, uint32_t slba, const void *data);
/* CNTLID by Identify; 0: it failed. */
uint16_t identified(struct queue *q);

#endif
