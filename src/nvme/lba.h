/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lba.h - what commands do to LBAs: locks, stamps, CRCs, protection information.
 *
 * The hooks between the queues and src/verify. A plain read of a plain namespace passes by all
 * of them until it completes.
 */
#ifndef PYNVME_NVME_LBA_H
#define PYNVME_NVME_LBA_H

#include <stdbool.h>
#include <stdint.h>

#include "nvme/ns.h"
#include "nvme/qpair.h"
#include "nvme/req.h"

/* Hot: must the command pass nvme_lba_lock() and nvme_lba_prepare()? */
static inline bool nvme_lba_involved(const struct nvme_req *req)
{
	return req->sqe.opc != NVME_CMD_READ || !req->ns || req->ns->slow;
}

/* Hot: must its completion pass nvme_lba_settle()? */
static inline bool nvme_lba_unsettled(const struct nvme_req *req)
{
	return (req->flags & NVME_REQ_HOOKED) ||
	       ((req->flags & NVME_REQ_CHECK) && nvme_config.verify);
}

/* Locks of namespaces that have them on. Return: 0, -EBUSY wait in the software queue. */
int nvme_lba_lock(struct nvme_req *req);

/**
 * nvme_lba_prepare() - before a command gets its data pointer
 *
 * Stamps and records writes, forgets what is about to change in another way, generates
 * protection information, finds memory for metadata nobody brought, and sees to it that the
 * memory there is has room for LBAs of the size they have by now.
 * Return: 0, -ENOMEM, -EMSGSIZE the buffers are too small for LBAs of the size they have by now.
 */
int nvme_lba_prepare(struct nvme_qpair *q, struct nvme_tracker *t, struct nvme_req *req);

/* At completion, however it came about; may turn the status into 02/81 or 02/82..84. */
void nvme_lba_settle(struct nvme_qpair *q, struct nvme_req *req, uint64_t now_ns);

#endif
