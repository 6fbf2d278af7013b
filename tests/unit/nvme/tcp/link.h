/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * link.h - one queue of the NVMe/TCP transport whose peer is the test: no controller, no greeting.
 */
#ifndef PYNVME_TESTS_NVME_TCP_LINK_H
#define PYNVME_TESTS_NVME_TCP_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "nvme/ctrl.h"
#include "nvme/ns.h"
#include "nvme/tcp/fabric.h"

#define LINK_REQS 64

/**
 * struct link - a queue and the other end of its connection
 * @peer: the test's end
 * @last: the request that completed last
 */
struct link {
	struct nvme_ctrl *ctrl;
	struct nvme_qpair *q;
	struct nvme_tcp_queue *t;
	int peer;
	struct nvme_ns ns;
	struct nvme_ns_format format;
	struct nvme_req reqs[LINK_REQS];
	unsigned int completed;
	struct nvme_req *last;
};

/* Queue @sqid with @depth entries; digests of 0 or 4 bytes. Everything works, or the test ends. */
void link_open(struct link *link, uint16_t sqid, unsigned int depth, uint8_t head_digest,
	       uint8_t data_digest);
void link_close(struct link *link);

/* Request @i, submitted and not rung: a read or write of @bytes at @data. */
struct nvme_req *link_submit(struct link *link, unsigned int i, uint8_t opcode, void *data,
			     uint32_t bytes);

/* Bytes of a PDU of a controller, with the digests of the link. Returns its length. */
size_t link_data_pdu(const struct link *link, uint8_t *out, uint16_t cid, uint32_t at,
		     const void *data, uint32_t len, uint8_t flags);
size_t link_response_pdu(const struct link *link, uint8_t *out, uint16_t cid, uint16_t status);
size_t link_r2t_pdu(const struct link *link, uint8_t *out, uint16_t cid, uint32_t at, uint32_t len);

/* The peer sends, and the peer reads exactly @len bytes. */
void link_send(struct link *link, const void *bytes, size_t len);
void link_read(struct link *link, void *bytes, size_t len);

#endif
